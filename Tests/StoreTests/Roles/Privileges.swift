// What each role may do, table by table and function by function, as design has it. Whatever does not stand here is
// forbidden, and the suites of this folder try all of it.

import Store

enum Columns: Sendable {
  case all
  case only(Set<String>)

  func hold(_ column: String) -> Bool {
    switch self {
    case .all: true
    case .only(let columns): columns.contains(column)
    }
  }
}

enum Privilege: String, CaseIterable { case select = "SELECT", insert = "INSERT", update = "UPDATE", delete = "DELETE" }

enum Privileges {
  static func columns(_ role: StoreRole, _ table: String, _ privilege: Privilege) -> Columns {
    tables[role]?[table]?[privilege] ?? .only([])
  }

  private static let read: [Privilege: Columns] = [.select: .all]
  private static let append: [Privilege: Columns] = [.select: .all, .insert: .all]
  private static let everything: [Privilege: Columns] = [
    .select: .all, .insert: .all, .update: .all, .delete: .all,
  ]
  private static let probe: [Privilege: Columns] = [.update: .only(["touched_at"])]

  private static let tables: [StoreRole: [String: [Privilege: Columns]]] = [
    .issuer: [
      "auth.encryption_vaults": [.select: .all, .insert: .all, .update: .all], "auth.encryption_vault_audit": append,
      "auth.users": [.select: .only(["id"]), .insert: .only(["id"])],
      "mana_ai.grants": [
        .select: .all, .insert: .all,
        .update: .only([
          "key_id", "wrapped_key", "claims", "issued_at", "expires_at", "renewable_until", "closed_at", "closed_reason",
        ]),
      ],
      "mana_ai.grant_keys": [.select: .all, .insert: .all, .delete: .all], "mana_ai.sealed_records": everything,
      "mana_ai.seal_origins": append, "public.sync_changes": read, "mana_ai.decrypt_audit": read,
      "mana_ai.audit_heads": read, "mana_ai.audit_cuts": read, "mana_ai.audit_probe": probe,
      "mana_ai.rls_canary": read, "mana_ai.schema_migrations": read,
    ],
    .resolver: [
      "public.sync_changes": read, "mana_ai.sealed_records": read, "mana_ai.audit_probe": probe,
      "mana_ai.rls_canary": read, "mana_ai.schema_migrations": read,
    ],
    .runner: [
      "public.sync_changes": append, "mana_ai.mission_snapshots": everything, "mana_ai.agent_snapshots": everything,
      "mana_ai.mission_research_jobs": everything, "mana_ai.mission_runs": append, "mana_ai.token_usage": append,
      "mana_ai.audit_probe": probe, "mana_ai.rls_canary": read, "mana_ai.schema_migrations": read,
    ],
    .operator: [
      "mana_ai.grants": [
        .select: .only([
          "grant_id", "user_id", "mission_id", "version", "key_id", "issued_at", "expires_at", "renewable_until",
          "closed_at", "closed_reason",
        ])
      ],
      "mana_ai.decrypt_audit": read, "mana_ai.audit_heads": read, "mana_ai.audit_cuts": read,
      "mana_ai.schema_migrations": read,
    ],
    .sync: ["public.sync_changes": append],
  ]

  static let functions: [StoreRole: Set<String>] = [
    .issuer: [
      "take_seal_changes", "close_expired", "due_renewals", "vaults_by_kek", "gauges", "purge_user", "attach_grant",
      "close_grants", "drain_grants", "frame", "instant_micros", "instant_millis", "audit_hash", "grant_claims",
      "module_app",
    ],
    .resolver: ["open_receipts", "redeem_receipts", "fail_receipts", "rewrap_list", "rewrap_grant", "gauges"],
    .runner: ["take_project_changes", "claim_due", "prune_usage", "gauges", "lock_mission", "mission_lock"],
    .operator: [
      "prune_audit", "purge_user", "revoke", "drain_grants", "frame", "instant_micros", "instant_millis", "audit_hash",
    ],
    .sync: [],
  ]
}
