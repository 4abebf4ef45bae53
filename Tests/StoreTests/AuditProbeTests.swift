// The probe behind `/ready`: whoever can't commit a change of one row is told so, whatever the reason is.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct AuditProbeTests {
  @Test("Each service can commit the probe and reads the database's clock", arguments: Road.allCases)
  func works(road: Road) async throws {
    try await World.with(road) { world in
      for pool in [world.issuer, world.resolver, world.runner] {
        let before = try await world.number("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        let seen = try await AuditProbe(pool).run()
        let after = try await world.number("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        #expect(before <= seen && seen <= after)
      }
      let recent = "SELECT count(*) FROM mana_ai.audit_probe WHERE touched_at > now() - interval '1 minute'"
      #expect(try await world.number(recent) == 1)
    }
  }

  @Test("A role that serves nobody has no probe", arguments: Road.allCases)
  func strangers(road: Road) async throws {
    try await World.with(road) { world in
      for pool in [world.operator, world.sync] {
        let error = await #expect(throws: AuditProbe.Failure.self) { try await AuditProbe(pool).run() }
        #expect(Self.state(error) == .insufficientPrivilege)
      }
    }
  }

  private static let breaks: [(name: String, sql: String, state: SQLState?)] = [
    ("no row", "DELETE FROM mana_ai.audit_probe", nil),
    ("no privilege", "REVOKE UPDATE (touched_at) ON mana_ai.audit_probe FROM mandate_resolver", .insufficientPrivilege),
    (
      "a trigger that swallows",
      """
      CREATE FUNCTION public.breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER breaks BEFORE UPDATE ON mana_ai.audit_probe FOR EACH ROW EXECUTE FUNCTION public.breaks()
      """, nil
    ),
    (
      "a commit that fails",
      """
      CREATE FUNCTION public.breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
      CREATE CONSTRAINT TRIGGER breaks AFTER UPDATE ON mana_ai.audit_probe DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.breaks()
      """, .raisedException
    ),
    (
      "a database set to be read-only",
      """
      DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
      END $$
      """, .readOnlyTransaction
    ),
    ("no table", "DROP TABLE mana_ai.audit_probe", .undefinedTable),
  ]

  @Test("A probe that can't be committed is an error", arguments: Road.allCases, breaks.indices)
  func broken(road: Road, index: Int) async throws {
    try await World.with(road) { world in
      let broken = Self.breaks[index]
      try await world.script(broken.sql)
      let error = await #expect(throws: AuditProbe.Failure.self) { try await AuditProbe(world.resolver).run() }
      guard let state = broken.state else {
        #expect(error == .changedNothing, "\(broken.name)")
        return
      }
      #expect(Self.state(error) == state, "\(broken.name)")
    }
  }

  private static func state(_ failure: AuditProbe.Failure?) -> SQLState? {
    guard case .database(.server(let error)) = failure else { return nil }
    return error.state
  }
}
