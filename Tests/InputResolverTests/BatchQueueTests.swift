// Who may work, who waits, and who is told at once that there is no place. Nothing here waits for time.

import Postgres
import Synchronization
import Testing

@testable import InputResolver

@Suite("The queue of batches")
struct BatchQueueTests {
  private static let late = Deadline.after(.seconds(120))

  private static func queue(
    _ running: Int, _ waiting: Int, bytes: Int = 1_000, waitingBytes: Int = 1_000
  ) -> BatchQueue {
    var limits = BatchQueue.Limits(running: running)
    (limits.waiting, limits.runningBytes, limits.waitingBytes) = (waiting, bytes, waitingBytes)
    return BatchQueue(limits)
  }

  /// A batch that stands still until it is let go, and says in which order the others began.
  private final class Desk: Sendable {
    private let state = Mutex<(began: [Int], held: [Int: CheckedContinuation<Void, Never>])>(([], [:]))

    func work(_ number: Int) async {
      await withCheckedContinuation { continuation in
        state.withLock {
          $0.began.append(number)
          $0.held[number] = continuation
        }
      }
    }

    var began: [Int] { state.withLock { $0.began } }

    func end(_ number: Int) async {
      while true {
        if let held = state.withLock({ $0.held.removeValue(forKey: number) }) { return held.resume() }
        await Task.yield()
      }
    }
  }

  private func until(_ isTrue: () -> Bool) async { while !isTrue() { await Task.yield() } }

  @Test("Some work, some wait in their order, the next is told at once, and all who waited get their turn")
  func order() async throws {
    let (queue, desk) = (Self.queue(2, 3), Desk())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<5 {
        group.addTask { try await queue.run(1, turnBy: Self.late) { await desk.work(number) } }
        // One after the other, so that there is an order.
        await until { number < 2 ? desk.began.count == number + 1 : queue.waiting == number - 1 }
      }
      await #expect(throws: BatchQueue.Refusal.full) {
        try await queue.run(1, turnBy: Self.late) { Issue.record("there was no place") }
      }
      #expect(queue.running == 2 && queue.waiting == 3)
      for number in 0..<5 {
        await desk.end(number)
        // Two that are let in one after the other may still begin in any order, so each begins before the next may.
        await until { desk.began.count == min(5, number + 3) }
      }
      try await group.waitForAll()
    }
    #expect(desk.began == [0, 1, 2, 3, 4] && queue.running == 0 && queue.waiting == 0)
  }

  @Test("Bytes count as well: a large call works alone, waits for that, and is not passed by small ones")
  func bytes() async throws {
    let (queue, desk) = (Self.queue(4, 4, bytes: 10, waitingBytes: 25), Desk())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (number, bytes) in [4, 20, 1].enumerated() {
        group.addTask { try await queue.run(bytes, turnBy: Self.late) { await desk.work(number) } }
        await until { number == 0 ? desk.began.count == 1 : queue.waiting == number }
      }
      await #expect(throws: BatchQueue.Refusal.full, "21 bytes wait, and 5 are too many") {
        try await queue.run(5, turnBy: Self.late) {}
      }
      await desk.end(0)
      await until { desk.began == [0, 1] }
      #expect(queue.running == 1 && queue.waiting == 1, "the large one is alone")
      await desk.end(1)
      await desk.end(2)
      try await group.waitForAll()
    }
    #expect(desk.began == [0, 1, 2] && queue.running == 0)
  }

  @Test("Whoever waits too long, or is gone, gives the place up, and those behind are not held up by it")
  func givenUp() async throws {
    let (queue, desk) = (Self.queue(1, 4), Desk())
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await queue.run(1, turnBy: Self.late) { await desk.work(0) } }
      await until { desk.began == [0] }
      await #expect(throws: BatchQueue.Refusal.overdue) { try await queue.run(1, turnBy: .after(.zero)) {} }
      let gone = Task { try await queue.run(1, turnBy: Self.late) {} }
      await until { queue.waiting == 1 }
      gone.cancel()
      await #expect(throws: BatchQueue.Refusal.cancelled) { try await gone.value }
      let early = Task {
        await until { Task.isCancelled }
        try await queue.run(1, turnBy: Self.late) {}
      }
      early.cancel()
      await #expect(throws: BatchQueue.Refusal.cancelled) { try await early.value }
      #expect(queue.waiting == 0 && queue.running == 1)
      await desk.end(0)
      try await group.waitForAll()
    }
    try await queue.run(1, turnBy: Self.late) {}
    #expect(queue.running == 0)
  }
}
