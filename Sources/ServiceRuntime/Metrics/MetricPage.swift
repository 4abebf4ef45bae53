// The page that Prometheus reads: its text format 0.0.4, one sample a line.

struct MetricPage {
  /// What the answer's Content-Type must say.
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  enum Kind: String {
    case counter
    case gauge
    case histogram
  }

  private(set) var text = ""
  /// Labels that every series of this process has, as they stand between the braces.
  private let common: String

  init(common: [(String, String)]) { self.common = Self.joined(common) }

  mutating func begin(_ name: String, _ kind: Kind, help: String) {
    text += "# HELP \(name) \(Self.escaped(help, quote: false))\n# TYPE \(name) \(kind.rawValue)\n"
  }

  mutating func add(_ name: String, _ labels: String, _ value: Double) {
    let parts = [common, labels].filter { !$0.isEmpty }.joined(separator: ",")
    text += parts.isEmpty ? name : "\(name){\(parts)}"
    text += " \(Self.number(value))\n"
  }

  static func joined(_ labels: [(String, String)]) -> String {
    labels.map { "\($0.0)=\"\(escaped($0.1, quote: true))\"" }.joined(separator: ",")
  }

  /// Whole numbers without a point, as a reader expects of a count.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value == value.rounded(), value.magnitude < 1e15 { return String(Int64(value)) }
    return String(value)
  }

  private static func escaped(_ text: String, quote: Bool) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quote: result += "\\\""
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
