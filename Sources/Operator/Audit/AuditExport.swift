// `mandate audit export`: chains, or their ends alone, as lines that anybody can verify without us and without the
// database.

import Contracts
import ServiceRuntime
import Store

enum AuditExport {
  private static let what = Option.oneOf(
    "what", ["rows", "heads"], fallback: "rows", reason: "Whole chains, or only where each of them ends.")

  static let command = Command(
    group: "audit", name: "export", summary: "Write the chains, or their ends, as lines of JSON.",
    details: [
      "Every line is an object: a row, `{\"cut\": …}` where pruning let a chain begin, or `{\"head\": …}` where it ends. "
        + "Tests/Independent/verify_audit.py verifies such a file without the database and without this program.",
      "Append the ends to a file elsewhere, every day, where whoever owns the database can't write: "
        + "`mandate audit verify --heads` then shows a chain that was rewritten as a whole.",
      DatabaseCommands.whichDatabase,
    ],
    options: [AuditCommands.user, what, DatabaseCommands.folder, DatabaseCommands.url],
    examples: ["mandate audit export --user u-1", "mandate audit export --what heads"],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  /// The lines go out as they come, so that no chain has to fit into memory; nothing is left to be said after them.
  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    let scope = try AuditCommands.scope(invocation)
    let wantsRows = invocation[what] == "rows"
    try await AuditCommands.withReading(invocation) { reading throws(CommandFailure) in
      try await export(reading, only: scope, rows: wantsRows, to: write)
    }
    return Report(text: "", json: "")
  }

  static func export(
    _ reading: AuditReading, only scope: UserScope?, rows wantsRows: Bool,
    to write: @escaping (String) throws(CommandFailure) -> Void
  ) async throws(CommandFailure) {
    guard wantsRows else { return try await exportHeads(reading, only: scope, to: write) }
    var chain: ChainEnds?
    try await AuditCommands.walk(
      reading, only: scope, progress: "exported",
      AuditCommands.Walk(
        begin: { ends throws(CommandFailure) in
          chain = ends
          if let cut = ends.cut { try write(AuditLines.cut(ends.user, cut)) }
        },
        rows: { rows throws(CommandFailure) in try write(rows.map { AuditLines.row($0) }.joined()) },
        end: { () throws(CommandFailure) in
          if let chain, let head = chain.head { try write(AuditLines.head(chain.user, head)) }
        }))
  }

  private static func exportHeads(
    _ reading: AuditReading, only scope: UserScope?, to write: @escaping (String) throws(CommandFailure) -> Void
  ) async throws(CommandFailure) {
    try await AuditCommands.chains(reading, only: scope) { page throws(CommandFailure) in
      for chain in page { if let head = chain.head { try write(AuditLines.head(chain.user, head)) } }
    }
  }

  private static func write(_ text: String) throws(CommandFailure) {
    do { try StandardStream.output.write(text) } catch {
      throw .refused("standard output cannot be written: \(error.words).")
    }
  }
}
