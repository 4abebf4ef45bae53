// `mandate audit prune`: removes the oldest rows of every chain; the cuts it leaves let the rest verify.

import Contracts
import Postgres
import ServiceRuntime
import Store

enum AuditPrune {
  private static let before = Option(
    name: "before", placeholder: "TIME", fallback: nil, reason: "As 2026-03-01T00:00:00Z; at least an hour ago."
  ) { Instant(iso: $0) == nil ? "a time as 2026-03-01T00:00:00Z" : nil }

  static let command = Command(
    group: "audit", name: "prune", summary: "Remove rows that are old enough, leaving chains that verify.",
    details: [
      "Of each chain the rows before a time go, oldest first, and a cut stays: the number and hash of the last row that "
        + "went. What goes is verified first; a chain that does not verify is left whole and named, and the command ends "
        + "with 1, for its rows are the evidence.",
      "Export first: what was pruned is nowhere else. It may be stopped and run again.",
      DatabaseCommands.whichDatabase,
    ],
    options: [before, DatabaseCommands.folder, DatabaseCommands.url],
    examples: ["mandate audit prune --before 2026-01-01T00:00:00Z"],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  struct Answer: Encodable {
    var chains = 0
    var removed: Int64 = 0
    var broken: [String] = []
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    guard let text = invocation[before], let time = Instant(iso: text),
      let timestamp = PostgresTimestamp(unixMicroseconds: time.milliseconds * 1_000)
    else { throw .wrongUsage("--before is missing.", help: "Usage: mandate audit prune --before TIME") }
    let configuration = try DatabaseCommands.configuration(invocation, as: StoreRole.operator.rawValue)
    let answer = try await DatabaseCommands.withPool(configuration) { pool throws(CommandFailure) in
      try await prune(AuditPruning(pool), before: timestamp)
    }
    return Report(text: self.text(answer), json: JSONText.of(answer), isClean: answer.broken.isEmpty)
  }

  static func prune(_ pruning: AuditPruning, before: PostgresTimestamp) async throws(CommandFailure) -> Answer {
    var answer = Answer()
    var last: Identifier?
    while true {
      let page: [PrunedChain]
      do {
        page = try await pruning.step(before: before, after: last)
      } catch {
        let done = "Removed \(answer.removed) rows before that; it can be run again"
        guard case .server(let refusal) = error.cause, refusal.state == SQLState("MD003") else {
          throw .refused("pruning stopped: \(error). \(done).")
        }
        throw .refused("only rows that are older than an hour can be pruned.")
      }
      guard let user = page.last?.user else { return answer }
      last = user
      answer.chains += page.count
      answer.removed += page.reduce(0) { $0 + $1.removed }
      answer.broken += page.filter(\.isBroken).map(\.user.text)
      Progress.note("pruned \(answer.removed) rows of \(answer.chains) chains")
    }
  }

  private static func text(_ answer: Answer) -> String {
    answer.broken.map { "\(Printable.name($0)): does not verify and was left whole: mandate audit verify --user\n" }
      .joined() + "Removed \(answer.removed) rows; looked at \(answer.chains) chains.\n"
  }
}
