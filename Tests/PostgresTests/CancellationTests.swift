// Deadlines and cancellation reach the server: what the caller gave up, the server gives up too.

import Postgres
import PostgresSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct CancellationTests {
  private static let sleep = Statement("SELECT pg_sleep($1)", .float8)

  /// Opens the connection first, so that a short deadline meets the statement and not the login.
  private func warm(_ pool: PostgresPool) async throws {
    _ = try await pool.query(Self.sleep.bind(.float8(0)))
  }

  /// Asks the server, over a connection of its own, until it has what is wanted; the test's time limit bounds it.
  private func untilActivity(_ query: String, is wanted: Int64) async throws {
    let database = try await SuiteDatabases.shared.name(for: "cancellation")
    let observer = PostgresPool(
      try await Route.direct.configuration(database: database), limits: PoolLimits(minimum: 0, maximum: 1))
    let statement = Statement(
      "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()",
      .text)
    var running: Int64 = -1
    repeat {
      running = try await observer.query(statement.bind(.text(query))).only().get(0)
      await Task.yield()
    } while running != wanted
    _ = await observer.drain(deadline: .after(.seconds(10)))
  }

  @Test(
    "A statement past its deadline is gone from the server, and its connection serves on", arguments: Route.allCases)
  func deadline(route: Route) async throws {
    try await withPool(route, suite: "cancellation") { pool in
      let marker = Statement("SELECT pg_sleep(600) AS deadline_\(route.rawValue)", reuse: .once)
      try await warm(pool)
      let error = try await failure { () throws(PostgresError) in
        _ = try await pool.query(marker.bind(), deadline: .after(.milliseconds(50)))
      }
      #expect(error == .deadline)
      try await untilActivity("%deadline_\(route.rawValue)%", is: 0)
      #expect(pool.statistics.idle == 1, "the connection was not kept")
      #expect(try await pool.query(Self.sleep.bind(.float8(0))).count == 1)
    }
  }

  @Test("A cancelled task's statement is gone from the server", arguments: Route.allCases)
  func taskCancellation(route: Route) async throws {
    try await withPool(route, suite: "cancellation") { pool in
      let marker = Statement("SELECT pg_sleep(600) AS task_\(route.rawValue)", reuse: .once)
      let task = Task { () -> PostgresError? in
        do throws(PostgresError) {
          _ = try await pool.query(marker.bind())
          return nil
        } catch { return error }
      }
      try await untilActivity("%AS task_\(route.rawValue)%", is: 1)
      task.cancel()
      #expect(await task.value == .cancelled)
      try await untilActivity("%AS task_\(route.rawValue)%", is: 0)
    }
  }

  @Test("A batch of slow units stops as a whole", arguments: Route.allCases)
  func batch(route: Route) async throws {
    try await withPool(route, suite: "cancellation") { pool in
      let units = (0..<5).map { _ in PipelineUnit(Self.sleep.bind(.float8(600))) }
      try await warm(pool)
      let outcomes = try await pool.pipeline(units, deadline: .after(.milliseconds(50)))
      #expect(outcomes.count == 5)
      for outcome in outcomes { #expect(outcome.failure?.error == .deadline) }
      #expect(try await pool.query(Self.sleep.bind(.float8(0))).count == 1)
    }
  }

  @Test("What was finished before the deadline is told, the rest is told apart", arguments: Route.allCases)
  func partial(route: Route) async throws {
    try await withPool(route, suite: "cancellation") { pool in
      try await warm(pool)
      let outcomes = try await pool.pipeline(
        [PipelineUnit(Self.sleep.bind(.float8(0))), PipelineUnit(Self.sleep.bind(.float8(600)))],
        deadline: .after(.milliseconds(200)))
      #expect(try outcomes[0].get().count == 1)
      // Behind a pooler the second is sent only after the first, which may be too late already.
      #expect(outcomes[1].failure?.error == .deadline)
      #expect(outcomes[1].failure?.nothingRemains == true)
    }
  }

  @Test("A thousand cancelled calls leave no connection behind", arguments: Route.allCases)
  func noLeak(route: Route) async throws {
    try await withPool(route, suite: "cancellation", limits: PoolLimits(minimum: 0, maximum: 4)) { pool in
      let ended = await withTaskGroup(of: Int.self) { group in
        for index in 0..<1_000 {
          group.addTask {
            let call = Task {
              do throws(PostgresError) {
                _ = try await pool.query(Self.sleep.bind(.float8(0.002)))
              } catch {}
            }
            if index % 3 != 0 { await Task.yield() }
            call.cancel()
            await call.value
            return 1
          }
        }
        var ended = 0
        for await one in group { ended += one }
        return ended
      }
      #expect(ended == 1_000)
      let statistics = pool.statistics
      #expect(statistics.inUse == 0 && statistics.opening == 0 && statistics.waiting == 0)
      #expect(statistics.idle <= 4)
      let rows = try await pool.query(Self.sleep.bind(.float8(0)))
      #expect(rows.count == 1)
    }
  }

  @Test("A call that begins cancelled, or late, sends nothing")
  func tooLate() async throws {
    try await withPool(.direct, suite: "cancellation") { pool in
      try await pool.withSession { session throws(PostgresError) in
        let outcomes = try await session.pipeline(
          [PipelineUnit(Self.sleep.bind(.float8(0)))], deadline: .after(.seconds(-1)))
        #expect(outcomes.first?.failure == .unsent(.deadline))
      }
      // Cancelled while it holds the session, before it calls.
      let (holds, held) = AsyncStream<Void>.makeStream()
      let task = Task { () -> UnitFailure? in
        try await pool.withSession { session throws(PostgresError) in
          held.finish()
          while !Task.isCancelled { await Task.yield() }
          return try await session.pipeline([PipelineUnit(Self.sleep.bind(.float8(0)))]).first?.failure
        }
      }
      for await _ in holds {}
      task.cancel()
      #expect(try await task.value == .unsent(.cancelled))
    }
  }

  @Test("More slow statements than cores do not hold up other tasks")
  func cooperativeThreadsStayFree() async throws {
    try await withPool(.direct, suite: "cancellation", limits: PoolLimits(minimum: 0, maximum: 16)) { pool in
      // Fifteen statements wait for a lock that is let go only after other tasks have run while all of them wait.
      let lock = Statement("SELECT pg_advisory_xact_lock(4711)")
      let waiting = try await pool.withTransaction { transaction throws(PostgresError) in
        _ = try await transaction.query(lock.bind())
        let waiting = Task {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<15 { group.addTask { _ = try await pool.query(lock.bind()) } }
            try await group.waitForAll()
          }
        }
        do {
          try await untilActivity("%pg_advisory_xact_lock(4711)%", is: 15)
        } catch { Issue.record(error) }
        let sum = await withTaskGroup(of: Int.self) { group in
          for number in 0..<1_000 { group.addTask { number } }
          var sum = 0
          for await number in group { sum += number }
          return sum
        }
        #expect(sum == 499_500)
        return waiting
      }
      try await waiting.value
    }
  }
}

extension Result {
  var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}
