// A receipt is for one record of one mission of one user, and names are bytes: what merely looks alike is another.

import Contracts
import Postgres
import Store
import StoreSupport
import Testing

@Suite struct ExactnessTests {
  @Test(
    "A receipt for one record does not open another, and a grant of one mission none of another's",
    arguments: Road.allCases)
  func exactly(road: Road) async throws {
    try await World.with(road) { world in
      for user in ["a", "b"] { try await world.addUser(user) }
      let grant = try await world.addGrant("a", "m1", ["n1", "n2"])
      let other = try await world.addGrant("a", "m2", ["n1", "z"])
      let foreign = try await world.addGrant("b", "m1", ["n1"])
      func take(_ mission: RawMission) async throws -> (decided: [String?], released: [String]) {
        let decided = try await world.resolver.query(Raw.open(mission)).texts()
        return (decided, try await world.resolver.query(Raw.redeem(mission)).released())
      }
      let outside = "scope-violation record-not-in-grant-allowlist"
      let mixed = try await take(RawMission(user: "a", mission: "m1", grant: grant, records: ["n1", "z", "n9"]))
      #expect(mixed.decided == ["ok", outside, outside] && mixed.released == ["n1"])
      let table = try await take(RawMission(user: "a", mission: "m1", grant: grant, records: ["n1"], table: "tasks"))
      #expect(table.decided == [outside] && table.released.isEmpty, "the same id in another table")
      for (mission, wrong) in [("m1", other), ("m2", grant), ("m1", foreign), ("nowhere", grant)] {
        let taken = try await take(RawMission(user: "a", mission: mission, grant: wrong, records: ["n1"]))
        #expect(taken.decided == ["failed unknown-grant"] && taken.released.isEmpty, "\(mission)")
      }
    }
  }

  private static let lookalikes = [
    ("\u{e9}", "e\u{301}"), ("User", "user"), ("a", "a "), ("\u{df}", "ss"), ("I", "\u{131}"), ("x'--", "x"),
    ("q\"\\", "q"),
    ("\u{202e}ab", "ab"), ("\u{1f600}", "\u{1f601}"), ("\u{212b}", "\u{c5}"), ("NULL", "null"), ("{a,b}", "{a, b}"),
  ]

  @Test("Case, composition, blanks and quotes make other users, missions and records", arguments: Road.allCases)
  func bytes(road: Road) async throws {
    try await World.with(road) { world in
      for (one, other) in Self.lookalikes {
        for user in [one, other] { try await world.addUser(user) }
        let grant = try await world.addGrant(one, one, [one])
        let mission = RawMission(user: one, mission: one, grant: grant, records: [one, other])
        let decided = try await world.resolver.query(Raw.open(mission)).texts()
        #expect(decided == ["ok", "scope-violation record-not-in-grant-allowlist"], "\(one) as a record")
        let released = try await world.resolver.query(Raw.redeem(mission)).released()
        #expect(released.map { Array($0.utf8) } == [Array(one.utf8)])
        for (user, name) in [(other, one), (one, other)] {
          let wrong = RawMission(user: user, mission: name, grant: grant, records: [one])
          #expect(try await world.resolver.query(Raw.open(wrong)).texts() == ["failed unknown-grant"])
        }
      }
      let users = try await world.number("SELECT count(DISTINCT user_id) FROM mana_ai.decrypt_audit")
      #expect(users == 24, "each has a chain of its own")
    }
  }

