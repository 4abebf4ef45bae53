// The ledger in the database against the migrations in this binary. The database computes the checksums: it has
// SHA-256, and nothing of cryptography is linked here.

import Postgres

enum LedgerComparison {
  enum Disagreement: Sendable {
    /// Taken with another text than this binary has.
    case changed(String)
    /// Taken, and not known here.
    case unknown(String)

    var error: PreparationError {
      switch self {
      case .changed(let name): .changedMigration(name)
      case .unknown(let name): .unknownMigration(name)
      }
    }

    var fact: String {
      switch self {
      case .changed(let name): "migration \(name): has another text than this version of mandate"
      case .unknown(let name): "migration \(name): is not known to this version of mandate"
      }
    }
  }

  private static let statement = Statement(
    """
    SELECT s.name, o.number IS NULL
    FROM mana_ai.schema_migrations AS s
    LEFT JOIN unnest($1::int8[], $2::text[]) AS o (number, sql) ON o.number = s.number
    WHERE o.number IS NULL
      OR s.checksum <> pg_catalog.sha256(pg_catalog.convert_to(o.sql, 'UTF8'))
    ORDER BY s.number LIMIT 1
    """, .int8Array, .textArray)

  /// The first one, in the order of the migrations.
  nonisolated(nonsending)
    static func disagreement(
      with migrations: [Migration], _ transaction: inout PostgresTransaction
    ) async throws(PostgresError) -> Disagreement?
  {
    let rows = try await transaction.query(
      statement.bind(
        .int8Array(migrations.map { Int64($0.number) }), .textArray(migrations.map { $0.sql })))
    guard let row = try rows.first() else { return nil }
    let name: String = try row.get(0)
    return try row.get(1) ? .unknown(name) : .changed(name)
  }
}
