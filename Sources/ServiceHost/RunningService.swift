// What a process hands over to be run: its routes, its checks, and what else goes on while it serves.

package import Contracts
package import HTTPServing
package import ServiceRuntime

package struct RunningService: Sendable {
  /// For users; nil where the service has none.
  package var publicRoutes: HTTPRoutes?
  /// For services and operators. `/health`, `/ready` and `/metrics` are added.
  package var internalRoutes = HTTPRoutes()
  package var publicLimits = HTTPLimits()
  package var internalLimits = HTTPLimits()
  package var checks: [ReadinessCheck]

  /// Threads that handlers run on, where these keep a core busy; nil for the cooperative ones.
  package var handlers: (any TaskExecutor)?
  /// What goes on until it is cancelled: pools, consumers, tickers. One that ends earlier ends the service, because
  /// half a service looks like a whole one from outside.
  package var background: [@Sendable () async -> Void] = []
  /// Reads again what may be reloaded beside certificates, and says what could not be. It may block: it has a thread of
  /// its own, and the end of the service does not wait for it.
  package var reload: @Sendable () -> [StartProblem] = { [] }
  /// What this service adds to `/health`.
  package var health: @Sendable () async -> [(StaticString, JSONValue)] = { [] }
  /// Sets the gauges that must be fetched before `/metrics` is written.
  package var gauges: @Sendable () async -> Void = {}
  /// After the last answer and the last of `background`: pools are closed here.
  package var finish: @Sendable () async -> Void = {}

  package init(checks: [ReadinessCheck]) { self.checks = checks }
}

/// Why a service cannot start or a file cannot be read again, as one sentence for the operator that says what to do.
package struct StartProblem: Error, Sendable, Equatable {
  package let sentence: String

  package init(_ sentence: String) { self.sentence = sentence }
}

/// What a service gets to build itself with.
package struct ServiceContext: Sendable {
  package let log: Log
  package let metrics: MetricRegistry
}
