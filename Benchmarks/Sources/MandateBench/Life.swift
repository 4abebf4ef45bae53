// `mandate-bench --life`: one request's life, as docs/resolver.md tells it. A mission of five records, one of which has no
// row any more, is asked for again and again on an otherwise idle resolver; told are the statements that the server
// logged with their median times, the resolver's own figures, and the rows that the last request left on the log.

import Contracts
import Foundation
import Postgres
import Store

enum Life {
  private static let asked = 200
  private static let user = ResolveFixture.users - 1

  static func tell() async throws -> String {
    let fixture = try await ResolveFixture.shared()
    let database = fixture.database
    let name = ResolveFixture.user(user)
    try await database.script("DELETE FROM public.sync_changes WHERE user_id = '\(name)' AND record_id = 'n5'")
    for _ in 0..<50 { try await ask(fixture) }
    // As the server's configuration has it, so that connections that are open obey too.
    try await database.script("ALTER SYSTEM SET log_min_duration_statement = 0")
    try await database.script("SELECT pg_reload_conf()")
    let start = try size(of: database)
    let before = try await fixture.resolver.metrics()
    var whole: [Double] = []
    for _ in 0..<asked {
      let began = ContinuousClock.now
      try await ask(fixture)
      whole.append(Stopwatch.seconds(ContinuousClock.now - began) * 1_000)
    }
    let figures = Figures(before: before, after: try await fixture.resolver.metrics())
    try await database.script("ALTER SYSTEM RESET log_min_duration_statement")
    try await database.script("SELECT pg_reload_conf()")
    let statements = try statements(of: database, from: start)
    return """
      \(asked) requests for one mission of five records, one of them without a row; milliseconds

      statements, the median of what the server needed to bind and execute each:
      \(statements.map { "  \(padded(Table.fixed($0.time, 2), 6))  \($0.text)" }.joined(separator: "\n"))

      the resolver, on average:
      \(figures.lines.map { "  \(padded(Table.fixed($0.time, 2), 6))  \($0.what)" }.joined(separator: "\n"))
        \(padded(Table.fixed(whole.sorted()[asked / 2], 2), 6))  the whole request as its caller sees it, median

      the log of that user, the last request:
      \(try await rows(database, name).joined(separator: "\n"))
      """
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func ask(_ fixture: ResolveFixture) async throws {
    let answer = try await fixture.resolver.post("/internal/v1/resolve", fixture.body([user]), as: .service)
    guard try JSONValue(parsing: answer.span)["results"]?.array?.first?["refused"]?.array?.count == 1 else {
      throw YardstickProblem(why: "a mission was not answered as it should be")
    }
  }

  // MARK: The server's log

  private static func size(of database: BenchDatabase) throws -> Int {
    try Data(contentsOf: URL(filePath: database.folder + "/log")).count
  }

  /// In the order in which they first come. A line says how long a part of a statement took; what follows it, indented,
  /// is more of the statement.
  private static func statements(of database: BenchDatabase, from start: Int) throws -> [(text: String, time: Double)] {
    let log = try Data(contentsOf: URL(filePath: database.folder + "/log")).dropFirst(start)
    var entries: [(part: Substring, time: Double, text: String)] = []
    for line in String(decoding: log, as: UTF8.self).split(separator: "\n") {
      if line.hasPrefix("\t"), !entries.isEmpty {
        entries[entries.count - 1].text += " " + line.dropFirst()
      } else if let found = line.firstRange(of: "LOG:  duration: ") {
        let words = line[found.upperBound...].split(separator: " ", maxSplits: 4)
        guard words.count == 5, let time = Double(words[0]), words[1] == "ms" else { continue }
        entries.append((words[2], time, String(words[4])))
      }
    }
    var order: [String] = []
    var times: [String: [Double]] = [:]
    var bound = 0.0
    for entry in entries {
      switch entry.part {
      case "bind": bound = entry.time
      case "execute":
        if times[entry.text] == nil { order.append(entry.text) }
        times[entry.text, default: []].append(bound + entry.time)
        bound = 0
      default: bound = 0
      }
    }
    // The resolver's own looks at its readiness come in between now and then.
    return order.compactMap { text in
      guard let all = times[text], all.count >= asked / 2 else { return nil }
      return (text, all.sorted()[all.count / 2])
    }
  }

  private static func rows(_ database: BenchDatabase, _ user: String) async throws -> [String] {
    let pool = try database.pool(nil, maximum: 1)
    let rows = try await pool.query(
      Statement(
        """
        SELECT concat_ws(' | ', '  seq ' || seq, record_id, status, reason, 'of_seq ' || of_seq,
          left(encode(hash, 'hex'), 12) || '…')
        FROM mana_ai.decrypt_audit WHERE user_id = $1 ORDER BY seq DESC LIMIT 6
        """, .text, reuse: .once
      ).bind(.text(user)))
    let lines: [String] = try rows.map { try $0.get(0) }
    _ = await pool.drain(deadline: .after(.seconds(5)))
    return lines.reversed()
  }
}

/// The means of a service's histograms between two looks.
struct Figures {
  let before: [String: Double]
  let after: [String: Double]

  /// In milliseconds.
  func mean(_ name: String, _ labels: String = "") -> Double {
    func grown(_ suffix: String) -> Double {
      let series = name + suffix + labels
      return (after[series] ?? 0) - (before[series] ?? 0)
    }
    return 1_000 * grown("_sum") / max(grown("_count"), 1)
  }

  var request: Double {
    mean("mandate_http_request_duration_seconds", #"{listener="internal",route="/internal/v1/resolve"}"#)
  }

  var lines: [(what: String, time: Double)] {
    [
      ("A and B: the round trip, both commits included", mean("mandate_resolve_round_trip_seconds")),
      ("the wait for a thread", mean("mandate_resolve_wait_seconds")),
      ("the RSA operation", mean("mandate_unwrap_seconds")),
      ("opening the records", mean("mandate_resolve_mission_seconds") - mean("mandate_unwrap_seconds")),
      ("the batch, from its parsed call to its answer", mean("mandate_resolve_seconds")),
      ("the request, from its last byte in to its last byte out", request),
    ]
  }
}
