// The promise of v2: changing any byte of any value in a grant's JSON makes it fail to open.

import Contracts
import Cryptography
import Secrets
import Testing

@testable import Grants

@Suite struct EveryByteTests {
  private static let user = "us\u{E9}r:1,\u{1F600}"
  private static let mission = "mission \"2\""

  private static func grant() throws -> (text: [UInt8], positions: [Position]) {
    let names = scope("a:x", "a1:y", "notes:" + composed, "notes:q\"t\\")
    let claims = Ordinary.claims(user: user, mission: mission, scope: names)
    let text = try Ordinary.grant(claims).json.compactBytes()
    return (text, try Position.all(in: text))
  }

  private static func json() throws -> JSONValue {
    let (text, _) = try grant()
    return try JSONValue(parsing: text.span)
  }

  private static func open(_ text: [UInt8]) -> Ending<GrantRefusal> {
    guard let json = try? JSONValue(parsing: text.span) else { return .refused(.malformed) }
    return Ordinary.open(json, user: user, mission: mission)
  }

  private static func isRefused(_ text: [UInt8]) -> Bool {
    [.refused(.malformed), .refused(.wrapRejected)].contains(open(text))
  }

  @Test("The untouched grant opens, and so it does with changes outside of its values")
  func control() throws {
    let (text, positions) = try Self.grant()
    #expect(Self.open(text) == .opened)
    #expect(Self.open(Array(" ".utf8) + text + Array("\n".utf8)) == .opened)
    #expect(Self.open(Array("{\"more\":1,".utf8) + text.dropFirst()) == .opened)
    // All members, the elements of both lists one by one.
    #expect(Set(positions.map(\.value)).count == 8 + 3 + 4)
    let json = try JSONValue(parsing: text.span)
    let wrap = try #require(json["wrappedKey"]?.text?.utf8.count)
    #expect(wrap == 344 && positions.filter { $0.isWrap }.count == wrap)
    #expect(Self.open(Array(String(decoding: text, as: UTF8.self).replacing("v2", with: "\\u00762").utf8)) == .opened)
  }

  @Test("Any other byte at any position of any value is refused")
  func substitution() throws {
    let (text, positions) = try Self.grant()
    var tried = 0
    for position in positions {
      for substitute in position.substitutes(for: text[position.offset]) {
        var changed = text
        changed[position.offset] = substitute
        guard Self.isRefused(changed) else {
          Issue.record("byte \(position.offset) of the JSON may be \(substitute)")
          continue
        }
        tried += 1
      }
    }
    print("v2 grant: \(positions.count) positions in values, \(tried) substitutions, all refused")
    #expect(positions.count == 525)
    #expect(tried > positions.count * 12)
  }

  @Test("A byte too many or too few at any position of any value is refused")
  func insertionAndRemoval() throws {
    let (text, positions) = try Self.grant()
    var tried = 0
    for position in positions {
      var changes = ["A", "0", "=", " "].map { inserted in
        text[..<position.offset] + Array(inserted.utf8) + text[position.offset...]
      }
      changes.append(text[..<position.offset] + text[(position.offset + 1)...])
      for changed in changes {
        #expect(Self.isRefused(Array(changed)), "at byte \(position.offset)")
        tried += 1
      }
    }
    print("v2 grant: \(tried) insertions and removals in values, all refused")
    #expect(tried == positions.count * 5)
  }

