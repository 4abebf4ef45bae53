// Our grant: the same bytes both ways, and the refusal of every other spelling of every member.

import Contracts
import Testing

@Suite("Grants of v2")
struct GrantV2Tests {
  private static let text =
    #"{"wrappedKey":"AAEC","keyId":"00112233445566778899aabbccddeeff","#
    + #""grantId":"0f8fad5b-d9cb-469f-a165-70867728950e","derivation":{"version":"v2","userId":"u1","missionId":"m1","#
    + #""tables":["notes"],"recordIds":["notes:n1","notes:n2"]},"#
    + #""issuedAt":"2026-11-20T07:00:00.000Z","expiresAt":"2026-11-27T07:00:00.000Z"}"#

  /// The grant above with the member at `path` replaced by the JSON `value`, or taken out where that is nil.
  private func changed(_ path: String, to value: String?) throws -> JSONValue {
    let names = path.split(separator: ".").map(String.init)
    return try Self.change(try json(Self.text), names[...], value)
  }

  private static func change(_ json: JSONValue, _ path: ArraySlice<String>, _ value: String?) throws -> JSONValue {
    guard let name = path.first else { return try JSONValue(parsing: value ?? "null") }
    let object = try #require(json.object)
    try #require(object[name] != nil, "there is such a member to change")
    let isLast = path.count == 1
    let members = try object.members.filter { !(isLast && value == nil && $0.key.text == name) }.map { member in
      (member.key, member.key.text == name ? try change(member.value, path.dropFirst(), value) : member.value)
    }
    return .object(JSONObject(members))
  }

  @Test("A grant is read and written with the same bytes")
  func roundTrip() throws {
    let grant = try GrantV2(try json(Self.text))
    #expect(grant.json.compactText() == Self.text)
    #expect(grant.wrappedKey == [0, 1, 2])
    #expect(grant.claims.keyId == "00112233445566778899aabbccddeeff")
    #expect(grant.claims.grantId.text == "0f8fad5b-d9cb-469f-a165-70867728950e")
    #expect(grant.claims.user == Identifier("u1"))
    #expect(grant.claims.mission == Identifier("m1"))
    #expect(grant.claims.scope.recordIds == ["notes:n1", "notes:n2"])
    #expect(grant.claims.issuedAt.iso == "2026-11-20T07:00:00.000Z")
    #expect(grant.claims.expiresAt.iso == "2026-11-27T07:00:00.000Z")
    #expect(try GrantV2(grant.json) == grant)
  }

