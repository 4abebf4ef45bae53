// `mandate grants census`: how many grants there are, for which resolver key, and how the closed ones ended. No ids of
// anybody, so it may be shown to anybody.

import Postgres
import ServiceRuntime
import Store

enum GrantsCensus {
  static let command = Command(
    group: "grants", name: "census", summary: "Count grants by resolver key and state.",
    details: [
      "Open grants come first. Those that are due have expired and will be closed within a minute while an issuer runs; "
        + "many of them mean that none does.",
      "A key may be retired once no open grant is left for it.",
      DatabaseCommands.whichDatabase,
    ],
    options: [DatabaseCommands.folder, DatabaseCommands.url],
    examples: ["mandate grants census"],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  struct Line: Encodable, Equatable {
    let keyId: String
    let state: String
    let grants: Int64
    let users: Int64
    let endingWithinADay: Int64
    let due: Int64
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    let configuration = try DatabaseCommands.configuration(invocation, as: StoreRole.operator.rawValue)
    let lines = try await DatabaseCommands.withPool(configuration) { pool throws(CommandFailure) in
      try await count(pool)
    }
    return Report(text: text(lines), json: JSONText.of(["grants": lines]))
  }

  static func count(_ pool: PostgresPool) async throws(CommandFailure) -> [Line] {
    do throws(PostgresError) {
      return try await GrantCensus.take(pool).groups.map {
        Line(
          keyId: $0.keyId, state: $0.closedReason ?? "open", grants: $0.grants, users: $0.users,
          endingWithinADay: $0.endingSoon, due: $0.expired)
      }
    } catch { throw .refused("the grants cannot be counted: \(error).") }
  }

  static func text(_ lines: [Line]) -> String {
    guard !lines.isEmpty else { return "There are no grants.\n" }
    var table = TextTable(
      headings: ["STATE", "RESOLVER KEY", "GRANTS", "USERS", "END WITHIN A DAY", "DUE"], width: TextTable.pageWidth)
    for line in lines {
      let isOpen = line.state == "open"
      table.add([
        line.state, line.keyId, "\(line.grants)", "\(line.users)", isOpen ? "\(line.endingWithinADay)" : "",
        isOpen ? "\(line.due)" : "",
      ])
    }
    return table.text
  }
}
