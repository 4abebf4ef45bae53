// The built resolver, seen from outside.

import Contracts
import Cryptography
import Foundation
import Glibc
import Testing

@Suite("The built resolver", .serialized)
struct ProcessTests {
  private static let current = "2026-02-01.resolver.pem"
  private static let former = "2026-01-01.resolver.pem"

  @Test("It opens what was granted for whoever may call, says which key it has, and logs nothing of what it opened")
  func whole() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "s3cret title", content: "s3cret content")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      let process = try await ResolverProcess(
        world.database, pems: [Self.current: Pair.own.pem, Self.former: Pair.other.pem])
      let caller = try Caller(try await process.address())
      let requests = [
        request("a", "m", grant.json, notes("n1", "outside")), request("a", "x", .null, notes("n1")),
      ]
      let answers = try await caller.answers(requests)
      #expect(answers.map(\.grant) == ["ok", "none"])
      #expect(
        answers[0].inputs == ["n1: s3cret title | s3cret content", "outside: record-not-in-grant-allowlist"])
      let body = ResolveCall(purpose: "p", requests: requests).json.compactBytes()
      for key in [nil, "wrong", ResolverProcess.key + "x"] {
        let refused = try await Caller(caller.address, key: key).resolve(body)
        #expect(refused.status == 401)
      }
      let malformed = try await caller.resolve(Array(#"{"purpose":"p"}"#.utf8))
      #expect(malformed.status == 400 && malformed.body.contains("BAD_REQUEST"))
      let many = ResolveCall(purpose: "p", requests: Array(repeating: request("a", "m", .null, []), count: 257))
      let tooMany = try await caller.resolve(many.json.compactBytes())
      #expect(tooMany.status == 413 && tooMany.body.contains("BATCH_TOO_LARGE"))

      let health = try JSONValue(parsing: try await caller.get("/health").body)
      #expect(health["keyId"]?.text == Pair.own.publicKey.keyIdHex)
      #expect(health["formerKeyIds"]?.texts == [Pair.other.publicKey.keyIdHex])
      #expect(try await caller.get("/ready").status == 200)
      let metrics = try await caller.get("/metrics").body
      for line in [
        #"mana_ai_decrypts_total{service="mandate-resolver",table="notes"} 2"#,
        #"mana_ai_grant_scope_violations_total{service="mandate-resolver",table="notes"} 1"#,
        #"mandate_resolve_inputs_total{service="mandate-resolver",outcome="not-granted"} 1"#,
        #"mandate_resolve_inputs_total{service="mandate-resolver",outcome="shown"} 1"#,
        #"mandate_unwrap_seconds_count{service="mandate-resolver"} 1"#,
      ] {
        #expect(metrics.contains(line + "\n"), "\(line)")
      }
      #expect(!metrics.contains(#"reason="none""#))
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
      #expect(process.said.contains { $0.contains("/internal/v1/resolve") })
      #expect(!process.said.contains { $0.contains("s3cret") || $0.contains(ResolverProcess.key) })
    }
  }

  @Test("Keys are exchanged while it serves: what the folder holds counts after SIGHUP, and a bad file changes nothing")
  func reload() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      let process = try await ResolverProcess(world.database, pems: [Self.former: Pair.other.pem])
      let caller = try Caller(try await process.address())
      let requests = [request("a", "m", grant.json, notes("n1"))]
      #expect(try await caller.answers(requests).map(\.grant) == ["wrap-rejected"])
      try process.write(Pair.own.pem, Self.current)
      process.signal(SIGHUP)
      try await process.line("Reloaded.")
      #expect(try await caller.answers(requests).map(\.grant) == ["ok"])
      try process.write(Array("no key".utf8), "2026-03-01.bad.pem")
      process.signal(SIGHUP)
      try await process.line("Could not be reloaded; what was there stays.")
      #expect(try await caller.answers(requests).map(\.grant) == ["ok"])
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
    }
  }

  @Test("Keys are read again under load, and no request fails for it")
  func reloadUnderLoad() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      let process = try await ResolverProcess(
        world.database, pems: [Self.former: Pair.other.pem, Self.current: Pair.own.pem])
      let caller = try Caller(try await process.address())
      let requests = [request("a", "m", grant.json, notes("n1"))]
      let answered = try await withThrowingTaskGroup(of: Int.self, returning: Int.self) { group in
        for _ in 0..<3 {
          group.addTask {
            for _ in 0..<40 {
              let answers = try await caller.answers(requests)
              #expect(answers.map(\.grant) == ["ok"])
            }
            return 40
          }
        }
        for _ in 0..<15 {
          process.signal(SIGHUP)
          try await process.line("Reloaded.")
        }
        return try await group.reduce(0, +)
      }
      #expect(answered == 120)
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
    }
  }

  @Test("Killed in the middle of batches, it leaves a log without gaps that has a row for everything that was shown")
  func killed() async throws {
    try await World.with(durable: true) { world in
      let users = (0..<6).map { "u\($0)" }
      var requests: [ResolveCall.Request] = []
      for user in users {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: "T", content: "C")
        requests.append(request(user, "m", try await world.addGrant(user, "m", ["notes:n1"]).json, notes("n1")))
      }
      var shown = 0
      for round in 1...4 {
        let process = try await ResolverProcess(world.database, pems: [Self.current: Pair.own.pem])
        let caller = try Caller(try await process.address())
        let batches = requests
        shown += await withTaskGroup(of: Int.self) { group in
          for _ in 0..<2 {
            group.addTask {
              var shown = 0
              // Ends when nobody answers any more.
              while let answers = try? await caller.answers(batches) {
                #expect(answers.allSatisfy { $0.inputs == ["n1: T | C"] })
                shown += answers.count
                if shown >= 6 * 5 * round { process.signal(SIGKILL) }
              }
              return shown
            }
          }
          return await group.reduce(0, +)
        }
        #expect(try await process.end() == 128 + SIGKILL)
      }
      let rows = try await world.texts("SELECT count(*)::text FROM mana_ai.decrypt_audit WHERE status = 'ok'")
      #expect(Int(rows[0]) ?? 0 >= shown && shown > 0)
      let gaps = try await world.texts(
        "SELECT user_id FROM mana_ai.decrypt_audit GROUP BY user_id HAVING count(*) <> max(seq)")
      #expect(gaps == [])
    }
  }

  @Test("Without a key it answers not-configured, and is not ready")
  func noKey() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      let process = try await ResolverProcess(world.database, pems: [:])
      let caller = try Caller(try await process.address())
      let answers = try await caller.answers([request("a", "m", .bool(true), notes("n1"))])
      #expect(answers.map(\.grant) == ["not-configured"] && answers[0].inputs == ["n1: not-configured"])
      let broken = try await process.line("A check is broken; this service is not ready.")
      #expect(broken["detail"]?.text?.contains("no private key") == true)
      #expect(try await caller.get("/ready").status == 503)
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
    }
  }

  @Test("On a Unix socket a user of this machine may call without a key, if he was named")
  func socket() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      for (users, status) in [("\(getuid())", 200), ("\(getuid() + 1)", 401)] {
        let path = FileManager.default.temporaryDirectory.appending(path: "r\(UUID().uuidString.prefix(8))").path
        let process = try await ResolverProcess(
          world.database, pems: [Self.current: Pair.own.pem],
          ["MANDATE_INTERNAL_LISTEN": "unix:\(path)", "MANDATE_SERVICE_UIDS": users])
        _ = try await process.address()
        let caller = try Caller("localhost", socket: path, key: nil)
        let call = ResolveCall(purpose: "p", requests: [request("a", "m", .null, notes("n1"))])
        #expect(try await caller.resolve(call.json.compactBytes()).status == status)
        process.signal(SIGTERM)
        #expect(try await process.end() == 0)
      }
    }
  }

  @Test("A wrong setting or a file that is no key ends the start with a sentence")
  func start() async throws {
    try await World.with(durable: true) { world in
      let wrongKey = try await ResolverProcess(world.database, pems: ["a.pem": Array("no key".utf8)])
      #expect(try await wrongKey.end() == 1)
      #expect(wrongKey.said.contains { $0.contains("a.pem") })
      let wrongSetting = try await ResolverProcess(world.database, pems: [:], ["MANDATE_ACCEPT_V1": "perhaps"])
      #expect(try await wrongSetting.end() == 2)
      #expect(wrongSetting.said.contains { $0.contains("MANDATE_ACCEPT_V1") })
    }
  }
}
