// What can go wrong while a database is made ready, as its operator must hear it. Services have errors of their own.

package import Postgres

package enum PreparationError: Error, Sendable, Equatable {
  /// The server is too old; needed are 15 and UTF-8.
  case unsupportedServer(version: String)
  /// Logged in as somebody who must not do this, or can't.
  case wrongRole(found: String, needed: String)
  /// There is no schema of ours to migrate or to verify.
  case notBootstrapped
  /// A migration that the database has taken is not the one in this binary.
  case changedMigration(String)
  /// The database has taken a migration that this binary does not know, so the binary is older than the database.
  case unknownMigration(String)
  /// What the named step ran into. Nothing of that step remains.
  case step(String, PostgresError)
  /// The commit of the named step was sent and not answered; running the command again tells.
  case unknownFate(String, PostgresError)
  /// Something that only its sentence can tell.
  case refused(String)
}

extension PreparationError: PostgresFailure {
  package init(postgres error: PostgresError) { self = .step("connecting", error) }
}

extension PreparationError {
  init(_ step: String, _ error: TransactionError<PreparationError>) {
    switch error {
    case .body(let error), .rollback(let error, _): self = error
    case .begin(let error), .commit(let error): self = .step(step, error)
    case .commitUnknown(let error): self = .unknownFate(step, error)
    case .aborted: self = .step(step, .server(ServerError(state: .failedTransaction, severity: .error)))
    }
  }

  /// One sentence or two that say what to do.
  package var sentence: String {
    switch self {
    case .unsupportedServer(let version): "PostgreSQL 15 or newer with UTF8 is needed; this server is \(version)."
    case .wrongRole(let found, let needed): "logged in as \(found); this needs \(needed)."
    case .notBootstrapped: "the database has no schema of ours yet; run first: mandate db bootstrap"
    case .changedMigration(let name):
      "migration \(name) has been changed since this database took it. Use the version of mandate that this database "
        + "was migrated with, or a newer one."
    case .unknownMigration(let name):
      "the database has taken migration \(name), which this version of mandate does not know: use a newer one."
    case .step(let step, let error): "\(step) failed, and nothing of it remains: \(Self.words(of: error))."
    case .unknownFate(let step, let error):
      "whether \(step) was done is unknown (\(Self.words(of: error))); run the command again."
    case .refused(let sentence): sentence
    }
  }

  /// States whose sentence names objects of the schema, or is one that our own SQL raises; neither quotes a row.
  private static let tellable: Set<SQLState> = [
    .raisedException, .insufficientPrivilege, .undefinedTable, .undefinedFunction, .undefinedColumn, .duplicateObject,
  ]

  static func words(of error: PostgresError) -> String {
    guard case .server(let refusal) = error, tellable.contains(refusal.state) else { return "\(error)" }
    let message = refusal.withheld.revealedForDebugging().message
    return message.isEmpty ? "\(error)" : message
  }
}
