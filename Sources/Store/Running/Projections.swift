// Missions and agents as the runner keeps them: the folded record, and real columns for what is asked of them. They
// are written in the transaction that takes their notes from the queue, under each user's scope. What was deleted
// keeps its row, without a state: a record without a row is folded from its first change.

package import Contracts
package import Postgres

package struct MissionProjection: Sendable {
  package let mission: Identifier
  package let record: JSONObject
  /// When the newest row that is folded into it was written, and which row that is. Without the id nothing is folded
  /// on top of it.
  package let appliedAt: PostgresTimestamp
  package let appliedID: ChangeID?
  package let state: String?
  package let nextRun: PostgresTimestamp?
  /// Why it is not handed out although it may be due; nil lets it be.
  package let parked: String?

  package init(
    mission: Identifier, record: JSONObject, appliedAt: PostgresTimestamp, appliedID: ChangeID? = nil, state: String?,
    nextRun: PostgresTimestamp?, parked: String?
  ) {
    self.mission = mission
    self.record = record
    self.appliedAt = appliedAt
    self.appliedID = appliedID
    self.state = state
    self.nextRun = nextRun
    self.parked = parked
  }
}

package struct AgentProjection: Sendable {
  package let agent: Identifier
  package let record: JSONObject
  package let appliedAt: PostgresTimestamp
  package let appliedID: ChangeID?
  /// Nil where there is no agent to be had: it was deleted, or its changes can't be read.
  package let state: String?

  package init(
    agent: Identifier, record: JSONObject, appliedAt: PostgresTimestamp, appliedID: ChangeID? = nil, state: String?
  ) {
    self.agent = agent
    self.record = record
    self.appliedAt = appliedAt
    self.appliedID = appliedID
    self.state = state
  }
}

/// A projection as it lies in its table.
struct StoredProjection: Sendable {
  let record: JSONObject
  /// Nil in a snapshot that a former system or an earlier version left, and in one that can't be gone on from.
  let position: ChangePosition?
}

