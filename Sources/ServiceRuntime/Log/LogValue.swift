// What a field of a log line may hold. There is no case for bytes, for an error as a whole, or for anything that
// prints itself, so a secret has no way in.

package enum LogValue: Sendable {
  case id(String)
  case count(Int)
  case flag(Bool)
  case took(Duration)
  case moment(Moment)
  /// From a closed set; made by `reason(_:)`.
  case name(String)
  /// Free text, of our own making: an advice, the words of the system. Cut, escaped, and searched for secrets.
  case text(String)

  /// A case of an enum, by its raw value.
  package static func reason<Reason: RawRepresentable & CaseIterable>(_ reason: Reason) -> LogValue
  where Reason.RawValue == String { .name(reason.rawValue) }

  /// Identifiers come from callers, who may send what they like; ours are at most this long.
  static let longestId = 256
  static let longestText = 1024

  func write(to line: inout [UInt8]) {
    switch self {
    case .id(let text), .name(let text): Self.write(text, longest: Self.longestId, to: &line)
    case .text(let text): Self.write(text, longest: Self.longestText, to: &line)
    case .count(let number): line += Array(String(number).utf8)
    case .flag(let flag): line += Array(String(flag).utf8)
    case .took(let duration): line += Array(Self.milliseconds(duration).utf8)
    // Digits of our own: each line has one, and its colons would have it searched for every shape.
    case .moment(let moment): LogLine.quote(moment.text, longest: Self.longestId, to: &line)
    }
  }

  private static func write(_ text: String, longest: Int, to line: inout [UInt8]) {
    // The whole text is searched, not only what is left after the cut.
    LogLine.quote(SecretShapes.match(text) ? SecretShapes.replacement : text, longest: longest, to: &line)
  }

  /// With three digits after the point: 12.345.
  private static func milliseconds(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    let fraction = String(microseconds.magnitude % 1_000)
    let sign = microseconds < 0 ? "-" : ""
    return "\(sign)\(microseconds.magnitude / 1_000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
  }
}
