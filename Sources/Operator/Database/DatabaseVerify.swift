// `mandate db verify`: every difference between this database and a freshly migrated one.

import Postgres
import ServiceRuntime
import Store

enum DatabaseVerify {
  static let command = Command(
    group: "db", name: "verify", summary: "Show every difference from the expected schema, privileges and policies.",
    details: [
      "Compares tables, columns, constraints, indexes, policies, triggers, functions, roles, memberships, owners, "
        + "privileges and settings with those of a freshly migrated database, and the text of each migration with this "
        + "program's. Each difference is a line that names its object. Ends with 1 if there is any. Logs in as "
        + "mandate_owner, in a transaction that may only read.",
      DatabaseCommands.whichDatabase,
    ],
    options: [DatabaseCommands.folder, DatabaseCommands.url],
    examples: ["mandate db verify", "mandate db verify --json"],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  private struct Answer: Encodable {
    let facts: Int
    let missing: [String]
    let unexpected: [String]
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    let configuration = try DatabaseCommands.configuration(invocation, as: StoreRole.owner.rawValue)
    let result = try await DatabaseCommands.withPool(configuration) { pool throws(CommandFailure) in
      try await DatabaseCommands.telling { () throws(PreparationError) in try await SchemaVerification(pool).run() }
    }
    let answer = Answer(
      facts: result.facts, missing: result.findings.filter { $0.kind == .missing }.map(\.fact),
      unexpected: result.findings.filter { $0.kind == .unexpected }.map(\.fact))
    return Report(text: text(result), json: JSONText.of(answer), isClean: result.findings.isEmpty)
  }

  private static func text(_ result: SchemaVerification.Result) -> String {
    guard !result.findings.isEmpty else { return "As expected: \(result.facts) facts compared.\n" }
    // Aligned, so that what is missing and what is there instead can be compared by eye.
    let lines = result.findings.map { finding in
      (finding.kind == .missing ? "missing     " : "unexpected  ") + Self.plain(finding.fact) + "\n"
    }
    let needsMigration = result.findings.contains { $0.kind == .missing && $0.fact.hasPrefix("migrations: ") }
    let advice = needsMigration ? "The database has not taken every migration: mandate db migrate\n" : ""
    return lines.joined() + "\(result.findings.count) differences among \(result.facts) facts.\n" + advice
  }

  /// Names in a database that somebody changed are whatever that somebody chose; terminals must not obey them.
  private static func plain(_ fact: String) -> String {
    var shown = ""
    for scalar in fact.unicodeScalars {
      let isControl = scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
      shown += isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
    }
    return shown
  }
}
