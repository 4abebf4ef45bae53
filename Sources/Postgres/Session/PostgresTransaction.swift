// A transaction for the length of a closure: committed when the closure returns, rolled back when it throws.

package struct PostgresTransaction: ~Copyable, Sendable {
  let wire: Wire
  package let deadline: Deadline

  init(wire: Wire, deadline: Deadline) {
    self.wire = wire
    self.deadline = deadline
  }

  /// Several statements in one round trip; the first that fails skips the rest, and the transaction with them.
  nonisolated(nonsending)
    package mutating func pipeline(
      _ statements: [BoundStatement], deadline: Deadline? = nil
    ) async throws(PostgresError) -> [Rows]
  {
    let outcomes = try await wire.run(
      [PipelineUnit(statements)], deadline: self.deadline.earlier(of: deadline ?? self.deadline))
    try expectTransaction()
    return try outcomes.onlyUnit()
  }

  nonisolated(nonsending)
    package mutating func query(
      _ statement: BoundStatement, deadline: Deadline? = nil
    ) async throws(PostgresError) -> Rows
  {
    guard let rows = try await pipeline([statement], deadline: deadline).last else {
      throw .protocolViolation(.unexpectedResult)
    }
    return rows
  }

  nonisolated(nonsending)
    package mutating func script(_ sql: String, deadline: Deadline? = nil) async throws(PostgresError)
  {
    try await wire.script(sql, deadline: self.deadline.earlier(of: deadline ?? self.deadline))
    try expectTransaction()
  }

  package var processID: Int32 { wire.processID }

  /// A COMMIT or ROLLBACK among the statements would end what the caller believes to be in.
  private func expectTransaction() throws(PostgresError) {
    guard wire.isIdle else { return }
    throw wire.lose(.protocolViolation(.strayTransaction))
  }
}

/// How much of other transactions one sees.
package enum Isolation: Sendable, CaseIterable {
  case readCommitted
  case repeatableRead
  case serializable
}

package enum Access: Sendable, CaseIterable {
  case readWrite
  case readOnly
}

extension Isolation {
  private static let begins: [Isolation: [Access: Statement]] = {
    var statements: [Isolation: [Access: Statement]] = [:]
    for isolation in Isolation.allCases {
      for access in Access.allCases {
        statements[isolation, default: [:]][access] = Statement("BEGIN ISOLATION LEVEL \(isolation.sql) \(access.sql)")
      }
    }
    return statements
  }()

  /// Isolation and access are always said, so that no default of a role or database decides them.
  func begin(_ access: Access) -> BoundStatement {
    guard let statement = Self.begins[self]?[access] else { preconditionFailure("an isolation without its BEGIN") }
    return statement.bind()
  }

  private var sql: String {
    switch self {
    case .readCommitted: "READ COMMITTED"
    case .repeatableRead: "REPEATABLE READ"
    case .serializable: "SERIALIZABLE"
    }
  }
}

extension Access {
  fileprivate var sql: String { self == .readOnly ? "READ ONLY" : "READ WRITE" }
}
