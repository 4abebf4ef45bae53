// Many at once: closings against openings and redeems, and writers against one another.

import Contracts
import Postgres
import Store
import StoreSupport
import Testing

@Suite struct RaceTests {
  @Test(
    "A closing sees the redeem in flight out, and nothing is released after it has drained",
    arguments: Road.allCases)
  func closingWaits(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      for redeemsFirst in [true, false] {
        let grant = try await world.addGrant("a", "m", ["n1"])
        let mission = RawMission(user: "a", mission: "m", grant: grant, records: ["n1"])
        if redeemsFirst { _ = try await world.resolver.query(Raw.open(mission)) }
        let closing = GrantClosing(world.issuer)
        let user = try scope("a")
        try await withThrowingTaskGroup(of: Closing.self) { group in
          try await world.resolver.withTransaction { transaction throws(any Error) in
            let flying = try await transaction.query(redeemsFirst ? Raw.redeem(mission) : Raw.open(mission))
            if redeemsFirst { #expect(try flying.released() == ["n1"], "it began before the closing") }
            group.addTask { try await closing.close(user, grants: [grant], reason: .user) }
            // The closing has committed and waits for this very transaction.
            #expect(try await world.becomesTrue(Self.waiting))
            #expect(try await world.number("SELECT count(*) FROM mana_ai.grants WHERE closed_at IS NULL") == 0)
          }
          let closed = try #require(try await group.next())
          #expect(closed.closed.map(\.grant) == [grant] && closed.draining.isEmpty)
        }
        #expect(try await world.resolver.query(Raw.redeem(mission)).released().isEmpty)
      }
    }
  }

  private static let waiting = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%drain_grants%'
    """

  @Test(
    "A grant that is closed between an opening's look at it and at its shares is revoked, and that is no violation",
    arguments: Road.allCases)
  func closedMeanwhile(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1"])
      let mission = RawMission(user: "a", mission: "m", grant: grant, records: ["n1"])
      try await withThrowingTaskGroup(of: String.self) { group in
        try await world.admin.withTransaction { transaction throws(any Error) in
          for sql in [
            "LOCK TABLE mana_ai.grant_keys IN ACCESS EXCLUSIVE MODE",
            "UPDATE mana_ai.grants SET closed_at = clock_timestamp(), closed_reason = 'user' WHERE grant_id = '\(grant)'",
            "DELETE FROM mana_ai.grant_keys WHERE grant_id = '\(grant)'",
          ] { _ = try await transaction.query(Statement(sql, reuse: .once).bind()) }
          group.addTask {
            try await world.resolver.query(Raw.open(mission)).only().get(0)
          }
          // It has found the grant open, and waits for the table of the shares, which are gone when it gets there.
          #expect(try await world.becomesTrue(Self.waitingOpening))
        }
        #expect(try await group.next() == "failed revoked")
      }
      #expect(try await world.resolver.query(Raw.redeem(mission)).released().isEmpty)
    }
  }

  private static let waitingOpening = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%open_receipts%'
    """

