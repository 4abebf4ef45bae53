// Stopping what a connection's server process is doing. libpq 15 can do that only by blocking (connect, send, wait
// for the close), so each request has a thread of its own. It travels outside TLS, as that version of the protocol
// has it; what it carries is a random number that can stop a statement and nothing else.

import CPostgres
import Synchronization

final class CancelRequest: Sendable {
  private enum State: Int {
    case running, finished
  }
  private let state = Atomic<Int>(State.running.rawValue)

  /// Sends it; the wire's suspension rings when the server has taken it. Nil when it can't be sent.
  init?(_ wire: Wire) {
    guard let handle = CancelHandle(wire) else { return nil }
    let suspension = wire.suspension
    let started = BlockingThread.start { [self] in
      // Whether it arrived shows in what the statement answers.
      handle.send()
      state.store(State.finished.rawValue, ordering: .sequentiallyConsistent)
      suspension.ring()
    }
    guard started else { return nil }
  }

  /// The server has been told, so whatever begins after this is safe from it.
  var isFinished: Bool { state.load(ordering: .sequentiallyConsistent) == State.finished.rawValue }
}

/// The owner of one PGcancel, which knows the server's address and the connection's secret number by itself.
/// `@safe`: the pointer stays here; libpq only reads through it.
@safe
private final class CancelHandle: Sendable {
  nonisolated(unsafe) private let pointer: OpaquePointer

  init?(_ wire: Wire) {
    guard let pointer = unsafe PQgetCancel(wire.connection) else { return nil }
    unsafe self.pointer = pointer
  }

  deinit { unsafe PQfreeCancel(pointer) }

  func send() {
    var complaint = [CChar](repeating: 0, count: 256)
    _ = unsafe PQcancel(pointer, &complaint, Int32(complaint.count))
  }
}
