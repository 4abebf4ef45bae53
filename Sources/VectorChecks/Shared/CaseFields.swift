// One case of a JSON file, read strictly: what is missing or of the wrong type fails that case and no other.

import Contracts

/// Why a case cannot be run as it stands.
struct CaseProblem: Error, Equatable {
  let why: String
}

struct CaseFields: Sendable {
  let json: JSONValue

  subscript(name: String) -> JSONValue? { json[name] }

  func value(_ name: String) throws(CaseProblem) -> JSONValue {
    guard let value = json[name] else { throw CaseProblem(why: "member \(name) is missing") }
    return value
  }

  func text(_ name: String) throws(CaseProblem) -> String {
    guard let text = try value(name).text else { throw CaseProblem(why: "member \(name) is not a string") }
    return text
  }

  func texts(_ name: String) throws(CaseProblem) -> [String] {
    guard let texts = try value(name).texts else { throw CaseProblem(why: "member \(name) is not a list of strings") }
    return texts
  }

  func hex(_ name: String) throws(CaseProblem) -> [UInt8] {
    guard let bytes = Hex.decode(try text(name)) else { throw CaseProblem(why: "member \(name) is not hex") }
    return bytes
  }

  func integer(_ name: String) throws(CaseProblem) -> Int {
    guard let value = try value(name).number?.integer else {
      throw CaseProblem(why: "member \(name) is not an integer")
    }
    return value
  }

  func bool(_ name: String) throws(CaseProblem) -> Bool {
    guard let value = try value(name).bool else { throw CaseProblem(why: "member \(name) is not true or false") }
    return value
  }

  func fields(_ name: String) throws(CaseProblem) -> CaseFields {
    let value = try value(name)
    guard value.object != nil else { throw CaseProblem(why: "member \(name) is not an object") }
    return CaseFields(json: value)
  }

  /// Absent means none.
  func tags() throws(CaseProblem) -> Set<String> { self["tags"] == nil ? [] : Set(try texts("tags")) }
}

extension Outcome {
  /// The outcome of one case; a case that cannot be read has failed.
  static func of(_ body: () throws(CaseProblem) -> Outcome) -> Outcome {
    do {
      return try body()
    } catch { return .failed(error.why) }
  }

  /// `difference` is nil where everything is as expected.
  static func passed(unless difference: String?) -> Outcome { difference.map(Outcome.failed) ?? .passed }
}
