// What is due is handed out once; what was spent and what came of it is kept.

import Contracts
import Postgres
import Store
import StoreSupport
import Synchronization
import Testing

@Suite struct RunningTests {
  static func projection(_ name: String, due: Int64, state: String = "active", parked: String? = nil)
    -> MissionProjection
  {
    MissionProjection(
      mission: Identifier(name), record: JSONObject([(JSONString("id"), .string(name))]), appliedAt: at(0),
      state: state,
      nextRun: at(due), parked: parked)
  }

  static func at(_ seconds: Int64) -> PostgresTimestamp {
    PostgresTimestamp(microsecondsSince2000: 800_000_000_000_000 + seconds * 1_000_000)
  }

  private func write(_ world: World, _ user: String, _ missions: [MissionProjection]) async throws {
    let scope = try scope(user)
    _ = try await world.runner.transact([scope.statement] + missions.map { Projections.write($0, in: scope) })
  }

  @Test(
    "Due is what is active, not parked and without an outcome; the longest due comes first", arguments: Road.allCases)
  func due(road: Road) async throws {
    try await World.with(road) { world in
      let user = try scope("a")
      try await write(
        world, "a",
        [
          Self.projection("m2", due: 2), Self.projection("m1", due: 1), Self.projection("done", due: 0, state: "done"),
          Self.projection("parked", due: 0, parked: "too-many-failures"), Self.projection("ran", due: 0),
          Self.projection("later", due: 400_000_000),
        ])
      let run = MissionOutcomeRow(
        mission: Identifier("ran"), dueAt: Self.at(0), outcome: "planned", iteration: Identifier("i"), startedAt: nil)
      for affected in [1, 0] {
        let rows = try await world.runner.transact([user.statement, DueMissions.record(run, in: user)])
        #expect(rows[1].affected == affected, "a due time has one outcome")
      }
      let due = DueMissions(world.runner, owner: "me")
      let claimed = try await due.claim(limit: 10, lease: .seconds(60))
      #expect(claimed.map(\.mission.text) == ["m1", "m2"])
      #expect(claimed.map { $0.record["id"]?.text } == ["m1", "m2"] && claimed.map(\.attempt) == [1, 1])
      #expect(try await due.claim(limit: 10, lease: .seconds(60)).isEmpty)
      // Another due time is another run, and its attempts begin anew.
      try await write(world, "a", [Self.projection("ran", due: 5)])
      #expect(try await due.claim(limit: 10, lease: .seconds(60)).map(\.mission.text) == ["ran"])
    }
  }

  @Test("A lease that ran out is handed out again, and its former holder can tell", arguments: Road.allCases)
  func leases(road: Road) async throws {
    try await World.with(road) { world in
      try await write(world, "a", [Self.projection("m", due: 0)])
      let (one, two) = (DueMissions(world.runner, owner: "one"), DueMissions(world.runner, owner: "two"))
      let first = try #require(try await one.claim(limit: 1, lease: .seconds(60)).first)
      #expect(try await two.claim(limit: 1, lease: .seconds(60)).isEmpty)
      try await world.script("UPDATE mana_ai.mission_snapshots SET leased_until = now() - interval '1 second'")
      let second = try #require(try await two.claim(limit: 1, lease: .seconds(60)).first)
      #expect(second.attempt == 2)
      let scope = first.scope
      try await world.runner.withTransaction(of: scope) { transaction throws(any Error) in
        #expect(try await one.isStillMine(first, in: &transaction) == false)
        #expect(try await two.isStillMine(second, in: &transaction))
      }
      #expect(try await one.release(first) == false)
      #expect(try await two.release(second))
      #expect(try await one.claim(limit: 1, lease: .seconds(60)).first?.attempt == 3)
      for lease in [Duration.zero, .seconds(-1), .seconds(200_000)] {
        let error = try await failure { () async throws(PostgresError) in
          _ = try await one.claim(limit: 1, lease: lease)
        }
        #expect(error.state == SQLState("MD003"))
      }
    }
  }

  @Test(
    "Tokens count per user and agent for a day, and paid research survives until it is used", arguments: Road.allCases)
  func spending(road: Road) async throws {
    try await World.with(road) { world in
      let (a, b) = (try scope("a"), try scope("b"))
      let (agent, mission) = (Identifier("agent"), Identifier("m"))
      for scope in [a, b] {
        _ = try await world.runner.transact([
          scope.statement, TokenUsage.add(70, agent: agent, mission: mission, in: scope),
          TokenUsage.add(30, agent: agent, mission: mission, in: scope),
        ])
      }
      try await world.script("UPDATE mana_ai.token_usage SET ts = now() - interval '49 hours' WHERE tokens_used = 70")
      let sum = try await world.runner.transact([a.statement, TokenUsage.lastDay(agent: agent, in: a)])
      #expect(try TokenUsage.decode(sum[1]) == 30)
      #expect(try await TokenUsage.prune(world.runner) == false)
      #expect(try await world.number("SELECT count(*) FROM mana_ai.token_usage") == 2)

      func run(_ statement: BoundStatement) async throws -> Int {
        try await world.runner.transact([a.statement, statement])[1].affected
      }
      func job() async throws -> ResearchJob? {
        try ResearchJobs.decode(
          try await world.runner.transact([a.statement, ResearchJobs.job(mission: mission, in: a)])[1])
      }
      let intend = ResearchJobs.intend(mission: mission, provider: "p", dueAt: Self.at(0), in: a)
      #expect(try await run(intend) == 1)
      #expect(try await run(intend) == 0, "it is paid for once")
      #expect(try await job()?.state == .intended)
      #expect(
        try await run(ResearchJobs.completed(mission: mission, result: .null, in: a)) == 0, "it was never submitted")
      #expect(try await run(ResearchJobs.submitted(mission: mission, task: "t", in: a)) == 1)
      #expect(try await run(ResearchJobs.polled(mission: mission, in: a)) == 1)
      #expect(try await run(ResearchJobs.completed(mission: mission, result: .string("r"), in: a)) == 1)
      #expect(try await run(ResearchJobs.failed(mission: mission, in: a)) == 0, "a result is kept")
      let done = try #require(try await job())
      #expect(done.state == .completed && done.task == "t" && done.result == .string("r"))
      #expect(try await run(ResearchJobs.remove(mission: mission, in: a)) == 1)
      #expect(try await job() == nil)
    }
  }
}
