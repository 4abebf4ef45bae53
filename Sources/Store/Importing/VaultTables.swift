// The statements of the vault's import. FORCE binds the owner too, so it is lifted for the import's transaction.

import Postgres

enum VaultTables {
  struct Copy: Sendable {
    /// The next rows after a key, each as its key and its JSON.
    let read: Statement
    /// Adds those that are not here yet.
    let write: Statement
  }

  static let isThere = Statement("SELECT to_regclass('auth.encryption_vaults') IS NOT NULL")

  static let user = Statement("SELECT current_user::text")
  static let target = Statement(
    """
    SELECT to_regclass('auth.encryption_vaults') IS NOT NULL AND to_regclass('mana_ai.change_queue') IS NOT NULL,
      coalesce((SELECT r.rolname = 'mandate_owner'
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
        WHERE c.oid = to_regclass('auth.users')), false)
    """)

  static let queued = Statement("SELECT count(*) FROM mana_ai.change_queue WHERE topic = 'seal'")

  private static func forced(_ word: String, _ tables: [String]) -> String {
    tables.map { "ALTER TABLE \($0) \(word)FORCE ROW LEVEL SECURITY;" }.joined(separator: "\n")
  }

  private static func tables(users: Bool) -> [String] {
    ["auth.encryption_vaults", "auth.encryption_vault_audit", "mana_ai.change_queue"] + (users ? ["auth.users"] : [])
  }

  static func lift(users: Bool) -> String {
    "SET LOCAL search_path = pg_catalog, pg_temp;\n" + forced("NO ", tables(users: users))
  }

  static let liftQueue = forced("NO ", ["mana_ai.change_queue"])

  static func restore(users: Bool) -> String { forced("", tables(users: users)) }

  private static func read(_ table: String, key: String, where condition: String = "true") -> Statement {
    Statement(
      """
      SELECT t.\(key)::text, pg_catalog.to_jsonb(t)::text FROM \(table) AS t
      WHERE ($1::text IS NULL OR t.\(key)::text COLLATE "C" > $1) AND \(condition)
      ORDER BY t.\(key)::text COLLATE "C" LIMIT $2
      """, .text, .int8)
  }

  /// The users that the vault's rows belong to; what else the source knows about them is not ours. Where others keep
  /// the users here, nobody is added: a row that refers to a user who is not here then stops the import.
  static func users(here owned: Bool) -> Copy {
    Copy(
      read: Statement(
        """
        SELECT u.user_id, pg_catalog.jsonb_build_object('id', u.user_id)::text
        FROM (SELECT v.user_id FROM auth.encryption_vaults AS v
          UNION SELECT a.user_id FROM auth.encryption_vault_audit AS a) AS u
        WHERE $1::text IS NULL OR u.user_id COLLATE "C" > $1
        ORDER BY u.user_id COLLATE "C" LIMIT $2
        """, .text, .int8),
      write: owned
        ? Statement(
          """
          INSERT INTO auth.users (id) SELECT r.record::jsonb ->> 'id' FROM unnest($1) AS r (record)
          ON CONFLICT (id) DO NOTHING
          """, .textArray)
        : Statement("INSERT INTO auth.users (id) SELECT r.record FROM unnest($1) AS r (record) WHERE false", .textArray)
    )
  }

  static let vaults = Copy(
    read: read("auth.encryption_vaults", key: "user_id"),
    write: Statement(
      """
      INSERT INTO auth.encryption_vaults (user_id, wrapped_mk, wrap_iv, format_version, kek_id, created_at, rotated_at,
        recovery_wrapped_mk, recovery_iv, recovery_format_version, recovery_set_at, zero_knowledge)
      SELECT v.user_id, v.wrapped_mk, v.wrap_iv, coalesce(v.format_version, 1), coalesce(v.kek_id, 'env-v1'),
        coalesce(v.created_at, now()), v.rotated_at, v.recovery_wrapped_mk, v.recovery_iv,
        coalesce(v.recovery_format_version, 1), v.recovery_set_at, coalesce(v.zero_knowledge, false)
      FROM unnest($1) AS r (record), jsonb_to_record(r.record::jsonb) AS v (user_id text, wrapped_mk text, wrap_iv text,
        format_version smallint, kek_id text, created_at timestamptz, rotated_at timestamptz, recovery_wrapped_mk text,
        recovery_iv text, recovery_format_version smallint, recovery_set_at timestamptz, zero_knowledge boolean)
      ON CONFLICT (user_id) DO NOTHING
      """, .textArray))

  static let log = Copy(
    read: read("auth.encryption_vault_audit", key: "id"),
    write: Statement(
      """
      INSERT INTO auth.encryption_vault_audit (id, user_id, action, ip_address, user_agent, context, status, created_at)
      SELECT a.id, a.user_id, a.action, a.ip_address, a.user_agent, a.context, a.status, coalesce(a.created_at, now())
      FROM unnest($1) AS r (record), jsonb_to_record(r.record::jsonb) AS a (id text, user_id text, action text,
        ip_address text, user_agent text, context text, status integer, created_at timestamptz)
      ON CONFLICT (id) DO NOTHING
      """, .textArray))
}
