// Every knob of the resolver beside those that all services have: built once, checked once, and then never changed.

import Grants
import Postgres
import Secrets
import ServiceHost
import ServiceRuntime

struct ResolverConfiguration: Sendable {
  /// Nil, as `fixed` is, only while there is a problem, and then nobody gets to see this.
  let database: ConnectionConfiguration?
  let connections: Int
  let fixed: ResolverKeys?
  let keyFolder: String?
  let rules: InputResolver.Rules
  let queue: BatchQueue.Limits

  // MARK: Declarations, in the order of --help

  private static let url = SecretSetting(
    .databaseURL, required: true, length: 1...4_096,
    reason: "The login is mandate_resolver; its password belongs into a file that the URL's passfile= names.")
  private static let pooler = Setting<ConnectionConfiguration.Pooler>.oneOf(
    .databasePooler, .value(.none),
    reason: "Say `transaction` where the URL leads through PgBouncer in transaction mode.")
  private static let connectionCount = Setting.integer(
    .databaseConnections, .value(8), in: 1...200, unit: "connections",
    reason: "Two per core of the database keep it busy; more only queue there.")
  /// PEM of a 4096-bit key has 3,272 bytes.
  private static let privateKey = SecretSetting(
    .resolverPrivateKey, required: false, length: 64...16_384, dropsTrailingNewline: false,
    reason: "The current key, in PEM (PKCS#8, unencrypted). Read once; to change keys while running, use the folder.")
  private static let folder = Setting.path(
    .resolverKeyFolder, .value(""),
    reason: "Every *.pem in it is a key, the last by name the current one. Read again at SIGHUP.")
  private static let acceptsV1 = Setting.boolean(
    .acceptsV1, .value(true),
    reason: "A v1 grant proves neither its expiry nor its records; false once all clients have v2.")
  private static let batchTime = Setting.milliseconds(
    .resolveTime, .value(.seconds(20)), in: 100...25_000,
    reason: "Below the 30 s that a handler has, so that a caller hears why.")
  private static let batches = Setting.integer(
    .resolveBatches, .value(8), in: 1...64, unit: "batches",
    reason: "Eight times as many wait in order; one more is told 503. Each may have 32 MiB of answer in memory.")

  static let documentation = [
    url.documentation, pooler.documentation, connectionCount.documentation, privateKey.documentation,
    folder.documentation,
    acceptsV1.documentation, batchTime.documentation, batches.documentation,
  ]

  // MARK: Reading

  init(_ reader: inout SettingsReader, _ settings: ServiceSettings) {
    database = Self.database(&reader)
    connections = reader.read(Self.connectionCount)
    fixed = Self.fixedKey(&reader)
    let folder = reader.read(Self.folder)
    keyFolder = folder.isEmpty ? nil : folder
    var rules = InputResolver.Rules()
    rules.acceptsV1 = reader.read(Self.acceptsV1)
    rules.batchTime = reader.read(Self.batchTime)
    self.rules = rules
    queue = BatchQueue.Limits(running: reader.read(Self.batches))
  }

  /// libpq takes the URL as one text, so it is one for a moment.
  private static func database(_ reader: inout SettingsReader) -> ConnectionConfiguration? {
    let secret = reader.readRequired(url)
    let pooler = reader.read(Self.pooler)
    guard secret.count > 0 else { return nil }
    let text: String
    do { text = String(copying: try UTF8Span(validating: secret.bytes)) } catch {
      reader.require(false, of: [.databaseURL], "is not UTF-8 text; it must be.")
      return nil
    }
    do throws(ConfigurationError) {
      return try ConnectionConfiguration(url: text, pooler: pooler, applicationName: "mandate-resolver")
    } catch {
      reader.require(false, of: [.databaseURL], "\(error).")
      return nil
    }
  }

  private static func fixedKey(_ reader: inout SettingsReader) -> ResolverKeys? {
    guard let pem = reader.read(privateKey) else { return ResolverKeys() }
    do throws(KeyRing.Problem) { return try KeyRing.key(pem: pem) } catch {
      reader.require(false, of: [.resolverPrivateKey], error.sentence)
      return nil
    }
  }
}
