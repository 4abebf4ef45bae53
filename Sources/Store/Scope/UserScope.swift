// Whose rows a transaction may see. The settings live and die with the transaction, so a pooled connection carries them
// to nobody else; after it, they are '' for the rest of the session, and no row answers to that.
//
// The list of shared spaces is set too, and to none: who is a member of a space is known to no table of this database,
// so nobody here could check a list, and one that a sync server left in a session or a role's settings must not count.

package import Contracts
package import Postgres

/// A user's id that is not empty. Nothing in here reads a user's rows without one.
package struct UserScope: Sendable, Hashable {
  package let user: Identifier

  package init(_ user: Identifier) throws(EmptyUser) {
    guard !user.utf8.isEmpty else { throw EmptyUser() }
    self.user = user
  }

  /// To be the first of the statements that it is meant for, and in their transaction: on its own it does nothing.
  package var statement: BoundStatement { Self.setting.bind(.utf8(user.utf8)) }

  private static let setting = Statement(
    """
    SELECT pg_catalog.set_config('app.current_user_id', $1, true),
      pg_catalog.set_config('app.current_user_space_ids', '', true)
    """, .text)
}

/// Without a user there is no scope: the database would answer with nothing, which reads like a user without records.
package struct EmptyUser: Error, Equatable, Sendable {
  package init() {}
}

extension PostgresPool {
  /// A transaction in which only this user's rows are there; the scope travels with its BEGIN.
  nonisolated(nonsending)
    package func withTransaction<Value: ~Copyable, Failure: Error>(
      of scope: UserScope, isolation: Isolation = .readCommitted, access: Access = .readWrite,
      deadline: Deadline? = nil,
      _ body: nonisolated(nonsending) (inout PostgresTransaction) async throws(Failure) -> Value
    ) async throws(TransactionError<Failure>) -> Value
  {
    try await withTransaction(
      isolation: isolation, access: access, opening: [scope.statement], deadline: deadline, body)
  }
}
