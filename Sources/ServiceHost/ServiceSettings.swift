// The settings that every service has: where it listens, who may call, how it ends. A process's configuration holds one
// of these beside its own.

package import HTTPServing
import Secrets
package import ServiceRuntime

package struct ServiceSettings: Sendable {
  package let stage: DeploymentStage
  package let logLevel: Log.Level
  /// Nil for a service without routes for users.
  package let publicListener: Listener?
  package let internalListener: Listener
  package let cors: CORSPolicy?
  package let trustedProxies: TrustedProxies
  /// Which services may call the guarded routes.
  package let callers: ServiceAuthentication
  package let drainTime: Duration

  package struct Listener: Sendable {
    package let address: ListenAddress
    package let tls: TLSSettings?
  }
}

/// What a service shows to the world, and where unless its operator says otherwise.
package struct ServiceFaces: Sendable {
  let publicListen: Setting<ListenAddress>?
  let internalListen: Setting<ListenAddress>

  /// Both are addresses as `ListenAddress` reads them.
  package init(users: String?, services: String) {
    publicListen = users.map {
      .listenAddress(.publicListen, .value(Self.address($0)), reason: "Behind a proxy, its side of this machine.")
    }
    internalListen = .listenAddress(
      .internalListen, .value(Self.address(services)),
      reason: "Never on the same address as the public one: what is not for users must not be reachable by them.")
  }

  private static func address(_ text: String) -> ListenAddress {
    guard let address = ListenAddress(text) else { preconditionFailure("\(text) is no address to listen on") }
    return address
  }

  /// In the order of `--help`.
  package var documentation: [SettingDocumentation] {
    let forUsers = [
      publicListen?.documentation, Self.publicCertificate.documentation, Self.publicKey.documentation,
      Self.origins.documentation, Self.proxies.documentation,
    ].compactMap { $0 }
    let forAll = [
      internalListen.documentation, Self.internalCertificate.documentation, Self.internalKey.documentation,
      Self.authority.documentation, Self.key.documentation, Self.formerKey.documentation, Self.users.documentation,
      DeploymentStage.setting.documentation, Log.levelSetting.documentation, Self.drain.documentation,
    ]
    return (publicListen == nil ? [] : forUsers) + forAll
  }

  // MARK: Declarations

  private static func file(_ variable: KnownVariable, _ reason: String) -> Setting<String> {
    .path(variable, .value(""), reason: reason)
  }

  private static let publicCertificate = file(
    .publicCertificate, "Needed where users come without a proxy that ends TLS. Read again at SIGHUP.")
  private static let publicKey = file(.publicCertificateKey, "Together with the certificate.")
  private static let internalCertificate = file(
    .internalCertificate, "Needed where callers come from other machines. Read again at SIGHUP.")
  private static let internalKey = file(.internalCertificateKey, "Together with the certificate.")
  private static let authority = file(
    .internalClientAuthority, "With it every caller needs a certificate that one of these authorities signed.")

  private static let proxies = Setting<[IPNetwork]>.list(
    .trustedProxies, atMost: 64, of: "an address or a network such as `10.0.0.0/8`",
    reason: "Anybody else could write any address into X-Forwarded-For.", show: { "\($0)" }, element: { IPNetwork($0) })
  private static let origins = Setting<[String]>.list(
    .corsOrigins, atMost: 64, of: "an origin such as `https://app.example`",
    reason: "A page of any other origin gets no answer it could read.", show: { $0 },
    element: { (try? CORSPolicy(origins: [$0])) == nil ? nil : $0 })

  /// The shortest that existing installations have. In production 16 bytes are asked for, see below.
  private static let key = SecretSetting(
    .serviceKey, required: false, length: 12...1_024,
    reason: "Without it, only users of this machine named below may call. In production at least 16 bytes.")
  private static let formerKey = SecretSetting(
    .formerServiceKey, required: false, length: 12...1_024, reason: "Accepted as well; remove it when nobody sends it.")
  private static let users = Setting<[UInt32]>.list(
    .serviceUsers, atMost: 64, of: "the number of a user",
    reason: "On a Unix socket the kernel says who calls, which nobody can steal.", show: { String($0) },
    element: { text in UInt32(text).flatMap { String($0) == text ? $0 : nil } })
  private static let drain = Setting<Duration>.milliseconds(
    .drainTime, .value(.seconds(10)), in: 0...600_000,
    reason: "Less than the time your supervisor waits before it kills.")

  // MARK: Reading

  package func read(_ reader: inout SettingsReader) -> ServiceSettings {
    let stage = reader.read(DeploymentStage.setting)
    var forUsers: ServiceSettings.Listener?
    var cors: CORSPolicy?
    var proxies: [IPNetwork] = []
    if let publicListen {
      let (certificate, key) = (reader.read(Self.publicCertificate), reader.read(Self.publicKey))
      reader.require(
        certificate.isEmpty == key.isEmpty, of: [.publicCertificate, .publicCertificateKey],
        "a certificate and its key belong together; set both or neither.")
      let tls = certificate.isEmpty ? nil : TLSSettings(certificateFile: certificate, keyFile: key)
      forUsers = ServiceSettings.Listener(address: reader.read(publicListen), tls: tls)
      // Each origin was read by the same rule.
      let origins = reader.read(Self.origins)
      cors = origins.isEmpty ? nil : try? CORSPolicy(origins: origins)
      proxies = reader.read(Self.proxies)
    }
    let inside = readInternalListener(&reader, stage)
    if let forUsers {
      reader.require(
        forUsers.address != inside.address || Self.isAnyPort(inside.address), of: [.publicListen, .internalListen],
        "the public and the internal listener need an address each.")
    }
    return ServiceSettings(
      stage: stage, logLevel: reader.read(Log.levelSetting), publicListener: forUsers, internalListener: inside,
      cors: cors, trustedProxies: TrustedProxies(networks: proxies), callers: readCallers(&reader, stage),
      drainTime: reader.read(Self.drain))
  }

  private static func isAnyPort(_ address: ListenAddress) -> Bool {
    if case .tcp(_, port: 0) = address { true } else { false }
  }

  private func readInternalListener(
    _ reader: inout SettingsReader, _ stage: DeploymentStage
  ) -> ServiceSettings.Listener {
    let address = reader.read(internalListen)
    let (certificate, key) = (reader.read(Self.internalCertificate), reader.read(Self.internalKey))
    let authority = reader.read(Self.authority)
    reader.require(
      certificate.isEmpty == key.isEmpty, of: [.internalCertificate, .internalCertificateKey],
      "a certificate and its key belong together; set both or neither.")
    reader.require(
      authority.isEmpty || !certificate.isEmpty, of: [.internalClientAuthority, .internalCertificate],
      "callers can show a certificate only where the listener has one itself.")
    reader.require(
      address.isLocal || !authority.isEmpty || stage != .production,
      of: [.internalListen, .internalClientAuthority, .stage],
      "an internal listener that other machines can reach needs client certificates in production.")
    let tls =
      certificate.isEmpty
      ? nil
      : TLSSettings(
        certificateFile: certificate, keyFile: key, clientAuthorityFile: authority.isEmpty ? nil : authority)
    return ServiceSettings.Listener(address: address, tls: tls)
  }

  /// Production asks for this much; a key of the former system's desks is shorter.
  private static let shortestProductionKey = 16

  private func readCallers(_ reader: inout SettingsReader, _ stage: DeploymentStage) -> ServiceAuthentication {
    var keys: ServiceKeys?
    for setting in [(Self.key, KnownVariable.serviceKey), (Self.formerKey, .formerServiceKey)] {
      guard let secret = reader.read(setting.0) else { continue }
      reader.refuseDevelopmentSecret(secret, setting.1, in: stage)
      let isLong = secret.count >= Self.shortestProductionKey
      reader.require(
        isLong || stage != .production, of: [setting.1, .stage], "in production a service key has at least 16 bytes.")
      // Cannot be too short: the setting has a limit of its own.
      if let known = keys {
        keys = try? known.adding(secret, minimum: 1)
      } else {
        keys = try? ServiceKeys(secret, minimum: 1)
      }
    }
    return ServiceAuthentication(keys: keys, uids: Set(reader.read(Self.users)))
  }
}
