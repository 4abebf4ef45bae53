// The commands that deal with the database, and how each finds the one it is meant for.

import Postgres
import ServiceRuntime
import Store

enum DatabaseCommands {
  static let group = CommandGroup(name: "db", summary: "Run, prepare, migrate and verify the database.")
  static let all = [
    DatabaseStart.command, DatabaseStop.command, DatabaseStatus.command, DatabaseBootstrap.command,
    DatabaseMigrate.command, DatabaseVerify.command, DatabaseImportVault.command, DatabaseRenewPasswords.command,
  ]

  static let folder = Option(
    name: "folder", placeholder: "FOLDER", fallback: ".", reason: "Whose private cluster, in `.mandate/` below it."
  ) { $0.utf8.count <= 4000 ? nil : "a path of at most 4000 bytes" }

  static let url = Option(
    name: "url", placeholder: "URL", fallback: nil,
    reason: "Another database than the environment's or the private one: postgres://ROLE@HOST/DATABASE?…"
  ) { $0.utf8.count <= 4096 ? nil : "a URL of at most 4096 bytes" }

  /// What help says about them, in every command that connects.
  static let whichDatabase =
    "Works on the database that --url names, else MANDATE_DATABASE_URL (SYNC_DATABASE_URL, DATABASE_URL), else on the "
    + "private cluster of the folder. Where the URL leads through PgBouncer in transaction mode, set "
    + "MANDATE_DATABASE_POOLER=transaction. A password belongs into a file that the URL's passfile= names: a command "
    + "line can be seen by every user of the machine."

  static func path(_ invocation: Invocation) -> String {
    guard let path = invocation[folder] else { preconditionFailure("--folder has a default") }
    return path
  }

  /// `role` is who to be on a private cluster; elsewhere the URL says it.
  static func configuration(
    _ invocation: Invocation, as role: String
  ) throws(CommandFailure) -> ConnectionConfiguration {
    if let text = invocation[url] { return try parse(text, "--url", invocation.settings.pooler) }
    if let database = invocation.settings.database { return database }
    guard let cluster = try ClusterFolder.find(path(invocation)) else {
      throw .refused("no database is named, and this folder has none of its own: mandate db start, or give --url.")
    }
    return try cluster.configuration(as: role)
  }

  static func parse(
    _ text: String, _ name: String, _ pooler: ConnectionConfiguration.Pooler = .none
  ) throws(CommandFailure) -> ConnectionConfiguration {
    do { return try ConnectionConfiguration(url: text, pooler: pooler) } catch {
      throw .wrongUsage("\(name): \(error).", help: nil)
    }
  }

  /// How long a first connection may take; what answers later than that does not answer.
  private static let patience = Duration.seconds(10)

  /// A pool for the length of a command. The first connection is tried at once, with little patience.
  static func withPool<Value>(
    _ configuration: ConnectionConfiguration, maximum: Int = 2,
    _ body: (PostgresPool) async throws(CommandFailure) -> Value
  ) async throws(CommandFailure) -> Value {
    var limits = PoolLimits(minimum: 0, maximum: maximum)
    // Longer than the patience: a person who reads the refusal decides whether to try again.
    limits.firstBackoff = .seconds(60)
    limits.longestBackoff = .seconds(60)
    let pool = PostgresPool(configuration, limits: limits)
    let result: Result<Value, CommandFailure>
    do throws(CommandFailure) {
      try await probe(pool)
      result = .success(try await body(pool))
    } catch { result = .failure(error) }
    // What does not come home in time is cut off, and the command ends either way.
    _ = await pool.drain(deadline: .after(.seconds(5)))
    return try result.get()
  }

  private static func probe(_ pool: PostgresPool) async throws(CommandFailure) {
    do {
      _ = try await pool.query(Statement("SELECT 1").bind(), deadline: .after(patience))
    } catch {
      let advice =
        if case .unreachable(let failure) = error, failure.reason == .network {
          " Is it running? A private cluster is started with: mandate db start"
        } else if case .unreachable(let failure) = error, failure.isAboutPassword {
          " Where the right password is lost or a renewal was interrupted: mandate db renew-passwords"
        } else { "" }
      throw .refused("\(pool.configuration): \(error).\(advice)")
    }
  }

  /// Whether this login's password is the right one. Anything else that goes wrong is thrown.
  static func isLetIn(_ configuration: ConnectionConfiguration) async throws(CommandFailure) -> Bool {
    let pool = PostgresPool(configuration, limits: PoolLimits(minimum: 0, maximum: 1))
    let answer: Result<Void, PostgresError>
    do {
      _ = try await pool.query(Statement("SELECT 1").bind(), deadline: .after(patience))
      answer = .success(())
    } catch { answer = .failure(error) }
    _ = await pool.drain(deadline: .after(.seconds(5)))
    switch answer {
    case .success: return true
    case .failure(.unreachable(let failure)) where failure.isAboutPassword: return false
    case .failure(let error): throw .refused("\(configuration): \(error).")
    }
  }

  /// The same work with an error that the operator can read.
  static func telling<Value>(
    _ body: () async throws(PreparationError) -> Value
  ) async throws(CommandFailure) -> Value {
    do throws(PreparationError) { return try await body() } catch { throw .refused(error.sentence) }
  }
}

extension ConnectFailure {
  /// Another password might help.
  fileprivate var isAboutPassword: Bool {
    switch reason {
    case .refused(let state): state == .invalidPassword
    case .passwordMissing, .passwordFile: true
    case .network, .tls, .resources: false
    }
  }
}
