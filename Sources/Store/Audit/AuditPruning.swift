// Removing the oldest rows of all chains, a hundred users per transaction; each chain keeps a cut from which the rest
// still verifies. A chain that does not verify is left whole, for its rows are the evidence.

package import Contracts
package import Postgres

package struct PrunedChain: Sendable, Hashable {
  package let user: Identifier
  package let removed: Int64
  package let cut: Int64
  package let isBroken: Bool
}

package struct AuditPruning: Sendable {
  private let pool: PostgresPool
  private static let usersPerStep: Int32 = 100

  package init(_ pool: PostgresPool) { self.pool = pool }

  /// The users behind `user`; an empty answer means that there are no more. The database refuses a time of less than
  /// an hour ago.
  nonisolated(nonsending)
    package func step(
      before: PostgresTimestamp, after user: Identifier?, deadline: Deadline? = nil
    ) async throws(TransactionError<PostgresError>) -> [PrunedChain]
  {
    let rows = try await pool.transact(
      [Self.pruning.bind(.timestamp(before), .utf8(user?.utf8 ?? []), .int4(Self.usersPerStep))], deadline: deadline)
    var pruned: [PrunedChain] = []
    do throws(PostgresError) {
      for row in rows.first.map(Array.init) ?? [] {
        pruned.append(
          PrunedChain(
            user: try row.identifier(0), removed: try row.get(1), cut: try row.get(2), isBroken: try row.get(3)))
      }
    } catch { throw .commitUnknown(error) }
    return pruned
  }

  private static let pruning = Statement(
    "SELECT p.user_id, p.removed, p.cut_seq, p.broken FROM mana_ai.prune_audit($1, $2, $3) AS p",
    .timestamptz, .text, .int4)
}
