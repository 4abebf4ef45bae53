// How a grant ends: a first transaction closes it and commits, a second waits until the openings in flight are over.
// A function in the database can't commit, so the two steps are made here, and nowhere else.

package import Contracts
package import Postgres

package enum ClosingReason: String, Sendable, CaseIterable {
  case user, superseded, expired
  case missionGone = "mission-gone"
  case vaultRotated = "vault-rotated"
  case zeroKnowledge = "zero-knowledge"
  case deleted, `operator`
}

package struct ClosedGrant: Sendable, Hashable {
  package let grant: String
  package let mission: Identifier
  package let closedAt: PostgresTimestamp
}

/// Every redeem that begins after this was answered releases nothing for these grants.
package struct Closing: Sendable {
  package let closed: [ClosedGrant]
  /// Grants whose openings in flight had not ended when the wait did. Each of them has its receipt, and none can take
  /// more than its own deadline; somebody should look all the same.
  package let draining: [String]

  package var isDraining: Bool { !draining.isEmpty }
}

package struct GrantClosing: Sendable {
  private let pool: PostgresPool

  /// The database gives up after five seconds; what takes longer is the connection.
  private static let drainTime = Duration.seconds(10)

  package init(_ pool: PostgresPool) { self.pool = pool }

  /// For the issuer. All open grants of the user, those of one mission, or the named ones.
  nonisolated(nonsending)
    package func close(
      _ scope: UserScope, mission: Identifier? = nil, grants: [String]? = nil, reason: ClosingReason,
      deadline: Deadline? = nil
    ) async throws(TransactionError<PostgresError>) -> Closing
  {
    try await end(Self.statement(scope, mission: mission, grants: grants, reason: reason), deadline)
  }

  /// The same as a statement, for a transaction that closes grants because of something else it does. Its caller drains
  /// what `decode` names once that transaction has committed.
  package static func statement(
    _ scope: UserScope, mission: Identifier? = nil, grants: [String]? = nil, reason: ClosingReason
  ) -> BoundStatement {
    closing.bind(.utf8(scope.user.utf8), .utf8(mission?.utf8), .texts(grants), .text(reason.rawValue))
  }

  package static func decode(_ rows: Rows) throws(PostgresError) -> [ClosedGrant] {
    var closed: [ClosedGrant] = []
    for row in rows {
      closed.append(ClosedGrant(grant: try row.get(0), mission: try row.identifier(1), closedAt: try row.get(2)))
    }
    return closed
  }

  /// For the operator; the reason is `operator`.
  nonisolated(nonsending)
    package func revoke(
      _ scope: UserScope, mission: Identifier? = nil, grants: [String]? = nil, deadline: Deadline? = nil
    ) async throws(TransactionError<PostgresError>) -> Closing
  {
    try await end(
      Self.revoking.bind(.utf8(scope.user.utf8), .utf8(mission?.utf8), .texts(grants)), deadline)
  }

  /// Closes up to `limit` grants whose time is over. There is nothing to drain: an expired grant releases nothing.
  nonisolated(nonsending)
    package func closeExpired(
      limit: Int32, deadline: Deadline? = nil
    ) async throws(TransactionError<PostgresError>) -> Int
  {
    try await pool.transact([Self.expiring.bind(.int4(limit))], deadline: deadline).first?.count ?? 0
  }

  /// Waits for the openings in flight; answers the grants that still have some. For callers who close within a
  /// transaction of their own, after it has committed. Any trouble on the way counts as not drained.
  nonisolated(nonsending)
    package func drain(_ grants: [String]) async -> [String]
  {
    guard !grants.isEmpty else { return [] }
    do throws(PostgresError) {
      // A deadline of its own: the closing is committed, and whoever asked for it must hear whether it is over.
      let rows = try await pool.query(Self.draining.bind(.textArray(grants)), deadline: .after(Self.drainTime))
      var left: [String] = []
      for row in rows where try row.get(1, as: Bool.self) == false { left.append(try row.get(0)) }
      return left
    } catch { return grants }
  }

  nonisolated(nonsending)
    private func end(
      _ statement: BoundStatement, _ deadline: Deadline?
    ) async throws(TransactionError<PostgresError>) -> Closing
  {
    let rows = try await pool.transact([statement], deadline: deadline)
    let closed: [ClosedGrant]
    do throws(PostgresError) { closed = try rows.first.map(Self.decode) ?? [] } catch {
      // It is committed, and what it was cannot be read.
      throw .commitUnknown(error)
    }
    return Closing(closed: closed, draining: await drain(closed.map(\.grant)))
  }

  private static let closing = Statement(
    "SELECT c.grant_id, c.mission_id, c.closed_at FROM mana_ai.close_grants($1, $2, $3, $4) AS c",
    .text, .text, .textArray, .text)
  private static let revoking = Statement(
    "SELECT c.grant_id, c.mission_id, c.closed_at FROM mana_ai.revoke($1, $2, $3) AS c", .text, .text, .textArray)
  private static let expiring = Statement("SELECT c.grant_id FROM mana_ai.close_expired($1) AS c", .int4)
  private static let draining = Statement(
    "SELECT d.grant_id, d.drained FROM mana_ai.drain_grants($1) AS d", .textArray)
}
