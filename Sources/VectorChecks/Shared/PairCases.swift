// Text files whose cases are `NAME = value` lines behind a `COUNT = n`.

import Contracts
import ServiceRuntime

struct PairCase: Sendable {
  let id: String
  fileprivate(set) var values: [String: String] = [:]

  func has(_ name: String) -> Bool { values[name] != nil }

  func text(_ name: String) throws(CaseProblem) -> String {
    guard let value = values[name] else { throw CaseProblem(why: "\(name) is missing") }
    return value
  }

  func hex(_ name: String) throws(CaseProblem) -> [UInt8] {
    guard let bytes = Hex.decode(try text(name)) else { throw CaseProblem(why: "\(name) is not hex") }
    return bytes
  }
}

enum PairCases {
  private static let counter = "COUNT"

  static func count(_ content: VectorContent) -> Int? {
    guard case .text(let text) = content else { return nil }
    return TextLines.count(in: text) { $0.starts(with: counter) }
  }

  static func run(
    _ content: VectorContent, _ progress: (Int) -> Void, _ check: (PairCase) throws(CaseProblem) -> Outcome
  ) throws(UnreadableVectors) -> [CaseResult] {
    guard case .text(let text) = content else { throw UnreadableVectors(why: "not text") }
    var results: [CaseResult] = []
    for item in try cases(in: text) {
      results.append(CaseResult(id: item.id, outcome: Outcome.of { () throws(CaseProblem) in try check(item) }))
      progress(results.count)
    }
    return results
  }

  private static func cases(in text: String) throws(UnreadableVectors) -> [PairCase] {
    var lines = TextLines(text)
    var cases: [PairCase] = []
    while let line = lines.next() {
      if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
      guard let (name, value) = line.pair() else {
        throw UnreadableVectors(why: "line \(lines.number) is not understood")
      }
      if name == counter {
        cases.append(PairCase(id: "\(counter) \(value.text)"))
      } else if cases.isEmpty || cases[cases.count - 1].values.updateValue(value.text, forKey: name) != nil {
        throw UnreadableVectors(why: "line \(lines.number): \(Printable.name(name)) does not belong here")
      }
    }
    return cases
  }
}
