// Units of a batch stand alone, and no batch is too large for the two sides to keep talking.

import Postgres
import PostgresSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct PipelineTests {
  private static let one = Statement("SELECT $1::int8", .int8)
  private static let divide = Statement("SELECT 10 / $1::int8", .int8)

  /// A table of this test's own, made once per call.
  private func table(_ pool: PostgresPool, _ definition: String) async throws -> String {
    let name = "t\(UInt64.random(in: 0 ... .max))"
    try await pool.withSession { session throws(PostgresError) in
      try await session.script("CREATE TABLE \(name) (\(definition))")
    }
    return name
  }

  private func count(_ pool: PostgresPool, _ table: String) async throws -> Int64 {
    try await pool.query(Statement("SELECT count(*) FROM \(table)", reuse: .once).bind()).only().get(0)
  }

  @Test("Units answer in order, each with its statements' rows in order", arguments: Route.allCases)
  func order(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      let units = (0..<50).map { unit in
        PipelineUnit((0..<3).map { Self.one.bind(.int8(Int64(unit * 10 + $0))) })
      }
      let outcomes = try await pool.pipeline(units)
      #expect(outcomes.count == 50)
      for (unit, outcome) in outcomes.enumerated() {
        let numbers = try outcome.get().map { try $0.only().get(0, as: Int64.self) }
        #expect(numbers == (0..<3).map { Int64(unit * 10 + $0) })
      }
    }
  }

  @Test("An error in the second of five units leaves the other four", arguments: Route.allCases)
  func isolation(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      let name = try await table(pool, "n int8 PRIMARY KEY")
      let insert = Statement("INSERT INTO \(name) VALUES ($1)", .int8)
      let outcomes = try await pool.pipeline([
        PipelineUnit(insert.bind(.int8(1))),
        PipelineUnit(insert.bind(.int8(2)), Self.divide.bind(.int8(0)), insert.bind(.int8(3))),
        PipelineUnit(insert.bind(.int8(4))),
        PipelineUnit(insert.bind(.int8(5)), insert.bind(.int8(6))),
        PipelineUnit(insert.bind(.int8(7))),
      ])
      let kept = outcomes.map { (try? $0.get()) != nil }
      #expect(kept == [true, false, true, true, true])
      guard case .failure(.statement(1, .server(let error))) = outcomes[1] else {
        Issue.record("the second unit did not fail at its second statement: \(outcomes[1])")
        return
      }
      #expect(error.state == SQLState("22012"))
      #expect(try await count(pool, name) == 5, "rows of the failed unit were kept, or of the others lost")
    }
  }

  @Test("A unit that is refused at its commit says so, and keeps nothing", arguments: Route.allCases)
  func deferredConstraint(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      let name = try await table(pool, "n int8 UNIQUE DEFERRABLE INITIALLY DEFERRED")
      let insert = Statement("INSERT INTO \(name) VALUES ($1)", .int8)
      let outcomes = try await pool.pipeline([
        PipelineUnit(insert.bind(.int8(1)), insert.bind(.int8(1))),
        PipelineUnit(insert.bind(.int8(2))),
      ])
      guard case .failure(.commit(.server(let error))) = outcomes[0] else {
        Issue.record("not refused at commit: \(outcomes[0])")
        return
      }
      #expect(error.state == .uniqueViolation)
      #expect(try outcomes[1].get().count == 1)
      #expect(try await count(pool, name) == 1)
    }
  }

  @Test("A later unit sees what an earlier unit of the same batch has committed", arguments: Route.allCases)
  func committedBetween(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      let name = try await table(pool, "n int8, x xid8 DEFAULT pg_current_xact_id()")
      let outcomes = try await pool.pipeline([
        PipelineUnit(Statement("INSERT INTO \(name) VALUES (1)", reuse: .once).bind()),
        PipelineUnit(
          Statement("SELECT x <> pg_current_xact_id(), pg_xact_status(x) FROM \(name)", reuse: .once).bind()),
      ])
      let row = try outcomes[1].get()[0].only()
      #expect(try row.get(0, as: Bool.self), "both units were one transaction")
      #expect(try row.get(1, as: String.self) == "committed")
    }
  }

  @Test("A statement that does not parse takes nothing else of its batch with it", arguments: Route.allCases)
  func badStatement(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      let bad = Statement("SELEKT 1")
      for _ in 0..<3 {
        let outcomes = try await pool.pipeline([
          PipelineUnit(Self.one.bind(.int8(1))), PipelineUnit(bad.bind()), PipelineUnit(Self.one.bind(.int8(2))),
        ])
        #expect(try outcomes[0].get().count == 1)
        guard case .failure(.statement(0, .server(let error))) = outcomes[1] else {
          Issue.record("not refused: \(outcomes[1])")
          return
        }
        #expect(error.state == .syntaxError)
        #expect(try outcomes[2].get().count == 1)
      }
    }
  }

  @Test("A batch of nothing, and a unit of nothing, are answered", arguments: Route.allCases)
  func empty(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      #expect(try await pool.pipeline([]).isEmpty)
      let outcomes = try await pool.pipeline([PipelineUnit(), PipelineUnit(Self.one.bind(.int8(1))), PipelineUnit()])
      #expect(try outcomes.map { try $0.get().count } == [0, 1, 0])
    }
  }

  @Test("Ten thousand statements, alone and in one unit, with and without an error", arguments: Route.allCases)
  func tenThousand(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      let count = 10_000
      let units = (0..<count).map { PipelineUnit(Self.divide.bind(.int8($0 == 5_000 ? 0 : 1))) }
      let outcomes = try await pool.pipeline(units, deadline: .after(.seconds(120)))
      #expect(outcomes.count == count)
      let failed = outcomes.indices.filter { (try? outcomes[$0].get()) == nil }
      #expect(failed == [5_000])

      let unit = PipelineUnit((0..<count).map { Self.one.bind(.int8(Int64($0))) })
      let rows = try #require(try await pool.pipeline([unit], deadline: .after(.seconds(120))).first).get()
      #expect(rows.count == count)
      #expect(try rows[count - 1].only().get(0, as: Int64.self) == Int64(count - 1))
    }
  }

  @Test("Large parameters and large results at once do not lock each other out", arguments: Route.allCases)
  func bothDirections(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      // 64 MiB go and 64 MiB come back, far beyond what the sockets hold.
      let echo = Statement("SELECT $1::bytea", .bytea)
      let block = [UInt8](repeating: 0xAB, count: 1 << 20)
      let units = (0..<16).map { _ in PipelineUnit((0..<4).map { _ in echo.bind(.bytes(block)) }) }
      let outcomes = try await pool.pipeline(units, deadline: .after(.seconds(120)))
      var bytes = 0
      for outcome in outcomes {
        for rows in try outcome.get() { bytes += try rows.only().withBytes(0) { $0.count } }
      }
      #expect(bytes == 64 << 20)
    }
  }

  @Test("A single result of 64 MiB arrives whole", arguments: Route.allCases)
  func largeResult(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      let rows = try await pool.query(
        Statement("SELECT repeat(chr(65 + n % 26), 1024) FROM generate_series(0, 65535) AS n", reuse: .once).bind(),
        deadline: .after(.seconds(120)))
      #expect(rows.count == 65_536)
      #expect(try rows[27].get(0, as: String.self) == String(repeating: "B", count: 1_024))
    }
  }

  @Test("A parameter that cannot be sent stops the batch before anything of it is sent", arguments: Route.allCases)
  func unsendable(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      let name = try await table(pool, "n text")
      let insert = Statement("INSERT INTO \(name) VALUES ($1)", .text)
      let error = try await failure { () throws(PostgresError) in
        _ = try await pool.pipeline([
          PipelineUnit(insert.bind(.text("fine"))), PipelineUnit(insert.bind(.text("a\0b"))),
        ])
      }
      #expect(error == .parameter(.nulInText(parameter: 0)))
      #expect(try await count(pool, name) == 0)
    }
  }

  @Test("COPY is refused, and the connection is not lent again", arguments: Route.allCases)
  func copy(route: Route) async throws {
    try await withPool(route, suite: "pipeline") { pool in
      let error = try await failure { () throws(PostgresError) in
        _ = try await pool.query(Statement("COPY (SELECT 1) TO STDOUT", reuse: .once).bind())
      }
      #expect(error == .protocolViolation(.copy))
      #expect(pool.statistics.idle == 0)
      #expect(try await pool.query(Self.one.bind(.int8(1))).count == 1)
    }
  }
}
