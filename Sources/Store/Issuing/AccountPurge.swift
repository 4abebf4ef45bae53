// The end of an account: every row of it goes in one transaction, its key shares with them, and a digest of the user's
// id stays with the end of the chain.

import Contracts
package import Postgres

package struct PurgedAccount: Sendable, Hashable {
  /// The end of the audit that went.
  package let lastSeq: Int64
  package let lastHash: [UInt8]
  package let removed: Int64
  /// Grants that were open and had openings in flight which had not ended when the wait did.
  package let draining: [String]
}

package struct AccountPurge: Sendable {
  private let pool: PostgresPool

  package init(_ pool: PostgresPool) { self.pool = pool }

  /// May be called again: of nothing there is nothing to remove.
  nonisolated(nonsending)
    package func run(
      _ scope: UserScope, deadline: Deadline? = nil
    ) async throws(TransactionError<PostgresError>) -> PurgedAccount
  {
    let rows = try await pool.transact([Self.purging.bind(.utf8(scope.user.utf8))], deadline: deadline)
    let (seq, hash, open, removed): (Int64, [UInt8], [String], Int64)
    do throws(PostgresError) {
      guard let row = try rows.first?.only() else { throw .protocolViolation(.unexpectedResult) }
      (seq, hash, open, removed) = (try row.get(0), try row.get(1), try row.get(2), try row.get(3))
    } catch { throw .commitUnknown(error) }
    return PurgedAccount(
      lastSeq: seq, lastHash: hash, removed: removed, draining: await GrantClosing(pool).drain(open))
  }

  private static let purging = Statement(
    "SELECT p.last_seq, p.last_hash, p.grants, p.removed FROM mana_ai.purge_user($1) AS p", .text)
}
