// What planning has cost each agent of a user, for budgets that look back a day.

package import Contracts
package import Postgres

package enum TokenUsage {
  /// Behind the user's scope.
  package static func add(
    _ tokens: Int32, agent: Identifier, mission: Identifier, in scope: UserScope
  ) -> BoundStatement {
    adding.bind(.utf8(scope.user.utf8), .utf8(agent.utf8), .utf8(mission.utf8), .int4(tokens))
  }

  /// The agent's tokens in the last 24 hours by the database's clock, behind the user's scope.
  package static func lastDay(agent: Identifier, in scope: UserScope) -> BoundStatement {
    summing.bind(.utf8(scope.user.utf8), .utf8(agent.utf8))
  }

  package static func decode(_ rows: Rows) throws(PostgresError) -> Int64 { try rows.only().get(0) }

  /// Deletes what no budget looks at any more, all users'. True where there may be more.
  nonisolated(nonsending)
    package static func prune(_ pool: PostgresPool, limit: Int32 = 10_000) async throws(PostgresError) -> Bool
  {
    try await pool.query(pruning.bind(.int4(limit))).only().get(0, as: Int64.self) >= Int64(limit)
  }

  private static let adding = Statement(
    "INSERT INTO mana_ai.token_usage (user_id, agent_id, mission_id, tokens_used) VALUES ($1, $2, $3, $4)",
    .text, .text, .text, .int4)
  private static let summing = Statement(
    """
    SELECT coalesce(sum(t.tokens_used), 0)::bigint FROM mana_ai.token_usage AS t
    WHERE t.user_id = $1 AND t.agent_id = $2 AND t.ts > clock_timestamp() - interval '24 hours'
    """, .text, .text)
  private static let pruning = Statement("SELECT mana_ai.prune_usage($1)", .int4)
}
