// Rows `tick-idle…`: what a tick asks the database when nothing is due and nothing has changed, beside a thousand
// missions and beside many more. Times, and the smaller the better: a tick must not feel how many missions there are.

import Contracts
import Missions
import Postgres
import Store

enum TickRows {
  static func row(_ name: String, missions: Int, isLong: Bool = false) -> Row {
    Row(name: name, unit: "ms", mark: .atMost(1.3), isLong: isLong) {
      let few = try await ticker(1_000)
      let many = try await ticker(missions)
      var (ours, yardstick) = (0.0, 0.0)
      // In turns, so that a busy moment of the machine falls on both.
      for _ in 0..<20 {
        yardstick += try await milliseconds(few)
        ours += try await milliseconds(many)
      }
      return Row.Pair(ours: ours / 20, yardstick: yardstick / 20)
    }
  }

  private static let pools = Once<PostgresPool>()

  private static func ticker(_ missions: Int) async throws -> PostgresPool {
    let database = try await BenchDatabase.named("tick_\(missions)") { try await fill($0, missions) }
    return try await pools.get(database.name) { try database.pool(.runner, maximum: 1) }
  }

  private static func milliseconds(_ pool: PostgresPool) async throws -> Double {
    let due = DueMissions(pool, owner: "bench")
    let refresh = ProjectionRefresh(pool, by: FoldState.self)
    let clock = ContinuousClock()
    let ticks = 20
    let start = clock.now
    for _ in 0..<ticks {
      let tally = try await refresh.run()
      let claimed = try await due.claim(limit: 100, lease: .seconds(60))
      guard tally.notes == 0, claimed.isEmpty else { throw YardstickProblem(why: "the idle tick was not idle") }
    }
    return Stopwatch.seconds(clock.now - start) * 1_000 / Double(ticks)
  }

  /// Two thirds wait for a later hour, the others are paused.
  private static func fill(_ database: BenchDatabase, _ missions: Int) async throws {
    try await database.script(
      """
      INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record, state, next_run_at)
      SELECT 'user-' || i % 1000, 'mission-' || i,
        jsonb_build_object('id', 'mission-' || i, 'title', repeat('t', 40), 'objective', repeat('o', 200)),
        CASE WHEN i % 3 = 0 THEN 'paused' ELSE 'active' END, now() + interval '1 day' + i * interval '1 second'
      FROM generate_series(1, \(missions)) AS i
      """)
  }
}
