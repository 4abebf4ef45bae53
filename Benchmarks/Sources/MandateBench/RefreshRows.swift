// Rows `refresh…`: twenty changes of a mission whose history has a thousand rows, and of one whose history is much
// longer: taken from the queue, read, folded and written, durably. Times; the history must not be felt.

import Contracts
import Missions
import Postgres
import Store

enum RefreshRows {
  private static let changes = 20

  static func row(_ name: String, history: Int, isLong: Bool = false) -> Row {
    Row(name: name, unit: "ms", mark: .atMost(1.3), isLong: isLong) {
      let short = try await Side.with(1_000)
      let long = try await Side.with(history)
      var (ours, yardstick) = (0.0, 0.0)
      // In turns, so that a busy moment of the machine falls on both.
      for _ in 0..<40 {
        yardstick += try await short.milliseconds()
        ours += try await long.milliseconds()
      }
      for side in [short, long] { try await side.forgetNewRows() }
      return Row.Pair(ours: ours / 40, yardstick: yardstick / 40)
    }
  }

  private struct Side: Sendable {
    let database: BenchDatabase
    let runner: PostgresPool
    let writer: PostgresPool

    static func with(_ history: Int) async throws -> Side {
      try await sides.get("\(history)") {
        let database = try await BenchDatabase.named("refresh_\(history)") { try await fill($0, history) }
        return Side(
          database: database, runner: try database.pool(.runner, maximum: 1), writer: try database.pool(nil, maximum: 1)
        )
      }
    }

    func milliseconds() async throws -> Double {
      let rows = try await writer.query(RefreshRows.write.bind())
      let clock = ContinuousClock()
      let start = clock.now
      let tally = try await ProjectionRefresh(runner, by: FoldState.self).run()
      let time = Stopwatch.seconds(clock.now - start) * 1_000
      guard rows.affected == changes, tally.rows == changes, tally.refolded == 0 else {
        throw YardstickProblem(why: "\(tally.rows) rows were read for \(rows.affected) changes")
      }
      return time
    }

    /// Otherwise the short history would become a long one.
    func forgetNewRows() async throws {
      try await database.script("DELETE FROM public.sync_changes WHERE client_id = 'bench'")
      try await database.script("VACUUM public.sync_changes")
    }
  }

  private static let sides = Once<Side>()

  private static let write = Statement(
    """
    INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at)
    SELECT 'ai', 'aiMissions', 'm', 'u', 'update', jsonb_build_object('field' || i % 8, repeat('v', 80)),
      jsonb_build_object('field' || i % 8, '2026-06-01T00:00:00.000Z'), 'bench', clock_timestamp()
    FROM generate_series(1, \(changes)) AS i
    """)

  /// The history is one mission's, and it is folded before the first round, from its one note without a position.
  @Sendable private static func fill(_ database: BenchDatabase, _ history: Int) async throws {
    try await database.script(
      """
      ALTER TABLE public.sync_changes DISABLE TRIGGER sync_changes_enqueue;
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at)
      SELECT 'ai', 'aiMissions', 'm', 'u', 'update', jsonb_build_object('field' || i % 8, repeat('v', 80)),
        jsonb_build_object('field' || i % 8, '2026-01-01T00:00:00.000Z'), 'device',
        now() - interval '30 days' + i * interval '1 second'
      FROM generate_series(1, \(history)) AS i;
      ALTER TABLE public.sync_changes ENABLE ALWAYS TRIGGER sync_changes_enqueue;
      INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id)
      VALUES ('project', 'u', 'ai', 'aiMissions', 'm');
      ANALYZE public.sync_changes
      """)
    let runner = try database.pool(.runner, maximum: 1)
    let tally = try await ProjectionRefresh(runner, by: FoldState.self).run(deadline: .after(BenchDatabase.patience))
    _ = await runner.drain(deadline: .after(.seconds(5)))
    guard tally.rows == history else { throw YardstickProblem(why: "the history was not folded") }
  }
}
