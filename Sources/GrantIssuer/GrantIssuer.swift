// The issuer's process: its settings, its checks, its routes, and what goes on beside them.

import Contracts
import Cryptography
import HTTPFetching
import Identity
import Postgres
import ServiceHost
import ServiceRuntime
import Store
import Vault

package enum GrantIssuer {
  package static func main() async -> Never {
    await ServiceProgram(
      name: "mandate-issuer", purpose: "Keeps users' master keys, and issues and revokes grants to read their records.",
      faces: ServiceFaces(users: "127.0.0.1:3001", services: "127.0.0.1:3002"),
      settings: IssuerConfiguration.documentation, prepare: prepare,
      read: { reader, settings in IssuerConfiguration(&reader, settings) }, build: build
    ).main()
  }

  /// Before the first key is read. No RSA private key is ever loaded here, so OpenSSL's own heap is small.
  private static func prepare() throws(StartProblem) {
    do throws(CryptographyError) { try Cryptography.prepare(secureHeapBytes: 1 << 16) } catch {
      throw StartProblem("\(error).")
    }
  }

  private static func build(
    _ configuration: consuming IssuerConfiguration, _ settings: ServiceSettings, _ context: ServiceContext
  ) async throws(StartProblem) -> RunningService {
    guard let database = configuration.database, let keys = configuration.keys else {
      preconditionFailure("a configuration with a problem was built all the same")
    }
    var limits = PoolLimits(minimum: 1, maximum: configuration.connections)
    // Below the time that a handler has, so that a caller hears why.
    limits.callTime = .seconds(15)
    let pool = PostgresPool(database, limits: limits)
    let vault = Vault(keys)
    let metrics = IssuerMetrics(context.metrics, pool)
    let issuer = Issuer(
      pool: pool, vault: vault, resolverKey: configuration.resolverKey, rules: configuration.rules, log: context.log)
    let tokens = try TokenKeys(configuration.tokens.keys, context.log)
    let authority = TokenAuthority(
      IdentityConfiguration(issuers: [configuration.tokens.issuer], audiences: [configuration.tokens.audience]),
      keys: tokens.source, clock: .system, refused: { metrics.refused($0) })

    var service = RunningService(checks: StoreChecks.all(pool) + [keyCheck(vault)])
    Routes(issuer: issuer, authority: authority, metrics: metrics, log: context.log)
      .add(to: &service, callers: settings.callers)
    service.background = [{ await pool.run() }, { await Housekeeping(issuer).run() }]
    service.reload = { tokens.reload() }
    service.gauges = { await metrics.refresh() }
    let resolverKeyId = configuration.resolverKey?.keyIdHex
    service.health = {
      [("resolverKeyId", .text(resolverKeyId)), ("kekId", .string(vault.currentKeyId))]
    }
    service.finish = {
      tokens.close()
      if await !pool.drain(deadline: .after(.seconds(5))) {
        context.log.warning("Connections to the database had to be cut off.")
      }
    }
    return service
  }

  private static func keyCheck(_ vault: Vault) -> ReadinessCheck {
    ReadinessCheck(.keys, every: .seconds(60)) {
      vault.proves() ? .kept : .broken("the vault cannot open what it has just wrapped")
    }
  }
}

/// Where the keys come from that users' tokens are proved with.
private struct TokenKeys: Sendable {
  let source: any KeySource
  private let client: HTTPClient?
  private let file: KeySetFile?

  init(_ keys: IssuerConfiguration.TokenSettings.Keys, _ log: Log) throws(StartProblem) {
    switch keys {
    case .file(let path):
      do throws(KeySetFile.Problem) {
        let file = try KeySetFile(path)
        (source, client, self.file) = (file, nil, file)
      } catch { throw Self.problem(error) }
    case .url(let text):
      do throws(HTTPFailure) {
        let client = try HTTPClient()
        source = KeySetURL(
          try HTTPURL(text), client: client,
          failed: { failure in
            log.warning(
              "The keys of users' tokens could not be fetched.",
              [.detail: .text(failure.map { "\($0)" } ?? "the answer is no set of keys")])
          })
        (self.client, file) = (client, nil)
      } catch { throw StartProblem("\(KnownVariable.tokenKeysURL.rawValue) cannot be used: \(error).") }
    }
  }

  func reload() -> [StartProblem] {
    do throws(KeySetFile.Problem) {
      try file?.reload()
      return []
    } catch { return [Self.problem(error)] }
  }

  func close() { client?.close() }

  private static func problem(_ problem: KeySetFile.Problem) -> StartProblem {
    let words =
      switch problem {
      case .file(let problem): problem.sentence
      case .document(let problem): "is no set of keys: \(problem)."
      case .noKeys: "holds no Ed25519 key with an id."
      }
    return StartProblem("\(KnownVariable.tokenKeysFile.rawValue) names a file that \(words)")
  }
}
