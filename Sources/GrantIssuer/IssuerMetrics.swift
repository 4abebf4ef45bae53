// What the issuer counts beside its requests: tokens it refused, grants it issued and how long that took, what the
// database says of queues and open grants, and how its connections are used.

import Identity
import Postgres
import ServiceRuntime
import Store
import Synchronization

struct IssuerMetrics: Sendable {
  private let tokens: Counter<TokenRefusal>
  private let issues: Counter<String>
  private let issueTime: Histogram<>
  private let queueDepth: Gauge<String>
  private let queueLag: Gauge<String>
  private let openGrants: Gauge<>
  private let pool: PostgresPool

  init(_ metrics: MetricRegistry, _ pool: PostgresPool) {
    self.pool = pool
    tokens = metrics.counter(
      "mandate_tokens_refused_total", "Bearer tokens that proved nothing.", LabelSet("reason", of: TokenRefusal.self))
    issues = metrics.counter(
      "mandate_issues_total", "Wishes for a grant by how they ended.", LabelSet("outcome", fixed: Self.outcomes))
    issueTime = metrics.histogram(
      "mandate_issue_duration_seconds", "From a wish to the committed grant.", bounds: Buckets.quick)
    let topics = LabelSet<String>("topic", fixed: ["project", "seal"])
    queueDepth = metrics.gauge("mandate_queue_depth", "Changes that wait; counted to 100,000.", topics)
    queueLag = metrics.gauge("mandate_queue_lag_seconds", "How long the oldest change waits.", topics)
    openGrants = metrics.gauge("mandate_open_grants", "Grants that are open; counted to 100,000.")
    metrics.gauge("mandate_database_connections_in_use", "Connections on loan.") { Double(pool.statistics.inUse) }
    metrics.gauge("mandate_database_connections_idle", "Connections that wait for work.") {
      Double(pool.statistics.idle)
    }
    metrics.gauge("mandate_database_waiting", "Callers that wait for a connection.") {
      Double(pool.statistics.waiting)
    }
  }

  func refused(_ reason: TokenRefusal) { tokens.add(1, reason) }

  func issued(_ problem: IssuerProblem?, took: Duration) {
    issues.add(1, problem?.code ?? "issued")
    if problem == nil { issueTime.observe(took) }
  }

  /// Every code that issuing can end with; anything else is counted as other.
  private static let outcomes = [
    "issued", "BAD_REQUEST", "GRANT_NOT_CONFIGURED", "VAULT_NOT_INITIALISED", "ZK_ACTIVE", "UNKNOWN_RECORD",
    "UNKNOWN_MISSION", "TOO_MANY_REQUESTS", "UNAVAILABLE", "INTERNAL",
  ]

  /// A database that does not answer leaves the figures of the last time; readiness says that it does not.
  func refresh() async {
    do throws(PostgresError) {
      for gauge in try await DatabaseGauges.read(pool, deadline: .after(.seconds(2))) {
        switch gauge.name {
        case "queue_depth": queueDepth.set(gauge.value, gauge.label)
        case "queue_lag_seconds": queueLag.set(gauge.value, gauge.label)
        case "open_grants": openGrants.set(gauge.value)
        default: break
        }
      }
    } catch { return }
  }
}
