// What the server logged of one pool's statements, without their parameters: how a test sees from outside what was asked,
// and in which order.

import Foundation
import Postgres
import Testing

struct StatementLog {
  let folder: String
  let database: String

  /// The statements of `pool`'s only connection that the server has logged so far.
  private func all(_ pool: PostgresPool) async throws -> [String] {
    let pid: Int64 = try await pool.query(Statement("SELECT pg_backend_pid()::bigint", reuse: .once).bind()).only().get(
      0)
    let text = String(decoding: try Data(contentsOf: URL(filePath: folder + "/log")), as: UTF8.self)
    // A statement may have several lines; each of the log's own begins with a process id.
    var statements: [String] = []
    var isOpen = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("\(pid) LOG:  "), line.contains("execute ") || line.contains("statement: ") {
        statements.append(String(line.dropFirst("\(pid) LOG:  ".count)))
        isOpen = true
      } else if line.hasPrefix("\t"), isOpen, let last = statements.popLast() {
        statements.append(last + " " + line.dropFirst())
      } else {
        isOpen = false
      }
    }
    return statements
  }

  /// How many there are once the server logs this connection's statements.
  func begin(_ pool: PostgresPool) async throws -> Int {
    for _ in 0..<1_000 {
      let seen = try await all(pool)
      if seen.last?.contains("pg_backend_pid") == true { return seen.count }
    }
    throw Missing()
  }

  struct Missing: Error {}

  /// Without the names that prepared statements happen to have, and without the question that reads the log.
  func statements(from start: Int, _ pool: PostgresPool) async throws -> [String] {
    try await all(pool).dropFirst(start).filter { !$0.contains("pg_backend_pid") }
  }
}
