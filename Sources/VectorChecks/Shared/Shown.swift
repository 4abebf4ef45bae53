// Names from outside, made fit for a terminal: a file or a case may be called anything, also something that a
// terminal would obey.

enum Shown {
  private static let longest = 300

  static func name(_ text: String) -> String {
    var shown = ""
    for (position, scalar) in text.unicodeScalars.enumerated() {
      guard position < longest else { return shown + "…" }
      shown += isHarmless(scalar) ? String(scalar) : "\\u{" + String(scalar.value, radix: 16) + "}"
    }
    return shown
  }

  /// Controls drive terminals, format characters turn the reading direction, foreign spaces fake a second line.
  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }
}
