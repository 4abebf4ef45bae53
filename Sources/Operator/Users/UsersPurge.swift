// `mandate users purge`: the end of an account, for installations whose accounts nobody else tells the issuer about.

import Contracts
import Postgres
import ServiceRuntime
import Store

enum UserCommands {
  static let group = CommandGroup(name: "users", summary: "Remove what there is of a user.")
  static let all = [UsersPurge.command]
}

enum UsersPurge {
  private static let confirm = Option(
    name: "confirm", placeholder: "USER", fallback: nil, reason: "The id once more: nothing brings the rows back."
  ) { $0.utf8.count <= Identifier.maximumBytes ? nil : "an id of at most \(Identifier.maximumBytes) bytes" }

  static let command = Command(
    group: "users", name: "purge", summary: "Remove every row of a user: vault, grants, audit, missions, log.",
    details: [
      "The user's grants end, and all rows go in one transaction. What stays is a digest of the id with the number and "
        + "hash of the last row of the audit, so that an export made before can still be checked against it.",
      "Nothing brings it back, so the id has to be given twice. Export the audit first if it must be kept: "
        + "mandate audit export --user USER. It may be run again.",
      DatabaseCommands.whichDatabase,
    ],
    operands: [UserOperand.operand],
    options: [confirm, DatabaseCommands.folder, DatabaseCommands.url],
    examples: ["mandate users purge 8a6f2c --confirm 8a6f2c"],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  struct Answer: Encodable, Equatable {
    let removed: Int64
    let lastSeq: Int64
    let lastHash: String
    let draining: [String]
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    let scope = try UserOperand.scope(invocation)
    guard let again = invocation[confirm], Identifier(again) == scope.user else {
      throw .wrongUsage("--confirm must repeat the user's id.", help: "Usage: mandate users purge USER --confirm USER")
    }
    let configuration = try DatabaseCommands.configuration(invocation, as: StoreRole.operator.rawValue)
    let answer = try await DatabaseCommands.withPool(configuration) { pool throws(CommandFailure) in
      try await purge(pool, scope)
    }
    return Report(text: text(answer), json: JSONText.of(answer), isClean: answer.draining.isEmpty)
  }

  static func purge(_ pool: PostgresPool, _ scope: UserScope) async throws(CommandFailure) -> Answer {
    do throws(TransactionError<PostgresError>) {
      let purged = try await AccountPurge(pool).run(scope)
      return Answer(
        removed: purged.removed, lastSeq: purged.lastSeq, lastHash: Contracts.Hex.encode(purged.lastHash),
        draining: purged.draining)
    } catch {
      guard error.nothingRemains else {
        throw .refused("whether the user was purged is unknown (\(error.cause)); run the command again.")
      }
      throw .refused("the user cannot be purged, and every row is still there: \(error.cause).")
    }
  }

  static func text(_ answer: Answer) -> String {
    let left = answer.draining.map { "\($0): an opening that had begun before has not ended yet.\n" }
    return "Removed \(answer.removed) rows. The audit ended with row \(answer.lastSeq), hash \(answer.lastHash).\n"
      + left.joined()
  }
}
