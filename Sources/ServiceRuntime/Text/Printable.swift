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

  /// A path as one word of a command that a reader may copy into a shell: in quotes unless every byte is harmless
  /// there, since whoever names a file must not write commands for the one who reads about it.
  package static func word(_ text: String) -> String {
    let shown = name(text)
    if !shown.isEmpty, shown.utf8.allSatisfy(isHarmlessInShell) { return shown }
    return "'" + shown.replacing("'", with: "'\\''") + "'"
  }

  private static func isHarmlessInShell(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "_-+.,:/@%".utf8.contains(byte)
    }
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
