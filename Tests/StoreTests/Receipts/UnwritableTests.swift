// Where the audit can't be written there is nothing to open anything with, however it is that it can't.

import Contracts
import Postgres
import Store
import StoreSupport
import Testing

@Suite struct UnwritableTests {
  struct Break: Sendable {
    let name: String
    let sql: String
    let mend: String
    /// Nil where the rows go away without an error.
    let state: SQLState?
  }

  private static let trigger = "CREATE FUNCTION public.breaks() RETURNS trigger LANGUAGE plpgsql AS"
  private static let drop = "DROP FUNCTION public.breaks() CASCADE"

  static let breaks = [
    Break(
      name: "no insert", sql: "REVOKE INSERT ON mana_ai.decrypt_audit FROM mandate_gate",
      mend: "GRANT INSERT ON mana_ai.decrypt_audit TO mandate_gate", state: .insufficientPrivilege),
    Break(
      name: "no sequence", sql: "REVOKE USAGE ON SEQUENCE mana_ai.decrypt_audit_id_seq FROM mandate_gate",
      mend: "GRANT USAGE ON SEQUENCE mana_ai.decrypt_audit_id_seq TO mandate_gate", state: .insufficientPrivilege),
    Break(
      name: "no head", sql: "REVOKE UPDATE (seq, hash, ts) ON mana_ai.audit_heads FROM mandate_gate",
      mend: "GRANT UPDATE (seq, hash, ts) ON mana_ai.audit_heads TO mandate_gate", state: .insufficientPrivilege),
    Break(
      name: "no batch", sql: "REVOKE INSERT ON mana_ai.receipt_batches FROM mandate_gate",
      mend: "GRANT INSERT ON mana_ai.receipt_batches TO mandate_gate", state: .insufficientPrivilege),
    Break(
      name: "no policy", sql: "DROP POLICY decrypt_audit_gate ON mana_ai.decrypt_audit",
      mend: "CREATE POLICY decrypt_audit_gate ON mana_ai.decrypt_audit TO mandate_gate USING (true) WITH CHECK (true)",
      state: .insufficientPrivilege),
    Break(
      name: "failing trigger",
      sql: """
        \(trigger) $$ BEGIN RAISE EXCEPTION 'no'; END $$;
        CREATE TRIGGER breaks BEFORE INSERT ON mana_ai.decrypt_audit FOR EACH ROW EXECUTE FUNCTION public.breaks()
        """, mend: drop, state: .raisedException),
    Break(
      name: "failing at commit",
      sql: """
        \(trigger) $$ BEGIN RAISE EXCEPTION 'no'; END $$;
        CREATE CONSTRAINT TRIGGER breaks AFTER INSERT ON mana_ai.decrypt_audit DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION public.breaks()
        """, mend: drop, state: .raisedException),
    Break(
      name: "swallowing trigger",
      sql: """
        \(trigger) $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER breaks BEFORE INSERT ON mana_ai.decrypt_audit FOR EACH ROW EXECUTE FUNCTION public.breaks()
        """, mend: drop, state: nil),
    Break(
      name: "failing check", sql: "ALTER TABLE mana_ai.decrypt_audit ADD CONSTRAINT breaks CHECK (false) NOT VALID",
      mend: "ALTER TABLE mana_ai.decrypt_audit DROP CONSTRAINT breaks", state: .checkViolation),
  ]

  @Test(
    "No share leaves where the audit can't be written, and no mission is told anything but that",
    arguments: Road.allCases)
  func nothingLeaves(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1", "n2"])
      let wish = try opening("a", "m", grant, ["n1", "n2"])
      var tried = 0
      for way in Self.breaks {
        try await world.script(way.sql)
        let seen = try await world.receipts.release([wish, wish])
        #expect(seen.count == 2, "\(way.name)")
        for mission in seen {
          #expect(mission.records.isEmpty && mission.grants.isEmpty, "\(way.name)")
          if let state = way.state { #expect(mission.failure?.state == state, "\(way.name)") }
          #expect(mission.failure != nil, "\(way.name)")
        }
        #expect(try await world.number("SELECT count(*) FROM mana_ai.decrypt_audit") == 0, "\(way.name)")
        try await world.script(way.mend)
        tried += 1
      }
      print("unwritable audit, \(road.rawValue): \(tried) ways, no share")
      #expect(tried == 9)
      // The head went on while rows were swallowed; the chain shows that, and the next mission is served.
      let after = try await world.receipts.release([wish])
      #expect(after[0].records.count == 2 && after[0].failure == nil)
    }
  }
}
