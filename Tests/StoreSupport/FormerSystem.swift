// What a former system leaves behind: a log with older columns and the runner's tables in one database, the vault in a
// second one. To be run by a superuser, before the bootstrap.

package enum FormerSystem {
  /// An early log: stamps under their older name, younger columns missing, row security not forced. And the runner's
  /// tables, whose audit has empty texts and no chain.
  package static let early = """
    CREATE TABLE sync_changes (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(), app_id text NOT NULL, table_name text NOT NULL,
      record_id text NOT NULL, user_id text NOT NULL, op text NOT NULL CHECK (op IN ('insert', 'update', 'delete')), data jsonb,
      field_timestamps jsonb DEFAULT '{}', client_id text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
    ALTER TABLE sync_changes ENABLE ROW LEVEL SECURITY;
    CREATE POLICY sync_changes_user_isolation ON sync_changes
      USING (user_id = current_setting('app.current_user_id', true));
    INSERT INTO sync_changes (app_id, table_name, record_id, user_id, op, data, field_timestamps, client_id) VALUES
      ('ai', 'aiMissions', 'm1', 'u1', 'insert', '{"title":"t"}', '{"title":"2026-01-01T00:00:00.000Z"}', 'phone'),
      ('ai', 'agents', 'a1', 'u1', 'insert', '{"name":"n"}', NULL, 'phone'),
      ('notes', 'notes', 'n1', 'u1', 'insert', '{"content":"enc:1:a.b"}', '{}', 'phone'),
      ('notes', 'notes', 'n2', 'u2', 'delete', NULL, '{}', 'phone');
    CREATE SCHEMA mana_ai;
    CREATE TABLE mana_ai.decrypt_audit (
      id bigserial PRIMARY KEY, user_id text NOT NULL, mission_id text NOT NULL, iteration_id text,
      table_name text NOT NULL, record_id text NOT NULL,
      status text NOT NULL CHECK (status IN ('ok', 'failed', 'scope-violation')), reason text,
      ts timestamptz NOT NULL DEFAULT now());
    ALTER TABLE mana_ai.decrypt_audit ENABLE ROW LEVEL SECURITY;
    CREATE POLICY decrypt_audit_user_scope ON mana_ai.decrypt_audit
      USING (user_id = current_setting('app.current_user_id', true));
    INSERT INTO mana_ai.decrypt_audit (user_id, mission_id, table_name, record_id, status) VALUES
      ('u1', 'm1', 'notes', 'n1', 'ok'), ('u1', 'm1', 'notes', 'n2', 'failed');
    """

  /// The second database. The roles are there already, and one of them may read what its owner may not.
  package static let vault = """
    CREATE SCHEMA auth;
    CREATE TABLE auth.users (id text PRIMARY KEY, email text NOT NULL);
    INSERT INTO auth.users SELECT 'u' || n, 'u' || n || '@example.org' FROM generate_series(1, 2500) AS n;
    CREATE TABLE auth.encryption_vaults (
      user_id text PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE, wrapped_mk text, wrap_iv text,
      format_version smallint NOT NULL DEFAULT 1, kek_id text NOT NULL DEFAULT 'env-v1',
      created_at timestamptz NOT NULL DEFAULT now(), rotated_at timestamptz);
    INSERT INTO auth.encryption_vaults (user_id, wrapped_mk, wrap_iv) SELECT id, 'w' || id, 'i' FROM auth.users;
    CREATE TABLE auth.encryption_vault_audit (
      id text PRIMARY KEY, user_id text NOT NULL, action text NOT NULL, ip_address text, user_agent text, context text,
      status int NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
    INSERT INTO auth.encryption_vault_audit (id, user_id, action, status) VALUES ('e1', 'u1', 'init', 201);
    ALTER TABLE auth.encryption_vaults ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    GRANT USAGE ON SCHEMA auth TO mandate_sync;
    GRANT SELECT ON ALL TABLES IN SCHEMA auth TO mandate_sync;
    """
}
