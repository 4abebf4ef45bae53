// `mandate db import-vault`: copies the vault from the second database of a former system.

import Postgres
import ServiceRuntime
import Store

enum DatabaseImportVault {
  private static let from = Option(
    name: "from", placeholder: "URL", fallback: nil, reason: "The database that the vault is in now; it is only read."
  ) { $0.utf8.count <= 4096 ? nil : "a URL of at most 4096 bytes" }

  static let command = Command(
    group: "db", name: "import-vault", summary: "Copy the vault from the second database of a former system.",
    details: [
      "Copies auth.encryption_vaults, auth.encryption_vault_audit and the ids of their users, in one transaction, and "
        + "puts every record of theirs that a grant can name into the queue for sealing. Keys stay wrapped all the way. "
        + "What is here already stays as it is, so it may be run again, and nothing that was rotated since is put back.",
      "Logs in as mandate_owner here; over there as a role that sees every row (the tables' owner is bound by their row "
        + "security, a superuser is not). Stop the former system's issuer first.",
      DatabaseCommands.whichDatabase,
    ],
    options: [DatabaseCommands.folder, from, DatabaseCommands.url],
    examples: [
      "mandate db import-vault --from 'postgres://postgres@localhost/platform?passfile=/etc/mandate/admin.pgpass'"
    ],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  private struct Answer: Encodable {
    struct Count: Encodable {
      let found: Int
      let added: Int
      init(_ count: VaultImport.Count) { (found, added) = (count.found, count.added) }
    }
    let users: Count
    let vaults: Count
    let log: Count
    let enqueued: Int
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    guard let source = invocation[from] else {
      throw .wrongUsage("--from is missing.", help: "Usage: mandate db import-vault --from URL")
    }
    let reading = try DatabaseCommands.parse(source, "--from", invocation.settings.pooler)
    let writing = try DatabaseCommands.configuration(invocation, as: StoreRole.owner.rawValue)
    let counts = try await DatabaseCommands.withPool(reading) { source throws(CommandFailure) in
      try await DatabaseCommands.withPool(writing) { target throws(CommandFailure) in
        try await DatabaseCommands.telling { () throws(PreparationError) in
          try await VaultImport(from: source, to: target).run { stage, count in
            Progress.note("\(stage.rawValue): \(count)")
          }
        }
      }
    }
    let answer = Answer(
      users: .init(counts.users), vaults: .init(counts.vaults), log: .init(counts.log), enqueued: counts.enqueued)
    return Report(text: text(counts), json: JSONText.of(answer))
  }

  private static func text(_ counts: VaultImport.Counts) -> String {
    var table = TextTable(headings: ["", "FOUND", "ADDED"])
    for (name, count) in [("users", counts.users), ("vaults", counts.vaults), ("log entries", counts.log)] {
      table.add([name, String(count.found), String(count.added)])
    }
    return table.text + "Enqueued \(counts.enqueued) records to be sealed.\n"
  }
}
