// Many runners at once, some of which are killed: every mission goes to one of them at a time, and none is lost.

import Contracts
import Foundation
import Postgres
import PostgresSupport
import Store
import StoreSupport
import Testing

@Suite struct ClaimTests {
  private func addMissions(_ world: World, _ users: [String], each count: Int) async throws {
    for user in users {
      let scope = try scope(user)
      let missions = (0..<count).map { RunningTests.projection("m\($0)", due: Int64($0)) }
      _ = try await world.runner.transact([scope.statement] + missions.map { Projections.write($0, in: scope) })
    }
  }

  private static let running = Statement("SELECT pg_backend_pid()")

  @Test("Twelve claimers at once get every due mission exactly once", arguments: Road.allCases)
  func once(road: Road) async throws {
    try await World.with(road, connections: 12) { world in
      let rounds = Rounds.of(1)
      for round in 1...rounds {
        try await world.script("DELETE FROM mana_ai.mission_snapshots")
        try await addMissions(world, ["u1", "u2", "é", "B"], each: 250)
        let claimed = try await withThrowingTaskGroup(of: [String].self) { group in
          for number in 0..<12 {
            group.addTask {
              let due = DueMissions(world.runner, owner: "runner-\(number)")
              var mine: [String] = []
              while case let page = try await due.claim(limit: 7, lease: .seconds(60)), !page.isEmpty {
                mine += page.map { "\($0.scope.user.text) \($0.mission.text)" }
              }
              return mine
            }
          }
          return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(claimed.count == 1_000 && Set(claimed).count == 1_000)
        Rounds.progress("claimers, \(road)", round, of: rounds)
      }
    }
  }

  @Test(
    "Claimers that are killed in the middle lose nothing: what they held comes back after its lease, not before",
    arguments: Road.allCases)
  func killed(road: Road) async throws {
    try await World.with(road, connections: 12) { world in
      let rounds = Rounds.of(2)
      var (kills, expired) = (0, 0)
      for round in 1...rounds {
        try await world.script("DELETE FROM mana_ai.mission_snapshots; DELETE FROM mana_ai.mission_runs")
        try await addMissions(world, ["u1", "u2", "é", "B"], each: 60)
        // Each claims, and works on what it got; every third claim ends with its claimer's death.
        let done = try await withThrowingTaskGroup(of: (done: [String], kills: Int).self) { group in
          for number in 0..<12 {
            group.addTask {
              let due = DueMissions(world.runner, owner: "runner-\(number)")
              var (mine, kills): ([String], Int) = ([], 0)
              while case let page = try await due.claim(limit: 5, lease: .seconds(60)), !page.isEmpty {
                if (number + kills + mine.count) % 3 == 0, kills < 2 {
                  kills += 1
                  continue
                }
                for mission in page {
                  try await Self.finish(mission, world.runner)
                  mine.append("\(mission.scope.user.text) \(mission.mission.text)")
                }
              }
              return (mine, kills)
            }
          }
          return try await group.reduce(into: (done: [String](), kills: 0)) {
            $0 = ($0.done + $1.done, $0.kills + $1.kills)
          }
        }
        #expect(Set(done.done).count == done.done.count, "no mission twice")
        let held = try await world.number(Self.leased)
        #expect(Int(held) == 240 - done.done.count && held > 0)
        let successor = DueMissions(world.runner, owner: "successor")
        #expect(try await successor.claim(limit: 1_000, lease: .seconds(60)).isEmpty, "a lease is kept")
        try await world.script(
          "UPDATE mana_ai.mission_snapshots SET leased_until = now() WHERE leased_until IS NOT NULL")
        let back = try await successor.claim(limit: 1_000, lease: .seconds(60))
        #expect(back.count == Int(held) && back.allSatisfy { $0.attempt == 2 })
        let all = done.done + back.map { "\($0.scope.user.text) \($0.mission.text)" }
        #expect(Set(all).count == 240 && all.count == 240)
        kills += done.kills
        expired += back.count
        Rounds.progress("killed claimers, \(road)", round, of: rounds)
      }
      print("killed claimers, \(road): \(kills) killed, \(expired) missions came back, none twice, none lost")
      #expect(kills > 0)
    }
  }

  private static func finish(_ mission: DueMission, _ runner: PostgresPool) async throws {
    let run = MissionOutcomeRow(
      mission: mission.mission, dueAt: mission.dueAt, outcome: "planned", iteration: nil, startedAt: nil)
    _ = try await runner.transact([mission.scope.statement, DueMissions.record(run, in: mission.scope)])
  }

  private static let leased = """
    SELECT count(*) FROM mana_ai.mission_snapshots AS s WHERE s.leased_until > now() AND NOT EXISTS (
      SELECT FROM mana_ai.mission_runs AS r
      WHERE r.user_id = s.user_id AND r.mission_id = s.mission_id AND r.due_at = s.next_run_at)
    """

  @Test("A claimer's process that dies before its claim is committed has claimed nothing", arguments: Road.allCases)
  func killedInTransaction(road: Road) async throws {
    try await World.with(road) { world in
      try await addMissions(world, ["u"], each: 10)
      let client = try PSQL(try await world.database.url(StoreRole.runner.rawValue, road))
      #expect(try await client.say("BEGIN;").isEmpty)
      let claimed = try await client.say("SELECT mission_id FROM mana_ai.claim_due('dead', '1 minute', 4);")
      #expect(claimed.count == 4)
      let due = DueMissions(world.runner, owner: "alive")
      // While it lives its rows are locked, and nobody waits for them.
      #expect(try await due.claim(limit: 10, lease: .seconds(60)).count == 6)
      client.kill()
      let isGone = try await world.becomesTrue(
        """
        SELECT (NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
          AND usename = 'mandate_runner' AND state LIKE 'idle in transaction%'))::int
        """)
      #expect(isGone)
      let rest = try await due.claim(limit: 10, lease: .seconds(60))
      #expect(Set(rest.map(\.mission.text)) == Set(claimed) && rest.allSatisfy { $0.attempt == 1 })
    }
  }
}
