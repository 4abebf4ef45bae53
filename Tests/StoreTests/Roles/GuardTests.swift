// What holds for those who may write, and for the powerful too: a grant's substance, the audit, the owner under FORCE,
// and functions that obey neither a caller's scope nor his search path.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct GuardTests {
  @Test("What closing ends stays ended, and what a grant is about stays the same", arguments: Road.allCases)
  func grants(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      _ = try await world.addGrant("a", "m1", ["n1"])
      func tries(_ assignments: [String]) async throws -> [Trial] {
        try await world.tries(world.issuer, assignments.map { "UPDATE mana_ai.grants SET \($0)" }, scope: "a")
      }
      let about = ["user_id = 'b'", "mission_id = 'm2'", "grant_id = gen_random_uuid()::text"]
      #expect(try await tries(about) == about.map { _ in .refused(.insufficientPrivilege) })
      // The claims are rebuilt from the columns, so neither can be changed without the other.
      let parting = [
        "expires_at = expires_at + interval '1 day'", "key_id = repeat('cd', 16)",
        "issued_at = issued_at - interval '1 day'", "claims = claims || 'x'", "claims = ''",
      ]
      #expect(try await tries(parting) == parting.map { _ in .refused(.checkViolation) })
      #expect(try await tries(["closed_at = now(), closed_reason = 'user'"]) == [.accepted])
      try await world.script("UPDATE mana_ai.grants SET closed_at = now(), closed_reason = 'user'")
      let reopening = [
        "closed_at = NULL, closed_reason = NULL", "closed_reason = 'expired'", "wrapped_key = wrapped_key",
      ]
      #expect(try await tries(reopening) == reopening.map { _ in .refused(SQLState("MD004")) })
      let admin = try await world.tries(world.admin, ["UPDATE mana_ai.grants SET mission_id = 'm2'"])
      #expect(admin == [.refused(SQLState("MD004"))], "a superuser too")
    }
  }

  @Test("Nobody updates, deletes or truncates the audit, not even a superuser in passing", arguments: Road.allCases)
  func audit(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addRowsEverywhere()
      let changes = [
        "UPDATE mana_ai.decrypt_audit SET status = 'failed'", "DELETE FROM mana_ai.decrypt_audit",
        "TRUNCATE mana_ai.decrypt_audit", "UPDATE mana_ai.decrypt_audit SET ts = now() WHERE false",
      ]
      let refused = changes.map { _ in Trial.refused(SQLState("MD005")) }
      let superuser = PostgresPool(try await world.database.superuser(), limits: PoolLimits(minimum: 0, maximum: 1))
      #expect(try await world.tries(superuser, changes) == refused)
      #expect(try await world.tries(superuser, changes, settings: "session_replication_role", "replica") == refused)
      #expect(await superuser.drain(deadline: .after(.seconds(10))))
      try await world.database.withPool(as: .owner) { owner in
        // The gate's functions delete, for pruning and purging; nothing of it changes a row.
        let others = changes.filter { !$0.hasPrefix("DELETE") }
        let asGate = try await world.tries(owner, others, settings: "role", "mandate_gate")
        #expect(asGate == others.map { _ in .refused(.insufficientPrivilege) }, "the gate itself")
      }
    }
  }

  @Test(
    "The owner is bound by FORCE, inherits nothing of the gate, and is not the gate until it says so",
    arguments: Road.allCases)
  func owner(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addRowsEverywhere()
      try await world.database.withPool(as: .owner) { owner in
        let tables = try await world.tables().filter { $0.columns.contains("user_id") }.map(\.name)
        #expect(tables.count > 15)
        for table in tables {
          let count: Int64 = try await owner.query(
            Statement("SELECT count(*) FROM \(table)", reuse: .once).bind()
          ).only().get(0)
          #expect(count == 0, "the owner reads \(table)")
        }
        let forbidden =
          services.map { "SET ROLE \($0.rawValue)" } + ["SET ROLE postgres", "SELECT mana_ai.purge_user('user-a')"]
        #expect(try await world.tries(owner, forbidden).allSatisfy(\.isForbidden))
        let creation = "CREATE FUNCTION mana_ai.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'"
        let asGate = try await world.tries(owner, [creation], settings: "role", "mandate_gate")
        #expect(asGate == [.refused(.insufficientPrivilege)], "outside of a migration")
      }
    }
  }

  @Test("Functions of the gate leave no scope behind and follow none", arguments: Road.allCases)
  func scopes(road: Road) async throws {
    try await World.with(road) { world in
      let scope = Statement("SELECT coalesce(current_setting('app.current_user_id', true), '')")
      let rows = try await world.issuer.transact([
        World.setScope.bind(.text("b")), Statement("SELECT * FROM mana_ai.gauges()").bind(),
        Statement("SELECT * FROM mana_ai.take_seal_changes(1)").bind(), scope.bind(),
      ])
      #expect(try rows[3].only().get(0, as: String.self) == "b")
      #expect(try await world.issuer.query(scope.bind()).only().get(0, as: String.self) == "", "after the transaction")
    }
  }

  @Test("An object in another's schema never stands in for one of ours", arguments: Road.allCases)
  func searchPath(road: Road) async throws {
    try await World.with(road) { world in
      try await world.script(
        """
        CREATE SCHEMA evil; GRANT ALL ON SCHEMA evil TO PUBLIC;
        CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2000-01-01'::timestamptz $$;
        CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT 'x'::bytea $$;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA evil TO PUBLIC
        """)
      let rows = try await world.issuer.transact([
        Statement("SELECT pg_catalog.set_config('search_path', 'evil, pg_catalog', true)").bind(),
        Statement(
          """
          SELECT encode(sha256('abc'), 'hex'), encode(mana_ai.audit_hash('', 'u', 1, '2026-01-01', 'm', NULL, NULL, 't', 'r',
            'ok', NULL, NULL, NULL, NULL), 'hex')
          """, reuse: .once
        ).bind(),
      ])
      let row = try rows[1].only()
      #expect(try row.get(0, as: String.self) == "78", "it does stand in for the caller's own")
      #expect(try row.get(1, as: String.self).utf8.count == 64)
    }
  }
}
