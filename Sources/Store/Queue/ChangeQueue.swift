// The queue of changes: every row written to the log leaves a note for whoever must act on it, in its own transaction.
// A consumer has its notes until its transaction ends, and they are gone when it commits.

package import Contracts
package import Postgres

package struct QueuedRecord: Sendable, Hashable {
  package let scope: UserScope
  package let address: RecordAddress
  /// How many changes it stands for, and since when the first of them waits.
  package let notes: Int64
  package let oldest: PostgresTimestamp
  /// Where the changes stand in the log that it stands for. Nil if nobody knows of all of them: their notes are older
  /// than positions, or were made for a record and not for a change.
  package let span: ClosedRange<ChangePosition>?
}

package struct ChangeQueue: Sendable {
  package enum Topic: Sendable, CaseIterable {
    /// Missions and agents, for the runner.
    case project
    /// Granted tables and missions of users with a vault, for the issuer.
    case seal
  }

  /// What the function hands out at most.
  package static let mostRows: Int32 = 1_000

  private let pool: PostgresPool

  package init(_ pool: PostgresPool) { self.pool = pool }

  /// Takes notes and lets the closure act on them; returns how many changes they stood for, zero where there was
  /// nothing to do. The closure reads each record by statements of its own, which see all that the notes are about.
  /// If it throws, the notes are back.
  nonisolated(nonsending)
    package func consume<Failure: PostgresFailure>(
      _ topic: Topic, limit: Int32 = mostRows, deadline: Deadline? = nil,
      _ body: nonisolated(nonsending) (inout PostgresTransaction, [QueuedRecord]) async throws(Failure) -> Void
    ) async throws(TransactionError<Failure>) -> Int64
  {
    try await pool.withTransaction(deadline: deadline) { transaction throws(Failure) -> Int64 in
      let taken: [QueuedRecord]
      do throws(PostgresError) {
        taken = try Self.decode(try await transaction.query(Self.statement(topic).bind(.int4(limit))))
      } catch { throw Failure(postgres: error) }
      guard !taken.isEmpty else { return 0 }
      try await body(&transaction, taken)
      return taken.reduce(0) { $0 + $1.notes }
    }
  }

  private static func decode(_ rows: Rows) throws(PostgresError) -> [QueuedRecord] {
    var taken: [QueuedRecord] = []
    for row in rows {
      let scope = try row.scope(0)
      taken.append(
        QueuedRecord(
          scope: scope,
          address: RecordAddress(
            app: try row.identifier(1), table: try row.identifier(2), record: try row.identifier(3)),
          notes: try row.get(4), oldest: try row.get(5), span: try span(row)))
    }
    return taken
  }

  private static func span(_ row: Row) throws(PostgresError) -> ClosedRange<ChangePosition>? {
    guard let first = try row.position(time: 6, id: 7), let last = try row.position(time: 8, id: 9) else { return nil }
    guard first <= last else { throw .decoding(DecodingProblem(column: 8, reason: .malformed)) }
    return first...last
  }

  private static func statement(_ topic: Topic) -> Statement {
    switch topic {
    case .project: takeProject
    case .seal: takeSeal
    }
  }

  private static let columns = """
    q.user_id, q.app_id, q.table_name, q.record_id, q.notes, q.oldest,
    q.first_at, uuid_send(q.first_id), q.last_at, uuid_send(q.last_id)
    """
  private static let takeProject = Statement("SELECT \(columns) FROM mana_ai.take_project_changes($1) AS q", .int4)
  private static let takeSeal = Statement("SELECT \(columns) FROM mana_ai.take_seal_changes($1) AS q", .int4)
}
