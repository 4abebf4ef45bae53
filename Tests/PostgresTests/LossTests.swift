// Connections that die at the worst moment: what the caller is told is true, and the pool goes on.

import Postgres
import PostgresSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct LossTests {
  private static let wait = Statement("SELECT pg_advisory_xact_lock($1)", .int8)
  private static let whoAmI = Statement("SELECT pg_backend_pid()")

  /// A second way into the same database, which sees and kills.
  private func withObserver<Value>(_ body: (PostgresPool) async throws -> Value) async throws -> Value {
    let database = try await SuiteDatabases.shared.name(for: "loss")
    let pool = PostgresPool(
      try await Route.direct.configuration(database: database), limits: PoolLimits(minimum: 0, maximum: 2))
    let value = try await body(pool)
    _ = await pool.drain(deadline: .after(.seconds(10)))
    return value
  }

  /// Waits until that process waits for a lock, then ends it.
  private func terminateWhenBlocked(_ observer: PostgresPool, _ process: Int32) async throws {
    let blocked = Statement("SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted", .int4)
    var count: Int64 = 0
    while count == 0 { count = try await observer.query(blocked.bind(.int4(process))).only().get(0) }
    let terminate = Statement("SELECT pg_terminate_backend($1)", .int4)
    #expect(try await observer.query(terminate.bind(.int4(process))).only().get(0, as: Bool.self))
  }

  private func table(_ pool: PostgresPool, _ definition: String = "n int8 PRIMARY KEY") async throws -> String {
    let name = "t\(UInt64.random(in: 0 ... .max))"
    try await pool.withSession { session throws(PostgresError) in
      try await session.script("CREATE TABLE \(name) (\(definition))")
    }
    return name
  }

  private func count(_ pool: PostgresPool, _ table: String) async throws -> Int64 {
    try await pool.query(Statement("SELECT count(*) FROM \(table)", reuse: .once).bind()).only().get(0)
  }

  private func wasTerminated(_ error: PostgresError, _ route: Route) -> Bool {
    switch error {
    // PgBouncer closes when its server is gone, with words of its own.
    case .connectionLost(.ended(let said)): route == .pooler || said.state == .adminShutdown
    case .connectionLost(.closed): route == .pooler
    default: false
    }
  }

  @Test(
    "A server process ended in mid-query is a lost connection, and the next call has a new one",
    arguments: Route.allCases)
  func midQuery(route: Route) async throws {
    try await withObserver { observer in
      try await withPool(route, suite: "loss") { pool in
        let key = PostgresValue.int8(Int64.random(in: 0 ... .max))
        try await observer.withTransaction { holder throws(PostgresError) in
          _ = try await holder.query(Self.wait.bind(key))
          let (process, tell) = AsyncStream<Int32>.makeStream()
          let task = Task { () -> PostgresError? in
            do throws(TransactionError<PostgresError>) {
              try await pool.withTransaction { transaction throws(PostgresError) in
                tell.yield(try await transaction.query(Self.whoAmI.bind()).only().get(0))
                _ = try await transaction.query(Self.wait.bind(key))
              }
              return nil
            } catch { return error.cause }
          }
          for await process in process {
            do { try await terminateWhenBlocked(observer, process) } catch { Issue.record(error) }
            break
          }
          let error = await task.value
          #expect(error.map { wasTerminated($0, route) } == true, "\(String(describing: error))")
        }
        #expect(pool.statistics.idle == 0, "a dead connection was kept")
        let rows = try await pool.query(Self.whoAmI.bind())
        #expect(rows.count == 1)
      }
    }
  }

  @Test("A server process ended between two statements of a transaction rolls it back", arguments: Route.allCases)
  func midTransaction(route: Route) async throws {
    try await withObserver { observer in
      try await withPool(route, suite: "loss") { pool in
        let name = try await table(pool)
        let insert = Statement("INSERT INTO \(name) VALUES ($1)", .int8)
        let error = try await failure { () throws(TransactionError<PostgresError>) in
          try await pool.withTransaction { transaction throws(PostgresError) in
            _ = try await transaction.query(insert.bind(.int8(1)))
            let process = try await transaction.query(Self.whoAmI.bind()).only().get(0, as: Int32.self)
            let end = Statement("SELECT pg_terminate_backend($1, 10000)", .int4)
            let ended = try await observer.query(end.bind(.int4(process))).only().get(0, as: Bool.self)
            #expect(ended)
            _ = try await transaction.query(insert.bind(.int8(2)))
          }
        }
        guard case .body(.connectionLost) = error else {
          Issue.record("\(error)")
          return
        }
        #expect(error.nothingRemains)
        #expect(try await count(observer, name) == 0)
      }
    }
  }

  @Test("A server process ended during the commit leaves its fate unknown, and says so", arguments: Route.allCases)
  func duringCommit(route: Route) async throws {
    try await withObserver { observer in
      try await withPool(route, suite: "loss") { pool in
        let name = try await table(pool)
        let key = Int64.random(in: 0 ... .max)
        // The commit itself waits: a deferred trigger asks for a lock that the observer holds.
        try await observer.withSession { session throws(PostgresError) in
          try await session.script(
            """
            CREATE FUNCTION \(name)_f() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN PERFORM pg_advisory_xact_lock(\(key)); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON \(name) DEFERRABLE INITIALLY DEFERRED
              FOR EACH ROW EXECUTE FUNCTION \(name)_f();
            """)
        }
        try await observer.withTransaction { holder throws(PostgresError) in
          _ = try await holder.query(Self.wait.bind(.int8(key)))
          let (process, tell) = AsyncStream<Int32>.makeStream()
          let task = Task { () -> TransactionError<PostgresError>? in
            do throws(TransactionError<PostgresError>) {
              try await pool.withTransaction { transaction throws(PostgresError) in
                let insert = Statement("INSERT INTO \(name) VALUES (1)", reuse: .once)
                tell.yield(
                  try await transaction.pipeline([insert.bind(), Self.whoAmI.bind()])[1].only().get(0))
              }
              return nil
            } catch { return error }
          }
          for await process in process {
            do { try await terminateWhenBlocked(observer, process) } catch { Issue.record(error) }
            break
          }
          let error = await task.value
          guard case .commitUnknown(let cause) = error else {
            Issue.record("\(String(describing: error))")
            return
          }
          #expect(wasTerminated(cause, route))
          #expect(error?.nothingRemains == false)
        }
      }
    }
  }

  @Test("A commit whose answer is lost is unknown, and so is one that never arrived: one was kept, one was not")
  func lostAnswer() async throws {
    let database = try await SuiteDatabases.shared.name(for: "loss")
    let cluster = try await TemporaryCluster.shared()
    let server = "\(cluster.socketFolder)/.s.PGSQL.\(TemporaryCluster.socketPort)"
    try await withObserver { observer in
      // With the NUL behind it: BEGIN ISOLATION LEVEL READ COMMITTED is not meant.
      for (rule, kept) in [(Interposer.Rule.loseAnswer("COMMIT\0"), Int64(1)), (.loseRequest("COMMIT\0"), 0)] {
        let name = try await table(observer)
        let middle = try Interposer(before: server, rule: rule)
        defer { middle.end() }
        let pool = PostgresPool(try ConnectionConfiguration(url: middle.url(database: database)))
        let insert = Statement("INSERT INTO \(name) VALUES (1)", reuse: .once)
        let error = try await failure { () throws(TransactionError<PostgresError>) in
          try await pool.withTransaction { transaction throws(PostgresError) in
            _ = try await transaction.query(insert.bind())
          }
        }
        #expect(error == .commitUnknown(.connectionLost(.closed)))
        // The server may still be busy ending it; an exclusive lock waits for that.
        let counted = try await observer.withTransaction { transaction throws(PostgresError) in
          try await transaction.script("LOCK TABLE \(name)")
          let count = Statement("SELECT count(*) FROM \(name)", reuse: .once)
          return try await transaction.query(count.bind()).only().get(0, as: Int64.self)
        }
        #expect(counted == kept)
      }
    }
  }

  @Test("A dead connection that is given up late does not disturb the one that has its descriptor now")
  func descriptorReuse() async throws {
    let database = try await SuiteDatabases.shared.name(for: "loss")
    let cluster = try await TemporaryCluster.shared()
    let middle = try Interposer(
      before: "\(cluster.socketFolder)/.s.PGSQL.\(TemporaryCluster.socketPort)", rule: .loseAnswer("the last word"))
    defer { middle.end() }
    let first = PostgresPool(try ConnectionConfiguration(url: middle.url(database: database)))
    let second = PostgresPool(
      try await Route.direct.configuration(database: database), limits: PoolLimits(minimum: 0, maximum: 16))
    let nap = Statement("SELECT pg_sleep(0.01)")
    func all() async throws {
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<16 { group.addTask { try await second.query(nap.bind()).count } }
        for try await count in group { #expect(count == 1) }
      }
    }
    try await first.withSession { session throws(PostgresError) in
      let say = Statement("SELECT $1::text", .text)
      let outcomes = try await session.pipeline([PipelineUnit(say.bind(.text("the last word")))])
      #expect(outcomes[0].failure == .unknown(.connectionLost(.closed)))
      // So many new connections that one has the number of the dead one's socket.
      do { try await all() } catch { Issue.record(error) }
    }
    try await all()
    #expect(await second.drain(deadline: .after(.seconds(10))))
  }

  @Test("A unit whose end was not seen is unknown, one whose end was seen is not")
  func unknownUnit() async throws {
    let database = try await SuiteDatabases.shared.name(for: "loss")
    let cluster = try await TemporaryCluster.shared()
    let middle = try Interposer(
      before: "\(cluster.socketFolder)/.s.PGSQL.\(TemporaryCluster.socketPort)", rule: .loseAnswer("the last word"))
    defer { middle.end() }
    let pool = PostgresPool(try ConnectionConfiguration(url: middle.url(database: database)))
    let say = Statement("SELECT $1::text", .text)
    _ = try await pool.query(say.bind(.text("first")))
    try await pool.withSession { session throws(PostgresError) in
      #expect(try await session.pipeline([PipelineUnit(say.bind(.text("a")))]).count == 1)
      let outcomes = try await session.pipeline([PipelineUnit(say.bind(.text("the last word")))])
      #expect(outcomes[0].failure == .unknown(.connectionLost(.closed)))
      let after = try await session.pipeline([PipelineUnit(say.bind(.text("b")))])
      #expect(after[0].failure == .unsent(.connectionLost(.closed)))
    }
  }

  @Test("Behind a pooler one unit is under way at a time, directly all are")
  func unitsUnderWay() async throws {
    let database = try await SuiteDatabases.shared.name(for: "loss")
    let cluster = try await TemporaryCluster.shared()
    for (pooler, most) in [(ConnectionConfiguration.Pooler.transaction, 1), (.none, 5)] {
      let middle = try Interposer(before: "\(cluster.socketFolder)/.s.PGSQL.\(TemporaryCluster.socketPort)")
      defer { middle.end() }
      let pool = PostgresPool(try ConnectionConfiguration(url: middle.url(database: database), pooler: pooler))
      // The first unit keeps the server busy, so directly the others are on their way before it answers.
      let units = (0..<5).map {
        PipelineUnit(Statement("SELECT pg_sleep($1)", .float8, reuse: .once).bind(.float8($0 == 0 ? 0.2 : 0)))
      }
      let outcomes = try await pool.pipeline(units)
      #expect(outcomes.allSatisfy { $0.failure == nil })
      #expect(middle.mostSyncsOutstanding == most)
    }
  }
}
