// `mandate audit verify`: recomputes chains from their rows, and compares them with ends that were exported earlier.

import Contracts
internal import FoundationEssentials
import Postgres
import ServiceRuntime
import Store

enum AuditVerify {
  private static let heads = Option(
    name: "heads", placeholder: "FILE", fallback: nil,
    reason: "Ends that `mandate audit export` wrote earlier, to be found again in the chains."
  ) { $0.utf8.count <= 4000 ? nil : "a path of at most 4000 bytes" }

  static let command = Command(
    group: "audit", name: "verify", summary: "Recompute the chains and name every row that is not as it was written.",
    details: [
      "Each row's hash is made again here, not by the database, from the row and the hash before it. A row that was "
        + "changed, removed, inserted or moved is named by its user and number. Ends with 1 if there is any.",
      "Whoever owns the database could rewrite a whole chain with all its hashes. What he can't rewrite are ends that "
        + "lie elsewhere: with --heads, each of them must be found again, or its row must have been pruned since.",
      DatabaseCommands.whichDatabase,
    ],
    options: [AuditCommands.user, heads, DatabaseCommands.folder, DatabaseCommands.url],
    examples: ["mandate audit verify", "mandate audit verify --user u-1 --heads /backup/heads.ndjson --json"],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  struct Answer: Encodable {
    var chains = 0
    var rows = 0
    /// Exported ends that were compared, and those whose rows were pruned since.
    var headsCompared = 0
    var headsPruned = 0
    var findings: [ChainFinding] = []
    var moreFindings = 0
  }

  /// More than these nobody reads, and each of them is enough.
  private static let mostFindings = 1_000

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    let scope = try AuditCommands.scope(invocation)
    var exported = try invocation[heads].map { path throws(CommandFailure) in try read(path) } ?? [:]
    if let scope { exported = exported.filter { $0.key == scope.user } }
    let answer = try await AuditCommands.withReading(invocation) { reading throws(CommandFailure) in
      try await verify(reading, only: scope, exported)
    }
    return Report(text: text(answer), json: JSONText.of(answer), isClean: answer.findings.isEmpty)
  }

  static func verify(
    _ reading: AuditReading, only scope: UserScope?, _ exported: [Identifier: [ChainHead]]
  ) async throws(CommandFailure) -> Answer {
    var answer = Answer()
    var left = exported
    var verifier: ChainVerifier?
    func add(_ findings: [ChainFinding]) {
      let room = max(0, mostFindings - answer.findings.count)
      answer.findings += findings.prefix(room)
      answer.moreFindings += max(0, findings.count - room)
    }
    try await AuditCommands.walk(
      reading, only: scope, progress: "verified",
      AuditCommands.Walk(
        begin: { chain in
          let anchors = left.removeValue(forKey: chain.user) ?? []
          answer.headsCompared += anchors.count
          verifier = ChainVerifier(chain, anchors: anchors)
        },
        rows: { rows in verifier?.take(rows) },
        end: {
          guard var finished = verifier else { return }
          finished.finish()
          answer.chains += 1
          answer.rows += finished.rows
          answer.headsPruned += finished.uncheckedAnchors
          answer.headsCompared -= finished.uncheckedAnchors
          add(finished.findings)
        }))
    // Users who had a chain and have none: purged, or gone.
    for (user, anchors) in left.sorted(by: { $0.key < $1.key }) {
      answer.headsCompared += anchors.count
      add(anchors.map { ChainFinding(user: user.text, kind: .shorterThanExport, seq: $0.seq) })
    }
    return answer
  }

  private static let mostBytes = 1 << 30

  private static func read(_ path: String) throws(CommandFailure) -> [Identifier: [ChainHead]] {
    let data: Data
    do { data = try Data(contentsOf: URL(filePath: path)) } catch {
      throw .refused("\(Printable.name(path)) cannot be read.")
    }
    guard data.count <= mostBytes else { throw .refused("\(Printable.name(path)) is larger than 1 GiB.") }
    var heads: [Identifier: [ChainHead]] = [:]
    for (number, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
      let bytes = Array(line)
      do {
        guard let head = try AuditLines.readHead(bytes.span) else { continue }
        heads[head.user, default: []].append(head.end)
      } catch { throw .refused("\(Printable.name(path)): line \(number + 1) is not one of an exported audit.") }
    }
    guard !heads.isEmpty else { throw .refused("\(Printable.name(path)) holds no end of a chain.") }
    return heads
  }

  private static func text(_ answer: Answer) -> String {
    var text = ""
    for finding in answer.findings { text += "\(Printable.name(finding.user)): \(finding.sentence)\n" }
    if answer.moreFindings > 0 { text += "… and \(answer.moreFindings) more\n" }
    text += "\(answer.chains) chains, \(answer.rows) rows: "
    text +=
      answer.findings.isEmpty ? "every hash holds.\n" : "\(answer.findings.count + answer.moreFindings) problems.\n"
    if answer.headsCompared + answer.headsPruned > 0 {
      text += "\(answer.headsCompared) exported ends compared, \(answer.headsPruned) lie before what was pruned.\n"
    }
    return text
  }
}
