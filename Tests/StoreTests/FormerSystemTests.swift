// A database as a former system leaves it migrates in place and loses nothing; the vault of its second database is
// imported once.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct FormerSystemTests {
  private static let rows = """
    SELECT concat_ws('|', id, app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at)
    FROM public.sync_changes ORDER BY id
    """

  @Test("A log with older columns keeps every row and ends up like a fresh database", arguments: Road.allCases)
  func earlyLog(road: Road) async throws {
    let database = try await PreparedDatabase.make(before: FormerSystem.early, migrated: false, road: road)
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

  private func importVault(
    from source: PreparedDatabase, as role: StoreRole? = nil, to target: PreparedDatabase
  ) async throws -> VaultImport.Counts {
    let reading = if let role { try await source.configuration(role) } else { try await source.superuser() }
    return try await source.withPool(reading) { from in
      try await target.withPool(as: .owner) { to in try await VaultImport(from: from, to: to).run() }
    }
  }

  @Test(
    "The vault of a second database is copied once, keeps what is here, and its records are enqueued for sealing",
    arguments: Road.allCases)
  func secondDatabase(road: Road) async throws {
    let target = try await PreparedDatabase.make(before: FormerSystem.early, road: road)
    let source = try await PreparedDatabase.empty(before: FormerSystem.vault, road: road)
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

  @Test("A login that the source hides rows from imports nothing and says so", arguments: Road.allCases)
  func hiddenRows(road: Road) async throws {
    let target = try await PreparedDatabase.make(road: road)
    let source = try await PreparedDatabase.empty(before: FormerSystem.vault, road: road)
    await #expect(throws: PreparationError.self) { try await importVault(from: source, as: .sync, to: target) }
    #expect(try await target.texts("SELECT count(*)::text FROM auth.encryption_vaults") == ["0"])
  }

  @Test("A source without a vault is refused", arguments: Road.allCases)
  func noVault(road: Road) async throws {
    let target = try await PreparedDatabase.make(road: road)
    let source = try await PreparedDatabase.empty(road: road)
    await #expect {
      try await importVault(from: source, to: target)
    } throws: { error in
      if case .refused = error as? PreparationError { true } else { false }
    }
  }
}