  @Test("An opening that does not end is told of, and the closing is committed all the same", arguments: Road.allCases)
  func draining(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1"])
      let mission = RawMission(user: "a", mission: "m", grant: grant, records: ["n1"])
      try await world.resolver.withTransaction { transaction throws(any Error) in
        _ = try await transaction.query(Raw.open(mission))
        let closing = try await GrantClosing(world.issuer).close(try scope("a"), reason: .user)
        #expect(closing.isDraining && closing.draining == [grant] && closing.closed.count == 1)
      }
      #expect(try await world.resolver.query(Raw.redeem(mission)).released().isEmpty)
    }
  }

  @Test(
    "Closings that race units never lose: whoever was answered `closed` sees no share leave after it",
    arguments: Road.allCases)
  func closingRaces(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      var (released, refused) = (0, 0)
      let rounds = Rounds.of(30)
      for round in 1...rounds {
        let grant = try await world.addGrant("a", "m\(round)", ["n1"])
        let wish = try opening("a", "m\(round)", grant, ["n1"])
        let receipts = world.receipts
        let closing = GrantClosing(world.issuer)
        let user = try scope("a")
        let outcomes = try await withThrowingTaskGroup(of: [Seen].self) { group in
          for _ in 0..<3 { group.addTask { try await receipts.release([wish]) } }
          group.addTask {
            let closed = try await closing.close(user, grants: [grant], reason: .user)
            #expect(closed.closed.count == 1 && closed.draining.isEmpty)
            let late = try await receipts.release([wish])
            #expect(late.map(\.records) == [["n1: revoked"]], "after the closing was answered")
            return late
          }
          return try await group.reduce(into: []) { $0 += $1 }
        }
        for seen in outcomes {
          #expect(seen.failure == nil)
          if seen.grants.isEmpty { refused += 1 } else { released += 1 }
        }
        Rounds.progress("closing races, \(road)", round, of: rounds)
      }
      let shared = try await world.number(
        "SELECT count(*) FROM mana_ai.decrypt_audit WHERE status = 'ok' AND of_seq IS NULL")
      print("closing races, \(road.rawValue): \(rounds) rounds, \(released) released, \(refused) refused")
      #expect(released + refused == 4 * rounds && refused >= rounds && Int(shared) >= released)
    }
  }

  // MARK: Sixteen writers

  /// Every writer releases units of random missions and fails some of their receipts.
  private func hammer(_ world: World, _ missions: [(user: String, grant: String)], rounds: Int, most: Int) async throws
    -> (receipts: Int, failures: Int)
  {
    let receipts = world.receipts
    return try await withThrowingTaskGroup(of: (Int, Int).self) { group in
      for writer in 0..<16 {
        group.addTask {
          var (opened, failed) = (0, 0)
          for round in 1...rounds {
            if writer == 0 {
              Rounds.progress("16 writers among \(missions.count) users, \(world.road)", round, of: rounds)
            }
            let chosen = missions.shuffled().prefix(Int.random(in: 1...most))
            let seen = try await receipts.release(try chosen.map { try opening($0.user, "m", $0.grant, ["n1", "n2"]) })
            for mission in seen {
              #expect(mission.failure == nil && mission.receipts.count == 2)
              opened += mission.receipts.count
            }
            guard Int.random(in: 0..<3) == 0, let victim = seen.randomElement() else { continue }
            failed += try await receipts.fail(victim.receipts.map { ReceiptFailure($0, .decryptFailed) }).get().count
          }
          return (opened, failed)
        }
      }
      return try await group.reduce(into: (0, 0)) { $0 = ($0.0 + $1.0, $0.1 + $1.1) }
    }
  }

  /// Collisions that the database had to resolve. Our own code tries again after one, so only this shows them.
  private func deadlocks(_ world: World) async throws -> Int64 {
    try await world.number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
  }

  /// Gaps, doubles, and hashes recomputed by the database in one pass.
  private func brokenChains(_ world: World) async throws -> Int64 {
    try await world.number(
      """
      SELECT count(*) FROM (
        SELECT a.user_id FROM (
          SELECT a.*, lag(a.hash, 1, decode(repeat('00', 32), 'hex')) OVER w AS previous, row_number() OVER w AS place,
            lag(a.ts) OVER w AS earlier
          FROM mana_ai.decrypt_audit AS a WINDOW w AS (PARTITION BY a.user_id ORDER BY a.seq)
        ) AS a
        JOIN mana_ai.audit_heads AS h ON h.user_id = a.user_id
        GROUP BY a.user_id, h.seq, h.hash
        HAVING NOT bool_and(a.place = a.seq AND coalesce(a.ts >= a.earlier, true) AND a.hash = mana_ai.audit_hash(
            a.previous, a.user_id, a.seq, a.ts, a.mission_id, a.grant_id, a.iteration_id, a.table_name, a.record_id,
            a.status, a.reason, a.purpose, a.batch, a.of_seq))
          OR max(a.seq) <> h.seq OR (array_agg(a.hash ORDER BY a.seq DESC))[1] <> h.hash
      ) AS b
      """)
  }

  private func addMany(_ world: World, _ count: Int) async throws -> [(user: String, grant: String)] {
    // Ids of very different bytes, so that the order of a locale would not be theirs.
    try await world.script(
      """
      INSERT INTO auth.users (id) SELECT (ARRAY['a', 'B', 'é', 'z', '_', '~', '0', '😀'])[1 + i % 8] || i
      FROM generate_series(1, \(count)) AS i;
      INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at,
        expires_at, renewable_until)
      SELECT g.id, g.user_id, 'm', 'v2', repeat('ab', 16), decode(repeat('5a', 256), 'hex'),
        mana_ai.grant_claims(g.id, repeat('ab', 16), g.user_id, 'm', g.now, g.now + interval '7 days',
          convert_to(repeat('0f', 32), 'UTF8')), g.now, g.now + interval '7 days', g.now + interval '30 days'
      FROM (SELECT gen_random_uuid()::text AS id, u.id AS user_id, date_trunc('milliseconds', now()) AS now
        FROM auth.users AS u) AS g;
      INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key)
      SELECT g.grant_id, g.user_id, 'notes', 'n' || i, decode(repeat('5a', 60), 'hex')
      FROM mana_ai.grants AS g, generate_series(1, 2) AS i;
      ANALYZE
      """)
    let rows = try await world.admin.query(
      Statement("SELECT g.user_id, g.grant_id FROM mana_ai.grants AS g", reuse: .once).bind())
    return try rows.map { (user: try $0.get(0), grant: try $0.get(1)) }
  }

  @Test("Sixteen writers on one user leave one chain without gap, double or deadlock", arguments: Road.allCases)
  func oneUser(road: Road) async throws {
    try await World.with(road, connections: 16) { world in
      let missions = try await addMany(world, 1)
      let rounds = Rounds.of(24)
      let counts = try await hammer(world, missions, rounds: rounds, most: 1)
      #expect(counts.receipts == 16 * rounds * 2 && counts.failures > 0)
      #expect(try await world.number("SELECT seq FROM mana_ai.audit_heads") == Int64(counts.receipts + counts.failures))
      #expect(try await brokenChains(world) == 0)
      #expect(try await deadlocks(world) == 0)
      print("16 writers on one user, \(road.rawValue): \(counts.receipts) receipts, \(counts.failures) failures")
    }
  }

  @Test("Sixteen writers with full units among 40 and among 10,000 users never meet head-on", arguments: Road.allCases)
  func manyUsers(road: Road) async throws {
    for users in [40, 10_000] {
      try await World.with(road, connections: 16) { world in
        let missions = try await addMany(world, users)
        let counts = try await hammer(world, missions, rounds: Rounds.of(users == 40 ? 12 : 6), most: 32)
        let rows = try await world.number("SELECT count(*) FROM mana_ai.decrypt_audit")
        #expect(rows == Int64(counts.receipts + counts.failures))
        #expect(try await brokenChains(world) == 0)
        #expect(try await deadlocks(world) == 0)
        print(
          "16 writers among \(users) users, \(road.rawValue): \(counts.receipts) receipts, \(counts.failures) failures")
      }
    }
  }
}
