// Objects: the order of keys, repeated keys, and keys that only look alike.

import Contracts
import Testing

@Suite("JSON objects")
struct JSONObjectTests {
  private func keys(_ text: String) throws -> [String] {
    try #require(try json(text).object).members.map(\.key.text)
  }

  @Test("Keys that are array indices come first, ascending; the others stay as they came")
  func keyOrder() throws {
    #expect(try keys(#"{"b":1,"a":2}"#) == ["b", "a"])
    #expect(try keys(#"{"b":1,"10":1,"9":1,"a":1,"0":1}"#) == ["0", "9", "10", "b", "a"])
    let notIndices = [
      "-1", "01", "1.0", "1e1", " 1", "1 ", "+1", "4294967295", "4294967296", "99999999999", "", "١", "１", "00",
    ]
    let text = "{" + notIndices.map { "\"\($0)\":1" }.joined(separator: ",") + #","4294967294":1,"1":1}"#
    #expect(try keys(text) == ["1", "4294967294"] + notIndices)
    #expect(try json(#"{"z":1,"2":2,"1":3}"#).compactText() == #"{"1":3,"2":2,"z":1}"#)
    #expect(try json(#"[{"z":{"2":0,"1":0}}]"#).compactText() == #"[{"z":{"1":0,"2":0}}]"#)
  }

  @Test("A repeated key keeps its first place and takes its last value, or is refused where that was asked")
  func duplicates() throws {
    let text = #"{"a":1,"b":2,"a":3}"#
    #expect(try json(text).compactText() == #"{"a":3,"b":2}"#)
    #expect(try json(#"{"a":1,"\u0061":2}"#).compactText() == #"{"a":2}"#)
    #expect(try json(#"{"__proto__":1,"constructor":2}"#).compactText() == #"{"__proto__":1,"constructor":2}"#)
    for duplicate in [text, #"{"a":1,"\u0061":2}"#, #"[{"x":{"":1,"":1}}]"#, #"{"1":1,"a":2,"1":3}"#] {
      #expect(throws: JSONProblem.duplicateKey) { try JSONValue(parsing: duplicate, duplicateKeys: .refused) }
    }
    for single in [#"{"a":1,"A":2}"#, #"{"a":{"a":1}}"#, #"[{"a":1},{"a":1}]"#, #"{"1":1,"01":1}"#] {
      #expect(try JSONValue(parsing: single, duplicateKeys: .refused) == json(single))
    }
  }

  @Test("Two spellings of the same letters are two keys and two strings")
  func canonicalEquivalence() throws {
    let value = try JSONValue(parsing: "{\"\(composed)\":1,\"\(decomposed)\":2}", duplicateKeys: .refused)
    #expect(value.object?.count == 2)
    #expect(value[composed] == .number(JSONNumber(1)))
    #expect(value[decomposed] == .number(JSONNumber(2)))
    #expect(JSONValue.string(composed) != JSONValue.string(decomposed))
    #expect(Set([JSONString(composed), JSONString(decomposed), JSONString("\u{E9}")]).count == 2)
  }

  @Test("Strings that are equal hash alike, and their bytes decide, not their canonical form")
  func hashing() {
    // All orders of eight marks of different classes are canonically one string; a table must not pile them up.
    var orders = [""]
    for mark in ["\u{301}", "\u{316}", "\u{31B}", "\u{327}", "\u{334}", "\u{345}", "\u{5B0}"] {
      orders = orders.flatMap { order in
        (0...order.unicodeScalars.count).map { place in
          var scalars = order.unicodeScalars
          let index = scalars.index(scalars.startIndex, offsetBy: place)
          scalars.insert(contentsOf: mark.unicodeScalars, at: index)
          return String(scalars)
        }
      }
    }
    let keys = orders.map { "a" + $0 }
    #expect(keys.count == 5040)
    #expect(keys.allSatisfy { $0 == keys[0] }, "Swift's own answer")
    #expect(Set(keys.map { JSONString($0).hashValue }).count > 5000)
    #expect(
      keys.allSatisfy {
        JSONString($0).hashValue == JSONString(String(decoding: Array($0.utf8), as: UTF8.self)).hashValue
      })
    #expect(JSONString("\u{0}").hashValue != JSONString("").hashValue)
  }

  @Test("Setting a key keeps its place, or finds the one JavaScript would give it")
  func setting() throws {
    var object = try #require(try json(#"{"b":1,"a":2}"#).object)
    object.set("b", .null)
    object.set("c", .bool(true))
    object.set("7", .string("x"))
    #expect(JSONValue.object(object).compactText() == #"{"7":"x","b":null,"a":2,"c":true}"#)
    object.set(composed, .null)
    object.set(decomposed, .null)
    #expect(object.count == 6)
    #expect(object["c"] == .bool(true))
    #expect(object["missing"] == nil)
  }

  @Test("Members given by hand follow the same rules as members read")
  func fromMembers() throws {
    let object = JSONObject(members: [("z", .null), ("3", .null), ("z", .bool(true)), ("2", .null)])
    #expect(JSONValue.object(object) == (try json(#"{"2":null,"3":null,"z":true}"#)))
    #expect(JSONObject().members.isEmpty)
  }
}
