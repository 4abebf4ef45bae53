// A batch is a list of units. Each unit ends with a Sync of its own: outside a transaction block its statements
// are one transaction, which commits at that Sync, and an error undoes and skips this unit alone.

package struct PipelineUnit: Sendable {
  package var statements: [BoundStatement]

  package init(_ statements: [BoundStatement]) { self.statements = statements }
  package init(_ statements: BoundStatement...) { self.statements = statements }
}

/// Each statement's rows in order, or why the unit has none.
package typealias UnitOutcome = Result<[Rows], UnitFailure>

/// What became of a unit that did not succeed. The cases differ in what the database now holds.
package enum UnitFailure: Error, Sendable, Equatable {
  /// This statement (counted from 0) was refused or stopped; nothing of the unit remains.
  case statement(Int, PostgresError)
  /// All statements ran, but the commit at the end was refused; nothing of the unit remains.
  case commit(PostgresError)
  /// It was never sent; nothing of it happened.
  case unsent(PostgresError)
  /// It was sent and its end was not seen: it may have been committed or not.
  case unknown(PostgresError)

  package var error: PostgresError {
    switch self {
    case .statement(_, let error), .commit(let error), .unsent(let error), .unknown(let error): error
    }
  }

  /// True where nothing of the unit can have been kept.
  package var nothingRemains: Bool {
    if case .unknown = self { return false }
    return true
  }
}

extension UnitFailure: CustomStringConvertible {
  package var description: String {
    switch self {
    case .statement(let index, let error): "statement \(index): \(error)"
    case .commit(let error): "at commit: \(error)"
    case .unsent(let error): "not sent: \(error)"
    case .unknown(let error): "fate unknown: \(error)"
    }
  }
}
