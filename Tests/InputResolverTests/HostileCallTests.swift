// What somebody can do who may call: a runner that was taken over, or one that passes on what users wrote.

import Contracts
import Grants
import Secrets
import Testing

@testable import InputResolver

@Suite("A hostile caller", .serialized)
struct HostileCallTests {
  @Test("A grant as deep as a record can be costs the others of the call nothing, and one too deep is the call's own")
  func deepGrants() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      func nested(_ levels: Int) throws -> JSONValue {
        var value = JSONValue.bool(true)
        for _ in 0..<levels { value = .array([value]) }
        return value
      }
      // In the mission's record it is one level down.
      let answers = try await world.resolver().answers([
        request("a", "deep", try nested(JSONTape.maximumDepth - 1), notes("n1")),
        request("a", "m", grant.json, notes("n1")),
      ])
      #expect(answers.map(\.grant) == ["expired", "ok"])
      let body = ResolveCall(
        purpose: "p", requests: [request("a", "deep", try nested(JSONTape.maximumDepth + 1), notes("n1"))]
      ).json.compactBytes()
      #expect(throws: ResolveCallProblem.notJSON(.tooDeep)) { _ = try ResolveCall(parsing: body.span) }
    }
  }

  @Test("Members given twice, unknown members, and other types are no call")
  func shapes() {
    let input = #"{"module":"notes","table":"notes","id":"n1"}"#
    let request = #""userId":"a","missionId":"m","grant":null,"inputs":[\#(input)]"#
    let good = #"{"purpose":"p","requests":[{\#(request)}]}"#
    func isCall(_ text: String) -> Bool {
      let bytes = Array(text.utf8)
      do throws(ResolveCallProblem) {
        _ = try ResolveCall(parsing: bytes.span)
        return true
      } catch { return false }
    }
    #expect(isCall(good))
    let wrong = [
      good.replacing(#""userId":"a""#, with: #""userId":"a","userId":"b""#),
      good.replacing(#""userId":"a""#, with: #""userId":"a","user\u0049d":"b""#),
      good.replacing(#""id":"n1""#, with: #""id":"n1","id":"n2""#),
      good.replacing(#""grant":null"#, with: #""grant":{"grantId":1,"grantId":2}"#),
      good.replacing(#""purpose":"p""#, with: #""purpose":"p","claims":1"#),
      good.replacing(#""userId":"a""#, with: #""userId":["a"]"#),
      good.replacing(#""purpose":"p""#, with: #""purpose":"""#),
      good.replacing(#""purpose":"p""#, with: #""purpose":"a\u0000b""#), good.replacing(#""n1""#, with: #""\ud800""#),
      good + " {}", good.replacing(#""inputs":["#, with: #""inputs":{"0":"#),
    ]
    for text in wrong { #expect(!isCall(text), "\(text)") }
  }

  @Test("The same mission and the same record many times over is answered and logged each time")
  func again() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      let answers = try await world.resolver().answers(
        Array(repeating: request("a", "m", grant.json, notes("n1", "n1", "x", "n1")), count: 40))
      #expect(answers.count == 40)
      for answer in answers {
        #expect(answer.inputs == ["n1: T | C", "n1: T | C", "n1: T | C", "x: record-not-in-grant-allowlist"])
      }
      #expect(try await world.log("a").count == 160)
      #expect(try await world.texts("SELECT count(DISTINCT batch)::text FROM mana_ai.decrypt_audit") == ["40"])
    }
  }

  @Test("A v2 blob that calls itself v1 opens nothing, with or without a row of its mission")
  func downgrade() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      try await world.addRecord("a", "notes:clear", ["title": "not sealed"])
      let grant = try await world.addGrant("a", "m", ["notes:n1", "notes:clear"])
      var blob = try #require(grant.json.object)
      var derivation = try #require(blob["derivation"]?.object)
      derivation.set("version", .string("v1"))
      blob.set("derivation", .object(derivation))
      let answers = try await world.resolver().answers([
        request("a", "m", .object(blob), notes("n1", "clear")),
        request("a", "elsewhere", .object(blob), notes("n1", "clear")),
      ])
      #expect(answers.map(\.grant) == ["revoked", "wrap-rejected"])
      #expect(answers.allSatisfy { $0.inputs.allSatisfy { $0.hasSuffix("revoked") || $0.hasSuffix("wrap-rejected") } })
      // After a revoke as well.
      try await world.close("a", "m")
      let v1 = try World.blob("a", "m", ["notes:n1", "notes:clear"])
      let after = try await world.resolver().answer(request("a", "m", v1, notes("n1", "clear")))
      #expect(after.grant == "revoked" && after.inputs == ["n1: revoked", "clear: revoked"])
    }
  }

  @Test("Names that only look alike, and ids with separators in them, are other records")
  func names() async throws {
    try await World.with { world in
      try await world.addUser("a")
      let ids = ["\u{e9}", "e\u{301}", "x:y", "x", "\u{1f600}", "\u{202e}abc", "a,b", "%", "\"\\/"]
      for (place, id) in ids.enumerated() { try await world.addNote("a", id, title: "\(place)", content: "C") }
      let grant = try await world.addGrant("a", "m", ids.map { "notes:\($0)" })
      let answer = try await world.resolver().answer(
        request("a", "m", grant.json, ids.map { ResolveCall.InputRef(module: "notes", table: "notes", id: $0) }))
      #expect(answer.inputs.map { Array($0.utf8) } == ids.enumerated().map { Array("\($1): \($0) | C".utf8) })
      let one = try await world.addGrant("a", "one", ["notes:\u{e9}", "notes:x:y"])
      let outside = try await world.resolver().answer(request("a", "one", one.json, notes("e\u{301}", "x", "y")))
      #expect(outside.inputs.allSatisfy { $0.hasSuffix("record-not-in-grant-allowlist") } && outside.inputs.count == 3)
      // The former system joins with `:`, so there `notes` + `x:y` is on a list that has `notes:x:y`; but a table of that
      // name is none of ours.
      let blob = try World.blob("a", "old", ["notes:x:y"])
      let joined = try await world.resolver().answer(
        request("a", "old", blob, [ResolveCall.InputRef(module: "notes", table: "notes:x", id: "y")]))
      #expect(joined.inputs == ["y: unknown-module"])
    }
  }

  @Test("A wrap that a caller made for the public key opens nothing that is sealed, whoever's record it names")
  func ownWraps() async throws {
    try await World.with { world in
      for user in ["victim", "attacker"] { try await world.addUser(user) }
      try await world.addNote("victim", "n1", title: "T", content: "C")
      try await world.addRecord("victim", "notes:old", ["content": try World.sealedV1("victim", "m", "old text")])
      // The attacker's own key, wrapped as anybody can.
      let blob = try World.blob("attacker", "m", ["notes:n1", "notes:old"])
      let answer = try await world.resolver().answer(request("victim", "fresh", blob, notes("n1", "old")))
      #expect(answer.inputs.last == "old: ciphertext-tampered-or-wrong-key")
      #expect(!answer.inputs.contains { $0.contains("T |") || $0.contains("| C") || $0.contains("old text") })
      let shown = try #require(answer.inputs.first)
      #expect(shown.hasPrefix("n1: enc:2:"), "what is sealed for v2 stays sealed")
      #expect(try await world.log("victim") == ["n1 ok", "old ok", "old failed ciphertext-tampered-or-wrong-key 2"])
    }
  }

  @Test("Opened text of any kind is shown as JSON can carry it, or refused as what it is; nobody falls over it")
  func texts() async throws {
    try await World.with { world in
      try await world.addUser("a")
      func nested(_ levels: Int) -> String {
        String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
      }
      let cases: [(json: String, shown: String?)] = [
        (#""\u0000\u001f\" \\ \u2028 / </script>""#, "\0\u{1f}\" \\ \u{2028} / </script>"),
        (#""\ud83d\ude00""#, "\u{1f600}"), (#""\ud83d""#, nil), (#""\udc00x""#, nil), ("", nil), ("{", nil),
        ("nul", nil),
        ("1e999999", "null"), ("-1e999999", "null"), ("1e-999999", "0"), ("[1e999999]", "[null]"),
        (String(repeating: "9", count: 100_000), "null"), (nested(2_000), nil), (nested(2_048), nil),
        (nested(2_049), nil),
        (#"{"a":1,"a":2,"\u0061":3}"#, #"{"a":3}"#), (nested(200_000), nil), ("\u{feff}\"mark\"", "mark"),
      ]
      for (place, test) in cases.enumerated() {
        let json = Array(test.json.utf8)
        let sealed = try World.sealed("a", "notes:n\(place)", "content", json.span)
        try await world.addRecord("a", "notes:n\(place)", ["content": sealed])
      }
      // Bytes that are no UTF-8 become what the web's decoder makes of them.
      let bytes: [UInt8] = [0x22, 0xFF, 0xC0, 0x22]
      try await world.addRecord(
        "a", "notes:bytes", ["content": try World.sealed("a", "notes:bytes", "content", bytes.span)])
      let ids = cases.indices.map { "n\($0)" } + ["bytes"]
      let grant = try await world.addGrant("a", "m", ids.map { "notes:\($0)" })
      for (place, test) in cases.enumerated() {
        let answer = try await world.resolver().answer(request("a", "m", grant.json, notes("n\(place)")))
        if let shown = test.shown {
          #expect(answer.inputs == ["n\(place): Notiz | \(shown)"], "\(test.json.prefix(40))")
        } else if test.json.hasPrefix("[["), test.json.count <= 2 * JSONTape.maximumDepth {
          #expect(answer.inputs == ["n\(place): Notiz | \(test.json.prefix(500))…"])
        } else {
          #expect(answer.inputs == ["n\(place): decrypt-failed"], "\(test.json.prefix(40))")
        }
      }
      let odd = try await world.resolver().answer(request("a", "m", grant.json, notes("bytes")))
      #expect(odd.inputs == ["bytes: Notiz | \u{fffd}\u{fffd}"])
    }
  }

  @Test(
    "Grants of every other kind are told as what the former system would, and a megabyte of it costs nobody anything")
  func kinds() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      let good = try await world.addGrant("a", "m", ["notes:n1"])
      let long = String(repeating: "A", count: 1 << 20)
      let later = "2099-01-01T00:00:00.000Z"
      func blob(_ members: String) throws -> JSONValue { try JSONValue(parsing: "{\(members)}") }
      let cases: [(JSONValue, String)] = [
        (.array([]), "expired"), (.number(JSONNumber(7)), "expired"), (.string("x"), "expired"), (.bool(false), "none"),
        (try JSONValue(parsing: "-0"), "none"), (try JSONValue(parsing: "1e-999"), "none"),
        (.object(JSONObject()), "expired"),
        (try blob(#""expiresAt":\#(4_102_444_800_000)"#), "expired"),
        (try blob(#""expiresAt":"\#(later)""#), "malformed"),
        (
          try blob(#""expiresAt":"\#(later)","wrappedKey":"\#(long)","derivation":{"recordIds":["notes:n1"]}"#),
          "wrap-rejected"
        ),
        (
          try blob(#""expiresAt":"\#(later)","wrappedKey":"","derivation":{"recordIds":["notes:n1"]}"#), "wrap-rejected"
        ),
        (
          try blob(#""expiresAt":"\#(later)","wrappedKey":"AAAA","derivation":{"recordIds":["notes:n1",1]}"#),
          "malformed"
        ),
        (try blob(#""derivation":{"version":"v2"},"grantId":"\#(long)""#), "malformed"),
        (try blob(#""derivation":{"version":"v2"},"grantId":"\#(newID())""#), "unknown-grant"),
        (try blob(#""derivation":{"version":"v2"},"grantId":"\#(good.id.uppercased())""#), "malformed"),
      ]
      let answers = try await world.resolver().answers(
        cases.enumerated().map { request("a", "x\($0)", $1.0, notes("n1")) } + [
          request("a", "m", good.json, notes("n1"))
        ])
      #expect(answers.map(\.grant) == cases.map(\.1) + ["ok"])
      #expect(answers.last?.inputs == ["n1: T | C"])
    }
  }
}
