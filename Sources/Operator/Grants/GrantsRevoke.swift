// `mandate grants revoke`: ends grants of one user, now, and waits until no opening of them is under way.

import Contracts
import Postgres
import ServiceRuntime
import Store

enum GrantsRevoke {
  private static let mission = Option(
    name: "mission", placeholder: "ID", fallback: nil, reason: "The grant of this mission alone."
  ) { $0.utf8.count <= Identifier.maximumBytes ? nil : "an id of at most \(Identifier.maximumBytes) bytes" }
  private static let grant = Option(
    name: "grant", placeholder: "ID", fallback: nil, reason: "This grant alone."
  ) { (try? GrantV2.grantId($0)) == nil ? "a grant's id: a UUID in lower case" : nil }

  static let command = Command(
    group: "grants", name: "revoke", summary: "End the open grants of a user.",
    details: [
      "All of them, those of one mission, or one. They are closed with the reason operator, their key shares are deleted "
        + "in the same transaction, and when the command has ended no share leaves the database any more.",
      "Openings that had begun before may take a moment to end; where they take longer than five seconds the command "
        + "says so and ends with 1. The grants are closed all the same.",
      DatabaseCommands.whichDatabase,
    ],
    operands: [UserOperand.operand],
    options: [mission, grant, DatabaseCommands.folder, DatabaseCommands.url],
    examples: ["mandate grants revoke 8a6f2c --mission morning-review"],
    run: { invocation async throws(CommandFailure) in try await run(invocation) })

  struct Answer: Encodable, Equatable {
    let revoked: [String]
    let draining: [String]
  }

  private static func run(_ invocation: Invocation) async throws(CommandFailure) -> Report {
    let scope = try UserOperand.scope(invocation)
    let (mission, grant) = (invocation[mission].map { Identifier($0) }, invocation[grant])
    let configuration = try DatabaseCommands.configuration(invocation, as: StoreRole.operator.rawValue)
    let answer = try await DatabaseCommands.withPool(configuration) { pool throws(CommandFailure) in
      try await revoke(pool, scope, mission: mission, grant: grant)
    }
    return Report(text: text(answer), json: JSONText.of(answer), isClean: answer.draining.isEmpty)
  }

  static func revoke(
    _ pool: PostgresPool, _ scope: UserScope, mission: Identifier?, grant: String?
  ) async throws(CommandFailure) -> Answer {
    do throws(TransactionError<PostgresError>) {
      let closing = try await GrantClosing(pool).revoke(scope, mission: mission, grants: grant.map { [$0] })
      return Answer(revoked: closing.closed.map(\.grant), draining: closing.draining)
    } catch {
      guard error.nothingRemains else {
        throw .refused("whether the grants were revoked is unknown (\(error.cause)); run the command again.")
      }
      throw .refused("the grants cannot be revoked: \(error.cause).")
    }
  }

  static func text(_ answer: Answer) -> String {
    guard !answer.revoked.isEmpty else { return "There was no open grant to revoke.\n" }
    let count = answer.revoked.count == 1 ? "1 grant" : "\(answer.revoked.count) grants"
    let left = answer.draining.map { "\($0): an opening that had begun before has not ended yet.\n" }
    return "Revoked \(count).\n" + left.joined()
  }
}
