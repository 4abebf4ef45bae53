// The log of the vault: what was asked of it, by whom and how it ended. Refusals stand in it too. It is also where a
// user's calls are counted for the limits, so that they hold however many issuers there are.

import Contracts
package import Postgres

package enum VaultAction: String, Sendable, CaseIterable {
  case `init`, fetch, rotate
  case failedFetch = "failed_fetch"
  case recoverySet = "recovery_set"
  case recoveryClear = "recovery_clear"
  case zeroKnowledgeEnable = "zk_enable"
  case zeroKnowledgeDisable = "zk_disable"
  case grantIssue = "grant_issue"
  case grantRefuse = "grant_refuse"
  case grantRevoke = "grant_revoke"
}

package enum VaultAudit {
  /// Of a user who has a row in the table of users.
  package static func add(
    _ action: VaultAction, status: Int, context: String?, address: String?, agent: String?, id: String,
    of scope: UserScope
  ) -> BoundStatement {
    adding.bind(
      .text(id), .utf8(scope.user.utf8), .text(action.rawValue), .text(address), .text(agent), .text(context),
      .int4(Int32(status)))
  }

  /// How long until one more call of these kinds is within the limit; no row where it is now. To be asked under the
  /// vault's lock: only then two calls can't both find the last place free.
  package static func wait(
    for actions: [VaultAction], limit: Int, within seconds: Int, of scope: UserScope
  ) -> BoundStatement {
    waiting.bind(
      .utf8(scope.user.utf8), .texts(actions.map(\.rawValue)), .int4(Int32(limit)), .int4(Int32(seconds)))
  }

  /// Whole seconds, at least one; nil where nobody has to wait.
  package static func decodeWait(_ rows: Rows) throws(PostgresError) -> Int? {
    guard let row = try rows.first() else { return nil }
    return max(1, Int(try row.get(0, as: Int64.self)))
  }

  private static let adding = Statement(
    """
    INSERT INTO auth.encryption_vault_audit (id, user_id, action, ip_address, user_agent, context, status, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
    """, .text, .text, .text, .text, .text, .text, .int4)

  /// The oldest of the last calls that fill the limit is the one that must fall out of the window.
  private static let waiting = Statement(
    """
    SELECT ceil(extract(epoch FROM a.created_at - c.now) + $4)::bigint
    FROM (SELECT clock_timestamp() AS now) AS c
    CROSS JOIN LATERAL (
      SELECT o.created_at FROM auth.encryption_vault_audit AS o
      WHERE o.user_id = $1 AND o.action = ANY ($2) AND o.created_at > c.now - make_interval(secs => $4)
      ORDER BY o.created_at DESC OFFSET $3 - 1 LIMIT 1
    ) AS a
    """, .text, .textArray, .int4, .int4)
}