  @Test("Cut off at any byte, the text is refused")
  func truncation() throws {
    let (text, _) = try Self.grant()
    for count in 0..<text.count { #expect(Self.open(Array(text.prefix(count))) == .refused(.malformed)) }
  }

  @Test("Without any one member, or with it null, empty or of another type, it is refused")
  func members() throws {
    let json = try Self.json()
    let paths: [[String]] = [
      ["wrappedKey"], ["keyId"], ["grantId"], ["derivation"], ["derivation", "version"], ["derivation", "userId"],
      ["derivation", "missionId"], ["derivation", "tables"], ["derivation", "recordIds"], ["issuedAt"], ["expiresAt"],
    ]
    for path in paths {
      for value in [
        nil, JSONValue.null, .string(""), .number(JSONNumber(0)), .bool(false), .array([]), .object(JSONObject()),
      ] {
        let changed = path.count == 1 ? json.with(path[0], value: value) : json.with(path[0], path[1], value: value)
        let text = changed.compactBytes()
        #expect(Self.isRefused(text), "\(path) as \(String(describing: value))")
      }
    }
  }

  @Test("Two values that have changed places are refused")
  func exchanged() throws {
    let json = try Self.json()
    let exchanged = [
      json.with("issuedAt", value: json["expiresAt"]).with("expiresAt", value: json["issuedAt"]),
      json.with("derivation", "userId", value: json["derivation"]?["missionId"])
        .with("derivation", "missionId", value: json["derivation"]?["userId"]),
      json.with("derivation", "tables", value: json["derivation"]?["recordIds"])
        .with("derivation", "recordIds", value: json["derivation"]?["tables"]),
    ]
    for changed in exchanged { #expect(Self.isRefused(changed.compactBytes())) }
  }

  @Test("A list member removed, added, doubled or moved is refused, at every place of both lists")
  func lists() throws {
    let json = try Self.json()
    let others = [
      "tables": ["a", "a2", "b", "zebra", ""], "recordIds": ["a:x", "a1:z", "b:1", "notes:\u{E9}", "zebra:1", ""],
    ]
    var tried = 0
    for (name, additions) in others {
      let list = try #require(json["derivation"]?[name]?.texts)
      var changes: [[String]] = []
      for index in list.indices {
        changes.append(list.enumerated().filter { $0.offset != index }.map(\.element))
        changes.append(list + [list[index]])
        for other in list.indices where other != index {
          var moved = list
          moved.swapAt(index, other)
          changes.append(moved)
        }
      }
      for addition in additions {
        for index in 0...list.count { changes.append(list[..<index] + [addition] + list[index...]) }
        changes.append((list + [addition]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
      }
      for changed in changes {
        let edited = json.with("derivation", name, value: .array(changed.map(JSONValue.string)))
        #expect(Self.isRefused(edited.compactBytes()), "\(name) as \(changed)")
        tried += 1
      }
    }
    #expect(tried > 80)
  }

  @Test("A scope that was changed consistently, in both lists, is refused")
  func consistentScopes() throws {
    let json = try Self.json()
    let records = [record("a:x"), record("a1:y"), record("notes:" + composed), record("notes:q\"t\\")]
    let scopes = try [
      Array(records.dropLast()), Array(records.dropFirst()), records + [record("notes:n1")], records + [record("b:1")],
      Array(records.dropLast()) + [record("notes:q\"t\\x")],
      records.map { $0 == record("notes:" + composed) ? record("notes:" + decomposed) : $0 },
    ].map { try Scope(of: $0) }
    for scope in scopes {
      let edited = json.with("derivation", "tables", value: .array(scope.tables.map(JSONValue.string)))
        .with("derivation", "recordIds", value: .array(scope.recordIds.map(JSONValue.string)))
      #expect(Self.open(edited.compactBytes()) == .refused(.wrapRejected))
    }
  }
}

/// A byte inside a value of the grant's JSON text.
private struct Position {
  let offset: Int
  /// Which value: its node on the tape.
  let value: Int
  let isWrap: Bool

  static func all(in text: [UInt8]) throws -> [Position] {
    let tape = try JSONTape(scanning: text.span)
    var positions: [Position] = []
    collect(0, tape, text, isWrap: false, &positions)
    return positions
  }

  private static func collect(
    _ index: Int, _ tape: JSONTape, _ text: [UInt8], isWrap: Bool, _ positions: inout [Position]
  ) {
    let node = tape.nodes[index]
    switch node.kind {
    case .object:
      for key in tape.children(of: index) {
        collect(key + 1, tape, text, isWrap: tape.string(key, in: text.span) == "wrappedKey", &positions)
      }
    case .array: for child in tape.children(of: index) { collect(child, tape, text, isWrap: false, &positions) }
    default:
      positions += (Int(node.start)..<Int(node.end)).map { Position(offset: $0, value: index, isWrap: isWrap) }
    }
  }

  private static let base64 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_".utf8)
  private static let others: [UInt8] = Array("Az09+/=\"\\ :,".utf8) + [0x00, 0x0A, 0x7F, 0xC3, 0xFF]

  /// Neighbours, the other case, single bits, whatever JSON and base64 find special; in the wrap every eighth
  /// character and the last ones take each of base64's.
  func substitutes(for byte: UInt8) -> Set<UInt8> {
    var substitutes = Set(Self.others + [byte ^ 0x01, byte ^ 0x20, byte ^ 0x80, byte &+ 1, byte &- 1])
    if isWrap, offset.isMultiple(of: 8) || byte == UInt8(ascii: "=") { substitutes.formUnion(Self.base64) }
    substitutes.remove(byte)
    return substitutes
  }
}
