// Bad days: no database, an audit that can't be written, a revoke in the middle, two resolvers at once; and that
// nothing of what was opened stays in memory.

import Contracts
import Foundation
import Grants
import MemoryInspection
import Postgres
import PostgresSupport
import Secrets
import Store
import StoreSupport
import Testing

@testable import InputResolver

@Suite("Trouble", .serialized)
struct TroubleTests {
  /// What a batch of one mission under a grant asks of the database, by something that only this statement holds.
  private static let named = [
    "open_receipts(", "enable_seqscan", "redeem_receipts(", "app.current_user_id", "sync_changes", "sealed_records",
    "fail_receipts(",
  ]

  @Test("A batch that reaches no database fails as a whole and says so")
  func noDatabase() async throws {
    try await World.with { world in
      let call = ResolveCall(
        purpose: "mission-tick",
        requests: [request("a", "m", .null, notes("n1")), request("b", "m", .null, notes("n1"))])
      let nowhere = PostgresPool(
        try ConnectionConfiguration(url: "postgresql:///none?host=/nonexistent&user=nobody"),
        limits: PoolLimits(minimum: 0, maximum: 1))
      var rules = InputResolver.Rules()
      rules.batchTime = .milliseconds(300)
      await #expect(throws: InputResolver.Failure.unavailable) {
        _ = try await world.resolver(rules: rules, pool: nowhere).resolve(call)
      }
      _ = await nowhere.drain(deadline: .after(.seconds(5)))
    }
  }

  @Test("While the audit can't be written, nothing is opened")
  func unwritable() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      try await world.run("ALTER TABLE mana_ai.decrypt_audit ADD CONSTRAINT broken CHECK (false) NOT VALID")
      await #expect(throws: InputResolver.Failure.unavailable) {
        _ = try await world.resolver().answers([request("a", "m", grant.json, notes("n1"))])
      }
      try await world.run("ALTER TABLE mana_ai.decrypt_audit DROP CONSTRAINT broken")
      #expect(try await world.resolver().answer(request("a", "m", grant.json, notes("n1"))).inputs == ["n1: T | C"])
    }
  }

  @Test("After a revoke has returned, no batch shows anything of that grant; two resolvers and many batches at once")
  func revoke() async throws {
    try await World.with { world in
      let users = (0..<6).map { "u\($0)" }
      var grants: [String: JSONValue] = [:]
      for user in users {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: "T", content: "C")
        grants[user] = try await world.addGrant(user, "m", ["notes:n1"]).json
      }
      let call = users.map { request($0, "m", grants[$0] ?? .null, notes("n1")) }
      let revoked = Revoked()
      let resolvers = [world.resolver(), world.resolver()]
      try await withThrowingTaskGroup(of: Int.self) { group in
        for resolver in resolvers {
          group.addTask {
            var shown = 0
            for _ in 0..<12 {
              let before = await revoked.users
              for (user, answer) in zip(users, try await resolver.answers(call.shuffled().sorted { $0.user < $1.user }))
              {
                #expect(answer.outage == nil)
                if before.contains(user) { #expect(answer.inputs == ["n1: revoked"], "\(user) was revoked before") }
                if answer.grant == "ok" { shown += 1 }
              }
            }
            return shown
          }
        }
        for user in users.prefix(3) {
          try await world.close(user, "m")
          await revoked.add(user)
        }
        var shown = 0
        for try await part in group { shown += part }
        #expect(shown > 0)
      }
      let gaps = try await world.texts(
        "SELECT user_id FROM mana_ai.decrypt_audit GROUP BY user_id HAVING count(*) <> max(seq)")
      #expect(gaps == [])
    }
  }

  @Test("A batch of as many missions as a call may hold is answered in its order")
  func largest() async throws {
    try await World.with { world in
      let users = (0..<16).map { "u\($0)" }
      var requests: [ResolveCall.Request] = []
      for user in users {
        try await world.addUser(user)
        for id in ["n1", "n2"] { try await world.addNote(user, id, title: user, content: id) }
        for mission in 0..<16 {
          let grant = try await world.addGrant(user, "m\(mission)", ["notes:n1", "notes:n2"])
          requests.append(request(user, "m\(mission)", grant.json, notes("n2", "n1")))
        }
      }
      requests.shuffle()
      let answers = try await world.resolver().answers(requests)
      #expect(requests.count == ResolveCall.mostRequests && answers.count == requests.count)
      for (request, answer) in zip(requests, answers) {
        #expect(answer.inputs == ["n2: \(request.user) | n2", "n1: \(request.user) | n1"])
      }
    }
  }

  @Test("Connections cut in the middle cost answers, never the log: what was shown is on it, and no chain has a gap")
  func cut() async throws {
    try await World.with { world in
      let users = (0..<8).map { "u\($0)" }
      var requests: [ResolveCall.Request] = []
      for user in users {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: "T", content: "C")
        requests.append(request(user, "m", try await world.addGrant(user, "m", ["notes:n1"]).json, notes("n1")))
      }
      let resolver = world.resolver()
      let cutting = Task {
        var cuts = 0
        while !Task.isCancelled {
          // The end may come while it asks.
          do {
            cuts += try await world.texts(
              """
              SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
              WHERE usename = 'mandate_resolver' AND datname = current_database() AND state = 'active'
              """
            ).count
          } catch PostgresError.cancelled { break }
        }
        return cuts
      }
      var (shown, lost) = ([String: Int](), 0)
      for _ in 0..<60 {
        do {
          let answers = try await resolver.answers(requests)
          for (user, answer) in zip(users, answers) {
            if answer.inputs == ["n1: T | C"] { shown[user, default: 0] += 1 } else { lost += 1 }
            #expect(answer.inputs == ["n1: T | C"] || answer.outage == "unavailable")
          }
        } catch InputResolver.Failure.unavailable { lost += users.count }
      }
      cutting.cancel()
      #expect(try await cutting.value > 0 && lost > 0, "nothing was cut")
      for user in users {
        let rows = try await world.log(user)
        #expect(rows.filter { $0 == "n1 ok" }.count >= shown[user] ?? 0)
      }
      let broken = try await world.texts(
        """
        SELECT user_id FROM mana_ai.decrypt_audit GROUP BY user_id HAVING count(*) <> max(seq)
        UNION ALL
        SELECT h.user_id FROM mana_ai.audit_heads AS h JOIN mana_ai.decrypt_audit AS a USING (user_id, seq)
        WHERE a.hash <> h.hash
        """)
      #expect(broken == [])
      #expect(try await resolver.answers(requests).allSatisfy { $0.inputs == ["n1: T | C"] })
    }
  }

  @Test("Through a pooler that keeps nothing between transactions, a batch is answered the same")
  func pooled() async throws {
    try await World.with { world in
      var requests: [ResolveCall.Request] = []
      for user in ["a", "b", "c"] {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: user, content: "C")
        let grant = try await world.addGrant(user, "m", ["notes:n1", "notes:absent"])
        requests.append(request(user, "m", grant.json, notes("n1", "absent")))
      }
      let pooled = PostgresPool(
        try await world.database.login(StoreRole.resolver.rawValue, .pooler), limits: PoolLimits(minimum: 0, maximum: 4)
      )
      for _ in 0..<3 {
        let answers = try await world.resolver(pool: pooled).answers(requests)
        #expect(answers.map(\.inputs) == ["a", "b", "c"].map { ["n1: \($0) | C", "absent: record-missing"] })
      }
      #expect(await pooled.drain(deadline: .after(.seconds(10))))
    }
  }

  @Test("A database that takes no writes opens nothing")
  func readOnly() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      try await world.run(
        "ALTER ROLE mandate_resolver IN DATABASE \(world.database.name) SET default_transaction_read_only = on")
      await #expect(throws: InputResolver.Failure.unavailable) {
        _ = try await world.resolver().answers([request("a", "m", grant.json, notes("n1"))])
      }
      #expect(try await world.log("a") == [])
    }
  }

  @Test("A record that is another's and one that is nowhere are answered and logged alike, through the same statements")
  func alike() async throws {
    try await World.with { world in
      for user in ["a", "b"] { try await world.addUser(user) }
      try await world.addNote("b", "foreign", title: "T", content: "C")
      let grant = try await world.addGrant("a", "m", ["notes:foreign", "notes:nowhere"])
      // Whatever a connection does for the first time only is behind it then.
      let warm = PostgresPool(world.pool.configuration, limits: PoolLimits(minimum: 0, maximum: 1))
      let resolver = world.resolver(pool: warm)
      for _ in 0..<2 { _ = try await resolver.answer(request("a", "m", grant.json, notes("foreign"))) }
      let before = try await world.log("a").count
      func statements(_ id: String) async throws -> [String] {
        let log = StatementLog(folder: try await TemporaryCluster.shared().folder, database: world.database.name)
        try await world.run("ALTER SYSTEM SET log_statement = 'all'")
        try await world.run("SELECT pg_reload_conf()")
        // A statement of its own tells that the server has heard; it is the last one before those that count.
        let start = try await log.begin(warm)
        let answer = try await resolver.answer(request("a", "m", grant.json, notes(id)))
        #expect(answer.inputs == ["\(id): record-missing"])
        let seen = try await log.statements(from: start, warm)
        try await world.run("ALTER SYSTEM RESET log_statement")
        try await world.run("SELECT pg_reload_conf()")
        return seen
      }
      let (foreign, absent) = (try await statements("foreign"), try await statements("nowhere"))
      // Open; plans, redeem, scope, histories, copies; fail: three transactions in two round trips.
      #expect(
        foreign.map { statement in Self.named.first { statement.contains($0) } ?? statement } == Self.named)
      #expect(foreign == absent)
      let log = try await world.log("a").dropFirst(before).map { $0.replacing("nowhere", with: "foreign") }
      #expect(
        log == [
          "foreign ok", "foreign failed record-missing \(before + 1)", "foreign ok",
          "foreign failed record-missing \(before + 3)",
        ])
      _ = await warm.drain(deadline: .after(.seconds(5)))
    }
  }

  @Test("What was opened is nowhere in memory once the answer is gone, nor after failures; no key is left either")
  func memory() async throws {
    try await World.with { world in
      try await world.addUser("a")
      let scan = MemoryScan(masked: (0..<40).map { _ in UInt8.random(in: 0x61...0x7A) ^ 0x5A })
      for id in ["n1", "n2"] {
        var json = WipedBytes()
        json.append(UInt8(ascii: "\""))
        for index in 0..<scan.count { json.append(scan.byte(at: index)) }
        json.append(UInt8(ascii: "\""))
        var fields = ["content": try World.sealed("a", "notes:\(id)", "content", json.bytes)]
        // The second record fails after its first field has been opened.
        if id == "n2" { fields["title"] = try World.sealed("a", "notes:n1", "title", "moved") }
        try await world.addRecord("a", "notes:\(id)", fields)
      }
      let grant = try await world.addGrant("a", "m", ["notes:n1", "notes:n2"])
      let resolver = world.resolver()
      let call = ResolveCall(purpose: "mission-tick", requests: [request("a", "m", grant.json, notes("n1", "n2"))])
      _ = try await resolver.resolve(call)
      let before = SecretArena.process.bytesInUse
      #expect(try scan.places().isEmpty)
      for _ in 0..<20 { _ = try await resolver.resolve(call) }
      do {
        let bytes = try await resolver.resolve(call).take()
        let places = try scan.places().count
        #expect(bytes.count > scan.count && places >= 1, "the scan sees what is there")
      }
      #expect(try scan.places().isEmpty)
      #expect(SecretArena.process.bytesInUse == before)
    }
  }
}

private actor Revoked {
  private(set) var users: Set<String> = []
  func add(_ user: String) { users.insert(user) }
}
