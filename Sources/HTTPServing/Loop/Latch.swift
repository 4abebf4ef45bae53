// A door that opens once and lets everyone through who waits for it.

import Synchronization

final class Latch: Sendable {
  @safe
  private struct State {
    var isOpen = false
    var waiters: [UnsafeContinuation<Void, Never>] = unsafe []
  }

  private let state = Mutex(State())

  func open() {
    var waiters = unsafe state.withLock { state in
      state.isOpen = true
      defer { unsafe state.waiters = [] }
      return unsafe state.waiters
    }
    while let waiter = unsafe waiters.popLast() { unsafe waiter.resume() }
  }

  /// Does not heed cancellation: what is waited for here comes for certain.
  func opened() async {
    unsafe await withUnsafeContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { unsafe state.waiters.append(continuation) }
        return state.isOpen
      }
      if isOpen { unsafe continuation.resume() }
    }
  }
}
