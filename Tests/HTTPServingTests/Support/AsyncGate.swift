// A handler of a test waits here until the test lets it go on, or until it is cancelled.

import Synchronization

final class AsyncGate: Sendable {
  private struct State {
    var isOpen = false
    var wasCancelled = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func open() { release { $0.isOpen = true } }

  /// True when it was opened, false when the waiting task was cancelled.
  @discardableResult
  func opened() async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.isOpen || state.wasCancelled { return true }
          state.waiters.append(continuation)
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      release { $0.wasCancelled = true }
    }
    return state.withLock { $0.isOpen }
  }

  private func release(_ change: (inout State) -> Void) {
    let waiters = state.withLock { state in
      change(&state)
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }
}
