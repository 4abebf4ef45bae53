// What every service says about itself: that it runs, whether it may be sent work, and its figures.

import Contracts
import HTTPServing
import ServiceRuntime

struct StandardAnswers: Sendable {
  let service: StaticString
  let readiness: Readiness
  let metrics: MetricRegistry
  /// What this service adds to its health: ids of keys, whether its ticker runs.
  let health: @Sendable () async -> [(StaticString, JSONValue)]
  /// Figures that must be fetched before the page is written.
  let gauges: @Sendable () async -> Void

  func add(to routes: inout HTTPRoutes) {
    routes.standard(
      health: { await healthAnswer() }, ready: { readyAnswer() },
      metrics: {
        await gauges()
        return Array(metrics.page().utf8)
      })
  }

  private func healthAnswer() async -> [UInt8] {
    let own = await health().map { (name: $0.0.description, value: $0.1) }
    return Self.object(
      [("ok", .bool(true)), ("service", .string(service.description)), ("version", .string(ProductVersion.current))]
        + own)
  }

  private func readyAnswer() -> (isReady: Bool, json: [UInt8]) {
    let answer = readiness.answer
    let checks = answer.checks.map { (name: $0.name.rawValue, value: JSONValue.string(Self.words($0.state))) }
    let members: [(name: String, value: JSONValue)] = [
      ("ready", .bool(answer.isReady)), ("draining", .bool(answer.isDraining)),
      ("checks", Self.value(checks)),
    ]
    return (answer.isReady, Self.object(members))
  }

  private static func words(_ state: Readiness.State) -> String {
    switch state {
    case .kept: "ok"
    case .broken(let problem): problem
    case .unknown: "not known"
    }
  }

  private static func value(_ members: [(name: String, value: JSONValue)]) -> JSONValue {
    .object(JSONObject(members: members.map { ($0.name, $0.value) }))
  }

  private static func object(_ members: [(name: String, value: JSONValue)]) -> [UInt8] {
    value(members).compactBytes()
  }
}
