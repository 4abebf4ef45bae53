// What a batch answers, on a real database with the resolver's own role: what was granted and nothing else, each with
// its rows on the log.

import Contracts
import Cryptography
import Glibc
import Grants
import Postgres
import Secrets
import ServiceRuntime
import Synchronization
import Testing

@testable import InputResolver

@Suite("A batch", .serialized)
struct ResolveTests {
  @Test("What was granted is shown, in the order of the call, and the log's end is told")
  func honest() async throws {
    try await World.with { world in
      for user in ["a", "b"] {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: "T of \(user)", content: "Grüße 😀")
        try await world.addRecord(user, "notes:n2", ["title": "plain"])
      }
      try await world.addRecord(
        "a", "companionGoals:g1", app: "companion",
        json: #"{"title":"G","currentValue":1,"target":{"value":2},"period":"week"}"#)
      let one = try await world.addGrant("a", "m1", ["notes:n1", "notes:n2"])
      let other = try await world.addGrant("b", "m1", ["notes:n1"])
      let goal = ResolveCall.InputRef(module: "goals", table: "companionGoals", id: "g1")
      let answers = try await world.resolver().answers([
        request("b", "m1", other.json, notes("n1")),
        request("a", "m1", one.json, notes("n2") + [goal] + notes("n1")),
        request("a", "m2", .null, [goal]),
      ])
      #expect(answers.map(\.grant) == ["ok", "ok", "none"])
      #expect(answers[0].inputs == ["n1: T of b | Grüße 😀"])
      #expect(
        answers[1].inputs == [
          "n2: plain | \"\"", "g1: G | Fortschritt: 1 / 2 (week)", "n1: T of a | Grüße 😀",
        ])
      #expect(answers[2].inputs == ["g1: G | Fortschritt: 1 / 2 (week)"])
      #expect(try await world.log("b") == ["n1 ok"])
      #expect(try await world.log("a").sorted() == ["g1 ok", "g1 ok", "n1 ok", "n2 ok"])
      let heads = try await world.texts("SELECT encode(hash, 'hex') FROM mana_ai.audit_heads ORDER BY user_id")
      #expect(answers[2].hash == heads[0] && answers[0].hash == heads[1])
      #expect(answers[0].from == 1 && answers[0].to == 1)
    }
  }

  @Test("Keys are unwrapped on the workers alone, whether there is one mission or many")
  func threads() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      var requests: [ResolveCall.Request] = []
      for number in 1...5 {
        let grant = try await world.addGrant("a", "m\(number)", ["notes:n1"])
        requests.append(request("a", "m\(number)", grant.json, notes("n1")))
      }
      let keys = WatchedKeys(keys: Pair.own.keys)
      // One thread, so that it is known which.
      let workers = WorkerThreads(count: 1)
      let resolver = world.resolver(keys, workers: workers)
      let one = try await resolver.answers([requests[0]])
      let many = try await resolver.answers(requests)
      #expect((one + many).map(\.grant) == [String?](repeating: "ok", count: 6))
      let worker = await workers.run { pthread_self() }
      #expect(keys.notes.threads.withLock { $0 } == [pthread_t](repeating: worker, count: 6))
    }
  }

  @Test("Every way in which a grant is no grant is told as such, opens nothing, and is on the log")
  func grants() async throws {
    try await World.with { world in
      for user in ["a", "b"] {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: "T", content: "C")
      }
      let own = try await world.addGrant("a", "own", ["notes:n1"])
      let foreign = try await world.addGrant("b", "own", ["notes:n1"])
      let closed = try await world.addGrant("a", "closed", ["notes:n1"])
      try await world.close("a", "closed")
      let expired = try await world.addGrant("a", "expired", ["notes:n1"], issued: "-8 days")
      let edited = try await world.addGrant("a", "edited", ["notes:n1"], edited: true)
      let otherKey = try await world.addGrant("a", "other-key", ["notes:n1"], pair: .other)
      let cases: [(mission: String, grant: JSONValue, expected: String)] = [
        ("own", own.json, "ok"), ("own", foreign.json, "unknown-grant"), ("other", own.json, "unknown-grant"),
        ("closed", closed.json, "revoked"), ("expired", expired.json, "expired"),
        ("edited", edited.json, "wrap-rejected"), ("other-key", otherKey.json, "wrap-rejected"),
        ("x", try JSONValue(parsing: #"{"derivation":{"version":"v2"},"grantId":"x"}"#), "malformed"),
        ("x", .string("grant"), "expired"), ("x", .bool(true), "expired"), ("x", .null, "none"),
        ("x", .number(JSONNumber(0)), "none"), ("x", .string(""), "none"),
      ]
      let answers = try await world.resolver().answers(
        cases.map { request("a", $0.mission, $0.grant, notes("n1")) })
      #expect(answers.map(\.grant) == cases.map(\.expected))
      for (answer, expected) in zip(answers, cases.map(\.expected)) {
        let reason = expected == "none" ? "not-granted" : expected
        #expect(answer.inputs == [expected == "ok" ? "n1: T | C" : "n1: \(reason)"])
        #expect(answer.from != nil && answer.hash?.count == 64)
      }
      // Those whose wrap did not open had their receipt; it is failed by a further row.
      let log = try await world.log("a")
      #expect(log.filter { $0.contains("wrap-rejected ") }.count == 2)
      #expect(log.count == cases.count + 2)
    }
  }

  @Test("Each way in which a record can't be shown costs that record alone")
  func records() async throws {
    try await World.with { world in
      for user in ["a", "b"] { try await world.addUser(user) }
      try await world.addNote("a", "good", title: "T", content: "C")
      let title = try World.sealed("a", "notes:good", "title", "T")
      try await world.addRecord("a", "notes:moved", ["title": title])
      try await world.addRecord("a", "notes:cut", ["content": String(title.dropLast(8)) + "AAAAAAA="])
      try await world.addRecord("a", "notes:nodot", ["content": "enc:2:AAAA"])
      try await world.addRecord("a", "notes:future", ["content": "enc:9:AAAA.BBBB"])
      try await world.addRecord("a", "notes:unread", ["content": "c", "zzz": "enc:2:nodot"])
      let old = try World.sealedV1("a", "whatever", "old")
      for id in ["copied", "stale", "unsealed", "refused"] {
        try await world.addRecord("a", "notes:\(id)", ["content": old])
      }
      try await world.addCopy("a", "notes:copied", "content", of: old, "from a copy")
      try await world.addCopy("a", "notes:stale", "content", of: try World.sealedV1("a", "whatever", "older"), "older")
      let characters = Array(old.utf8)
      let digest = SealedCopy.digest(of: try FieldEnvelope(parsing: characters.span, as: .one))
      try await world.addCopy("a", "notes:refused", "content", .refused(of: digest, .movedCiphertext))
      try await world.addRecord("a", "notes:deleted", ["title": "x"])
      try await world.addRecord("a", "notes:deleted", op: "delete", json: "{}")
      try await world.addRecord("a", "notes:outside", ["title": "x"])
      try await world.addRecord("b", "notes:foreign", ["title": "x"])
      let granted = [
        "good", "moved", "cut", "nodot", "future", "unread", "copied", "stale", "unsealed", "refused", "deleted",
        "absent", "foreign",
      ]
      let grant = try await world.addGrant("a", "m", granted.map { "notes:\($0)" })
      let inputs =
        granted.map { ResolveCall.InputRef(module: "notes", table: "notes", id: $0) } + notes("outside") + [
          ResolveCall.InputRef(module: "notes", table: "tasks", id: "good"),
          ResolveCall.InputRef(module: "Notes", table: "notes", id: "good"),
          ResolveCall.InputRef(module: "notes", table: "notes", id: "bell\u{7}"),
          ResolveCall.InputRef(module: "notes", table: "notes", id: ""),
        ]
      let answer = try await world.resolver().answer(request("a", "m", grant.json, inputs))
      #expect(answer.grant == "ok")
      #expect(
        answer.inputs == [
          "good: T | C", "unread: Notiz | c", "copied: Notiz | from a copy",
          "moved: ciphertext-tampered-or-wrong-key", "cut: ciphertext-tampered-or-wrong-key",
          "nodot: ciphertext-malformed", "future: ciphertext-malformed", "stale: not-sealed-yet",
          "unsealed: not-sealed-yet", "refused: moved-ciphertext", "deleted: record-missing", "absent: record-missing",
          "foreign: record-missing", "outside: record-not-in-grant-allowlist", "good: unknown-module",
          "good: unknown-module", "bell\u{7}: record-missing", ": record-missing",
        ])
      let log = try await world.log("a")
      #expect(log.filter { $0.hasSuffix(" ok") }.count == granted.count)
      #expect(log.contains("outside scope-violation record-not-in-grant-allowlist"))
      #expect(log.filter { $0.contains("unknown-module") }.count == 2)
      #expect(log.filter { $0.contains(" failed ") && $0.last?.isNumber == true }.count == 10)
      #expect(answer.to == log.count)
    }
  }

  @Test("A grant of the former system opens what was sealed under its key, while it may")
  func formerGrants() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addUser("zk", zeroKnowledge: true)
      let sealed = try World.sealedV1("a", "m", "old text")
      try await world.addRecord("a", "notes:n1", ["title": sealed, "content": "enc:2:left as it is"])
      try await world.addRecord("a", "notes:n2", ["title": "x", "zzz": "enc:1:nodot"])
      _ = try await world.addGrant("a", "has-row", ["notes:n1"])
      let blob = try World.blob("a", "m", ["notes:n1", "notes:n2", "notes:absent"])
      let requests = [
        request("a", "m", blob, notes("n1", "n2", "absent", "n3")),
        request("a", "late", try World.blob("a", "m", ["notes:n1"], lasts: -1), notes("n1")),
        request("a", "other", try World.blob("a", "m", ["notes:n1"], pair: .other), notes("n1")),
        request("a", "has-row", blob, notes("n1")), request("zk", "m", blob, notes("n1")),
      ]
      let answers = try await world.resolver().answers(requests)
      #expect(answers.map(\.grant) == ["ok", "expired", "wrap-rejected", "revoked", "revoked"])
      #expect(
        answers[0].inputs == [
          "n1: old text | enc:2:left as it is", "n2: ciphertext-malformed", "absent: record-missing",
          "n3: record-not-in-grant-allowlist",
        ])
      #expect(answers.dropFirst().allSatisfy { $0.inputs.count == 1 && $0.inputs[0].contains($0.grant ?? "?") })
      var rules = InputResolver.Rules()
      rules.acceptsV1 = false
      let refused = try await world.resolver(rules: rules).answer(requests[0])
      #expect(refused.grant == "revoked" && refused.inputs.allSatisfy { $0.hasSuffix(": revoked") })
      // Fields under a v1 key are nothing to a v2 grant, whatever they would open to.
      let grant = try await world.addGrant("a", "v2", ["notes:n1"])
      let apart = try await world.resolver().answer(request("a", "v2", grant.json, notes("n1")))
      #expect(apart.inputs == ["n1: not-sealed-yet"])
    }
  }

  @Test("Without a key nothing is released, and every grant says so")
  func noKeys() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      let answer = try await world.resolver(ResolverKeys()).answer(request("a", "m", grant.json, notes("n1")))
      #expect(answer.grant == "not-configured" && answer.inputs == ["n1: not-configured"])
      #expect(try await world.log("a") == ["n1 failed not-configured"])
    }
  }

  @Test("A mission whose ids no row could carry costs its neighbours nothing")
  func oddIDs() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      let long = String(repeating: "x", count: 257)
      let answers = try await world.resolver().answers([
        request("", "m", grant.json, notes("n1")), request("a", long, grant.json, notes("n1")),
        request("a", "nul\0", grant.json, notes("n1")), request("a", "m", grant.json, notes(long, "n1")),
        request("a", "m", grant.json, []),
      ])
      #expect(answers.map(\.grant) == ["malformed", "malformed", "malformed", "ok", "none"])
      #expect(answers[3].inputs == ["n1: T | C", "\(long): record-missing"])
      #expect(answers.prefix(3).allSatisfy { $0.inputs == ["n1: record-missing"] && $0.from == nil })
    }
  }

  @Test("What is beyond the limits is refused by name, and so is what does not fit into the answer")
  func limits() async throws {
    try await World.with { world in
      try await world.addUser("a")
      for id in ["n1", "n2"] {
        try await world.addNote("a", id, title: String(repeating: "t", count: 3_000), content: "C")
      }
      let grant = try await world.addGrant("a", "m", ["notes:n1", "notes:n2"])
      let many = (0..<1_001).map { ResolveCall.InputRef(module: "x", table: "x", id: "\($0)") }
      let answers = try await world.resolver().answers(
        (0..<5).map { request("a", "many\($0)", .null, many) })
      #expect(answers.map { $0.inputs.filter { $0.hasSuffix("batch-too-large") }.count } == [1, 1, 1, 1, 1_001])
      #expect(answers.map(\.inputs.count) == [1_001, 1_001, 1_001, 1_001, 1_001])
      var rules = InputResolver.Rules()
      rules.mostReplyBytes = 5_000
      let small = try await world.resolver(rules: rules).answer(request("a", "m", grant.json, notes("n1", "n2")))
      #expect(small.inputs.count == 2 && small.inputs.last == "n2: batch-too-large")
      #expect(try await world.log("a").contains { $0.hasPrefix("n2 failed batch-too-large ") })
    }
  }
}

/// Notes which threads it was asked on.
private struct WatchedKeys: Unwrapper {
  let keys: ResolverKeys
  let notes = Notes()

  var keyIds: [String] { keys.keyIds }

  func unwrap(_ wrapped: Span<UInt8>, label: Span<UInt8>, keyId: String) throws(CryptographyError) -> SecretBytes {
    notes.threads.withLock { $0.append(pthread_self()) }
    return try keys.unwrap(wrapped, label: label, keyId: keyId)
  }

  final class Notes: Sendable {
    let threads = Mutex<[pthread_t]>([])
  }
}
