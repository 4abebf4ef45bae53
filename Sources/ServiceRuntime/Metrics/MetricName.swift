// What a metric may be called. Names are written in the source, so a bad one is a mistake of ours and stops the program.

enum MetricName {
  /// Lower-case words joined by underscores; Prometheus would take more, its own linter would not.
  static func isMetric(_ name: String) -> Bool {
    name.utf8.allSatisfy(isWord) && name.utf8.first.map(isLetter) == true
  }

  /// `le` is the histogram's own.
  static func isLabel(_ name: String) -> Bool { isMetric(name) && name != "le" && !name.hasPrefix("_") }

  private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

  private static func isWord(_ byte: UInt8) -> Bool {
    isLetter(byte) || byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
