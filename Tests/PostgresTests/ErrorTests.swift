// The server's refusals come with their state and place, and no description says what was in a row.

import Postgres
import PostgresSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct ErrorTests {
  private func refusal(_ pool: PostgresPool, _ sql: String) async throws -> ServerError {
    let error = try await failure { () throws(PostgresError) in
      _ = try await pool.query(Statement(sql, reuse: .once).bind())
    }
    guard case .server(let server) = error else { throw error }
    return server
  }

  @Test("Each refusal has its state", arguments: Route.allCases)
  func states(route: Route) async throws {
    try await withPool(route, suite: "errors") { pool in
      try await pool.withSession { session throws(PostgresError) in
        try await session.script(
          """
          CREATE TABLE parent_\(route) (id int8 PRIMARY KEY);
          CREATE TABLE child_\(route) (
            id int8 CONSTRAINT child_\(route)_id_key UNIQUE, name text NOT NULL CONSTRAINT short CHECK (length(name) < 9),
            parent int8 CONSTRAINT to_parent REFERENCES parent_\(route));
          """)
      }
      let cases: [(String, SQLState, String?)] = [
        ("SELEKT 1", .syntaxError, nil),
        ("SELECT * FROM nowhere", .undefinedTable, nil),
        ("SELECT nothing FROM parent_\(route)", .undefinedColumn, nil),
        ("SELECT no_such_function(1)", .undefinedFunction, nil),
        ("INSERT INTO child_\(route) VALUES (1, 'a'), (1, 'b')", .uniqueViolation, "child_\(route)_id_key"),
        ("INSERT INTO child_\(route) VALUES (2, NULL)", .notNullViolation, nil),
        ("INSERT INTO child_\(route) VALUES (2, 'far too long')", .checkViolation, "short"),
        ("INSERT INTO child_\(route) VALUES (2, 'a', 77)", .foreignKeyViolation, "to_parent"),
        ("DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = 'MD001'; END $$", SQLState("MD001"), nil),
        ("DO $$ BEGIN RAISE EXCEPTION 'raised'; END $$", .raisedException, nil),
      ]
      for (sql, state, constraint) in cases {
        let error = try await refusal(pool, sql)
        #expect(error.state == state, "\(sql)")
        #expect(error.constraint == constraint, "\(sql)")
        #expect(error.severity == .error)
      }
    }
  }

  @Test("Nothing that prints an error prints what was in the row")
  func redaction() async throws {
    try await withPool(.direct, suite: "errors") { pool in
      try await pool.withSession { session throws(PostgresError) in
        try await session.script("CREATE TABLE secrets (word text CONSTRAINT one_word PRIMARY KEY)")
      }
      let insert = Statement("INSERT INTO secrets VALUES ($1)", .text)
      let word = "xyzzy-plugh"
      _ = try await pool.query(insert.bind(.text(word)))
      let error = try await failure { () throws(PostgresError) in _ = try await pool.query(insert.bind(.text(word))) }
      guard case .server(let server) = error else { throw error }
      // The server did say it, so this test can fail.
      #expect(server.withheld.revealedForDebugging().detail.contains(word))
      let unit = UnitFailure.statement(0, error)
      let transaction = TransactionError<PostgresError>.commit(error)
      var dumped = ""
      for value in [error, server, server.withheld, unit, transaction] as [any Sendable] {
        dump(value, to: &dumped)
        dumped += "\(value)" + String(describing: value) + String(reflecting: value)
      }
      #expect(!dumped.contains(word))
      #expect("\(error)" == "the server refused: ERROR 23505 table secrets constraint one_word")
    }
  }

  @Test("A changed table makes a prepared statement fail once, and its connection is replaced")
  func stalePlan() async throws {
    try await withPool(.direct, suite: "errors", limits: PoolLimits(minimum: 0, maximum: 1)) { pool in
      func script(_ sql: String) async throws {
        try await pool.withSession { session throws(PostgresError) in try await session.script(sql) }
      }
      let read = Statement("SELECT * FROM shape")
      try await script("CREATE TABLE shape (a int8)")
      #expect(try await pool.query(read.bind()).columns == 1)
      try await script("ALTER TABLE shape ADD COLUMN b int8")
      let error = try await failure { () throws(PostgresError) in _ = try await pool.query(read.bind()) }
      guard case .server(let server) = error else { throw error }
      #expect(server.state == .featureNotSupported)
      #expect(try await pool.query(read.bind()).columns == 2)
    }
  }

  @Test("Statements that lost their names are named anew")
  func lostNames() async throws {
    try await withPool(.direct, suite: "errors", limits: PoolLimits(minimum: 0, maximum: 1)) { pool in
      let one = Statement("SELECT 1 AS kept")
      _ = try await pool.query(one.bind())
      try await pool.withSession { session throws(PostgresError) in try await session.script("DEALLOCATE ALL") }
      let error = try await failure { () throws(PostgresError) in _ = try await pool.query(one.bind()) }
      guard case .server(let server) = error else { throw error }
      #expect(server.state == .unknownStatement)
      let rows = try await pool.query(one.bind())
      #expect(rows.count == 1)
    }
  }

  @Test("A statement is prepared once per connection, and never behind a pooler", arguments: Route.allCases)
  func preparedOnce(route: Route) async throws {
    try await withPool(route, suite: "errors", limits: PoolLimits(minimum: 0, maximum: 1)) { pool in
      let names = Statement(
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS prepared_once%'", reuse: .once)
      for _ in 0..<5 {
        // The same text in two places is the same statement.
        _ = try await pool.query(Statement("SELECT 1 AS prepared_once").bind())
      }
      #expect(try await pool.query(names.bind()).only().get(0, as: Int64.self) == (route == .direct ? 1 : 0))
    }
  }

  @Test("The server's notices are not printed, nor are libpq's own words")
  func notices() async throws {
    let url = try await TemporaryCluster.shared().url()
    let result = try await #require(
      processExitsWith: .success, observing: [\.standardErrorContent, \.standardOutputContent]
    ) { [url = url as String] in
      let pool = PostgresPool(try ConnectionConfiguration(url: url))
      try await pool.withSession { session throws(PostgresError) in
        try await session.script("DO $$ BEGIN RAISE WARNING 'a warning that must not be printed'; END $$")
      }
      print("the script ran")
    }
    #expect(String(decoding: result.standardOutputContent, as: UTF8.self).contains("the script ran"))
    #expect(!String(decoding: result.standardErrorContent, as: UTF8.self).lowercased().contains("warning"))
  }
}
