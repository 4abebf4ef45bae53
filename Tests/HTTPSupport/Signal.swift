// What a server's thread and a test tell each other, so that neither waits for time.

import Dispatch
import Synchronization

/// Fired on any thread, awaited in a test; firing first is fine.
package final class Signal: Sendable {
  private struct State {
    var isFired = false
    var sleepers: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  package init() {}

  package func fire() {
    let sleepers = state.withLock { state in
      state.isFired = true
      defer { state.sleepers = [] }
      return state.sleepers
    }
    for sleeper in sleepers { sleeper.resume() }
  }

  package var isFired: Bool { state.withLock { $0.isFired } }

  package func wait() async {
    await withCheckedContinuation { continuation in
      let isFired = state.withLock { state in
        if !state.isFired { state.sleepers.append(continuation) }
        return state.isFired
      }
      if isFired { continuation.resume() }
    }
  }
}

/// Opened by a test, waited at by a server's own thread.
package final class Gate: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  package init() {}
  package func open() { semaphore.signal() }
  package func pass() { semaphore.wait() }
}
