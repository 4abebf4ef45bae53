// The kinds of value a setting may have. Each says what it allows in words, because the words are what an operator
// reads when a start was refused.

extension Setting where Value == String {
  package static func text(
    _ variable: KnownVariable, _ fallback: Fallback, length: ClosedRange<Int> = 1...1024, reason: String
  ) -> Self {
    Self(
      variable, fallback, allowed: "a text of \(length.lowerBound) to \(length.upperBound) bytes", standIn: "",
      reason: reason, show: { $0 }, parse: { length.contains($0.utf8.count) ? $0 : nil })
  }

  /// The path of a file or folder; whether it exists is for the one who opens it to find out.
  package static func path(_ variable: KnownVariable, _ fallback: Fallback, reason: String) -> Self {
    // PATH_MAX counts the byte that ends the text.
    let longest = 4095
    return Self(
      variable, fallback, allowed: "a path of at most \(longest) bytes", standIn: "/", reason: reason, show: { $0 },
      parse: { $0.utf8.count <= longest ? $0 : nil })
  }
}

extension Setting {
  /// Several values with commas between them. `allowed` says what each may be.
  package static func list<Element: Sendable>(
    _ variable: KnownVariable, atMost most: Int, of allowed: String, reason: String,
    show: @escaping @Sendable (Element) -> String, element: @escaping @Sendable (String) -> Element?
  ) -> Self where Value == [Element] {
    Self(
      variable, .value([]), allowed: "at most \(most) values with commas between them, each \(allowed)", standIn: [],
      reason: reason, show: { $0.map(show).joined(separator: ",") },
      parse: { text in
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= most else { return nil }
        var list: [Element] = []
        for part in parts {
          let trimmed = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
          guard let value = element(String(trimmed)) else { return nil }
          list.append(value)
        }
        return list
      })
  }
}

extension Setting where Value == Int {
  package static func integer(
    _ variable: KnownVariable, _ fallback: Fallback, in range: ClosedRange<Int>, unit: String, reason: String
  ) -> Self {
    Self(
      variable, fallback, unit: unit, allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)",
      standIn: range.lowerBound, reason: reason, show: { String($0) }, parse: { wholeNumber($0, in: range) })
  }
}

extension Setting where Value == Duration {
  /// All times are set in milliseconds, so that nobody has to look up which.
  package static func milliseconds(
    _ variable: KnownVariable, _ fallback: Fallback, in range: ClosedRange<Int>, reason: String
  ) -> Self {
    Self(
      variable, fallback, unit: "ms",
      allowed: "a whole number of milliseconds from \(range.lowerBound) to \(range.upperBound)",
      standIn: .milliseconds(range.lowerBound), reason: reason,
      show: { String($0.components.seconds * 1_000 + $0.components.attoseconds / 1_000_000_000_000_000) },
      parse: { wholeNumber($0, in: range).map { .milliseconds($0) } })
  }
}

extension Setting where Value == Bool {
  package static func boolean(_ variable: KnownVariable, _ fallback: Fallback, reason: String) -> Self {
    Self(
      variable, fallback, allowed: "`true`, `false`, `1` or `0`", standIn: false, reason: reason,
      show: { $0 ? "true" : "false" },
      parse: { text in
        switch text {
        case "true", "1": true
        case "false", "0": false
        default: nil
        }
      })
  }
}

extension Setting where Value == ServiceURL {
  package static func url(
    _ variable: KnownVariable, _ fallback: Fallback, schemes: [String], reason: String
  ) -> Self {
    let list = schemes.map { "\($0)://" }.joined(separator: " or ")
    return Self(
      variable, fallback, allowed: "a URL that begins with \(list) and holds no user, password or fragment",
      standIn: .standIn, reason: reason, show: { $0.text }, parse: { ServiceURL($0, schemes: schemes) })
  }
}

extension Setting where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  package static func oneOf(
    _ variable: KnownVariable, _ fallback: Fallback, ignoringCase: Bool = false, reason: String
  ) -> Self {
    let choices = Array(Value.allCases)
    guard let first = choices.first else { preconditionFailure("a choice needs something to choose from") }
    let names = choices.map { "`\($0.rawValue)`" }
    return Self(
      variable, fallback, allowed: "one of " + names.joined(separator: ", "), standIn: first, reason: reason,
      show: { $0.rawValue },
      parse: { text in
        choices.first { $0.rawValue == text || (ignoringCase && $0.rawValue.lowercased() == text.lowercased()) }
      })
  }
}

/// Digits with at most a minus before them. `Int(_:)` alone would take `+5` and `007`, which look like a slip.
private func wholeNumber(_ text: String, in range: ClosedRange<Int>) -> Int? {
  guard let number = Int(text), String(number) == text, range.contains(number) else { return nil }
  return number
}
