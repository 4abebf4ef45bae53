// What is counted and logged of a batch: ids and words of closed sets, never what was opened. The seeds' names and
// labels stay, so that dashboards go on; their alarms become sound by what is counted where (docs/flaws.md, F-34): a
// record outside the grant of a mission that has one is a violation, an input of a mission without one is not.

import Contracts
import Missions
package import ServiceRuntime
import Store

package struct ResolveObserver: Sendable {
  let log: Log
  private let decrypts: Counter<String>
  private let violations: Counter<String>
  private let skips: Counter<String>
  private let inputs: Counter<String>
  private let outages: Counter<ResolveOutage>
  private let unappended: Counter<>
  private let turnedAway: Counter<>
  private let roundTrips: Histogram<>
  private let waits: Histogram<>
  private let missions: Histogram<>
  private let batches: Histogram<>
  private let unwraps: Histogram<>

  package init(_ metrics: MetricRegistry, log: Log) {
    self.log = log
    let table = LabelSet("table", fixed: Self.tables)
    decrypts = metrics.counter("mana_ai_decrypts_total", "Sealed fields that were opened.", table)
    violations = metrics.counter(
      "mana_ai_grant_scope_violations_total", "Records that were asked for and that the mission's grant does not name.",
      table)
    skips = metrics.counter(
      "mana_ai_grant_skips_total", "Missions whose grant could not be used.", LabelSet("reason", fixed: Self.unusable))
    inputs = metrics.counter(
      "mandate_resolve_inputs_total", "What became of inputs.",
      LabelSet("outcome", fixed: ["shown"] + AuditReason.allCases.map(\.rawValue)))
    outages = metrics.counter(
      "mandate_resolve_outages_total", "Missions that got no answer.", LabelSet("outage", of: ResolveOutage.self))
    unappended = metrics.counter(
      "mandate_resolve_unappended_failures_total", "Failures that could not be appended to the log.")
    turnedAway = metrics.counter(
      "mandate_resolve_turned_away_total", "Calls that found no place among those in work and those that wait.")
    roundTrips = metrics.histogram(
      "mandate_resolve_round_trip_seconds", "Opening receipts, redeeming them and reading, for a unit of missions.",
      bounds: Buckets.quick)
    waits = metrics.histogram(
      "mandate_resolve_wait_seconds", "How long a mission waited for a thread to open it.", bounds: Buckets.quick)
    missions = metrics.histogram(
      "mandate_resolve_mission_seconds", "Opening a mission: its key's unwrap, its records, and what is shown of them.",
      bounds: Buckets.quick)
    batches = metrics.histogram("mandate_resolve_seconds", "A whole batch.", bounds: Buckets.http)
    unwraps = metrics.histogram("mandate_unwrap_seconds", "One RSA operation.", bounds: Buckets.quick)
  }

  private static let unusable = GrantOutcome.allCases.filter { $0 != .ok && $0 != .none }.map(\.rawValue)
  private static let tables = InputModule.all.map(\.table).reduce(into: [String]()) { tables, table in
    if !tables.contains(table) { tables.append(table) }
  }

  // MARK: Told by the resolver

  func noteRoundTrip(_ duration: Duration) { roundTrips.observe(duration) }
  func noteWait(_ duration: Duration) { waits.observe(duration) }
  func noteMission(_ duration: Duration) { missions.observe(duration) }
  func noteUnwrap(_ duration: Duration) { unwraps.observe(duration) }
  func noteBatch(_ duration: Duration) { batches.observe(duration) }

  func noteTurnedAway() { turnedAway.add(1) }

  func show(_ queue: BatchQueue, on metrics: MetricRegistry) {
    metrics.gauge("mandate_resolve_batches_in_work", "Batches in work.") { Double(queue.running) }
    metrics.gauge("mandate_resolve_batches_waiting", "Calls that wait for their turn.") { Double(queue.waiting) }
  }

  func noteUnappended(_ count: Int) {
    unappended.add(Double(count))
    log.error(
      "What failed to open could not be appended to the log, which now says too much.", [.count: .count(count)])
  }

  func note(_ assembly: borrowing ReplyAssembly, _ shown: [Shown]) {
    for opened in shown.flatMap(\.facts.opened) { decrypts.add(Double(opened.fields), opened.table) }
    assembly.eachOutcome { grant, outage, outcomes in
      if let outage { outages.add(1, outage) }
      if let grant, grant != .ok, grant != .none { skips.add(1, grant.rawValue) }
      for (input, reason) in outcomes {
        inputs.add(1, reason?.rawValue ?? "shown")
        if reason == .recordNotInGrant { violations.add(1, input.table) }
      }
    }
  }
}
