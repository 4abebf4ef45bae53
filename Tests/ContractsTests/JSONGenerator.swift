// Random JSON texts with everything in them that readers like to disagree about.

struct JSONGenerator {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// A valid text, spaces and escapes included.
  mutating func text(depth: Int = 0) -> String {
    let kind = Int.random(in: 0..<(depth < 4 ? 10 : 6), using: &random)
    switch kind {
    case 0: return pick(["null", "true", "false"])
    case 1, 2: return number()
    case 3, 4, 5: return string()
    case 6, 7: return list("[", "]") { $0.text(depth: depth + 1) }
    default: return list("{", "}") { $0.string() + $0.space() + ":" + $0.space() + $0.text(depth: depth + 1) }
    }
  }

  /// A text with one to three bytes changed, cut out or put in; mostly no JSON any more. Always UTF-8.
  mutating func broken() -> String {
    var scalars = Array(text().unicodeScalars)
    let wily = Array("\"\\{}[]:,.-+eE0129tfnul/ \t\n\u{0}\u{1F}\u{A0}\u{FEFF}é".unicodeScalars)
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let place = Int.random(in: 0...scalars.count, using: &random)
      let letter = wily[Int.random(in: wily.indices, using: &random)]
      switch Int.random(in: 0..<3, using: &random) {
      case 0: scalars.insert(letter, at: place)
      case 1 where place < scalars.count: scalars[place] = letter
      default: if place < scalars.count { scalars.remove(at: place) }
      }
    }
    return String(String.UnicodeScalarView(scalars))
  }

  private mutating func list(_ open: String, _ close: String, _ element: (inout Self) -> String) -> String {
    let elements = (0..<Int.random(in: 0...4, using: &random)).map { _ in space() + element(&self) + space() }
    return open + space() + elements.joined(separator: ",") + close
  }

  private mutating func space() -> String { pick(["", "", "", "", " ", "\n", "\t", "\r\n "]) }

  private mutating func number() -> String {
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      return pick(["0", "-0", "1e21", "1e-7", "5e-324", "1.7976931348623157e308", "1e400", "-1e-400", "0.10", "1E+5"])
    case 1: return String(Int64.random(in: -1000...1000, using: &random))
    case 2: return String(Int64(bitPattern: random.next()))
    default:
      let value = Double(bitPattern: random.next())
      return value.isFinite ? "\(value)" : "0.1"
    }
  }

  /// Keys and strings alike, from few letters so that keys repeat, some of them array indices.
  private mutating func string() -> String {
    let pieces = [
      "", "a", "b", "0", "1", "10", "7", "4294967294", "4294967295", "-1", "01", "__proto__", composed, decomposed, "😀",
      "\u{2028}", "\u{7F}", "\\n", "\\u0000", "\\u001f", "\\\"", "\\\\", "\\/", "\\ud83d\\ude00", "\\u0061", "\u{FEFF}",
      "\u{E000}", String(repeating: "x", count: 70),
    ]
    return "\"" + (0..<Int.random(in: 0...2, using: &random)).map { _ in pick(pieces) }.joined() + "\""
  }

  private mutating func pick(_ choices: [String]) -> String {
    choices[Int.random(in: choices.indices, using: &random)]
  }
}
