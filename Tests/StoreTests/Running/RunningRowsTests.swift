// What the runner's tables themselves refuse, whoever writes them, and what the gauges say.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct RunningRowsTests {
  @Test(
    "An outcome is a word and stays; research has its intent before its task, and its task before its result",
    arguments: Road.allCases)
  func rows(road: Road) async throws {
    try await World.with(road) { world in
      func tries(_ sqls: [String]) async throws -> [Trial] { try await world.tries(world.runner, sqls, scope: "a") }
      let run = "INSERT INTO mana_ai.mission_runs (user_id, mission_id, due_at, outcome) VALUES ('a', 'm', now(), "
      let words = ["", "Planned", "two words", String(repeating: "x", count: 65), "-x", "x-"]
      #expect(try await tries(words.map { "\(run)'\($0)')" }) == words.map { _ in .refused(.checkViolation) })
      #expect(
        try await tries(["\(run)'planned')", "UPDATE mana_ai.mission_runs SET outcome = 'failed'"]) == [
          .accepted, .refused(.insufficientPrivilege),
        ])
      try await world.script(
        """
        INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, provider_id, state, due_at)
        VALUES ('a', 'm', 'p', 'intended', now());
        INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record) VALUES ('a', 'm', '{}')
        """)
      let job = "UPDATE mana_ai.mission_research_jobs SET"
      let wrong = ["state = 'submitted'", "state = 'completed', task_id = 't'", "state = 'lost'"]
      #expect(try await tries(wrong.map { "\(job) \($0)" }) == wrong.map { _ in .refused(.checkViolation) })
      let second =
        "INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, provider_id, task_id) VALUES ('a', 'm', 'p', 't')"
      #expect(
        try await tries([second, "\(job) state = 'submitted', task_id = 't'"]) == [
          .refused(.uniqueViolation), .accepted,
        ])
      let half = "UPDATE mana_ai.mission_snapshots SET lease_owner = 'x', leased_until = NULL"
      #expect(try await tries([half]) == [.refused(.checkViolation)], "half a lease")
      let leases = ["'', '1 minute'", "NULL, '1 minute'", "'me', '0 seconds'", "'me', '2 days'", "'me', NULL"]
      let claims = try await tries(leases.map { "SELECT * FROM mana_ai.claim_due(\($0), 1)" })
      #expect(claims == leases.map { _ in .refused(SQLState("MD003")) })
    }
  }

  @Test("Usage is kept for two days and deleted in bites", arguments: Road.allCases)
  func usage(road: Road) async throws {
    try await World.with(road) { world in
      try await world.script(
        """
        INSERT INTO mana_ai.token_usage (user_id, agent_id, mission_id, tokens_used, ts)
        SELECT 'u' || i, 'g', 'm', 1, now() - i * interval '1 hour' FROM generate_series(1, 100) AS i
        """)
      var more: [Bool] = []
      for _ in 0..<3 { more.append(try await TokenUsage.prune(world.runner, limit: 30)) }
      #expect(more == [true, false, false])
      #expect(try await world.number("SELECT count(*) FROM mana_ai.token_usage") == 47)
    }
  }

  @Test("The gauges say what waits, to each service, and count no further than they must", arguments: Road.allCases)
  func gauges(road: Road) async throws {
    try await World.with(road) { world in
      try await world.script(
        """
        INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record, state, next_run_at)
        SELECT 'u', 'm' || i, '{}', 'active', now() - interval '1 hour' FROM generate_series(1, 2) AS i;
        INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id, enqueued_at)
        SELECT 'seal', 'u', 'a', 't', 'r', now() - interval '10 minutes' FROM generate_series(1, 100050)
        """)
      let statement = Statement("SELECT g.name || ' ' || g.label, g.value::float8 FROM mana_ai.gauges() AS g")
      for role in [StoreRole.issuer, .resolver, .runner] {
        var found: [String: Double] = [:]
        for row in try await world.pool(role).query(statement.bind()) {
          found[try row.get(0)] = try row.get(1) as Double
        }
        #expect(found["queue_depth seal"] == 100_000 && found["queue_depth project"] == 0)
        #expect((600..<3_600).contains(found["queue_lag_seconds seal"] ?? 0))
        #expect((3_500..<7_000).contains(found["oldest_due_mission_seconds "] ?? 0), "\(found)")
      }
    }
  }
}
