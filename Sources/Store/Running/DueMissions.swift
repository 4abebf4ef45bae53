// Which missions are due, each handed to one runner for the length of a lease; and the one outcome of each due time.

package import Contracts
package import Postgres

package struct DueMission: Sendable {
  package let scope: UserScope
  package let mission: Identifier
  package let dueAt: PostgresTimestamp
  /// With the owner's name it tells a late write-back that it is no longer its turn.
  package let attempt: Int32
  package let leasedUntil: PostgresTimestamp
  package let record: JSONObject
}

package struct MissionOutcomeRow: Sendable {
  package let mission: Identifier
  package let dueAt: PostgresTimestamp
  /// Lower-case words joined by hyphens.
  package let outcome: String
  package let iteration: Identifier?
  package let startedAt: PostgresTimestamp?

  package init(
    mission: Identifier, dueAt: PostgresTimestamp, outcome: String, iteration: Identifier?,
    startedAt: PostgresTimestamp?
  ) {
    self.mission = mission
    self.dueAt = dueAt
    self.outcome = outcome
    self.iteration = iteration
    self.startedAt = startedAt
  }
}

package struct DueMissions: Sendable {
  private let pool: PostgresPool
  /// This runner, among all that there are.
  private let owner: String

  package init(_ pool: PostgresPool, owner: String) {
    self.pool = pool
    self.owner = owner
  }

  /// Up to `limit`, 1,000 at most, the longest due first. A snapshot that is no object can't be planned; it stays
  /// leased, so that it does not stand in the way, and is left out.
  nonisolated(nonsending)
    package func claim(
      limit: Int32, lease: Duration, deadline: Deadline? = nil
    ) async throws(PostgresError) -> [DueMission]
  {
    let rows = try await pool.query(
      Self.claiming.bind(.text(owner), .float8(lease / .seconds(1)), .int4(limit)), deadline: deadline)
    var due: [DueMission] = []
    for row in rows {
      guard let record = try row.json(5).object else { continue }
      due.append(
        DueMission(
          scope: try row.scope(0), mission: try row.identifier(1), dueAt: try row.get(2), attempt: try row.get(3),
          leasedUntil: try row.get(4), record: record))
    }
    return due
  }

  /// Gives a lease back before its time. False where it was not this runner's any more.
  nonisolated(nonsending)
    package func release(_ due: DueMission, deadline: Deadline? = nil) async throws(TransactionError<PostgresError>)
    -> Bool
  {
    try await pool.transact(
      [
        due.scope.statement,
        Self.releasing.bind(.utf8(due.scope.user.utf8), .utf8(due.mission.utf8), .text(owner), .int4(due.attempt)),
      ], deadline: deadline
    ).last?.affected == 1
  }

  /// True while the lease is this runner's, in the transaction that writes the run back; the row stays locked until
  /// it ends, so nobody can claim the mission in between.
  nonisolated(nonsending)
    package func isStillMine(
      _ due: DueMission, in transaction: inout PostgresTransaction
    ) async throws(PostgresError) -> Bool
  {
    let rows = try await transaction.query(
      Self.holding.bind(.utf8(due.scope.user.utf8), .utf8(due.mission.utf8), .text(owner), .int4(due.attempt)))
    return rows.count == 1
  }

  /// Waits for writers of this mission to end, five seconds at most, and keeps others out until the transaction ends:
  /// what is read after this is the present, and what is written on top of it loses no edit.
  package static func lock(_ mission: Identifier, in scope: UserScope) -> BoundStatement {
    locking.bind(.utf8(scope.user.utf8), .utf8(mission.utf8))
  }

  /// The outcome of a due time, behind the user's scope. It touches one row, or none where there is one already.
  package static func record(_ run: MissionOutcomeRow, in scope: UserScope) -> BoundStatement {
    recording.bind(
      .utf8(scope.user.utf8), .utf8(run.mission.utf8), .timestamp(run.dueAt), .text(run.outcome),
      .utf8(run.iteration?.utf8), .timestamp(run.startedAt))
  }

  private static let claiming = Statement(
    """
    SELECT c.user_id, c.mission_id, c.due_at, c.attempts, c.leased_until, c.record
    FROM mana_ai.claim_due($1, make_interval(secs => $2), $3) AS c
    """, .text, .float8, .int4)
  private static let releasing = Statement(
    """
    UPDATE mana_ai.mission_snapshots AS s SET leased_until = NULL, lease_owner = NULL
    WHERE s.user_id = $1 AND s.mission_id = $2 AND s.lease_owner = $3 AND s.attempts = $4
    """, .text, .text, .text, .int4)
  private static let holding = Statement(
    """
    SELECT 1 FROM mana_ai.mission_snapshots AS s
    WHERE s.user_id = $1 AND s.mission_id = $2 AND s.lease_owner = $3 AND s.attempts = $4 FOR UPDATE
    """, .text, .text, .text, .int4)
  private static let locking = Statement("SELECT mana_ai.lock_mission($1, $2)", .text, .text)
  private static let recording = Statement(
    """
    INSERT INTO mana_ai.mission_runs (user_id, mission_id, due_at, outcome, iteration_id, started_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, mission_id, due_at) DO NOTHING
    """, .text, .text, .timestamptz, .text, .text, .timestamptz)
}
