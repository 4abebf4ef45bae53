// A database as a former system leaves it migrates in place and loses nothing; the vault of its second database is
// imported once.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct FormerSystemTests {
  /// An early log: stamps under their older name, younger columns missing, row security not forced. And the runner's
  /// tables, whose audit has empty texts and no chain.
  private static let early = """
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

  private static let rows = """
    SELECT concat_ws('|', id, app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at)
    FROM public.sync_changes ORDER BY id
    """

  @Test("A log with older columns keeps every row and ends up like a fresh database")
  func earlyLog() async throws {
    let database = try await PreparedDatabase.make(before: Self.early, migrated: false)
    let before = try await database.texts(Self.rows.replacing("field_meta", with: "field_timestamps"))
    let steps = try await database.migrate()
    #expect(before.count == 4)
    #expect(try await database.texts(Self.rows) == before)
    #expect(
      try await database.texts("SELECT record_id FROM mana_ai.decrypt_audit WHERE seq IS NULL ORDER BY id") == [
        "n1", "n2",
      ])
    #expect(steps.contains { $0.touched == "field_timestamps renamed to field_meta" })
    // The runner finds what is older than the queue's trigger.
    #expect(
      try await database.texts(
        "SELECT table_name FROM mana_ai.change_queue WHERE topic = 'project' ORDER BY table_name") == [
          "agents", "aiMissions",
        ])
    #expect(try await database.withPool(as: .owner) { try await SchemaVerification($0).run() }.findings == [])
  }

  // MARK: The second database

  private static let vault = """
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

  private func importVault(
    from source: PreparedDatabase, as role: StoreRole? = nil, to target: PreparedDatabase
  ) async throws -> VaultImport.Counts {
    let reading = if let role { try await source.configuration(role) } else { try await source.superuser() }
    return try await source.withPool(reading) { from in
      try await target.withPool(as: .owner) { to in try await VaultImport(from: from, to: to).run() }
    }
  }

  @Test("The vault of a second database is copied once, keeps what is here, and its records are enqueued for sealing")
  func secondDatabase() async throws {
    let target = try await PreparedDatabase.make(before: Self.early)
    let source = try await PreparedDatabase.empty(before: Self.vault)
    let first = try await importVault(from: source, to: target)
    #expect(first.users == VaultImport.Count(found: 2_500, added: 2_500))
    #expect(first.vaults == VaultImport.Count(found: 2_500, added: 2_500))
    #expect(first.log == VaultImport.Count(found: 1, added: 1))
    // u1's note and mission, u2's note.
    #expect(first.enqueued == 3)
    let sum =
      "SELECT md5(string_agg(concat_ws('|', user_id, wrapped_mk, wrap_iv, kek_id, created_at), ',' ORDER BY user_id)) FROM auth.encryption_vaults"
    #expect(try await target.texts(sum) == source.texts(sum))

    // Rotated here since: a second import does not put the former key back.
    try await target.script("UPDATE auth.encryption_vaults SET wrapped_mk = 'new' WHERE user_id = 'u1'")
    let second = try await importVault(from: source, to: target)
    #expect(second.vaults == VaultImport.Count(found: 2_500, added: 0))
    #expect(second.enqueued == 0)
    #expect(try await target.texts("SELECT wrapped_mk FROM auth.encryption_vaults WHERE user_id = 'u1'") == ["new"])
    // FORCE is back, whatever the import lifted.
    #expect(try await target.withPool(as: .owner) { try await SchemaVerification($0).run() }.findings == [])
  }

  @Test("A login that the source hides rows from imports nothing and says so")
  func hiddenRows() async throws {
    let target = try await PreparedDatabase.make()
    let source = try await PreparedDatabase.empty(before: Self.vault)
    await #expect(throws: PreparationError.self) { try await importVault(from: source, as: .sync, to: target) }
    #expect(try await target.texts("SELECT count(*)::text FROM auth.encryption_vaults") == ["0"])
  }

  @Test("A source without a vault is refused")
  func noVault() async throws {
    let target = try await PreparedDatabase.make()
    let source = try await PreparedDatabase.empty()
    await #expect {
      try await importVault(from: source, to: target)
    } throws: { error in
      if case .refused = error as? PreparationError { true } else { false }
    }
  }
}
