// Every knob of the issuer beside those that all services have: built once, checked once, and then never changed.

import Contracts
import Cryptography
import Postgres
import Secrets
import ServiceHost
import ServiceRuntime
import Vault

struct IssuerConfiguration: Sendable {
  /// Nil, as the keys are, only while there is a problem, and then nobody gets to see this.
  let database: ConnectionConfiguration?
  let connections: Int
  let keys: KeyEncryptionKeys?
  let resolverKey: RSAPublicKey?
  let rules: IssuerRules
  let tokens: TokenSettings

  struct TokenSettings: Sendable {
    let issuer: String
    let audience: String
    let keys: Keys

    enum Keys: Sendable {
      case url(String)
      case file(String)
    }
  }

  // MARK: Declarations, in the order of --help

  private static let url = SecretSetting(
    .databaseURL, required: true, length: 1...4_096,
    reason: "The login is mandate_issuer; its password belongs into a file that the URL's passfile= names.")
  private static let pooler = Setting<ConnectionConfiguration.Pooler>.oneOf(
    .databasePooler, .value(.none),
    reason:
      "Say `transaction` where the URL leads through PgBouncer in transaction mode, which keeps no statement or setting "
      + "of a session between two transactions.")
  private static let connectionCount = Setting.integer(
    .databaseConnections, .value(8), in: 1...200, unit: "connections",
    reason: "Two per core of the database keep it busy; more only queue there.")
  private static let kek = SecretSetting(
    .keyEncryptionKey, required: true, length: 40...1_024, reason: "32 random bytes in base64: openssl rand -base64 32."
  )
  private static let formerKeks = SecretSetting(
    .formerKeyEncryptionKeys, required: false, length: 40...4_096,
    reason: "Each in base64. They open and never wrap; remove them when no row needs them.")
  private static let environmentWraps = Setting.boolean(
    .readsEnvironmentWraps, .value(true),
    reason: "Such wraps can be swapped between users by whoever writes rows; false ends that once all are moved.")
  private static let publicKey = DocumentSetting(
    .resolverPublicKey, required: false, reason: "PEM. Without it everything works but issuing, which answers 503.")
  private static let issuesV1 = Setting.boolean(
    .issuesV1, .value(false), reason: "For clients that can't read v2 yet; such a grant can't be revoked here.")
  private static let issuer = Setting.text(
    .tokenIssuer, .value("http://localhost:3001"), reason: "Compared byte for byte.")
  private static let audience = Setting.text(.tokenAudience, .value("mana"), reason: "Compared byte for byte.")
  private static let keysURL = Setting.url(
    .tokenKeysURL, .required, schemes: ["https", "http"],
    reason: "Fetched again when an unknown key is named, and every ten minutes. http only inside one machine."
  ).optional
  private static let keysFile = Setting.path(
    .tokenKeysFile, .value(""), reason: "Read at the start and at SIGHUP. Either this or the URL.")

  static let documentation = [
    url.documentation, pooler.documentation, connectionCount.documentation, kek.documentation, formerKeks.documentation,
    environmentWraps.documentation, publicKey.documentation, issuesV1.documentation, issuer.documentation,
    audience.documentation, keysURL.documentation, keysFile.documentation,
  ]

  // MARK: Reading

  init(_ reader: inout SettingsReader, _ settings: ServiceSettings) {
    let pooler = reader.read(Self.pooler)
    database = Self.database(&reader, pooler)
    connections = reader.read(Self.connectionCount)
    keys = Self.keyRing(&reader, settings.stage)
    resolverKey = Self.resolverKey(&reader)
    var rules = IssuerRules()
    rules.issuesV1 = reader.read(Self.issuesV1)
    self.rules = rules
    let (issuer, audience) = (reader.read(Self.issuer), reader.read(Self.audience))
    let (url, file) = (reader.read(Self.keysURL), reader.read(Self.keysFile))
    reader.require(
      (url != nil) != !file.isEmpty, of: [.tokenKeysURL, .tokenKeysFile],
      "one of them says where users' tokens are proved; set exactly one.")
    tokens = TokenSettings(
      issuer: issuer, audience: audience, keys: url.map { .url($0.text) } ?? .file(file))
  }

  /// libpq takes the URL as one text, so it is one for a moment.
  private static func database(
    _ reader: inout SettingsReader, _ pooler: ConnectionConfiguration.Pooler
  ) -> ConnectionConfiguration? {
    let secret = reader.readRequired(url)
    guard secret.count > 0 else { return nil }
    let text: String
    do { text = String(copying: try UTF8Span(validating: secret.bytes)) } catch {
      reader.require(false, of: [.databaseURL], "is not UTF-8 text; it must be.")
      return nil
    }
    do { return try ConnectionConfiguration(url: text, pooler: pooler, applicationName: "mandate-issuer") } catch {
      reader.require(false, of: [.databaseURL], "\(error).")
      return nil
    }
  }

  private static func keyRing(_ reader: inout SettingsReader, _ stage: DeploymentStage) -> KeyEncryptionKeys? {
    let current = reader.readRequired(kek)
    let former = reader.read(formerKeks)
    let readsEnvironment = reader.read(environmentWraps)
    guard current.count > 0 else { return nil }
    reader.refuseDevelopmentSecret(current, .keyEncryptionKey, in: stage)
    do throws(KeyEncryptionKeys.Problem) {
      var keys = try KeyEncryptionKeys(current: current.bytes, readsEnvironmentWraps: readsEnvironment)
      if let former { keys = try keys.adding(former: former.bytes) }
      return keys
    } catch {
      reader.require(false, of: [.keyEncryptionKey, .formerKeyEncryptionKeys], error.sentence)
      return nil
    }
  }

  private static func resolverKey(_ reader: inout SettingsReader) -> RSAPublicKey? {
    guard let pem = reader.read(publicKey) else { return nil }
    do { return try RSAPublicKey(pem: pem.bytes) } catch {
      reader.require(false, of: [.resolverPublicKey], "\(error)")
      return nil
    }
  }
}

extension KeyEncryptionKeys.Problem {
  /// The end of a sentence that begins with the variables.
  var sentence: String {
    switch self {
    case .notBase64: "a key is not base64; make one with: openssl rand -base64 32."
    case .wrongLength(let count): "a key has \(count) bytes and must have 32; make one with: openssl rand -base64 32."
    case .zeroes: "the key is nothing but zeroes, which everybody knows; make one with: openssl rand -base64 32."
    case .repeated: "the same key stands there twice."
    case .failed(let error): "\(error)."
    }
  }
}
