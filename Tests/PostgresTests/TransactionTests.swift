// A transaction is committed or it is not, and its error says which, or that nobody knows.

import Postgres
import PostgresSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct TransactionTests {
  private struct Refusal: Error, Equatable {}

  /// A table of this test's own.
  private func table(_ pool: PostgresPool, _ definition: String = "n int8 PRIMARY KEY") async throws -> String {
    let name = "t\(UInt64.random(in: 0 ... .max))"
    try await pool.withSession { session throws(PostgresError) in
      try await session.script("CREATE TABLE \(name) (\(definition))")
    }
    return name
  }

  private func insert(_ table: String) -> Statement { Statement("INSERT INTO \(table) VALUES ($1)", .int8) }

  private func count(_ pool: PostgresPool, _ table: String) async throws -> Int64 {
    try await pool.query(Statement("SELECT count(*) FROM \(table)", reuse: .once).bind()).only().get(0)
  }

  @Test("What the closure did is there when it has returned", arguments: Route.allCases)
  func commit(route: Route) async throws {
    try await withPool(route, suite: "transaction") { pool in
      let name = try await table(pool)
      let inserted = try await pool.withTransaction { transaction throws(PostgresError) in
        try await transaction.pipeline([insert(name).bind(.int8(1)), insert(name).bind(.int8(2))]).map(\.affected)
      }
      #expect(inserted == [1, 1])
      #expect(try await count(pool, name) == 2)
    }
  }

  @Test("What the closure did is gone when it throws, and its error comes through", arguments: Route.allCases)
  func rollback(route: Route) async throws {
    try await withPool(route, suite: "transaction") { pool in
      let name = try await table(pool)
      let error = try await failure { () throws(TransactionError<Refusal>) in
        try await pool.withTransaction { transaction throws(Refusal) in
          do throws(PostgresError) {
            _ = try await transaction.query(insert(name).bind(.int8(1)))
          } catch { Issue.record(error) }
          throw Refusal()
        }
      }
      #expect(error == .body(Refusal()))
      #expect(try await count(pool, name) == 0)
      #expect(pool.statistics.idle == 1, "the connection was not kept")
    }
  }

  @Test(
    "A statement's error that the closure swallows still keeps the commit from being one", arguments: Route.allCases)
  func aborted(route: Route) async throws {
    try await withPool(route, suite: "transaction") { pool in
      let name = try await table(pool)
      let error = try await failure { () throws(TransactionError<PostgresError>) in
        try await pool.withTransaction { transaction throws(PostgresError) in
          _ = try await transaction.query(insert(name).bind(.int8(1)))
          do throws(PostgresError) { _ = try await transaction.query(insert(name).bind(.int8(1))) } catch {}
        }
      }
      #expect(error == .aborted)
      #expect(try await count(pool, name) == 0)
    }
  }

  @Test("A commit that the server refuses is told apart from a body that failed", arguments: Route.allCases)
  func refusedCommit(route: Route) async throws {
    try await withPool(route, suite: "transaction") { pool in
      let name = try await table(pool, "n int8 UNIQUE DEFERRABLE INITIALLY DEFERRED")
      let twice = [insert(name).bind(.int8(1)), insert(name).bind(.int8(1))]
      let error = try await failure { () throws(TransactionError<PostgresError>) in
        try await pool.withTransaction { transaction throws(PostgresError) in
          _ = try await transaction.pipeline(twice)
        }
      }
      guard case .commit(.server(let refused)) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(refused.state == .uniqueViolation)
      let pipelined = try await failure { () throws(TransactionError<PostgresError>) in
        _ = try await pool.transact(twice)
      }
      #expect(pipelined == .commit(.server(refused)))
      #expect(try await count(pool, name) == 0)
    }
  }

  @Test("A whole transaction goes in one round trip, and fails at the statement that fails", arguments: Route.allCases)
  func pipelined(route: Route) async throws {
    try await withPool(route, suite: "transaction") { pool in
      let name = try await table(pool)
      let one = insert(name).bind(.int8(1))
      let rows = try await pool.transact([one, insert(name).bind(.int8(2))], isolation: .serializable)
      #expect(rows.map(\.affected) == [1, 1])
      let error = try await failure { () throws(TransactionError<PostgresError>) in
        _ = try await pool.transact([insert(name).bind(.int8(3)), one])
      }
      guard case .body(.server(let refused)) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(refused.state == .uniqueViolation)
      #expect(try await count(pool, name) == 2)
      #expect(pool.statistics.idle == 1, "the connection was not kept")
    }
  }

  @Test("Isolation and access are what was asked for, whatever the role's default", arguments: Route.allCases)
  func isolation(route: Route) async throws {
    try await withPool(route, suite: "transaction") { pool in
      let show = Statement("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
      for (isolation, name) in [
        (Isolation.readCommitted, "read committed"), (.repeatableRead, "repeatable read"),
        (.serializable, "serializable"),
      ] {
        for (access, flag) in [(Access.readWrite, "off"), (.readOnly, "on")] {
          let row = try await pool.withTransaction(isolation: isolation, access: access) {
            transaction throws(PostgresError) in try await transaction.query(show.bind()).only()
          }
          #expect(try row.get(0, as: String.self) == name)
          #expect(try row.get(1, as: String.self) == flag)
        }
      }
    }
  }

  @Test("What the opening sets for the transaction is gone after it", arguments: Route.allCases)
  func opening(route: Route) async throws {
    try await withPool(route, suite: "transaction", limits: PoolLimits(minimum: 0, maximum: 1)) { pool in
      let set = Statement("SELECT set_config('app.current_user_id', $1, true)", .text)
      let get = Statement("SELECT coalesce(current_setting('app.current_user_id', true), '')")
      let inside = try await pool.withTransaction(opening: [set.bind(.text("alice"))]) {
        transaction throws(PostgresError) in
        try await transaction.query(get.bind()).only().get(0, as: String.self)
      }
      #expect(inside == "alice")
      #expect(try await pool.query(get.bind()).only().get(0, as: String.self).isEmpty)

      // The same for a unit, which is a transaction too, and for one that fails after setting it.
      let divide = Statement("SELECT 1 / $1::int8", .int8)
      for divisor in [1, 0] as [Int64] {
        let outcomes = try await pool.pipeline([
          PipelineUnit(set.bind(.text("bob")), get.bind(), divide.bind(.int8(divisor))), PipelineUnit(get.bind()),
        ])
        #expect(try outcomes[1].get()[0].only().get(0, as: String.self).isEmpty)
        if divisor == 1 { #expect(try outcomes[0].get()[1].only().get(0, as: String.self) == "bob") }
      }
    }
  }

  @Test("A transaction that cannot begin says so and leaves nothing open", arguments: Route.allCases)
  func begin(route: Route) async throws {
    try await withPool(route, suite: "transaction", limits: PoolLimits(minimum: 0, maximum: 1)) { pool in
      let error = try await failure { () throws(TransactionError<PostgresError>) in
        try await pool.withTransaction(opening: [Statement("SELECT 1 / 0").bind()]) { _ throws(PostgresError) in
          _ = Issue.record("the body ran")
        }
      }
      guard case .begin(.server) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(pool.statistics.idle == 1, "the connection was not kept")
      let rows = try await pool.query(Statement("SELECT 1").bind())
      #expect(rows.count == 1)
    }
  }

  @Test("A BEGIN that slips into a statement never reaches the next caller", arguments: Route.allCases)
  func strayBegin(route: Route) async throws {
    try await withPool(route, suite: "transaction", limits: PoolLimits(minimum: 0, maximum: 1)) { pool in
      let stray = try await failure { () throws(PostgresError) in
        _ = try await pool.query(Statement("BEGIN", reuse: .once).bind())
      }
      #expect(stray == .protocolViolation(.strayTransaction))
      #expect(pool.statistics.idle == 0, "a connection in a transaction was kept")
      let ended = try await failure { () throws(TransactionError<PostgresError>) in
        try await pool.withTransaction { transaction throws(PostgresError) in
          try await transaction.script("COMMIT")
        }
      }
      #expect(ended == .body(.protocolViolation(.strayTransaction)))
      #expect(pool.statistics.idle == 0)
      let rows = try await pool.query(Statement("SELECT 1").bind())
      #expect(rows.count == 1)
    }
  }

  @Test("In a transaction too, a statement that does not parse is what is named", arguments: Route.allCases)
  func badStatement(route: Route) async throws {
    try await withPool(route, suite: "transaction") { pool in
      let error = try await failure { () throws(TransactionError<PostgresError>) in
        try await pool.withTransaction { transaction throws(PostgresError) in
          _ = try await transaction.pipeline([Statement("SELECT 1").bind(), Statement("SELEKT 2 \(route)").bind()])
        }
      }
      guard case .body(.server(let server)) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(server.state == .syntaxError)
    }
  }

  @Test("A script runs whole or not at all", arguments: Route.allCases)
  func script(route: Route) async throws {
    try await withPool(route, suite: "transaction") { pool in
      let name = try await table(pool)
      try await pool.withSession { session throws(PostgresError) in
        try await session.script("INSERT INTO \(name) VALUES (1); INSERT INTO \(name) VALUES (2); SELECT 1")
        // Prepared statements and pipelines go on working after it.
        _ = try await session.query(insert(name).bind(.int8(3)))
        try await session.script("")
      }
      #expect(try await count(pool, name) == 3)
      let error = try await failure { () throws(PostgresError) in
        try await pool.withSession { session throws(PostgresError) in
          try await session.script("INSERT INTO \(name) VALUES (4); INSERT INTO \(name) VALUES (4)")
        }
      }
      guard case .server(let refused) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(refused.state == .uniqueViolation)
      #expect(try await count(pool, name) == 3)
    }
  }

  @Test("A slow script stops at its deadline and its connection serves on", arguments: Route.allCases)
  func scriptDeadline(route: Route) async throws {
    try await withPool(route, suite: "transaction", limits: PoolLimits(minimum: 0, maximum: 1)) { pool in
      let error = try await pool.withSession { session throws(PostgresError) -> PostgresError? in
        do throws(PostgresError) {
          try await session.script("SELECT pg_sleep(600); SELECT 1", deadline: .after(.milliseconds(50)))
          return nil
        } catch { return error }
      }
      #expect(error == .deadline)
      #expect(pool.statistics.idle == 1)
      let rows = try await pool.query(Statement("SELECT 1").bind())
      #expect(rows.count == 1)
    }
  }

  @Test(
    "A transaction whose task is cancelled is rolled back, with the task's own connection", arguments: Route.allCases)
  func cancelled(route: Route) async throws {
    try await withPool(route, suite: "transaction", limits: PoolLimits(minimum: 0, maximum: 1)) { pool in
      let name = try await table(pool)
      let (inside, entered) = AsyncStream<Void>.makeStream()
      let task = Task { () -> TransactionError<PostgresError>? in
        do throws(TransactionError<PostgresError>) {
          try await pool.withTransaction { transaction throws(PostgresError) in
            _ = try await transaction.query(insert(name).bind(.int8(1)))
            entered.finish()
            _ = try await transaction.query(Statement("SELECT pg_sleep(600)").bind())
          }
          return nil
        } catch { return error }
      }
      for await _ in inside {}
      task.cancel()
      #expect(await task.value == .body(.cancelled))
      #expect(pool.statistics.idle == 1, "the connection was not kept")
      #expect(try await count(pool, name) == 0)
    }
  }
}
