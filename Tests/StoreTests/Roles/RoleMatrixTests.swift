// Each role is driven through what it has no privilege for. What policies hide rather than refuse is looked at where the
// rows are: in the suites about receipts, queue and histories.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct RoleMatrixTests {
  private static let everybody = [
    "SET ROLE mandate_gate", "SET ROLE mandate_owner", "SELECT 1 FROM mana_ai.receipt_batches",
    "DELETE FROM mana_ai.decrypt_audit", "TRUNCATE mana_ai.decrypt_audit",
    "UPDATE mana_ai.decrypt_audit SET reason = 'x'",
    "INSERT INTO mana_ai.decrypt_audit DEFAULT VALUES", "UPDATE mana_ai.audit_heads SET seq = 0",
    "DELETE FROM mana_ai.audit_cuts", "SELECT 1 FROM mana_ai.change_queue", "SELECT 1 FROM mana_ai.purged_users",
    "DELETE FROM mana_ai.grants", "DELETE FROM public.sync_changes", "UPDATE public.sync_changes SET op = 'delete'",
    "CREATE TABLE public.mine ()", "CREATE TABLE mana_ai.mine ()", "CREATE TEMP TABLE mine ()",
    "ALTER TABLE mana_ai.decrypt_audit DISABLE TRIGGER ALL", "ALTER TABLE mana_ai.grants NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY decrypt_audit_user_scope ON mana_ai.decrypt_audit", "SELECT mana_ai.lock_heads('{a}')",
    "SELECT mana_ai.close_grants_of('a', NULL, NULL, 'user')", "SELECT mana_ai.take_changes('seal', 1)",
  ]
  private static let receipts = [
    "SELECT mana_ai.redeem_receipts(ARRAY[gen_random_uuid()], '{a}')",
    "SELECT mana_ai.fail_receipts(ARRAY[gen_random_uuid()], '{a}', '{1}', '{expired}')",
  ]
  private static let vault = [
    "SELECT 1 FROM auth.encryption_vaults", "UPDATE auth.encryption_vaults SET wrapped_mk = ''",
  ]
  private static let grants = ["SELECT wrapped_key FROM mana_ai.grants", "SELECT 1 FROM mana_ai.grant_keys"]
  private static let running = [
    "SELECT mana_ai.claim_due('me', '1 minute', 1)", "SELECT mana_ai.take_project_changes(1)",
  ]
  private static let issuing = [
    "SELECT mana_ai.take_seal_changes(1)", "SELECT mana_ai.close_grants('a', NULL, NULL, 'user')",
  ]
  private static let operating = ["SELECT mana_ai.revoke('a')", "SELECT mana_ai.prune_audit(now() - interval '1 day')"]
  private static let purging = ["SELECT mana_ai.purge_user('a')"]

  private static func forbidden(_ role: StoreRole) -> [String] {
    switch role {
    case .owner: []
    case .issuer: everybody + receipts + running + operating
    case .resolver: everybody + vault + grants + running + issuing + operating + purging
    case .runner: everybody + receipts + vault + grants + issuing + operating + purging
    case .operator: everybody + receipts + vault + grants + running + issuing
    case .sync: everybody + receipts + vault + grants + running + issuing + operating + purging
    }
  }

  @Test("Every role is refused whatever it has no business with", arguments: Road.allCases)
  func everyRole(road: Road) async throws {
    try await World.with(road) { world in
      var counts: [String] = []
      for (role, pool) in [
        (StoreRole.issuer, world.issuer), (.resolver, world.resolver), (.runner, world.runner),
        (.operator, world.operator), (.sync, world.sync),
      ] {
        for sql in Self.forbidden(role) {
          let error = try await failure { () async throws(PostgresError) in
            _ = try await pool.query(Statement(sql, reuse: .once).bind())
          }
          #expect(error.state == .insufficientPrivilege, "\(role.rawValue): \(sql): \(error)")
        }
        counts.append("\(role.rawValue) \(Self.forbidden(role).count)")
      }
      print("roles, \(road.rawValue): refused \(counts.joined(separator: ", "))")
    }
  }
}
