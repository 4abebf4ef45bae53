// A database that takes no changes releases nothing, whether a setting or being a standby makes it so: there is nowhere
// to write the row without which there is no share. And what was released before is released no more.

import Postgres
import PostgresSupport
import Store
import StoreSupport
import Testing

@Suite struct ReadOnlyTests {
  @Test("A resolver whose transactions are read-only gets no share, not even one", arguments: Road.allCases)
  func readOnlyTransactions(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1"])
      // Opened while it could be: only the redeem is left.
      let before = RawMission(user: "a", mission: "m", grant: grant, records: ["n1"])
      _ = try await world.resolver.query(Raw.open(before))
      try await world.script("ALTER DATABASE \(world.database.name) SET default_transaction_read_only = on")
      // A setting reaches those who log in after it, and a pooler keeps its logins.
      _ = try await world.admin.query(Self.endLogins.bind())
      let mission = RawMission(user: "a", mission: "m", grant: grant, records: ["n1"])
      for statement in [Raw.open(mission), Raw.redeem(mission), Raw.redeem(before), Raw.fail(before, [1], ["expired"])]
      {
        let trial = try await answer(to: statement, from: world.resolver)
        #expect(trial == .refused(.readOnlyTransaction))
      }
      #expect(try await world.committed(mission.batch).isEmpty)
      let seen = try await world.receipts.release([try opening("a", "m", grant, ["n1"])])
      #expect(seen[0].grants.isEmpty && seen[0].receipts.isEmpty)
      #expect(seen[0].failure?.state == .readOnlyTransaction)
      #expect(try await world.number("SELECT count(*) FROM mana_ai.decrypt_audit") == 1)
    }
  }

  private static let endLogins = Statement(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mandate_resolver'", reuse: .once)

  /// A division by zero everywhere but on a standby.
  private static let recovering = Statement("SELECT 1 / pg_is_in_recovery()::int", reuse: .once)

  /// A connection that was ended from outside says so once, to whoever uses it next.
  private func answer(to statement: BoundStatement, from pool: PostgresPool) async throws -> Trial {
    for _ in 0..<10 {
      do throws(PostgresError) {
        _ = try await pool.query(statement)
        return .accepted
      } catch {
        if let state = error.state, state != .adminShutdown, state != SQLState("08P01") { return .refused(state) }
      }
    }
    throw SupportError.failed("no connection answered")
  }

  @Test("A standby releases nothing, and after its promotion the same missions are served", arguments: Road.allCases)
  func standby(road: Road) async throws {
    let cluster = try await TemporaryCluster.start()
    try await World.with(road, in: cluster) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1", "n2"])
      let wish = try opening("a", "m", grant, ["n1", "n2"])
      let before = RawMission(user: "a", mission: "m", grant: grant, records: ["n1"])
      _ = try await world.resolver.query(Raw.open(before))
      try await cluster.order(.standby)
      let recovering = try await answer(to: Self.recovering.bind(), from: world.admin)
      #expect(recovering == .accepted)
      for statement in [
        Raw.open(RawMission(user: "a", mission: "m", grant: grant, records: ["n1"])), Raw.redeem(before),
      ] {
        let trial = try await answer(to: statement, from: world.resolver)
        #expect(trial == .refused(.readOnlyTransaction))
      }
      let refused = try await world.receipts.release([wish])
      #expect(refused[0].grants.isEmpty && refused[0].receipts.isEmpty && refused[0].failure != nil)
      #expect(try await world.number("SELECT count(*) FROM mana_ai.decrypt_audit") == 1)
      try await cluster.order(.promote)
      let served = try await world.receipts.release([wish])
      #expect(served[0].receipts.count == 2 && served[0].failure == nil)
    }
    try await cluster.end()
  }
}
