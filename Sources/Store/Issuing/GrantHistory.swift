// What a user is told of their grants: what each was about, how it ended and how often it was used. Uses are counted in
// the audit, for opening never touches a grant's row.

package import Contracts
package import Postgres

package struct GrantSummary: Sendable {
  package let grant: String
  package let mission: Identifier
  package let version: String
  package let keyId: String
  package let recordIds: [String]
  package let purpose: String?
  package let issuedAt: PostgresTimestamp
  package let expiresAt: PostgresTimestamp
  package let renewableUntil: PostgresTimestamp
  package let closedAt: PostgresTimestamp?
  package let closedReason: String?
  /// Releases of key shares, whatever came after them. Counting stops at `GrantHistory.mostReads`.
  package let reads: Int64
  package let lastRead: PostgresTimestamp?
}

package enum GrantHistory {
  /// More is not worth the scan: who reads "100000" knows what there is to know.
  package static let mostReads = 100_000
  package static let pageGrants = 200

  /// The latest grants, open ones among them; of one mission where it is named.
  package static func list(
    _ scope: UserScope, mission: Identifier? = nil, limit: Int = pageGrants
  ) -> BoundStatement {
    listing.bind(.utf8(scope.user.utf8), .utf8(mission?.utf8), .int4(Int32(limit)))
  }

  package static func decode(_ rows: Rows) throws(PostgresError) -> [GrantSummary] {
    var grants: [GrantSummary] = []
    for row in rows {
      grants.append(
        GrantSummary(
          grant: try row.get(0), mission: try row.identifier(1), version: try row.get(2), keyId: try row.get(3),
          recordIds: try row.get(4), purpose: try row.get(5), issuedAt: try row.get(6), expiresAt: try row.get(7),
          renewableUntil: try row.get(8), closedAt: try row.get(9), closedReason: try row.get(10),
          reads: try row.get(11), lastRead: try row.get(12)))
    }
    return grants
  }

  /// The index over a user's missions by time bounds what is looked at: nothing is read before a grant is issued.
  private static let listing = Statement(
    """
    SELECT g.grant_id, g.mission_id, g.version, g.key_id, g.record_ids, g.purpose, g.issued_at, g.expires_at,
      g.renewable_until, g.closed_at, g.closed_reason, r.reads, r.last_read
    FROM (
      SELECT o.* FROM mana_ai.grants AS o
      WHERE o.user_id = $1 AND ($2 IS NULL OR o.mission_id = $2)
      ORDER BY (o.closed_at IS NULL) DESC, o.issued_at DESC, o.grant_id COLLATE "C" LIMIT $3
    ) AS g
    CROSS JOIN LATERAL (
      SELECT count(*) AS reads, max(c.ts) AS last_read
      FROM (
        SELECT a.ts FROM mana_ai.decrypt_audit AS a
        WHERE a.user_id = $1 AND a.mission_id = g.mission_id AND a.ts >= g.issued_at AND a.grant_id = g.grant_id
          AND a.status = 'ok' AND a.of_seq IS NULL
        ORDER BY a.ts DESC LIMIT \(mostReads)
      ) AS c
    ) AS r
    ORDER BY (g.closed_at IS NULL) DESC, g.issued_at DESC, g.grant_id COLLATE "C"
    """, .text, .text, .int4)
}
