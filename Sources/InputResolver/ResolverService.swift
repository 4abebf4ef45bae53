// The resolver's process: its settings, its checks, its one route.

import Contracts
import Cryptography
import FoundationEssentials
import Grants
import Postgres
import Secrets
import ServiceHost
import ServiceRuntime
import Store
import Synchronization

package enum ResolverService {
  package static func main() async -> Never {
    await ServiceProgram(
      name: "mandate-resolver", purpose: "Opens the records that a mission's grant names, once per tick.",
      faces: ServiceFaces(users: nil, services: "unix:/run/mandate-resolver/resolver.sock"),
      settings: ResolverConfiguration.documentation, prepare: prepare,
      read: { reader, settings in ResolverConfiguration(&reader, settings) }, build: build, verbs: [RewrapVerb.verb]
    ).main()
  }

  /// Before the first key is read: whatever OpenSSL frees is wiped, and private numbers lie in its locked heap.
  private static func prepare() throws(StartProblem) {
    do throws(CryptographyError) { try Cryptography.prepare() } catch { throw StartProblem("\(error).") }
  }

  private static func build(
    _ configuration: consuming ResolverConfiguration, _ settings: ServiceSettings, _ context: ServiceContext
  ) async throws(StartProblem) -> RunningService {
    guard let database = configuration.database, let fixed = configuration.fixed else {
      preconditionFailure("a configuration with a problem was built all the same")
    }
    let ring: KeyRing
    do throws(KeyRing.Problem) { ring = try KeyRing(fixed: fixed, folder: configuration.keyFolder) } catch {
      throw StartProblem(error.sentence)
    }
    warn(ring, configuration.rules, context.log)
    var limits = PoolLimits(minimum: 1, maximum: configuration.connections)
    limits.callTime = configuration.rules.batchTime
    let pool = PostgresPool(database, limits: limits)
    let observer = ResolveObserver(context.metrics, log: context.log)
    let workers = WorkerThreads(count: WorkerThreads.cores)
    addGauges(of: pool, to: context.metrics)
    let resolver = InputResolver(
      receipts: Receipts(pool, makeBatch: { UUID().uuidString.lowercased() }),
      unwrapper: { TimedUnwrapper(keys: ring.keys, observer: observer) },
      workers: workers, rules: configuration.rules, clock: now, observer: observer)

    var service = RunningService(checks: StoreChecks.all(pool) + [keyCheck(ring)])
    let queue = BatchQueue(configuration.queue)
    observer.show(queue, on: context.metrics)
    let routes = Routes(resolver: resolver, queue: queue, time: configuration.rules.batchTime, log: context.log)
    routes.add(to: &service, callers: settings.callers)
    service.handlers = workers
    service.background = [{ await pool.run() }]
    service.reload = {
      do throws(KeyRing.Problem) {
        try ring.reload()
        return []
      } catch { return [StartProblem(error.sentence)] }
    }
    service.health = {
      let ids = ring.keys.keyIds
      return [
        ("keyId", ids.first.map(JSONValue.string) ?? .null),
        ("formerKeyIds", .array(ids.dropFirst().map(JSONValue.string))),
      ]
    }
    service.finish = {
      if await !pool.drain(deadline: .after(.seconds(5))) {
        context.log.warning("Connections to the database had to be cut off.")
      }
    }
    return service
  }

  private static func addGauges(of pool: PostgresPool, to metrics: MetricRegistry) {
    metrics.gauge("mandate_database_connections_in_use", "Connections on loan.") { Double(pool.statistics.inUse) }
    metrics.gauge("mandate_database_connections_idle", "Connections that wait for work.") {
      Double(pool.statistics.idle)
    }
    metrics.gauge("mandate_database_waiting", "Callers that wait for a connection.") { Double(pool.statistics.waiting) }
  }

  private static func now() -> Instant { Instant(milliseconds: WallClock.system.now().microseconds / 1000) }

  private static func warn(_ ring: KeyRing, _ rules: InputResolver.Rules, _ log: Log) {
    if ring.keys.isEmpty { log.error("There is no private key: every grant will be answered as not-configured.") }
    if rules.acceptsV1 { log.warning("Grants of v1 are accepted; turn them off once clients use v2.") }
  }

  /// A resolver without a key serves, so that a mission is told why it gets nothing; but it is never ready. The look
  /// before the start is the one exception, because a broken check would stop that.
  private static func keyCheck(_ ring: KeyRing) -> ReadinessCheck {
    let look = FirstLook()
    return ReadinessCheck(.keys, every: .seconds(5)) {
      let wasFirst = look.take()
      return ring.keys.isEmpty && !wasFirst ? .broken("there is no private key; every grant is not-configured") : .kept
    }
  }
}

private final class FirstLook: Sendable {
  private let isAhead = Atomic(true)
  /// True once.
  func take() -> Bool { isAhead.exchange(false, ordering: .relaxed) }
}

/// Tells how long each RSA operation took.
private struct TimedUnwrapper: Unwrapper {
  let keys: ResolverKeys
  let observer: ResolveObserver

  var keyIds: [String] { keys.keyIds }

  func unwrap(
    _ wrapped: Span<UInt8>, label: Span<UInt8>, keyId: String
  ) throws(CryptographyError) -> SecretBytes {
    let began = ContinuousClock.now
    defer { observer.noteUnwrap(ContinuousClock.now - began) }
    return try keys.unwrap(wrapped, label: label, keyId: keyId)
  }
}
