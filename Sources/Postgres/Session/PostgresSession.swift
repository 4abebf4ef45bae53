// A connection for the length of a closure. It can't be copied, so it can't be kept, nor used by two tasks at once.

package struct PostgresSession: ~Copyable, Sendable {
  let wire: Wire
  /// When whoever asked for the session stops waiting. Each call may name an earlier one.
  package let deadline: Deadline

  init(wire: Wire, deadline: Deadline) {
    self.wire = wire
    self.deadline = deadline
  }

  /// One round trip for all units. The answer has one outcome per unit; it throws only when nothing was sent because
  /// a parameter can't be.
  nonisolated(nonsending)
    package mutating func pipeline(
      _ units: [PipelineUnit], deadline: Deadline? = nil
    ) async throws(PostgresError) -> [UnitOutcome]
  {
    let outcomes = try await wire.run(units, deadline: self.deadline.earlier(of: deadline ?? self.deadline))
    try expectNoTransaction()
    return outcomes
  }

  /// One statement, a transaction of its own.
  nonisolated(nonsending)
    package mutating func query(
      _ statement: BoundStatement, deadline: Deadline? = nil
    ) async throws(PostgresError) -> Rows
  {
    try await pipeline([PipelineUnit(statement)], deadline: deadline).onlyRows()
  }

  /// SQL text of any number of statements, without parameters or results.
  nonisolated(nonsending)
    package mutating func script(_ sql: String, deadline: Deadline? = nil) async throws(PostgresError)
  {
    try await wire.script(sql, deadline: self.deadline.earlier(of: deadline ?? self.deadline))
    try expectNoTransaction()
  }

  /// The server's process behind this connection, for those who must find it in pg_stat_activity.
  package var processID: Int32 { wire.processID }

  /// Transactions are begun and ended by `withTransaction` and `transact`; a BEGIN among the statements would leave
  /// one open for whoever gets the connection next.
  private func expectNoTransaction() throws(PostgresError) {
    guard wire.isInTransaction else { return }
    throw wire.lose(.protocolViolation(.strayTransaction))
  }
}

extension [UnitOutcome] {
  /// The rows of a batch of one unit with one statement.
  func onlyRows() throws(PostgresError) -> Rows {
    guard let rows = try onlyUnit().last else { throw .protocolViolation(.unexpectedResult) }
    return rows
  }

  func onlyUnit() throws(PostgresError) -> [Rows] {
    switch first {
    case .success(let rows): return rows
    case .failure(let failure): throw failure.error
    case nil: throw .protocolViolation(.unexpectedResult)
    }
  }
}
