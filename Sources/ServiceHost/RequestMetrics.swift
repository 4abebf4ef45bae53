// What the listeners do, as metrics. Every label is from a closed set: listeners, methods, patterns of routes, the
// statuses that exist, the reasons of a refusal.

import HTTPServing
import ServiceRuntime

/// What the metrics of requests are called.
package enum RequestMetricNames: Sendable {
  case mandate
  /// As the runner that this one replaces has them, so that its dashboards and alerts go on.
  case manaAI
}

struct RequestMetrics: Sendable {
  private let observe: @Sendable (HTTPObserver.RequestRecord) -> Void
  private let connections: Gauge<ListenerName>
  private let refused: Counter<ListenerName, Refusal>
  private let outcomes: Counter<ListenerName, HTTPObserver.Outcome>

  init(_ metrics: MetricRegistry, patterns: [String], names: RequestMetricNames) {
    connections = metrics.gauge(
      "mandate_http_connections", "Open connections.", LabelSet("listener", of: ListenerName.self))
    refused = metrics.counter(
      "mandate_http_refused_total", "Requests and connections that no handler saw.",
      LabelSet("listener", of: ListenerName.self), LabelSet("reason", of: Refusal.self))
    outcomes = metrics.counter(
      "mandate_http_outcomes_total", "How answers ended.", LabelSet("listener", of: ListenerName.self),
      LabelSet("outcome", of: HTTPObserver.Outcome.self))
    let methods = LabelSet("method", of: HTTPMethod.self)
    let statuses = LabelSet("status", fixed: Self.statuses.map { String($0) })
    let paths = patterns + [HTTPRoutes.unmatched]
    switch names {
    case .mandate:
      let listeners = LabelSet("listener", of: ListenerName.self)
      let routes = LabelSet("route", fixed: paths)
      let count = metrics.counter(
        "mandate_http_requests_total", "Requests that a handler answered.", listeners, methods, routes, statuses)
      let took = metrics.histogram(
        "mandate_http_request_duration_seconds", "From the whole request to the last byte of its answer.", listeners,
        routes, bounds: Buckets.http)
      observe = { record in
        count.add(1, record.listener, record.method, record.route, String(record.status))
        took.observe(record.duration, record.listener, record.route)
      }
    case .manaAI:
      let routes = LabelSet("path", fixed: paths)
      let count = metrics.counter(
        "mana_ai_http_requests_total", "Requests that a handler answered.", methods, routes, statuses)
      let took = metrics.histogram(
        "mana_ai_http_request_duration_seconds", "From the whole request to the last byte of its answer.", methods,
        routes, statuses, bounds: Buckets.http)
      observe = { record in
        count.add(1, record.method, record.route, String(record.status))
        took.observe(record.duration, record.method, record.route, String(record.status))
      }
    }
  }

  /// Those that our services answer; the door's own refusals are counted by reason.
  private static let statuses = [200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503, 504]

  func note(_ event: HTTPObserver.Event) {
    switch event {
    case .opened(let listener): connections.add(1, listener)
    case .closed(let listener): connections.add(-1, listener)
    case .refused(let listener, let reason): refused.add(1, listener, reason)
    case .finished(let record):
      observe(record)
      outcomes.add(1, record.listener, record.outcome)
    }
  }
}