  @Test(
    "A failure belongs to an ok receipt of its own batch and user, once, for a reason that we know",
    arguments: Road.allCases)
  func failures(road: Road) async throws {
    try await World.with(road) { world in
      for user in ["a", "b"] { try await world.addUser(user) }
      let grant = try await world.addGrant("a", "m", ["n1", "n2", "n3"])
      let foreign = try await world.addGrant("b", "m", ["n1"])
      let mine = RawMission(user: "a", mission: "m", grant: grant, records: ["n1", "n2", "n3"])
      let theirs = RawMission(user: "b", mission: "m", grant: foreign, records: ["n1"])
      let seqs = try await world.resolver.query(Raw.open(mine)).map { try $0.get(1, as: Int64.self) }
      let other: Int64 = try await world.resolver.query(Raw.open(theirs)).only().get(1)
      func fail(_ mission: RawMission, _ seqs: [Int64]) async throws -> [Int64] {
        let reasons = seqs.map { _ in "decrypt-failed" as String? }
        return try await world.resolver.query(Raw.fail(mission, seqs, reasons)).map { try $0.get(0) }
      }
      var later = mine
      later.batch = newID()
      _ = try await world.resolver.query(Raw.open(later))
      #expect(try await fail(later, seqs).isEmpty, "of another batch of the same user")
      #expect(try await fail(mine, [seqs[1], seqs[0]]) == [seqs[1], seqs[0]], "in the order asked")
      #expect(try await fail(mine, [seqs[0], seqs[1]]).isEmpty, "a second time")
      #expect(try await fail(mine, [seqs[2], seqs[2], seqs[2]]) == [seqs[2]], "three times at once")
      var disguised = theirs
      disguised.batch = mine.batch
      var nobody = mine
      nobody.user = "nobody"
      for (mission, wrong) in [
        (disguised, [other]), (theirs, [seqs[1]]), (mine, [7, 8, 9]), (theirs, [1_000_000_000, 0, -1]), (nobody, [1]),
      ] { #expect(try await fail(mission, wrong).isEmpty, "\(mission.user) \(wrong)") }
      #expect(try await world.number("SELECT count(*) FROM mana_ai.audit_heads WHERE user_id = 'nobody'") == 0)
      for (seqs, reasons) in [([other], ["because"]), ([other], [nil]), ([], [])] as [([Int64], [String?])] {
        let error = try await failure { () async throws(PostgresError) in
          _ = try await world.resolver.query(Raw.fail(theirs, seqs, reasons))
        }
        #expect(error.state == SQLState("MD003"))
      }
      #expect(try await world.resolver.query(Raw.redeem(mine)).released().count == 3, "nothing is taken back")
    }
  }

  @Test("What decides by the present refuses every snapshot of the past", arguments: Road.allCases)
  func isolation(road: Road) async throws {
    try await World.with(road) { world in
      let calls: [(StoreRole, String)] = [
        (.runner, "mana_ai.take_project_changes(1)"), (.runner, "mana_ai.claim_due('me', '1 minute', 1)"),
        (.runner, "mana_ai.lock_mission('nobody', 'm')"),
        (.operator, "mana_ai.prune_audit(now() - interval '1 day')"), (.operator, "mana_ai.purge_user('nobody')"),
        (.operator, "mana_ai.revoke('nobody')"), (.issuer, "mana_ai.close_grants('nobody', NULL, NULL, 'user')"),
        (.issuer, "mana_ai.attach_grant('nobody', 'm', '{}')"),
      ]
      for (role, call) in calls {
        for isolation in [Isolation.repeatableRead, .serializable] {
          let error = try await failure { () async throws(TransactionError<PostgresError>) in
            _ = try await world.pool(role).transact(
              [Statement("SELECT \(call)", reuse: .once).bind()], isolation: isolation)
          }
          #expect(error.cause.state == SQLState("MD001"), "\(call)")
        }
      }
    }
  }

  private static let spelling = Statement(
    """
    SELECT mana_ai.instant_micros('2026-11-20T07:00:00.1Z'), mana_ai.instant_millis('2026-01-01T00:30:00.000001+01:00'),
      mana_ai.instant_micros('2024-02-29T23:59:59.999999Z')
    """)

  @Test(
    "Times are spelled alike in the chain and in claims, whatever the session's zone and style",
    arguments: Road.allCases)
  func spelling(road: Road) async throws {
    try await World.with(road) { world in
      for (zone, style) in [
        ("UTC", "ISO"), ("Asia/Kathmandu", "German"), ("America/St_Johns", "SQL, DMY"), ("Europe/Berlin", "Postgres"),
      ] {
        let settings = [("TimeZone", zone), ("DateStyle", style)].map { name, value in
          Statement("SELECT pg_catalog.set_config('\(name)', '\(value)', true)", reuse: .once).bind()
        }
        let row = try await world.issuer.transact(settings + [Self.spelling.bind()])[2].only()
        let texts = try (0..<3).map { try row.get($0, as: String.self) }
        #expect(
          texts == ["2026-11-20T07:00:00.100000Z", "2025-12-31T23:30:00.000Z", "2024-02-29T23:59:59.999999Z"], "\(zone)"
        )
      }
    }
  }

  @Test("Time never runs backwards along a chain, even when the clock does", arguments: Road.allCases)
  func time(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1"])
      // A head that lies ahead is what a clock leaves that was set back.
      _ = try await world.receipts.release([try opening("a", "m", grant, ["n1"])])
      try await world.script("UPDATE mana_ai.audit_heads SET ts = ts + interval '1 hour'")
      _ = try await world.receipts.release([try opening("a", "m", grant, ["n1"])])
      let order = """
        SELECT count(*) FROM (SELECT ts - lag(ts) OVER (ORDER BY seq) AS step FROM mana_ai.decrypt_audit) AS s
        WHERE s.step >= interval '59 minutes'
        """
      #expect(try await world.number(order) == 1)
    }
  }
}
