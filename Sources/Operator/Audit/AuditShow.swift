// `mandate audit show`: the latest rows of one user's log, as a table.

import Contracts
import Postgres
import ServiceRuntime
import Store

enum AuditShow {
  private static let user = Operand(placeholder: "USER", reason: "Whose log.")
  private static let mission = Option(
    name: "mission", placeholder: "ID", fallback: nil, reason: "Of one mission alone."
  ) { $0.utf8.count <= Identifier.maximumBytes ? nil : "an id of at most \(Identifier.maximumBytes) bytes" }
  private static let limit = Option(
    name: "limit", placeholder: "COUNT", fallback: "50", reason: "How many rows at most, the latest first; up to 1000."
  ) { Int($0).map { (1...1000).contains($0) } == true ? nil : "a count from 1 to 1000" }

  static let command = Command(
    group: "audit", name: "show", summary: "Show the latest rows of a user's log.",
    details: [
      "Each row is a release of a key share, a refusal, or a later failure of an earlier row. Nothing that was read is "
        + "on the log; ids are.",
      DatabaseCommands.whichDatabase,
    ],
    operands: [user], options: [mission, limit, DatabaseCommands.folder, DatabaseCommands.url],
    examples: ["mandate audit show u-1", "mandate audit show u-1 --mission m-1 --limit 5 --json"],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  private struct Answer: Encodable {
    struct Row: Encodable {
      let seq: Int64
      let ts: String
      let mission: String
      let table: String
      let record: String
      let status: String
      let reason: String?
      let ofSeq: Int64?
      let grant: String?
      let hash: String
    }
    let user: String
    let rows: [Row]
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    guard let user = invocation.operands.first, let count = invocation[limit].flatMap({ Int($0) }) else {
      preconditionFailure("the operand is required and --limit has a default")
    }
    let mission = invocation[mission].map { Identifier($0) }
    let rows = try await AuditCommands.withReading(invocation) { reading throws(CommandFailure) in
      try await AuditCommands.snapshot(reading) { transaction throws(CommandFailure) in
        try await AuditCommands.telling { () throws(PostgresError) in
          try await AuditReading.latest(of: Identifier(user), mission: mission, limit: count, in: &transaction)
        }
      }
    }
    let answer = Answer(
      user: user,
      rows: rows.map { row in
        Answer.Row(
          seq: row.entry.seq, ts: row.entry.timestamp, mission: row.entry.mission, table: row.entry.table,
          record: row.entry.record, status: row.entry.status, reason: row.entry.reason, ofSeq: row.entry.ofSeq,
          grant: row.entry.grant, hash: Contracts.Hex.encode(row.hash))
      })
    return Report(text: text(answer), json: JSONText.of(answer))
  }

  private static func text(_ answer: Answer) -> String {
    guard !answer.rows.isEmpty else { return "There are no rows.\n" }
    var table = TextTable(headings: ["ROW", "TIME", "MISSION", "RECORD", "STATUS"])
    for row in answer.rows {
      let status = row.status + (row.reason.map { " (\($0))" } ?? "") + (row.ofSeq.map { " of row \($0)" } ?? "")
      table.add([
        String(row.seq), row.ts, Printable.name(row.mission), Printable.name("\(row.table):\(row.record)"), status,
      ])
    }
    return table.text
  }
}
