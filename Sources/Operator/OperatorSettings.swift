// What commands take from the environment, read and checked once before any of them runs.

import Postgres
import Secrets
import ServiceRuntime

final class OperatorSettings: Sendable, Equatable {
  /// The database that the environment names, if it names one.
  let database: ConnectionConfiguration?
  /// What every URL leads through, the environment's and the command line's. A private cluster is reached without it.
  let pooler: ConnectionConfiguration.Pooler
  /// Where PostgreSQL's programs are, if they are not where packages put them.
  let programs: String?

  static let none = OperatorSettings(database: nil, pooler: .none, programs: nil)

  init(database: ConnectionConfiguration?, pooler: ConnectionConfiguration.Pooler, programs: String?) {
    (self.database, self.pooler, self.programs) = (database, pooler, programs)
  }

  static func == (left: OperatorSettings, right: OperatorSettings) -> Bool { left === right }

  private static let url = SecretSetting(
    .databaseURL, required: false, length: 1...4_096,
    reason: "Which database the commands work on; without it, the private cluster of the folder.")
  private static let pooler = Setting<ConnectionConfiguration.Pooler>.oneOf(
    .databasePooler, .value(.none),
    reason:
      "Say `transaction` where a database URL leads through PgBouncer in transaction mode, which keeps no statement "
      + "or setting of a session between two transactions. A private cluster is reached without it.")
  private static let programs = Setting.path(
    .postgresPrograms, .value(""), reason: "For PostgreSQL that is not where Debian puts it.")

  /// For help, in the order of the list of variables.
  static let documentation = [url.documentation, pooler.documentation, programs.documentation]

  private struct Read: ~Copyable {
    let url: SecretBytes?
    let pooler: ConnectionConfiguration.Pooler
    let programs: String
  }

  static func read(from environment: Environment = .process) throws(CommandFailure) -> OperatorSettings {
    let read: Read
    do {
      read = try SettingsReader.build(from: environment, documented: documentation) {
        Read(url: $0.read(url), pooler: $0.read(pooler), programs: $0.read(programs))
      }
    } catch {
      throw .wrongUsage(error.text, help: nil)
    }
    return OperatorSettings(
      database: try database(read.url, read.pooler), pooler: read.pooler,
      programs: read.programs.isEmpty ? nil : read.programs)
  }

  /// libpq takes the URL as one text, so it is one for a moment; the password goes back into locked memory at once.
  private static func database(
    _ url: borrowing SecretBytes?, _ pooler: ConnectionConfiguration.Pooler
  ) throws(CommandFailure) -> ConnectionConfiguration? {
    switch url {
    case nil: return nil
    case .some(let url):
      let text: String
      do { text = String(copying: try UTF8Span(validating: url.bytes)) } catch {
        throw .wrongUsage("\(KnownVariable.databaseURL.rawValue) is not UTF-8 text; it must be.", help: nil)
      }
      do { return try ConnectionConfiguration(url: text, pooler: pooler) } catch {
        throw .wrongUsage("\(KnownVariable.databaseURL.rawValue): \(error).", help: nil)
      }
    }
  }
}
