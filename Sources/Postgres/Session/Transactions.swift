// Beginning and ending transactions. Commit and rollback do not heed the task's cancellation: half way through them
// there is nothing left to save by stopping.

extension PostgresSession {
  /// BEGIN, the opening statements (a user scope, say) in the same round trip, the closure, COMMIT.
  nonisolated(nonsending)
    package mutating func withTransaction<Value: ~Copyable, Failure: Error>(
      isolation: Isolation = .readCommitted, access: Access = .readWrite, opening: [BoundStatement] = [],
      deadline: Deadline? = nil,
      _ body: nonisolated(nonsending) (inout PostgresTransaction) async throws(Failure) -> Value
    ) async throws(TransactionError<Failure>) -> Value
  {
    let deadline = self.deadline.earlier(of: deadline ?? self.deadline)
    do throws(PostgresError) {
      _ = try await wire.run([PipelineUnit([isolation.begin(access)] + opening)], deadline: deadline).onlyUnit()
    } catch {
      _ = await wire.rollback()
      throw .begin(error)
    }
    var transaction = PostgresTransaction(wire: wire, deadline: deadline)
    let value: Value
    do throws(Failure) {
      value = try await body(&transaction)
    } catch {
      if let failure = await wire.rollback() { throw .rollback(body: error, failure) }
      throw .body(error)
    }
    if let ending = await wire.commit(deadline: deadline) { throw ending.error() }
    return value
  }

  /// The whole transaction in one round trip.
  nonisolated(nonsending)
    package mutating func transact(
      _ statements: [BoundStatement], isolation: Isolation = .readCommitted, access: Access = .readWrite,
      deadline: Deadline? = nil
    ) async throws(TransactionError<PostgresError>) -> [Rows]
  {
    let unit = PipelineUnit([isolation.begin(access)] + statements + [Wire.commitStatement.bind()])
    let outcomes: [UnitOutcome]
    do throws(PostgresError) {
      outcomes = try await wire.run([unit], deadline: self.deadline.earlier(of: deadline ?? self.deadline))
    } catch { throw .begin(error) }
    guard case .success(let rows) = outcomes.first else {
      let failure = outcomes.first?.failure ?? .unknown(.protocolViolation(.unexpectedResult))
      let rollback = await wire.rollback()
      throw Self.error(failure, last: unit.statements.count - 1, rollback)
    }
    guard rows.last?.commandTag == "COMMIT" else { throw .aborted }
    return Array(rows.dropFirst().dropLast())
  }

  private static func error(
    _ failure: UnitFailure, last: Int, _ rollback: PostgresError?
  ) -> TransactionError<PostgresError> {
    switch failure {
    case .statement(0, let error), .unsent(let error): .begin(error)
    case .statement(last, let error): .commit(error)
    case .statement(_, let error): rollback.map { .rollback(body: error, $0) } ?? .body(error)
    // The COMMIT was answered, then its Sync was not: what that means, nobody knows.
    case .unknown(let error), .commit(let error): .commitUnknown(error)
    }
  }
}

extension Result {
  var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}

/// Why a commit did not end as one.
enum CommitFailure {
  case aborted
  case refused(PostgresError)
  case unknown(PostgresError)

  func error<Body: Error>() -> TransactionError<Body> {
    switch self {
    case .aborted: .aborted
    case .refused(let error): .commit(error)
    case .unknown(let error): .commitUnknown(error)
    }
  }
}

extension Wire {
  static let commitStatement = Statement("COMMIT")
  private static let rollbackStatement = Statement("ROLLBACK")
  /// A rollback does next to no work; what takes longer is a dead connection.
  private static let rollbackTime = Duration.seconds(5)

  /// Ends an open transaction. Where none is open, or the connection is gone, there is nothing to do.
  nonisolated(nonsending)
    func rollback() async -> PostgresError?
  {
    guard isInTransaction else { return nil }
    do throws(PostgresError) {
      _ = try await run(
        [PipelineUnit(Self.rollbackStatement.bind())], deadline: .after(Self.rollbackTime), heedsCancellation: false
      ).onlyUnit()
      return nil
    } catch {
      // Whoever comes next must not inherit the transaction.
      return lose(error)
    }
  }

  nonisolated(nonsending)
    func commit(deadline: Deadline) async -> CommitFailure?
  {
    if let loss { return .refused(loss) }
    let outcome: UnitOutcome?
    do throws(PostgresError) {
      outcome = try await run(
        [PipelineUnit(Self.commitStatement.bind())], deadline: deadline, heedsCancellation: false
      ).first
    } catch { return .refused(error) }
    switch outcome {
    // A transaction in which a statement has failed ends with a ROLLBACK, which the server does not call an error.
    case .success(let rows): return rows.first?.commandTag == "COMMIT" ? nil : .aborted
    case .failure(.unknown(let error)): return .unknown(error)
    case .failure(let failure):
      _ = await rollback()
      return .refused(failure.error)
    case nil: return .unknown(.protocolViolation(.unexpectedResult))
    }
  }
}
