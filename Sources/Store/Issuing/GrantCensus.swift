// Grants counted over all users, for the operator: how many are open, for which keys, and how the others ended. No ids.

package import Postgres

package struct GrantCensus: Sendable, Hashable {
  package struct Group: Sendable, Hashable {
    package let keyId: String
    /// Nil for open grants.
    package let closedReason: String?
    package let grants: Int64
    package let users: Int64
    /// Of open grants: those that end within a day, and those whose time is over and that nobody has closed yet.
    package let endingSoon: Int64
    package let expired: Int64
  }

  package let groups: [Group]

  nonisolated(nonsending)
    package static func take(_ pool: PostgresPool, deadline: Deadline? = nil) async throws(PostgresError) -> GrantCensus
  {
    var groups: [Group] = []
    for row in try await pool.query(counting.bind(), deadline: deadline) {
      groups.append(
        Group(
          keyId: try row.get(0), closedReason: try row.get(1), grants: try row.get(2), users: try row.get(3),
          endingSoon: try row.get(4), expired: try row.get(5)))
    }
    return GrantCensus(groups: groups)
  }

  private static let counting = Statement(
    """
    SELECT g.key_id, g.closed_reason, count(*), count(DISTINCT g.user_id),
      count(*) FILTER (WHERE g.closed_at IS NULL AND g.expires_at > now() AND g.expires_at <= now() + interval '1 day'),
      count(*) FILTER (WHERE g.closed_at IS NULL AND g.expires_at <= now())
    FROM mana_ai.grants AS g
    GROUP BY g.key_id, g.closed_reason
    ORDER BY g.closed_reason IS NOT NULL, g.key_id COLLATE "C", g.closed_reason COLLATE "C"
    """)
}
