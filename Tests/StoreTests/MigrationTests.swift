// Bootstrapping and migrating: fresh, twice, two at once, and what is refused.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct MigrationTests {
  @Test("A fresh database takes every migration, and a second run finds nothing to do", arguments: Road.allCases)
  func freshAndAgain(road: Road) async throws {
    let database = try await PreparedDatabase.make(migrated: false, road: road)
    let first = try await database.migrate()
    #expect(first.map(\.name) == Migration.all.map(\.name))
    #expect(first.count { $0.isNew } == first.count)
    try await database.bootstrap()
    let second = try await database.migrate()
    #expect(second.count == first.count)
    #expect(second.count { $0.isNew } == 0)
  }

  @Test("Two migrators at once take each migration once between them", arguments: Road.allCases)
  func twoAtOnce(road: Road) async throws {
    let database = try await PreparedDatabase.make(migrated: false, road: road)
    async let left = database.migrate()
    async let right = database.migrate()
    let (one, other) = try await (left, right)
    #expect(one.count == Migration.all.count)
    #expect(other.count == Migration.all.count)
    for (a, b) in zip(one, other) { #expect(a.isNew != b.isNew, "\(a.name)") }
    #expect(try await database.texts("SELECT count(*)::text FROM mana_ai.schema_migrations") == ["\(one.count)"])
  }

  @Test(
    "A migration that was changed after a database took it is refused by name, and nothing is taken",
    arguments: Road.allCases)
  func changed(road: Road) async throws {
    let database = try await PreparedDatabase.make(road: road)
    var migrations = Migration.all
    let changed = migrations[2]
    migrations[2] = Migration(changed.name, changed.sql + "\n-- changed")
    migrations.append(Migration("m9001_never", "CREATE TABLE mana_ai.never (one int)"))
    await #expect(throws: PreparationError.changedMigration(changed.name)) { try await database.migrate(migrations) }
    #expect(
      try await database.texts(
        "SELECT to_regclass('mana_ai.never')::text WHERE to_regclass('mana_ai.never') IS NOT NULL") == [])
  }

  @Test("A database that took a migration which this binary does not know is refused", arguments: Road.allCases)
  func newerDatabase(road: Road) async throws {
    let database = try await PreparedDatabase.make(road: road)
    try await database.migrate(Migration.all + [Migration("m9001_later", "SELECT 1")])
    await #expect(throws: PreparationError.unknownMigration("m9001_later")) { try await database.migrate() }
  }

  @Test("A migration that fails leaves nothing of itself, and the ones before it stay", arguments: Road.allCases)
  func failing(road: Road) async throws {
    let database = try await PreparedDatabase.make(road: road)
    let broken = Migration("m9001_broken", "CREATE TABLE mana_ai.half (one int); SELECT 1 / 0")
    await #expect {
      try await database.migrate(Migration.all + [broken])
    } throws: { error in
      if case .step("m9001_broken", .server) = error as? PreparationError { true } else { false }
    }
    #expect(try await database.texts("SELECT name FROM mana_ai.schema_migrations WHERE number > 9000") == [])
    #expect(try await database.texts("SELECT relname::text FROM pg_class WHERE relname = 'half'") == [])
  }

  @Test("Only mandate_owner migrates, and only what has been bootstrapped", arguments: Road.allCases)
  func whoMayMigrate(road: Road) async throws {
    let database = try await PreparedDatabase.make(road: road)
    await #expect(throws: PreparationError.wrongRole(found: "postgres", needed: "mandate_owner")) {
      try await database.withPool(try await database.superuser()) { try await Migrator($0).run() }
    }
    // The roles are there, made for the other database; this one has no schema.
    let empty = try await PreparedDatabase.empty(road: road)
    await #expect(throws: PreparationError.notBootstrapped) { try await empty.migrate() }
  }
}
