// The pool with real connections: limits, deadlines in the queue, housekeeping, and a server that goes and comes.

import Postgres
import PostgresSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct PoolTests {
  private static let whoAmI = Statement("SELECT pg_backend_pid()")

  /// Holds a session until told to let it go.
  private func hold(_ pool: PostgresPool, _ count: Int) async throws -> (
    release: @Sendable () -> Void, Task<Void, any Error>
  ) {
    let (doors, open) = AsyncStream<Void>.makeStream()
    let (entries, entered) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<count {
          group.addTask {
            try await pool.withSession { session throws(PostgresError) in
              _ = try await session.query(Self.whoAmI.bind())
              entered.yield()
              // Ends when the stream does, for every one who waits on it.
              for await _ in doors {}
            }
          }
        }
        try await group.waitForAll()
      }
    }
    var inside = 0
    for await _ in entries {
      inside += 1
      if inside == count { break }
    }
    return ({ open.finish() }, task)
  }

  @Test("No more connections than the maximum, and who waits past its deadline is told", arguments: Route.allCases)
  func limit(route: Route) async throws {
    try await withPool(route, suite: "pool", limits: PoolLimits(minimum: 0, maximum: 2)) { pool in
      let (release, held) = try await hold(pool, 2)
      let error = try await failure { () throws(PostgresError) in
        _ = try await pool.query(Self.whoAmI.bind(), deadline: .after(.milliseconds(50)))
      }
      #expect(error == .poolExhausted(.waitedTooLong))
      #expect(pool.statistics.inUse == 2 && pool.statistics.waiting == 0)
      release()
      try await held.value
      let rows = try await pool.query(Self.whoAmI.bind())
      #expect(rows.count == 1)
      #expect(pool.statistics.opened == 2)
    }
  }

  @Test("A full queue refuses at once, a cancelled caller leaves it")
  func queue() async throws {
    try await withPool(.direct, suite: "pool", limits: PoolLimits(minimum: 0, maximum: 1, waiters: 1)) { pool in
      let (release, held) = try await hold(pool, 1)
      let waiting = Task { () -> PostgresError? in
        do throws(PostgresError) {
          _ = try await pool.query(Self.whoAmI.bind())
          return nil
        } catch { return error }
      }
      while pool.statistics.waiting == 0 { await Task.yield() }
      let error = try await failure { () throws(PostgresError) in _ = try await pool.query(Self.whoAmI.bind()) }
      #expect(error == .poolExhausted(.queueFull))
      waiting.cancel()
      #expect(await waiting.value == .cancelled)
      #expect(pool.statistics.waiting == 0)
      release()
      try await held.value
    }
  }

  private actor Served {
    private(set) var numbers: [Int] = []
    func append(_ number: Int) { numbers.append(number) }
  }

  @Test("Who waited first is served first")
  func fairness() async throws {
    try await withPool(.direct, suite: "pool", limits: PoolLimits(minimum: 0, maximum: 1)) { pool in
      let (release, held) = try await hold(pool, 1)
      let served = Served()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<20 {
          group.addTask {
            try await pool.withSession { _ throws(PostgresError) in await served.append(number) }
          }
          while pool.statistics.waiting <= number { await Task.yield() }
        }
        release()
        try await group.waitForAll()
      }
      try await held.value
      #expect(await served.numbers == Array(0..<20))
    }
  }

  @Test("A hundred callers share four connections, and each gets its own answer", arguments: Route.allCases)
  func sharing(route: Route) async throws {
    try await withPool(route, suite: "pool") { pool in
      let echo = Statement("SELECT $1::int8", .int8)
      let sum = try await withThrowingTaskGroup(of: Int64.self) { group in
        for caller in 0..<100 {
          group.addTask {
            var sum: Int64 = 0
            for call in 0..<20 {
              let number = Int64(caller * 1_000 + call)
              let answer = try await pool.query(echo.bind(.int8(number))).only().get(0, as: Int64.self)
              #expect(answer == number)
              sum += 1
            }
            return sum
          }
        }
        var sum: Int64 = 0
        for try await part in group { sum += part }
        return sum
      }
      #expect(sum == 2_000)
      #expect(pool.statistics.opened <= 4 && pool.statistics.inUse == 0)
    }
  }

  @Test("The minimum is kept open, what lies idle longer than allowed is closed")
  func housekeeping() async throws {
    var limits = PoolLimits(minimum: 2, maximum: 4)
    limits.housekeeping = .milliseconds(5)
    limits.idleTime = .milliseconds(20)
    try await withPool(.direct, suite: "pool", limits: limits) { pool in
      let running = Task { await pool.run() }
      while pool.statistics.idle < 2 { await Task.yield() }
      let (release, held) = try await hold(pool, 4)
      #expect(pool.statistics.inUse == 4)
      release()
      try await held.value
      while pool.statistics.closed < 2 { await Task.yield() }
      #expect(pool.statistics.idle == 2)
      running.cancel()
      await running.value
    }
  }

  @Test("A connection past its lifetime is replaced")
  func lifetime() async throws {
    var limits = PoolLimits(minimum: 0, maximum: 1)
    limits.lifetime = .nanoseconds(1)
    try await withPool(.direct, suite: "pool", limits: limits) { pool in
      let first = try await pool.query(Self.whoAmI.bind()).only().get(0, as: Int32.self)
      let second = try await pool.query(Self.whoAmI.bind()).only().get(0, as: Int32.self)
      #expect(first != second)
      #expect(pool.statistics.closed == 2)
    }
  }

  @Test("A connection that the server ended while it lay idle is not lent", arguments: Route.allCases)
  func endedWhileIdle(route: Route) async throws {
    // A database of its own: PgBouncer would give the dying server process to another test.
    try await withPool(.direct, suite: "pool-ended", limits: PoolLimits(minimum: 0, maximum: 1)) { killer in
      try await withPool(route, suite: "pool-ended", limits: PoolLimits(minimum: 0, maximum: 1)) { pool in
        let process = try await pool.query(Self.whoAmI.bind()).only().get(0, as: Int32.self)
        let end = Statement("SELECT pg_terminate_backend($1, 10000)", .int4)
        let ended = try await killer.query(end.bind(.int4(process))).only().get(0, as: Bool.self)
        #expect(ended)
        let other = try await pool.query(Self.whoAmI.bind()).only().get(0, as: Int32.self)
        #expect(other != process)
      }
    }
  }

  @Test("A drained pool lets nobody in, and ends what outlasts its patience on the server too")
  func drain() async throws {
    let database = try await SuiteDatabases.shared.name(for: "pool")
    let pool = PostgresPool(try await Route.direct.configuration(database: database))
    let (inside, entered) = AsyncStream<Void>.makeStream()
    let slow = Task { () -> PostgresError? in
      do throws(PostgresError) {
        try await pool.withSession { session throws(PostgresError) in
          _ = try await session.query(Self.whoAmI.bind())
          entered.finish()
          _ = try await session.query(
            Statement("SELECT pg_sleep(600)", reuse: .once).bind(), deadline: .after(.seconds(600)))
        }
        return nil
      } catch { return error }
    }
    for await _ in inside {}
    #expect(await pool.drain(deadline: .after(.milliseconds(50))) == false)
    #expect(await slow.value == .poolClosed)
    let error = try await failure { () throws(PostgresError) in _ = try await pool.query(Self.whoAmI.bind()) }
    #expect(error == .poolClosed)
    #expect(pool.statistics.inUse == 0 && pool.statistics.idle == 0)
  }

  @Test("Housekeeping at a server that is away keeps nobody out when it is back")
  func housekeepingWhileAway() async throws {
    let cluster = try await TemporaryCluster.start()
    var limits = PoolLimits(minimum: 2, maximum: 2)
    limits.housekeeping = .milliseconds(5)
    limits.firstBackoff = .milliseconds(1)
    limits.longestBackoff = .milliseconds(2)
    let pool = PostgresPool(try cluster.configuration(), limits: limits)
    try await cluster.order(.stop)
    let running = Task { await pool.run() }
    while pool.statistics.failedToOpen < 3 { await Task.yield() }
    try await cluster.order(.start)
    let rows = try await pool.query(Self.whoAmI.bind())
    #expect(rows.count == 1)
    while pool.statistics.idle < 2 { await Task.yield() }
    running.cancel()
    await running.value
    #expect(pool.statistics.opening == 0 && pool.statistics.waiting == 0 && pool.statistics.inUse == 0)
    #expect(await pool.drain(deadline: .after(.seconds(10))))
    try await cluster.end()
  }

  @Test("A restarted server, and one whose postmaster was killed, is found again without a failed call")
  func restart() async throws {
    let cluster = try await TemporaryCluster.start()
    let pool = PostgresPool(try cluster.configuration(), limits: PoolLimits(minimum: 0, maximum: 4))
    for order in [TemporaryCluster.Order.restart, .crash] {
      let (release, held) = try await hold(pool, 4)
      release()
      try await held.value
      #expect(pool.statistics.idle == 4)
      try await cluster.order(order)
      if order == .crash { try await cluster.order(.start) }
      let rows = try await pool.query(Self.whoAmI.bind())
      #expect(rows.count == 1)
    }
    // While it is away: whoever can wait is served when it is back, whoever can't is told why.
    try await cluster.order(.stop)
    let error = try await failure { () throws(PostgresError) in
      _ = try await pool.query(Self.whoAmI.bind(), deadline: .after(.seconds(1)))
    }
    #expect(error == .unreachable(ConnectFailure(reason: .network)))
    async let patient = withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<10 {
        group.addTask { try await pool.query(Self.whoAmI.bind(), deadline: .after(.seconds(60))).count }
      }
      var served = 0
      for try await count in group { served += count }
      return served
    }
    while pool.statistics.waiting < 9 { await Task.yield() }
    #expect(pool.statistics.opening == 1, "more than one attempt at a server that is away")
    try await cluster.order(.start)
    #expect(try await patient == 10)
    #expect(await pool.drain(deadline: .after(.seconds(10))))
    try await cluster.end()
  }
}
