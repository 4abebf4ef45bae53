// Where a transaction stopped. The cases differ in what the caller may believe about the database.

package enum TransactionError<Body: Error>: Error {
  /// It never began; nothing of it remains.
  case begin(PostgresError)
  /// The closure threw, and what it had done is rolled back.
  case body(Body)
  /// The closure threw, and then the rollback failed as well. The connection is dropped, and the server rolls back
  /// when it notices.
  case rollback(body: Body, PostgresError)
  /// The closure returned although a statement of it had failed; nothing of it remains.
  case aborted
  /// The server refused to commit; nothing of it remains.
  case commit(PostgresError)
  /// The commit was sent and its answer never came: it may be committed or not, and only the database can tell.
  case commitUnknown(PostgresError)

  /// True where nothing of the transaction can have been kept.
  package var nothingRemains: Bool {
    if case .commitUnknown = self { return false }
    return true
  }
}

/// Without a connection it did not begin.
extension TransactionError: PostgresFailure {
  package init(postgres error: PostgresError) { self = .begin(error) }
}

extension TransactionError: Sendable where Body: Sendable {}
extension TransactionError: Equatable where Body: Equatable {}

extension TransactionError where Body == PostgresError {
  /// The error at the bottom of it, for callers who act on its kind alone.
  package var cause: PostgresError {
    switch self {
    case .begin(let error), .body(let error), .rollback(let error, _), .commit(let error), .commitUnknown(let error):
      error
    case .aborted: .server(ServerError(state: .failedTransaction, severity: .error))
    }
  }
}

extension TransactionError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .begin(let error): "the transaction did not begin: \(error)"
    case .body(let error): "rolled back: \(error)"
    case .rollback(let body, let error): "\(body); then the rollback failed: \(error)"
    case .aborted: "rolled back: a statement had failed"
    case .commit(let error): "not committed: \(error)"
    case .commitUnknown(let error): "the commit's fate is unknown: \(error)"
    }
  }
}