/// Statements, to be sent behind the user's scope and in its transaction.
package enum Projections {
  /// A new due time begins its count of attempts anew. A lease stays: whoever has it is still at work. A reason for
  /// parking that somebody else gave stays too, until the mission is due at another time or changes its state; ours
  /// lasts as long as we give it.
  package static func write(_ mission: MissionProjection, in scope: UserScope) -> BoundStatement {
    writeMission.bind(
      .utf8(scope.user.utf8), .utf8(mission.mission.utf8), .json(.object(mission.record)),
      .timestamp(mission.appliedAt), .text(mission.state), .timestamp(mission.nextRun), .text(mission.parked),
      mission.appliedID.map { .uuid($0.text) } ?? .null)
  }

  package static func write(_ agent: AgentProjection, in scope: UserScope) -> BoundStatement {
    writeAgent.bind(
      .utf8(scope.user.utf8), .utf8(agent.agent.utf8), .json(.object(agent.record)), .timestamp(agent.appliedAt),
      .text(agent.state), agent.appliedID.map { .uuid($0.text) } ?? .null)
  }

  /// A record whose changes can't be read any more: it is not handed out, and what was folded before stays as it was.
  /// Unless that lacks a change whose note was taken just now: then nothing may be folded on top of it, or the change
  /// would be missing for ever once the record can be read again.
  static func park(
    _ kind: ProjectionKind, _ record: Identifier, isWhole: Bool, in scope: UserScope
  ) -> BoundStatement {
    switch kind {
    case .mission: parkMission.bind(.utf8(scope.user.utf8), .utf8(record.utf8), .bool(isWhole))
    case .agent: parkAgent.bind(.utf8(scope.user.utf8), .utf8(record.utf8), .bool(isWhole))
    }
  }

  /// An agent's record, of at most one row: none where the agent was deleted.
  package static func agent(_ agent: Identifier, in scope: UserScope) -> BoundStatement {
    readAgent.bind(.utf8(scope.user.utf8), .utf8(agent.utf8))
  }

  package static func decodeAgent(_ rows: Rows) throws(PostgresError) -> JSONObject? {
    guard let row = try rows.first() else { return nil }
    return try row.json(0).object
  }

  static func stored(_ kind: ProjectionKind, _ records: [Identifier], in scope: UserScope) -> BoundStatement {
    (kind == .mission ? storedMissions : storedAgents).bind(
      .utf8(scope.user.utf8), .utf8Array(records.map(\.utf8)))
  }

  static func decodeStored(_ rows: Rows) throws(PostgresError) -> [Identifier: StoredProjection] {
    var stored: [Identifier: StoredProjection] = [:]
    for row in rows {
      let text: Postgres.UTF8Text = try row.get(1)
      var projection = StoredProjection(record: JSONObject([]), position: nil)
      // What we can't read we can't go on from.
      if let record = (try? text.json())?.object {
        let position = try row.position(time: 2, id: 3)
        projection = StoredProjection(record: record, position: position?.exactTime == nil ? nil : position)
      }
      stored[try row.identifier(0)] = projection
    }
    return stored
  }

  private static let writeMission = Statement(
    """
    INSERT INTO mana_ai.mission_snapshots AS s
      (user_id, mission_id, record, last_applied_at, last_applied_id, state, next_run_at, parked_reason)
    VALUES ($1, $2, $3, $4, $8, $5, $6, $7)
    ON CONFLICT (user_id, mission_id) DO UPDATE SET record = excluded.record,
      last_applied_at = excluded.last_applied_at, last_applied_id = excluded.last_applied_id, updated_at = now(),
      state = excluded.state, next_run_at = excluded.next_run_at,
      parked_reason = CASE WHEN excluded.parked_reason IS NULL AND s.parked_reason NOT IN (\(ownReasons))
        AND s.state IS NOT DISTINCT FROM excluded.state AND s.next_run_at IS NOT DISTINCT FROM excluded.next_run_at
        THEN s.parked_reason ELSE excluded.parked_reason END,
      attempts = CASE WHEN s.next_run_at IS DISTINCT FROM excluded.next_run_at THEN 0 ELSE s.attempts END
    WHERE s.user_id = $1
    """, .text, .text, .jsonb, .timestamptz, .text, .timestamptz, .text, .uuid)
  private static let ownReasons = "'unreadable', 'next-run-unreadable'"
  private static let writeAgent = Statement(
    """
    INSERT INTO mana_ai.agent_snapshots AS s (user_id, agent_id, record, last_applied_at, last_applied_id, state)
    VALUES ($1, $2, $3, $4, $6, $5)
    ON CONFLICT (user_id, agent_id) DO UPDATE SET record = excluded.record,
      last_applied_at = excluded.last_applied_at, last_applied_id = excluded.last_applied_id, updated_at = now(),
      state = excluded.state
    WHERE s.user_id = $1
    """, .text, .text, .jsonb, .timestamptz, .text, .uuid)
  private static let parkMission = Statement(
    """
    INSERT INTO mana_ai.mission_snapshots AS s (user_id, mission_id, record, parked_reason)
    VALUES ($1, $2, '{}', 'unreadable')
    ON CONFLICT (user_id, mission_id) DO UPDATE SET parked_reason = excluded.parked_reason, updated_at = now(),
      last_applied_id = CASE WHEN $3 THEN s.last_applied_id END
    WHERE s.user_id = $1
    """, .text, .text, .bool)
  private static let parkAgent = Statement(
    """
    INSERT INTO mana_ai.agent_snapshots AS s (user_id, agent_id, record) VALUES ($1, $2, '{}')
    ON CONFLICT (user_id, agent_id) DO UPDATE SET state = NULL, updated_at = now(),
      last_applied_id = CASE WHEN $3 THEN s.last_applied_id END
    WHERE s.user_id = $1
    """, .text, .text, .bool)
  private static let readAgent = Statement(
    """
    SELECT s.record FROM mana_ai.agent_snapshots AS s
    WHERE s.user_id = $1 AND s.agent_id = $2 AND s.state IS NOT NULL
    """, .text, .text)
  private static let storedMissions = Statement(
    """
    SELECT s.mission_id, s.record, s.last_applied_at, uuid_send(s.last_applied_id) FROM mana_ai.mission_snapshots AS s
    WHERE s.user_id = $1 AND s.mission_id = ANY ($2)
    """, .text, .textArray)
  private static let storedAgents = Statement(
    """
    SELECT s.agent_id, s.record, s.last_applied_at, uuid_send(s.last_applied_id) FROM mana_ai.agent_snapshots AS s
    WHERE s.user_id = $1 AND s.agent_id = ANY ($2)
    """, .text, .textArray)
}
