// No receipt, no key: every way around that we could think of, tried with the resolver's own login.

import Contracts
import Postgres
import Store
import StoreSupport
import Testing

@Suite struct ReceiptAttackTests {
  /// User a with an open grant for n1 to n3 of mission m1, and user b with one for n1.
  private func with(_ road: Road, _ body: (World, RawMission, RawMission) async throws -> Void) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      try await world.addUser("b")
      let one = try await world.addGrant("a", "m1", ["n1", "n2", "n3"])
      let other = try await world.addGrant("b", "m1", ["n1"])
      try await body(
        world, RawMission(user: "a", mission: "m1", grant: one, records: ["n1"]),
        RawMission(user: "b", mission: "m1", grant: other, records: ["n1"]))
    }
  }

  private func again(_ mission: RawMission) -> RawMission {
    var copy = mission
    copy.batch = newID()
    return copy
  }

  @Test("Rolling back after opening leaves nothing to redeem", arguments: Road.allCases)
  func rolledBack(road: Road) async throws {
    try await with(road) { world, m, _ in
      struct Stop: Error {}
      _ = try await failure(TransactionError<any Error>.self) { () async throws(TransactionError<any Error>) in
        try await world.resolver.withTransaction { transaction throws(any Error) in
          #expect(try await transaction.query(Raw.open(m)).texts() == ["ok"])
          throw Stop()
        }
      }
      #expect(try await world.resolver.query(Raw.redeem(m)).isEmpty)
      #expect(try await world.committed(m.batch).isEmpty)
    }
  }

  @Test(
    "The transaction that opens redeems nothing, by savepoints, a single statement or a block of code either",
    arguments: Road.allCases)
  func sameTransaction(road: Road) async throws {
    try await with(road) { world, m, _ in
      let rolled = again(m)
      try await world.resolver.withTransaction { transaction throws(any Error) in
        _ = try await transaction.script("SAVEPOINT s")
        _ = try await transaction.query(Raw.open(m))
        #expect(try await transaction.query(Raw.redeem(m)).isEmpty, "at once")
        try await transaction.script("RELEASE s")
        #expect(try await transaction.query(Raw.redeem(m)).isEmpty, "behind a released savepoint")
        try await transaction.script("SAVEPOINT t")
        _ = try await transaction.query(Raw.open(rolled))
        try await transaction.script("ROLLBACK TO t")
        #expect(try await transaction.query(Raw.redeem(rolled)).isEmpty, "behind one that was rolled back")
      }
      #expect(try await world.resolver.query(Raw.redeem(rolled)).isEmpty)
      #expect(try await world.resolver.query(Raw.redeem(m)).released() == ["n1"], "what was committed counts")

      let both = again(m)
      let row = try await world.resolver.query(
        Self.openAndRedeem.bind(.textArray([both.batch]), .textArray([both.user]), .textArray([both.grant]))
      ).only()
      let counts = (try row.get(0, as: Int64.self), try row.get(1, as: Int64.self))
      #expect(counts == (1, 0))
      // A pipeline without a Sync between the two is one transaction.
      let joined = again(m)
      let outcomes = try await world.resolver.pipeline([PipelineUnit(Raw.open(joined), Raw.redeem(joined))])
      #expect(try outcomes[0].get()[1].isEmpty)
    }
  }

  private static let openAndRedeem = Statement(
    """
    WITH o AS MATERIALIZED (SELECT * FROM mana_ai.open_receipts($1::uuid[], $2, '{m1}', $3, '{NULL}', '{p}', '{f}',
      '{1}', '{notes}', '{n1}', '{NULL}', '{NULL}'))
    SELECT (SELECT count(*) FROM o), (SELECT count(*) FROM mana_ai.redeem_receipts($1::uuid[], $2))
    """, .textArray, .textArray, .textArray)

  @Test("A batch id is used once, by anybody, and costs nothing when it is refused", arguments: Road.allCases)
  func reusedBatch(road: Road) async throws {
    try await with(road) { world, m, n in
      _ = try await world.resolver.query(Raw.open(m))
      var otherRecord = m
      otherRecord.records = ["n2"]
      var otherUser = n
      otherUser.batch = m.batch
      for wrong in [m, otherRecord, otherUser] {
        let error = try await failure { () async throws(PostgresError) in
          _ = try await world.resolver.query(Raw.open(wrong))
        }
        #expect(error.state == SQLState("MD002"))
      }
      let twice = again(m)
      let error = try await failure { () async throws(PostgresError) in
        _ = try await world.resolver.query(Raw.open(twice, twice))
      }
      #expect(error.state == SQLState("MD002"))
      #expect(try await world.committed(m.batch) == ["n1 ok"])
      #expect(try await world.resolver.query(Raw.redeem(m)).released() == ["n1"])
    }
  }

  @Test("Every isolation but READ COMMITTED is refused by all three", arguments: Road.allCases)
  func isolation(road: Road) async throws {
    try await with(road) { world, m, _ in
      _ = try await world.resolver.query(Raw.open(m))
      for isolation in [Isolation.repeatableRead, .serializable] {
        for statement in [Raw.open(again(m)), Raw.redeem(m), Raw.fail(m, [1], ["decrypt-failed"])] {
          let error = try await failure { () async throws(TransactionError<PostgresError>) in
            _ = try await world.resolver.transact([statement], isolation: isolation)
          }
          #expect(error.cause.state == SQLState("MD001"))
        }
      }
    }
  }

  @Test("A batch of another user, or under another user's name, releases nothing", arguments: Road.allCases)
  func foreignBatch(road: Road) async throws {
    try await with(road) { world, m, n in
      _ = try await world.resolver.query(Raw.open(m, n))
      let attempts: [([String], [String?])] = [
        ([m.batch, n.batch], ["b", "a"]), ([m.batch], [""]), ([m.batch], [nil]), ([m.batch], ["A"]), ([newID()], ["a"]),
      ]
      for (batches, users) in attempts {
        #expect(try await world.resolver.query(Raw.redeem(batches, users)).isEmpty)
      }
      #expect(
        try await world.resolver.query(Raw.redeem([m.batch, m.batch, m.batch], ["a", "a", "a"])).released() == ["n1"])
      #expect(try await world.resolver.query(Raw.redeem(m, n)).released() == ["n1", "n1"])
    }
  }

  @Test(
    "Nobody says ok where a grant decides, and a caller's decision without a grant releases nothing",
    arguments: Road.allCases)
  func decisions(road: Road) async throws {
    try await with(road) { world, m, _ in
      var wrong: [RawMission] = []
      for (grant, status, reason) in [
        (m.grant, "ok", nil), (nil, nil, nil), (nil, "failed", nil), (nil, "failed", "because"),
        (m.grant, "fine", "expired"),
      ] as [(String?, String?, String?)] {
        var mission = again(m)
        (mission.grant, mission.statuses, mission.reasons) = (grant, [status], [reason])
        wrong.append(mission)
      }
      for (user, records) in [("", ["n1"]), ("a", [""]), ("a", []), (String(repeating: "u", count: 257), ["n1"])] {
        var mission = again(m)
        (mission.user, mission.records) = (user, records)
        wrong.append(mission)
      }
      for mission in wrong {
        let error = try await failure { () async throws(PostgresError) in
          _ = try await world.resolver.query(Raw.open(mission))
        }
        #expect(error.state == SQLState("MD003") || error.state == .checkViolation, "\(mission)")
        #expect(try await world.committed(mission.batch).isEmpty)
      }
      var decided = again(m)
      (decided.grant, decided.statuses) = (nil, ["ok"])
      #expect(try await world.resolver.query(Raw.open(decided)).texts() == ["ok"])
      #expect(try await world.resolver.query(Raw.redeem(decided)).isEmpty)
    }
  }

  @Test("A receipt is good for 60 seconds and can fail for ten minutes", arguments: Road.allCases)
  func tooOld(road: Road) async throws {
    try await with(road) { world, _, n in
      for (seconds, redeemed, failed) in [(58, 1, 1), (61, 0, 1), (598, 0, 1), (601, 0, 0)] {
        let old = again(n)
        let seq: Int64 = try await world.resolver.query(Raw.open(old)).only().get(1)
        // Only a superuser who switches the guard off can age a row.
        try await world.script(
          """
          ALTER TABLE mana_ai.decrypt_audit DISABLE TRIGGER decrypt_audit_guard;
          UPDATE mana_ai.decrypt_audit SET ts = ts - interval '\(seconds) seconds' WHERE batch = '\(old.batch)';
          ALTER TABLE mana_ai.decrypt_audit ENABLE ALWAYS TRIGGER decrypt_audit_guard
          """)
        #expect(try await world.resolver.query(Raw.redeem(old)).released().count == redeemed, "\(seconds) s")
        #expect(
          try await world.resolver.query(Raw.fail(old, [seq], ["decrypt-failed"])).count == failed, "\(seconds) s")
      }
    }
  }

  @Test("A grant that closes between opening and redeeming releases nothing and says why", arguments: Road.allCases)
  func closedBetween(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      for (reason, wanted) in [(ClosingReason.user, "revoked"), (.vaultRotated, "revoked"), (.expired, "expired")] {
        let grant = try await world.addGrant("a", "m", ["n1", "n2"])
        let mission = RawMission(user: "a", mission: "m", grant: grant, records: ["n1", "n2"])
        _ = try await world.resolver.query(Raw.open(mission))
        let closing = try await GrantClosing(world.issuer).close(try scope("a"), grants: [grant], reason: reason)
        #expect(closing.closed.map(\.grant) == [grant] && closing.draining.isEmpty)
        let rows = try await world.resolver.query(Raw.redeem(mission))
        #expect(try rows.texts(4) == [wanted, wanted])
        #expect(try rows.released().isEmpty)
      }
    }
  }

  @Test("The resolver can neither read nor write the tables behind the functions", arguments: Road.allCases)
  func noWayRound(road: Road) async throws {
    try await with(road) { world, _, _ in
      let forbidden = [
        "SELECT wrapped_key FROM mana_ai.grant_keys", "SELECT wrapped_key FROM mana_ai.grants",
        "SELECT 1 FROM mana_ai.decrypt_audit", "SELECT 1 FROM mana_ai.receipt_batches",
        "UPDATE mana_ai.audit_heads SET seq = 0", "DELETE FROM mana_ai.decrypt_audit", "TRUNCATE mana_ai.decrypt_audit",
        "SELECT mana_ai.append_audit('{a}', '{m}', '{g}', '{i}', '{p}', ARRAY[gen_random_uuid()], '{t}', '{r}', '{ok}', '{NULL}', '{NULL}')",
        "SELECT mana_ai.lock_heads('{a}')", "SELECT mana_ai.close_grants('a', NULL, NULL, 'user')",
        "SET ROLE mandate_gate",
      ]
      for sql in forbidden {
        let error = try await failure { () async throws(PostgresError) in
          _ = try await world.resolver.query(Statement(sql, reuse: .once).bind())
        }
        #expect(error.state == .insufficientPrivilege, "\(sql)")
      }
    }
  }
}
