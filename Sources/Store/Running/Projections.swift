// Missions and agents as the runner keeps them: the folded record, and real columns for what is asked of them. They
// are written in the transaction that takes their notes from the queue, under each user's scope.

package import Contracts
package import Postgres

package struct MissionProjection: Sendable {
  package let mission: Identifier
  package let record: JSONObject
  /// When the newest row that is folded into it was written.
  package let appliedAt: PostgresTimestamp
  package let state: String?
  package let nextRun: PostgresTimestamp?
  /// Why it is not handed out although it may be due; nil lets it be.
  package let parked: String?

  package init(
    mission: Identifier, record: JSONObject, appliedAt: PostgresTimestamp, state: String?,
    nextRun: PostgresTimestamp?, parked: String?
  ) {
    self.mission = mission
    self.record = record
    self.appliedAt = appliedAt
    self.state = state
    self.nextRun = nextRun
    self.parked = parked
  }
}

package struct AgentProjection: Sendable {
  package let agent: Identifier
  package let record: JSONObject
  package let appliedAt: PostgresTimestamp
  package let state: String?

  package init(agent: Identifier, record: JSONObject, appliedAt: PostgresTimestamp, state: String?) {
    self.agent = agent
    self.record = record
    self.appliedAt = appliedAt
    self.state = state
  }
}

/// Statements, to be sent behind the user's scope and in its transaction.
package enum Projections {
  /// A new due time begins its count of attempts anew. A lease stays: whoever has it is still at work.
  package static func write(_ mission: MissionProjection, in scope: UserScope) -> BoundStatement {
    writeMission.bind(
      .utf8(scope.user.utf8), .utf8(mission.mission.utf8), .json(.object(mission.record)),
      .timestamp(mission.appliedAt), .text(mission.state), .timestamp(mission.nextRun), .text(mission.parked))
  }

  package static func remove(mission: Identifier, in scope: UserScope) -> BoundStatement {
    removeMission.bind(.utf8(scope.user.utf8), .utf8(mission.utf8))
  }

  package static func write(_ agent: AgentProjection, in scope: UserScope) -> BoundStatement {
    writeAgent.bind(
      .utf8(scope.user.utf8), .utf8(agent.agent.utf8), .json(.object(agent.record)), .timestamp(agent.appliedAt),
      .text(agent.state))
  }

  package static func remove(agent: Identifier, in scope: UserScope) -> BoundStatement {
    removeAgent.bind(.utf8(scope.user.utf8), .utf8(agent.utf8))
  }

  /// An agent's record, of at most one row.
  package static func agent(_ agent: Identifier, in scope: UserScope) -> BoundStatement {
    readAgent.bind(.utf8(scope.user.utf8), .utf8(agent.utf8))
  }

  package static func decodeAgent(_ rows: Rows) throws(PostgresError) -> JSONObject? {
    guard let row = try rows.first() else { return nil }
    return try row.json(0).object
  }

  private static let writeMission = Statement(
    """
    INSERT INTO mana_ai.mission_snapshots AS s
      (user_id, mission_id, record, last_applied_at, state, next_run_at, parked_reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (user_id, mission_id) DO UPDATE SET record = excluded.record,
      last_applied_at = excluded.last_applied_at, updated_at = now(), state = excluded.state,
      next_run_at = excluded.next_run_at, parked_reason = excluded.parked_reason,
      attempts = CASE WHEN s.next_run_at IS DISTINCT FROM excluded.next_run_at THEN 0 ELSE s.attempts END
    WHERE s.user_id = $1
    """, .text, .text, .jsonb, .timestamptz, .text, .timestamptz, .text)
  private static let removeMission = Statement(
    "DELETE FROM mana_ai.mission_snapshots AS s WHERE s.user_id = $1 AND s.mission_id = $2", .text, .text)
  private static let writeAgent = Statement(
    """
    INSERT INTO mana_ai.agent_snapshots AS s (user_id, agent_id, record, last_applied_at, state)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id, agent_id) DO UPDATE SET record = excluded.record,
      last_applied_at = excluded.last_applied_at, updated_at = now(), state = excluded.state
    WHERE s.user_id = $1
    """, .text, .text, .jsonb, .timestamptz, .text)
  private static let removeAgent = Statement(
    "DELETE FROM mana_ai.agent_snapshots AS s WHERE s.user_id = $1 AND s.agent_id = $2", .text, .text)
  private static let readAgent = Statement(
    "SELECT s.record FROM mana_ai.agent_snapshots AS s WHERE s.user_id = $1 AND s.agent_id = $2", .text, .text)
}
