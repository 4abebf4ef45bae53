// How many batches are in work at once, and who waits: a batch is read, its records are read, opened and answered in
// memory, so what may be in memory is decided here, before a call is even parsed. Whoever finds no place is told at
// once, and nothing of theirs was looked at.

import Contracts
package import Postgres
import Synchronization

package final class BatchQueue: Sendable {
  package struct Limits: Sendable {
    /// As many as keep the database's connections busy; each may have an answer of 32 MiB in the making.
    package var running = 8
    /// Bytes of the calls in work: parsed, JSON can take many times its length, so a call of the largest size is alone.
    package var runningBytes = ResolveCall.mostBytes
    /// Who waits behind them; eight for each that is in work are served long before a runner gives up.
    package var waiting = 64
    /// Bytes of the calls that wait, which are kept as they came.
    package var waitingBytes = 4 * ResolveCall.mostBytes

    package init() {}

    package init(running: Int) { (self.running, waiting) = (running, 8 * running) }

    /// For parts of batches that are in work already, which are as few as those let them be.
    package static var oneAtATime: Self {
      var limits = Self(running: 1)
      limits.waiting = .max
      return limits
    }
  }

  package enum Refusal: Error, Equatable, Sendable {
    /// As many wait as may.
    case full
    /// It waited for as long as it could without being late itself.
    case overdue
    /// The caller is gone.
    case cancelled
  }

  private enum Turn: Sendable {
    case now
    case refused(Refusal)
  }

  private struct Waiter: Sendable {
    let number: Int
    let bytes: Int
    let turn: CheckedContinuation<Turn, Never>
  }

  private struct State: Sendable {
    var running = 0
    var runningBytes = 0
    var waiting: [Waiter] = []
    var waitingBytes = 0
    var lastNumber = 0
  }

  private let limits: Limits
  private let state = Mutex(State())

  package init(_ limits: Limits) {
    precondition(limits.running > 0, "nothing would ever run")
    self.limits = limits
  }

  package var running: Int { state.withLock { $0.running } }
  package var waiting: Int { state.withLock { $0.waiting.count } }

  /// Does it when its turn comes, in the order in which they came.
  nonisolated(nonsending)
    package func run<Value>(
      _ bytes: Int, turnBy deadline: Deadline, _ batch: nonisolated(nonsending) () async -> Value
    ) async throws(Refusal) -> Value
  {
    try await enter(bytes, deadline)
    defer { leave(bytes) }
    return await batch()
  }

  // MARK: Turns

  private func fits(_ bytes: Int, _ state: State) -> Bool {
    state.running < limits.running && (state.running == 0 || state.runningBytes + bytes <= limits.runningBytes)
  }

  nonisolated(nonsending)
    private func enter(_ bytes: Int, _ deadline: Deadline) async throws(Refusal)
  {
    // Nobody passes those who wait, or a large call would wait for ever.
    let isIn = state.withLock { state in
      guard state.waiting.isEmpty, fits(bytes, state) else { return false }
      state.running += 1
      state.runningBytes += bytes
      return true
    }
    if isIn { return }
    if case .refused(let refusal) = await wait(bytes, deadline) { throw refusal }
  }

  nonisolated(nonsending)
    private func wait(_ bytes: Int, _ deadline: Deadline) async -> Turn
  {
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    return await withTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await Task.sleep(for: deadline.remaining) } catch { return }  // Its turn has come.
        self.end(number, .overdue)
      }
      defer { group.cancelAll() }
      return await withTaskCancellationHandler {
        await withCheckedContinuation { turn in
          let now = add(Waiter(number: number, bytes: bytes, turn: turn))
          if let now { turn.resume(returning: now) }
          // Whoever was cancelled before there was a waiter to end.
          if Task.isCancelled { end(number, .cancelled) }
        }
      } onCancel: {
        self.end(number, .cancelled)
      }
    }
  }

  /// Nil for one that waits now.
  private func add(_ waiter: Waiter) -> Turn? {
    state.withLock { state in
      // Somebody may have left since the first look.
      if state.waiting.isEmpty, fits(waiter.bytes, state) {
        state.running += 1
        state.runningBytes += waiter.bytes
        return .now
      }
      guard state.waiting.count < limits.waiting, state.waitingBytes + waiter.bytes <= limits.waitingBytes else {
        return .refused(.full)
      }
      state.waiting.append(waiter)
      state.waitingBytes += waiter.bytes
      return nil
    }
  }

  private func end(_ number: Int, _ refusal: Refusal) {
    let (ended, next) = state.withLock { state -> (Waiter?, [Waiter]) in
      guard let place = state.waiting.firstIndex(where: { $0.number == number }) else { return (nil, []) }
      let waiter = state.waiting.remove(at: place)
      state.waitingBytes -= waiter.bytes
      // It may have been what the others waited behind.
      return (waiter, admit(&state))
    }
    ended?.turn.resume(returning: .refused(refusal))
    for waiter in next { waiter.turn.resume(returning: .now) }
  }

  private func leave(_ bytes: Int) {
    let next = state.withLock { state in
      state.running -= 1
      state.runningBytes -= bytes
      return admit(&state)
    }
    for waiter in next { waiter.turn.resume(returning: .now) }
  }

  /// Those whose turn has come, in their order.
  private func admit(_ state: inout State) -> [Waiter] {
    var next: [Waiter] = []
    while let first = state.waiting.first, fits(first.bytes, state) {
      state.waiting.removeFirst()
      state.waitingBytes -= first.bytes
      state.running += 1
      state.runningBytes += first.bytes
      next.append(first)
    }
    return next
  }
}
