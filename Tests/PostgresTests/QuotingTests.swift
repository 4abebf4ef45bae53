// Names and literals that are put into SQL text come out as themselves.

import Postgres
import PostgresSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct QuotingTests {
  @Test("The server reads a quoted name as exactly that name")
  func names() async throws {
    try await withPool(.direct, suite: "quoting") { pool in
      for name in [
        "plain", "Upper", "with space", "a\"b", "\"", "\"; DROP TABLE x; --", "é", "e\u{301}", "\"\u{301}", "a'b", "\\",
        String(repeating: "x", count: 63),
      ] {
        let rows = try await pool.query(Statement("SELECT 1 AS \(try quoteIdentifier(name))", reuse: .once).bind())
        #expect(rows.columnNames.map { Array($0.utf8) } == [Array(name.utf8)])
      }
    }
  }

  @Test(
    "A name that the server could not keep is refused",
    arguments: ["", "a\0b", String(repeating: "x", count: 64), String(repeating: "é", count: 32)])
  func badNames(name: String) async throws {
    let error = try await failure { () throws(PostgresError) in _ = try quoteIdentifier(name) }
    #expect(error == .parameter(.unquotable))
  }

  @Test("The server reads a quoted literal as exactly that text, whatever it thinks of backslashes")
  func literals() async throws {
    try await withPool(.direct, suite: "quoting") { pool in
      for conforming in ["on", "off"] {
        for text in ["", "plain", "a'b", "'", "''", "\\", "\\'", "'\u{301}", "é", "'; DROP TABLE x; --", "\\x41\n\t"] {
          let read = try await pool.withTransaction { transaction throws(PostgresError) in
            try await transaction.script("SET LOCAL standard_conforming_strings = \(conforming)")
            let statement = Statement("SELECT \(try quoteLiteral(text))", reuse: .once)
            return try await transaction.query(statement.bind()).only().get(0, as: UTF8Text.self)
          }
          #expect(read.bytes == Array(text.utf8))
        }
      }
    }
    let error = try await failure { () throws(PostgresError) in _ = try quoteLiteral("a\0b") }
    #expect(error == .parameter(.unquotable))
  }
}
