// A value as JavaScript holds it, for comparing: numbers are doubles (with -0 and the infinities), texts are UTF-16
// (perhaps with half a surrogate pair), members stand in JavaScript's order. `CaseFields` gives the ways in which
// the files write one down.

import Contracts
import ServiceRuntime

indirect enum JavaScriptValue: Equatable, Sendable {
  case null
  case bool(Bool)
  /// By its bits, so that 0 and -0 differ; JSON has no NaN.
  case number(UInt64)
  case text([UInt16])
  case array([JavaScriptValue])
  case object([Member])

  struct Member: Equatable, Sendable {
    let key: [UInt16]
    let value: JavaScriptValue
  }

  init(_ json: JSONValue) {
    switch json {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .number(let value): self = .number(value.double.bitPattern)
    case .string(let value): self = .text(Array(value.text.utf16))
    case .array(let elements): self = .array(elements.map { JavaScriptValue($0) })
    case .object(let object):
      self = .object(object.members.map { Member(key: Array($0.key.text.utf16), value: JavaScriptValue($0.value)) })
    }
  }

  /// What plain JSON cannot carry: `{"$number": …}`, `{"$utf16be": hex}`, `{"$entries": [[key, value]…]}`.
  init(tagged json: JSONValue) throws(CaseProblem) {
    switch json {
    case .array(let elements):
      var values: [JavaScriptValue] = []
      for element in elements { values.append(try JavaScriptValue(tagged: element)) }
      self = .array(values)
    case .object(let object):
      if let tag = object.members.first, object.count == 1, tag.key.text.hasPrefix("$") {
        self = try Self.tagged(tag.key.text, tag.value)
      } else {
        var members: [Member] = []
        for member in object.members {
          members.append(Member(key: Array(member.key.text.utf16), value: try JavaScriptValue(tagged: member.value)))
        }
        self = .object(members)
      }
    default: self.init(json)
    }
  }

  private static func tagged(_ tag: String, _ value: JSONValue) throws(CaseProblem) -> JavaScriptValue {
    switch (tag, value) {
    case ("$number", .string(let name)):
      switch name.text {
      case "-0": return .number((-0.0).bitPattern)
      case "Infinity": return .number(Double.infinity.bitPattern)
      case "-Infinity": return .number((-Double.infinity).bitPattern)
      default: throw CaseProblem(why: "$number names no number")
      }
    case ("$utf16be", .string(let hex)): return .text(try units(hex.text))
    case ("$entries", .array(let entries)):
      var members: [Member] = []
      for entry in entries {
        guard let pair = entry.array, pair.count == 2, case .text(let key) = try JavaScriptValue(tagged: pair[0]) else {
          throw CaseProblem(why: "$entries is not a list of keys and values")
        }
        members.append(Member(key: key, value: try JavaScriptValue(tagged: pair[1])))
      }
      return .object(members)
    default: throw CaseProblem(why: "the tag \(Printable.name(tag)) is not known")
    }
  }

  private static func units(_ hex: String) throws(CaseProblem) -> [UInt16] {
    guard let bytes = Hex.decode(hex), bytes.count.isMultiple(of: 2) else {
      throw CaseProblem(why: "$utf16be is not hex of whole units")
    }
    return stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
  }

  /// Half a surrogate pair, in a text or a key: no UTF-8 can carry it.
  var hasLoneSurrogate: Bool {
    switch self {
    case .null, .bool, .number: false
    case .text(let units): Self.isBroken(units)
    case .array(let elements): elements.contains { $0.hasLoneSurrogate }
    case .object(let members): members.contains { Self.isBroken($0.key) || $0.value.hasLoneSurrogate }
    }
  }

  private static func isBroken(_ units: [UInt16]) -> Bool { String(validating: units, as: UTF16.self) == nil }
}

extension CaseFields {
  /// Exactly one of the four ways in which a file gives a value.
  func javaScriptValue() throws(CaseProblem) -> JavaScriptValue {
    let forms = ["value", "valueTagged", "valueRepeat", "valueJsonText"].filter { self[$0] != nil }
    guard forms.count == 1 else { throw CaseProblem(why: "not exactly one form of an expected value") }
    switch forms[0] {
    case "value": return JavaScriptValue(try value("value"))
    case "valueTagged": return try JavaScriptValue(tagged: try value("valueTagged"))
    case "valueRepeat":
      let (unit, count) = (try fields("valueRepeat").text("unit"), try fields("valueRepeat").integer("count"))
      guard count >= 0, unit.utf16.count <= Self.longestRepeat, count <= Self.longestRepeat / max(unit.utf16.count, 1)
      else { throw CaseProblem(why: "valueRepeat is longer than this program holds") }
      return .text(Array(String(repeating: unit, count: count).utf16))
    default:
      guard let parsed = try? JSONValue(parsing: try text("valueJsonText")) else {
        throw CaseProblem(why: "valueJsonText is not JSON")
      }
      return JavaScriptValue(parsed)
    }
  }

  private static let longestRepeat = 1 << 26
}
