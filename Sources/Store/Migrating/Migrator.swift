// Brings a database to what this binary needs: each migration in a transaction of its own, all of them under one
// advisory lock. The contract stands in Migrations/ledger.sql.
//
// The lock belongs to the transaction, not to the session, so a pooler may stand between, and of two processes at once
// each finds what the other has already done. Checksums are computed by the database, which has SHA-256 anyway.

package import Postgres

package struct Migrator: Sendable {
  private let pool: PostgresPool
  private let migrations: [Migration]

  /// How long one migration may take: rewriting a log of some hundred million rows fits.
  private static let patience = Duration.seconds(4 * 3_600)

  package init(_ pool: PostgresPool, migrations: [Migration] = Migration.all) {
    self.pool = pool
    self.migrations = migrations.sorted { $0.number < $1.number }
  }

  package struct Step: Sendable, Equatable {
    package let name: String
    /// False where it had been taken before.
    package let isNew: Bool
    /// What it says it did to rows, if it did anything.
    package let touched: String?
  }

  /// `progress` hears of each step when it is committed, or found to have been.
  nonisolated(nonsending)
    package func run(progress: (Step) -> Void = { _ in }) async throws(PreparationError) -> [Step]
  {
    try await transaction("looking at the database") { transaction throws(PreparationError) in
      try await Self.lock(&transaction)
      try await Self.checkRole(&transaction)
      try await Self.script(SQLText.ledger, "the ledger of migrations", &transaction)
      try await checkLedger(&transaction)
    }
    var steps: [Step] = []
    for migration in migrations {
      let step = try await transaction(migration.name) { transaction throws(PreparationError) in
        try await take(migration, &transaction)
      }
      progress(step)
      steps.append(step)
    }
    return steps
  }

  nonisolated(nonsending)
    private func take(
      _ migration: Migration, _ transaction: inout PostgresTransaction
    ) async throws(PreparationError) -> Step
  {
    try await Self.lock(&transaction)
    // Somebody else may have migrated since the step before.
    try await checkLedger(&transaction)
    let known = try await Self.query(Self.entry.bind(.int4(migration.number)), migration.name, &transaction)
    if !known.isEmpty { return Step(name: migration.name, isNew: false, touched: nil) }
    try await Self.script("SET LOCAL mandate.touched = ''", migration.name, &transaction)
    try await Self.script(migration.sql, migration.name, &transaction)
    let entered = try await Self.query(
      Self.enter.bind(.int4(migration.number), .text(migration.name), .text(migration.sql)), migration.name,
      &transaction)
    do throws(PostgresError) {
      return Step(name: migration.name, isNew: true, touched: try entered.only().get(0))
    } catch { throw .step(migration.name, error) }
  }

  // MARK: Statements

  private static let takeLock = Statement("SELECT pg_catalog.pg_advisory_xact_lock(7089336938131513965)")
  private static let role = Statement(
    """
    SELECT current_user::text, current_setting('server_version'), current_setting('server_version_num')::int4 >= 150000
      AND current_setting('server_encoding') = 'UTF8',
      coalesce((SELECT n.nspowner = 'mandate_owner'::regrole FROM pg_catalog.pg_namespace AS n
        WHERE n.nspname = 'mana_ai' AND current_user = 'mandate_owner'), false)
    """)
  private static let entry = Statement("SELECT FROM mana_ai.schema_migrations WHERE number = $1", .int4)
  private static let enter = Statement(
    """
    INSERT INTO mana_ai.schema_migrations (number, name, checksum, touched)
    VALUES ($1, $2, sha256(convert_to($3, 'UTF8')), nullif(current_setting('mandate.touched', true), ''))
    RETURNING touched
    """, .int4, .text, .text)

  nonisolated(nonsending)
    private static func lock(_ transaction: inout PostgresTransaction) async throws(PreparationError)
  {
    _ = try await query(takeLock.bind(), "waiting for another migration", &transaction)
  }

  nonisolated(nonsending)
    private static func checkRole(_ transaction: inout PostgresTransaction) async throws(PreparationError)
  {
    let rows = try await query(role.bind(), "looking at the database", &transaction)
    let facts: (user: String, version: String, isSupported: Bool, isReady: Bool)
    do throws(PostgresError) {
      let row = try rows.only()
      facts = (try row.get(0), try row.get(1), try row.get(2), try row.get(3))
    } catch { throw .step("looking at the database", error) }
    guard facts.isSupported else { throw .unsupportedServer(version: facts.version) }
    guard facts.user == "mandate_owner" else { throw .wrongRole(found: facts.user, needed: "mandate_owner") }
    guard facts.isReady else { throw .notBootstrapped }
  }

  nonisolated(nonsending)
    private func checkLedger(_ transaction: inout PostgresTransaction) async throws(PreparationError)
  {
    let disagreement: LedgerComparison.Disagreement?
    do throws(PostgresError) {
      disagreement = try await LedgerComparison.disagreement(with: migrations, &transaction)
    } catch { throw .step("comparing the ledger of migrations", error) }
    if let disagreement { throw disagreement.error }
  }

  // MARK: Running them

  nonisolated(nonsending)
    private func transaction<Value>(
      _ step: String,
      _ body: nonisolated(nonsending) (inout PostgresTransaction) async throws(PreparationError) -> Value
    ) async throws(PreparationError) -> Value
  {
    do throws(TransactionError<PreparationError>) {
      return try await pool.withTransaction(deadline: .after(Self.patience), body)
    } catch { throw PreparationError(step, error) }
  }

  nonisolated(nonsending)
    private static func query(
      _ statement: BoundStatement, _ step: String, _ transaction: inout PostgresTransaction
    ) async throws(PreparationError) -> Rows
  {
    do throws(PostgresError) { return try await transaction.query(statement) } catch { throw .step(step, error) }
  }

  nonisolated(nonsending)
    private static func script(
      _ sql: String, _ step: String, _ transaction: inout PostgresTransaction
    ) async throws(PreparationError)
  {
    do throws(PostgresError) { try await transaction.script(sql) } catch { throw .step(step, error) }
  }
}
