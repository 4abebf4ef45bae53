// Whether this service can still write and commit, and what time it is in the database: one row that every service may
// change and nobody reads. Who can't commit a change can't write an audit row either, and must not be sent work.

package import Postgres

package struct AuditProbe: Sendable {
  /// A PostgreSQL that answers, but not as a prepared database would.
  package enum Failure: Error, Equatable, Sendable {
    case database(PostgresError)
    /// The row is not there, or a trigger swallowed the change.
    case changedNothing
  }

  private let pool: PostgresPool

  package init(_ pool: PostgresPool) { self.pool = pool }

  /// The database's clock in microseconds since 1970, once the change is committed.
  nonisolated(nonsending)
    package func run(deadline: Deadline? = nil) async throws(Failure) -> Int64
  {
    // Sent as receipts are, and saying nothing of its access: a transaction that asks for writing is given it even where
    // the database is set to be read-only, and would find well what no audit row can be written to.
    let outcomes: [UnitOutcome]
    do throws(PostgresError) {
      outcomes = try await pool.pipeline([PipelineUnit(Self.touch.bind(), Self.clock.bind())], deadline: deadline)
    } catch { throw .database(error) }
    let results: [Rows]
    switch outcomes.first {
    case .success(let rows): results = rows
    case .failure(let failure): throw .database(failure.error)
    case nil: throw .database(.protocolViolation(.unexpectedResult))
    }
    guard results.count == 2 else { throw .database(.protocolViolation(.unexpectedResult)) }
    guard results[0].affected == 1 else { throw .changedNothing }
    do throws(PostgresError) { return try results[1].only().get(0) } catch { throw .database(error) }
  }

  private static let touch = Statement("UPDATE mana_ai.audit_probe SET touched_at = clock_timestamp()")
  private static let clock = Statement("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
}
