// Research that is paid for: the intent is written before a job is submitted, and its result is kept until the plan
// that used it is stored. Neither a crash nor a failed planner loses what was paid.

package import Contracts
package import Postgres

package struct ResearchJob: Sendable {
  package enum State: String, Sendable, CaseIterable {
    case intended, submitted, completed, failed
  }
  package let mission: Identifier
  package let provider: String
  package let task: String?
  package let dueAt: PostgresTimestamp?
  package let state: State
  package let result: JSONValue?
  package let submittedAt: PostgresTimestamp
}

/// Statements, to be sent behind the user's scope and in its transaction. Each touches one row, or none where the job
/// is not in the state that it must be in.
package enum ResearchJobs {
  /// A job that is there already stays: it is paid for.
  package static func intend(
    mission: Identifier, provider: String, dueAt: PostgresTimestamp, in scope: UserScope
  ) -> BoundStatement {
    intending.bind(.utf8(scope.user.utf8), .utf8(mission.utf8), .text(provider), .timestamp(dueAt))
  }

  package static func submitted(mission: Identifier, task: String, in scope: UserScope) -> BoundStatement {
    submitting.bind(.utf8(scope.user.utf8), .utf8(mission.utf8), .text(task))
  }

  package static func polled(mission: Identifier, in scope: UserScope) -> BoundStatement {
    polling.bind(.utf8(scope.user.utf8), .utf8(mission.utf8))
  }

  package static func completed(mission: Identifier, result: JSONValue, in scope: UserScope) -> BoundStatement {
    completing.bind(.utf8(scope.user.utf8), .utf8(mission.utf8), .json(result))
  }

  package static func failed(mission: Identifier, in scope: UserScope) -> BoundStatement {
    failing.bind(.utf8(scope.user.utf8), .utf8(mission.utf8))
  }

  /// In the transaction that stores the plan.
  package static func remove(mission: Identifier, in scope: UserScope) -> BoundStatement {
    removing.bind(.utf8(scope.user.utf8), .utf8(mission.utf8))
  }

  package static func job(mission: Identifier, in scope: UserScope) -> BoundStatement {
    reading.bind(.utf8(scope.user.utf8), .utf8(mission.utf8))
  }

  package static func decode(_ rows: Rows) throws(PostgresError) -> ResearchJob? {
    guard let row = try rows.first() else { return nil }
    guard let state = ResearchJob.State(rawValue: try row.get(4)) else {
      throw .decoding(DecodingProblem(column: 4, reason: .malformed))
    }
    return ResearchJob(
      mission: try row.identifier(0), provider: try row.get(1), task: try row.get(2), dueAt: try row.get(3),
      state: state, result: row.isNull(5) ? nil : try row.json(5), submittedAt: try row.get(6))
  }

  private static let intending = Statement(
    """
    INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, provider_id, due_at, state)
    VALUES ($1, $2, $3, $4, 'intended') ON CONFLICT (user_id, mission_id) DO NOTHING
    """, .text, .text, .text, .timestamptz)
  private static let submitting = change("state = 'submitted', task_id = $3", when: "state = 'intended'", .text)
  private static let polling = change("last_polled_at = clock_timestamp()", when: "state = 'submitted'")
  private static let completing = change("state = 'completed', result = $3", when: "state = 'submitted'", .jsonb)
  private static let failing = change("state = 'failed'", when: "state IN ('intended', 'submitted')")
  private static let removing = Statement(
    "DELETE FROM mana_ai.mission_research_jobs AS j WHERE j.user_id = $1 AND j.mission_id = $2", .text, .text)
  private static let reading = Statement(
    """
    SELECT j.mission_id, j.provider_id, j.task_id, j.due_at, j.state, j.result, j.submitted_at
    FROM mana_ai.mission_research_jobs AS j WHERE j.user_id = $1 AND j.mission_id = $2
    """, .text, .text)

  private static func change(_ assignment: String, when condition: String, _ more: PostgresType...) -> Statement {
    Statement(
      "UPDATE mana_ai.mission_research_jobs SET \(assignment) WHERE user_id = $1 AND mission_id = $2 AND \(condition)",
      [.text, .text] + more)
  }
}
