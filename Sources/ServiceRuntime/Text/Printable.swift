// What was found somewhere, made fit to be shown: short, on one line, without anything a terminal would obey, and
// without what looks like a secret.

package enum Printable {
  static let longest = 80

  /// In quotes, or `<redacted>`.
  package static func value(_ text: String) -> String {
    SecretShapes.match(text) ? SecretShapes.replacement : "`\(plain(text))`"
  }

  /// A name or path inside a sentence or a table.
  package static func name(_ text: String) -> String {
    SecretShapes.match(text) ? SecretShapes.replacement : plain(text, longest: 200)
  }

  private static func plain(_ text: String, longest: Int = longest) -> String {
    var shown = ""
    for (index, scalar) in text.unicodeScalars.enumerated() {
      guard index < longest else { return shown + "…" }
      shown += isHarmless(scalar) ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
    }
    return shown
  }

  /// Letters of any script, digits, signs. Controls could drive the terminal, format characters turn the reading
  /// direction, and foreign spaces and line ends fake a second message.
  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }
}
