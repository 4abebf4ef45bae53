// How a process declares one of its settings: the variable, what it may be, its default with unit, and the reason in
// one sentence. The reader, the errors and `--help` are all made from this.

/// A setting whose value may be shown. Secrets are `SecretSetting`, long public texts `DocumentSetting`.
package struct Setting<Value: Sendable>: Sendable {
  package enum Fallback: Sendable {
    case required
    case value(Value)
  }

  let variable: KnownVariable
  let fallback: Fallback
  let unit: String
  let reason: String
  /// What is allowed, as the end of a sentence: "a whole number from 1 to 10".
  let allowed: String
  /// What reading goes on with after a problem was noted; it never leaves the reader.
  let standIn: Value
  let parse: @Sendable (String) -> Value?
  let show: @Sendable (Value) -> String

  init(
    _ variable: KnownVariable, _ fallback: Fallback, unit: String = "", allowed: String, standIn: Value,
    reason: String, show: @escaping @Sendable (Value) -> String, parse: @escaping @Sendable (String) -> Value?
  ) {
    precondition(variable.form == .text, "\(variable.rawValue) is not a short text that may be shown")
    (self.variable, self.fallback, self.unit, self.allowed) = (variable, fallback, unit, allowed)
    (self.standIn, self.reason, self.show, self.parse) = (standIn, reason, show, parse)
  }

  /// The same setting, but nil where nothing is set.
  package var optional: Setting<Value?> {
    let (parse, show) = (parse, show)
    return Setting<Value?>(
      variable, .value(nil), unit: unit, allowed: allowed, standIn: nil, reason: reason,
      show: { $0.map(show) ?? "" }, parse: { parse($0).map(Optional.some) })
  }

  package var documentation: SettingDocumentation {
    let fallback =
      switch fallback {
      case .required: "required"
      case .value(let value): show(value)
      }
    return SettingDocumentation(
      variable: variable, fallback: fallback, unit: unit, allowed: allowed, reason: reason)
  }
}

/// A setting that is never shown and lives in locked memory from the first byte on.
package struct SecretSetting: Sendable {
  let variable: KnownVariable
  let isRequired: Bool
  let length: ClosedRange<Int>
  /// Keys and passwords are typed into files by editors that end the last line; PEM keeps its newline.
  let dropsTrailingNewline: Bool
  let reason: String

  /// `length` counts bytes, after the newline is gone.
  package init(
    _ variable: KnownVariable, required: Bool, length: ClosedRange<Int>, dropsTrailingNewline: Bool = true,
    reason: String
  ) {
    precondition(variable.form == .secret, "\(variable.rawValue) is not listed as a secret")
    precondition(length.lowerBound > 0 && length.upperBound <= SecretFile.longest, "no secret has this length")
    (self.variable, self.isRequired, self.length) = (variable, required, length)
    (self.dropsTrailingNewline, self.reason) = (dropsTrailingNewline, reason)
  }

  package var documentation: SettingDocumentation {
    SettingDocumentation(
      variable: variable, fallback: isRequired ? "required" : "", unit: "", allowed: allowed, reason: reason)
  }

  var allowed: String {
    length.lowerBound == length.upperBound
      ? "exactly \(length.lowerBound) bytes" : "\(length.lowerBound) to \(length.upperBound) bytes"
  }
}

/// A public text of several lines, inline or in a file.
package struct DocumentSetting: Sendable {
  let variable: KnownVariable
  let isRequired: Bool
  let reason: String

  package init(_ variable: KnownVariable, required: Bool, reason: String) {
    precondition(variable.form == .document, "\(variable.rawValue) is not listed as a document")
    (self.variable, self.isRequired, self.reason) = (variable, required, reason)
  }

  package var documentation: SettingDocumentation {
    SettingDocumentation(
      variable: variable, fallback: isRequired ? "required" : "", unit: "",
      allowed: "at most \(SecretFile.longest) bytes", reason: reason)
  }
}

/// What `--help` says about a setting.
package struct SettingDocumentation: Sendable, Equatable {
  package let variable: KnownVariable
  package let fallback: String
  package let unit: String
  package let allowed: String
  package let reason: String
}