  @Test("The order of members, spaces and members of later versions do not matter; an unknown member is not kept")
  func tolerance() throws {
    let grant = try GrantV2(try json(Self.text))
    #expect(try GrantV2(try json(" " + Self.text.replacing(",\"", with: " ,\n\t\"") + "\r\n")) == grant)
    let reversed = JSONObject(try #require(try json(Self.text).object).members.reversed().map { ($0.key, $0.value) })
    #expect(try GrantV2(.object(reversed)) == grant)
    var more = try #require(try json(Self.text).object)
    more.set("note", .string("x"))
    #expect(try GrantV2(.object(more)) == grant)
  }

  @Test(
    "What is no v2 grant is told apart from a v2 grant with a broken member",
    arguments: [
      "null", "true", "1", #""v2""#, "[]", "{}", #"{"version":"v2"}"#, #"{"derivation":"v2"}"#, #"{"derivation":{}}"#,
    ])
  func notVersion2(text: String) throws {
    let value = try json(text)
    #expect(throws: GrantShapeProblem.notVersion2) { try GrantV2(value) }
  }

  @Test("Only the version v2 is version 2", arguments: [nil, #""v1""#, #""V2""#, #""v2 ""#, #""v3""#, "2", #"["v2"]"#])
  func version(value: String?) throws {
    let grant = try changed("derivation.version", to: value)
    #expect(throws: GrantShapeProblem.notVersion2) { try GrantV2(grant) }
  }

  @Test(
    "Every member is needed and must be a string, or a list of strings",
    arguments: [
      "wrappedKey", "keyId", "grantId", "issuedAt", "expiresAt", "derivation.userId", "derivation.missionId",
      "derivation.tables", "derivation.recordIds",
    ])
  func everyMember(path: String) throws {
    for value in [nil, "null", "1", "true", "{}", #"{"0":"x"}"#, "[1]", "[null]", #"[["notes"]]"#] as [String?] {
      let grant = try changed(path, to: value)
      #expect(throws: GrantShapeProblem.member(path), "\(path) \(value ?? "-")") { try GrantV2(grant) }
    }
  }

  @Test(
    "Each member has one spelling",
    arguments: [
      ("wrappedKey", ["AAE", "AAE=\\n", "AAEC ", "AAF=", "AA-_", "="]),
      (
        "keyId",
        [
          "", "00112233445566778899AABBCCDDEEFF", "00112233445566778899aabbccddeef",
          "00112233445566778899aabbccddeeff0",
          "00112233445566778899aabbccddeefg", " 0112233445566778899aabbccddeeff",
        ]
      ),
      (
        "grantId",
        [
          "", "0F8FAD5B-D9CB-469F-A165-70867728950E", "0f8fad5bd9cb469fa16570867728950e",
          "{0f8fad5b-d9cb-469f-a165-70867728950e}", "0f8fad5b-d9cb-469f-a165-70867728950",
          "0f8fad5b-d9cb-469f-a16570867728950e-",
          "0f8fad5-bd9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950g",
          "0f8fad5b-d9cb-469f-a165-70867728950e\\n", "0f8fad5b-\u{301}d9cb-469f-a165-70867728950e", "-----",
        ]
      ),
      ("derivation.userId", ["", "u\\u0000", "u\\u0085", "u\\n"]),
      ("derivation.missionId", ["", "\\u007f", "\\u001f"]),
      (
        "issuedAt",
        [
          "", "2026-11-20T07:00:00Z", "2026-11-20T07:00:00.0000Z", "2026-11-20T07:00:00.000+00:00",
          "2026-11-20T24:00:00.000Z",
        ]
      ),
      ("expiresAt", ["", "2026-11-27", "2026-11-27T07:00Z", "2026-11-31T07:00:00.000Z", "2026-11-27T07:00:00.000z"]),
    ])
  func spellings(path: String, spellings: [String]) throws {
    for spelling in spellings {
      let grant = try changed(path, to: "\"\(spelling)\"")
      #expect(throws: GrantShapeProblem.member(path), "\(path) \(spelling)") { try GrantV2(grant) }
    }
  }

  @Test("User and mission ids are 1 to 256 bytes")
  func identifierLimits() throws {
    for path in ["derivation.userId", "derivation.missionId"] {
      let longest = try changed(path, to: "\"" + String(repeating: "x", count: 256) + "\"")
      #expect(try GrantV2(longest).json == longest)
      let longer = try changed(path, to: "\"" + String(repeating: "x", count: 257) + "\"")
      #expect(throws: GrantShapeProblem.member(path)) { try GrantV2(longer) }
    }
  }

  @Test(
    "The lists must be exactly a scope's",
    arguments: [
      ("derivation.tables", "[]", ScopeProblem.tablesDoNotMatch),
      ("derivation.tables", #"["notes","tasks"]"#, .tablesDoNotMatch),
      ("derivation.tables", #"["notes","notes"]"#, .tablesDoNotMatch),
      ("derivation.recordIds", "[]", .empty),
      ("derivation.recordIds", #"["notes:n2","notes:n1"]"#, .notSortedAndUnique),
      ("derivation.recordIds", #"["notes:n1","notes:n1"]"#, .notSortedAndUnique),
      ("derivation.recordIds", #"["notes:n1","tasks:t1"]"#, .tablesDoNotMatch),
      ("derivation.recordIds", #"["n1"]"#, .notARecordName),
      ("derivation.recordIds", #"["notes:"]"#, .identifier(.empty)),
      ("derivation.recordIds", #"["no-tes:n1"]"#, .identifier(.notATableName)),
    ])
  func lists(path: String, value: String, problem: ScopeProblem) throws {
    let grant = try changed(path, to: value)
    #expect(throws: GrantShapeProblem.scope(problem)) { try GrantV2(grant) }
  }

  @Test("Whatever byte of the JSON's values is changed, it is refused or read as another grant, never as the same")
  func everyByte() throws {
    let grant = try GrantV2(try json(Self.text))
    let bytes = Array(Self.text.utf8)
    var (refused, other) = (0, 0)
    for position in bytes.indices {
      for replacement in Array("0Za:-".utf8) where replacement != bytes[position] {
        var changed = bytes
        changed[position] = replacement
        guard let found = try? GrantV2(try json(String(decoding: changed, as: UTF8.self))) else {
          refused += 1
          continue
        }
        #expect(found != grant, "byte \(position)")
        other += 1
      }
    }
    #expect(refused > 1000 && other > 100)
  }
}
