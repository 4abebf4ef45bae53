// One caller's place in the queue, and the step it is given there.

final class PoolWaiter: Sendable {
  typealias Step = PoolState<Wire, PoolWaiter>.Step

  private let suspension = Suspension()
  private let given = Guarded<Step?>(nil)

  func give(_ step: Step) {
    given.withLock { $0 = step }
    suspension.ring()
  }

  /// What it was given. Only for one that has been taken out of the queue: then somebody is about to give it.
  nonisolated(nonsending)
    func stepAfterQueue() async -> Step
  {
    while true {
      if let step = given.withLock({ $0 }) { return step }
      _ = await suspension.sleep(until: .never, heedingCancellation: false)
    }
  }

  nonisolated(nonsending)
    func sleep(until deadline: Deadline) async -> Suspension.Wake
  {
    let token = Reactor.shared.add(suspension)
    defer { Reactor.shared.remove(token) }
    return await withTaskCancellationHandler {
      await suspension.sleep(until: deadline, heedingCancellation: true)
    } onCancel: {
      suspension.cancel()
    }
  }
}
