// `mandate-dev seed`: puts changes into the log as a sync server would. All lines are read and looked at before the
// first one is written, and all are written in one transaction, so a run that fails has done nothing, and one that is
// repeated does nothing more.

import Contracts
import Postgres
import Secrets
import ServiceRuntime
import Store

enum SeedCommand {
  enum Problem: Error, Equatable, CustomStringConvertible {
    case settings(String)
    case noDatabase
    case tooMuch
    case line(Int, String)
    case nothing
    case database(String)

    var description: String {
      switch self {
      case .settings(let sentences): sentences
      case .noDatabase:
        "\(KnownVariable.databaseURL.rawValue) is not set. For a private cluster: mandate db status shows the URL of "
          + "mandate_sync."
      case .tooMuch: "more than \(SeedCommand.mostLines) lines, or more than \(SeedCommand.mostBytes) bytes."
      case .line(let number, let sentence): "line \(number) \(sentence). Nothing was written."
      case .nothing: "there was no change on standard input."
      case .database(let sentence): sentence
      }
    }
  }

  /// For a desk; a sync server's stream has no end.
  static let mostLines = 10_000
  static let mostBytes = 16 << 20

  private static let url = SecretSetting(
    .databaseURL, required: false, length: 1...4_096, reason: "The login is mandate_sync.")

  /// `next` gives one line after the other without its end.
  static func run(from environment: Environment, next: () -> String?) async throws(Problem) -> String {
    let configuration = try database(environment)
    let changes = try read(next)
    let pool = PostgresPool(configuration, limits: PoolLimits(minimum: 0, maximum: 1))
    let result: Result<(appended: Int, known: Int), Problem>
    do throws(Problem) { result = .success(try await write(changes, to: pool)) } catch { result = .failure(error) }
    _ = await pool.drain(deadline: .after(.seconds(5)))
    let counts = try result.get()
    return "\(counts.appended) written, \(counts.known) known before\n"
  }

  static func read(_ next: () -> String?) throws(Problem) -> [DeviceChange] {
    var changes: [DeviceChange] = []
    var (number, bytes) = (0, 0)
    while let line = next() {
      number += 1
      bytes += line.utf8.count + 1
      guard number <= mostLines, bytes <= mostBytes else { throw .tooMuch }
      if line.allSatisfy(\.isWhitespace) { continue }
      do throws(SeedLine.Problem) { changes.append(try SeedLine.change(line)) } catch {
        throw .line(number, error.sentence)
      }
    }
    guard !changes.isEmpty else { throw .nothing }
    return changes
  }

  private static func write(
    _ changes: [DeviceChange], to pool: PostgresPool
  ) async throws(Problem) -> (appended: Int, known: Int) {
    do throws(TransactionError<Refusal>) {
      return try await pool.withTransaction { transaction throws(Refusal) in
        var (appended, known) = (0, 0)
        for change in changes {
          switch try await append(change, in: &transaction) {
          case .appended: appended += 1
          case .known: known += 1
          case .contradicted: throw .contradicted(change.id)
          }
        }
        return (appended, known)
      }
    } catch .body(.contradicted(let id)) {
      throw .database("the log has another change with the id \(id). Nothing was written.")
    } catch {
      throw .database("\(pool.configuration): \(error).")
    }
  }

  private enum Refusal: PostgresFailure {
    case contradicted(String)
    case postgres(PostgresError)

    init(postgres error: PostgresError) { self = .postgres(error) }
  }

  private static func append(
    _ change: DeviceChange, in transaction: inout PostgresTransaction
  ) async throws(Refusal) -> ChangeAppending.Outcome {
    let scope: UserScope
    do throws(EmptyUser) { scope = try UserScope(change.user) } catch {
      preconditionFailure("an identifier that was checked is not empty")
    }
    do throws(PostgresError) {
      let found = try await transaction.pipeline([scope.statement, ChangeAppending.append(change)])
      return try ChangeAppending.outcome(found[1])
    } catch { throw .postgres(error) }
  }

  // MARK: Which database

  private struct Read: ~Copyable {
    let url: SecretBytes?
  }

  /// libpq takes the URL as one text, so it is one for a moment.
  private static func database(_ environment: Environment) throws(Problem) -> ConnectionConfiguration {
    let read: Read
    do {
      read = try SettingsReader.build(from: environment, documented: [url.documentation]) { Read(url: $0.read(url)) }
    } catch {
      throw .settings(error.text)
    }
    switch read.url {
    case nil: throw .noDatabase
    case .some(let secret):
      do {
        let text = String(copying: try UTF8Span(validating: secret.bytes))
        return try ConnectionConfiguration(url: text, applicationName: "mandate-dev")
      } catch {
        throw .settings("\(KnownVariable.databaseURL.rawValue): \(error).")
      }
    }
  }
}
