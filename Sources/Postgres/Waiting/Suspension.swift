// The one place where a task of this door sleeps: until its socket is ready or somebody rings, until its deadline, or
// until it is cancelled. Whichever comes first wakes it, once.

/// One sleeper at a time. Whoever owns the thing that is waited for (a connection, a place in a queue) owns this.
final class Suspension: Sendable {
  enum Wake: Sendable {
    case ready
    case deadline
    case cancelled
  }

  /// `@safe`: the continuation is taken out of the state by whoever resumes it, so nobody else can.
  @safe
  private struct State {
    var sleeper: UnsafeContinuation<Wake, Never>?
    var deadline = Deadline.never
    var heedsCancellation = false
    /// Rung while nobody slept; the next sleep ends at once.
    var rung = false
    var cancelled = false

    mutating func take() -> UnsafeContinuation<Wake, Never>? {
      deadline = .never
      defer { unsafe sleeper = nil }
      return unsafe sleeper
    }
  }

  private let state = Guarded(State())

  /// Sleeps. `arm` runs once the sleeper can be woken, and is where the wake-up is asked for. A wake-up may come for
  /// nothing, so callers look again at what they wait for.
  nonisolated(nonsending)
    func sleep(until deadline: Deadline, heedingCancellation: Bool, arm: () -> Void = {}) async -> Wake
  {
    unsafe await withUnsafeContinuation { continuation in
      let early: Wake? = state.withLock { state in
        if state.cancelled && heedingCancellation { return .cancelled }
        if state.rung {
          state.rung = false
          return .ready
        }
        unsafe state.sleeper = continuation
        state.deadline = deadline
        state.heedsCancellation = heedingCancellation
        return nil
      }
      if let early {
        unsafe continuation.resume(returning: early)
      } else {
        arm()
        Reactor.shared.expect(deadline)
      }
    }
  }

  func ring() {
    let sleeper = unsafe state.withLock { state in
      let sleeper = unsafe state.take()
      if unsafe sleeper == nil { state.rung = true }
      return unsafe sleeper
    }
    unsafe sleeper?.resume(returning: .ready)
  }

  func cancel() {
    let sleeper = unsafe state.withLock { state -> UnsafeContinuation<Wake, Never>? in
      state.cancelled = true
      return state.heedsCancellation ? unsafe state.take() : nil
    }
    unsafe sleeper?.resume(returning: .cancelled)
  }

  /// Wakes a sleeper whose time is up; otherwise says until when it sleeps.
  func expire(now: Deadline) -> Deadline {
    let (sleeper, next) = unsafe state.withLock { state -> (UnsafeContinuation<Wake, Never>?, Deadline) in
      guard state.deadline <= now else { return (nil, state.deadline) }
      return unsafe (state.take(), .never)
    }
    unsafe sleeper?.resume(returning: .deadline)
    return next
  }

  /// Forgets rings and cancellations that were meant for the call before.
  func reset() {
    state.withLock {
      $0.rung = false
      $0.cancelled = false
    }
  }
}
