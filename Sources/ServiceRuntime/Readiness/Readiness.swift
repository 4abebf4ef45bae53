// Whether this service may be sent work. The checks run in the background, whoever asks or not, so that asking often
// costs nothing; an answer that has grown old is no answer, and nobody is ready before the first one.

import Synchronization

package final class Readiness: Sendable {
  /// What `/ready` says.
  package struct Answer: Sendable, Equatable {
    package let isReady: Bool
    package let isDraining: Bool
    /// In the order in which the checks were given.
    package let checks: [(name: ReadinessCheck.Name, state: State)]

    package static func == (left: Answer, right: Answer) -> Bool {
      left.isReady == right.isReady && left.isDraining == right.isDraining
        && left.checks.elementsEqual(right.checks) { $0.name == $1.name && $0.state == $1.state }
    }
  }

  package enum State: Sendable, Equatable {
    case kept
    case broken(String)
    /// Not looked at yet, or not for too long.
    case unknown
  }

  private struct Look {
    let finding: ReadinessCheck.Finding
    let at: ContinuousClock.Instant
  }

  private struct Board {
    var looks: [ReadinessCheck.Name: Look] = [:]
    var isDraining = false
  }

  private let checks: [ReadinessCheck]
  private let log: Log
  private let now: @Sendable () -> ContinuousClock.Instant
  private let board = Mutex(Board())
  private let gauge: Gauge<ReadinessCheck.Name>

  /// How many looks may be missing before what they last found no longer counts.
  static let missedLooks = 3

  package init(
    _ checks: [ReadinessCheck], log: Log, metrics: MetricRegistry,
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    // All of nothing is kept: such a service would call itself ready whatever happened.
    precondition(!checks.isEmpty, "a service that checks nothing can't say whether it is ready")
    precondition(Set(checks.map(\.name)).count == checks.count, "a check stands twice in the list")
    (self.checks, self.log, self.now) = (checks, log, now)
    gauge = metrics.gauge(
      "mandate_ready", "1 where the check was kept at the last look, 0 where not.",
      LabelSet("check", of: ReadinessCheck.Name.self))
  }

  /// Looks at everything once and returns what is broken, for a boot that must not go on with it.
  package func firstLook() async -> [(name: ReadinessCheck.Name, problem: String)] {
    await withDiscardingTaskGroup { group in
      for check in checks { group.addTask { await self.look(at: check) } }
    }
    return answer.checks.compactMap { name, state in
      switch state {
      case .kept: nil
      case .broken(let problem): (name, problem)
      case .unknown: (name, "was not looked at")
      }
    }
  }

  /// Looks again and again, until it is cancelled.
  package func run() async {
    await withDiscardingTaskGroup { group in
      for check in checks {
        group.addTask {
          // The only error of a sleep is its cancellation, which is the end.
          while (try? await Task.sleep(for: check.period)) != nil { await self.look(at: check) }
        }
      }
    }
  }

  /// From now on the answer is no, so that nobody sends work that would not be done.
  package func beginDraining() { board.withLock { $0.isDraining = true } }

  package var answer: Answer {
    let (board, now) = (board.withLock { $0 }, now())
    let states = checks.map { check in (name: check.name, state: Self.state(board.looks[check.name], check, now)) }
    let isReady = !board.isDraining && states.allSatisfy { $0.state == .kept }
    return Answer(isReady: isReady, isDraining: board.isDraining, checks: states)
  }

  private static func state(_ look: Look?, _ check: ReadinessCheck, _ now: ContinuousClock.Instant) -> State {
    guard let look, look.at.duration(to: now) <= check.period * missedLooks + check.deadline else { return .unknown }
    switch look.finding {
    case .kept: return .kept
    case .broken(let problem): return .broken(problem)
    }
  }

  private func look(at check: ReadinessCheck) async {
    let finding = await Self.within(check.deadline, check.look)
    // A look that was cut short by the end of the process found nothing.
    if Task.isCancelled { return }
    let last = board.withLock { board in
      board.looks.updateValue(Look(finding: finding, at: now()), forKey: check.name)?.finding
    }
    gauge.set(finding == .kept ? 1 : 0, check.name)
    switch (last, finding) {
    case (.broken, .kept): log.info("A check is kept again.", [.reason: .reason(check.name)])
    case (.broken(let before), .broken(let problem)) where before == problem: break
    case (_, .broken(let problem)):
      log.error(
        "A check is broken; this service is not ready.", [.reason: .reason(check.name), .detail: .text(problem)])
    case (_, .kept): break
    }
  }

  /// The look is cancelled at its deadline; what waits on a server honours that.
  private static func within(
    _ deadline: Duration, _ look: @escaping @Sendable () async -> ReadinessCheck.Finding
  ) async -> ReadinessCheck.Finding {
    await withTaskGroup(of: ReadinessCheck.Finding?.self) { group in
      group.addTask { await look() }
      group.addTask {
        // Ends early only when the look was quicker.
        try? await Task.sleep(for: deadline)
        return nil
      }
      defer { group.cancelAll() }
      return await (group.next() ?? nil) ?? .broken("no answer in time")
    }
  }
}
