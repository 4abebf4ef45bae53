// How an account ends: every row of it goes and nobody else's, a digest of its id stays with the end of its chain, and
// no opening in flight outlives it.

import Contracts
import Postgres
import Store
import StoreSupport
import Testing

@Suite struct PurgeTests {
  private struct Purged: Equatable {
    let last: Int64
    let hash: [UInt8]
    let grants: [String]
    let removed: Int64
  }

  private static let purging = Statement(
    """
    SELECT p.last_seq, p.last_hash, array_to_string(p.grants, ','), p.removed FROM mana_ai.purge_user($1) AS p
    """, .text)

  private func purge(_ pool: PostgresPool, _ user: String) async throws -> Purged {
    let row = try await pool.query(Self.purging.bind(.text(user))).only()
    return Purged(
      last: try row.get(0), hash: try row.get(1),
      grants: (try row.get(2) as String).split(separator: ",").map(String.init), removed: try row.get(3))
  }

  /// Rows of a user, table by table.
  private func count(_ world: World, _ user: String) async throws -> [String: Int64] {
    var counts: [String: Int64] = [:]
    for (table, columns) in try await world.tables() where table != "mana_ai.rls_canary" {
      let key = columns.contains("user_id") ? "user_id" : table == "auth.users" ? "id" : nil
      guard let key else { continue }
      counts[table] = try await world.number("SELECT count(*) FROM \(table) WHERE \(key) = '\(user)'")
    }
    return counts
  }

  @Test(
    "Purging removes every row of an account and of nobody else, and keeps a digest with the end of its chain",
    arguments: Road.allCases)
  func purge(road: Road) async throws {
    try await World.with(road) { world in
      // The fixture's heads and cuts are of no chain, so this one begins after them.
      try await world.addRowsEverywhere()
      let user = "user-a"
      let grant = try await world.admin.query(
        Statement("SELECT g.grant_id FROM mana_ai.grants AS g WHERE g.user_id = $1", .text).bind(.text(user))
      ).only().get(0, as: String.self)
      let opened = try await world.receipts.release([try opening(user, "m1", grant, ["n1"])])
      let head = try #require(opened[0].head)
      let mine = try await count(world, user)
      let others = try await count(world, "user-b")
      #expect(mine.count > 15 && mine.values.allSatisfy { $0 > 0 }, "\(mine)")

      let purged = try await purge(world.issuer, user)
      #expect(purged.last == head.seq && purged.hash == head.hash && purged.grants == [grant])
      #expect(purged.removed == mine.values.reduce(0, +))
      #expect(await GrantClosing(world.issuer).drain(purged.grants).isEmpty)
      #expect(try await count(world, user).values.allSatisfy { $0 == 0 })
      #expect(try await count(world, "user-b") == others)
      let digest = try await world.number(
        """
        SELECT count(*) FROM mana_ai.purged_users
        WHERE digest = sha256('\(user)') AND last_seq = \(head.seq)
        """)
      let digests = try await world.number("SELECT count(*) FROM mana_ai.purged_users")
      #expect(digest == 1 && digests == 1)

      // An opening that comes late goes on from there, refused, and no number is used twice.
      let late = try await world.receipts.release([try opening(user, "m1", grant, ["n1"])])
      #expect(late[0].records == ["n1: unknown-grant"] && late[0].head?.seq == head.seq + 1)
      let again = try await purge(world.operator, user)
      #expect(again.last == head.seq + 1 && again.grants.isEmpty && again.removed > 0)
      // Of nothing there is nothing to remove, and the end of the chain that there was stays known.
      for _ in 0..<2 {
        let repeated = try await purge(world.operator, user)
        #expect(repeated.removed == 0 && repeated.last == head.seq + 1 && repeated.hash == again.hash)
      }
      let stranger = try await purge(world.operator, "never seen")
      #expect(stranger.last == 0 && stranger.removed == 0)
      let nobody = try await failure { () async throws(any Error) in _ = try await purge(world.operator, "") }
      #expect((nobody as? PostgresError)?.state == SQLState("MD003"))
      print("purge, \(road): \(mine.count) tables, \(purged.removed) rows")
    }
  }

  @Test(
    "Purging waits for an opening in flight, releases nothing after it, and does not wait for the queue",
    arguments: Road.allCases)
  func races(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1"])
      try await world.addNote("a", "n1", "{}")
      let before = RawMission(user: "a", mission: "m", grant: grant, records: ["n1"])
      let flying = RawMission(user: "a", mission: "m", grant: grant, records: ["n1"])
      _ = try await world.resolver.query(Raw.open(before))
      try await world.issuer.withTransaction { consumer throws(any Error) in
        // A consumer has the account's note in its hands while the account goes.
        let taken = try await consumer.query(Self.taking.bind())
        #expect(try taken.texts() == ["n1"])
        try await withThrowingTaskGroup(of: Purged.self) { group in
          try await world.resolver.withTransaction { transaction throws(any Error) in
            _ = try await transaction.query(Raw.open(flying))
            group.addTask { try await purge(world.operator, "a") }
            #expect(try await world.becomesTrue(Self.waiting))
            #expect(try await world.resolver.query(Raw.redeem(before)).released() == ["n1"], "before it commits")
          }
          let purged = try await group.next()
          #expect(purged?.last == 2, "the opening in flight is part of the chain that ended")
        }
        #expect(try await world.resolver.query(Raw.redeem(before)).isEmpty)
        #expect(try await world.resolver.query(Raw.redeem(flying)).isEmpty)
      }
      #expect(try await world.number("SELECT count(*) FROM mana_ai.change_queue WHERE user_id = 'a'") == 0)
    }
  }

  private static let taking = Statement("SELECT q.record_id FROM mana_ai.take_seal_changes(10) AS q")

  private static let waiting = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%purge_user%'
    """
}
