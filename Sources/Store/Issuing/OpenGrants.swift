// Which grants of a user's missions are open, for whoever must decide whether they may stay so.

package import Contracts
package import Postgres

package struct OpenGrant: Sendable, Hashable {
  package let grant: String
  package let mission: Identifier
}

package enum OpenGrants {
  /// Reads under `scope`, in whose transaction it must run.
  package static func of(missions: [Identifier], in scope: UserScope) -> BoundStatement {
    asking.bind(.utf8(scope.user.utf8), .utf8Array(missions.map(\.utf8)))
  }

  package static func decode(_ rows: Rows) throws(PostgresError) -> [OpenGrant] {
    var grants: [OpenGrant] = []
    for row in rows { grants.append(OpenGrant(grant: try row.get(0), mission: try row.identifier(1))) }
    return grants
  }

  private static let asking = Statement(
    """
    SELECT g.grant_id, g.mission_id FROM mana_ai.grants AS g
    WHERE g.user_id = $1 AND g.mission_id = ANY ($2) AND g.closed_at IS NULL ORDER BY g.grant_id COLLATE "C"
    """, .text, .textArray)
}
