// A thread of one's own does its work once, apart from its caller and undisturbed by signals.

import Glibc
import Synchronization
import Testing
import Threads

@Suite("A thread of one's own")
struct OwnThreadTests {
  /// What the work says of the thread that it ran on; nil where it could not be started.
  private func run<Value: Sendable>(
    stackBytes: Int? = nil, _ work: @escaping @Sendable () -> Value
  ) async -> Value? {
    await withCheckedContinuation { continuation in
      let isStarted = OwnThread.start(stackBytes: stackBytes) { continuation.resume(returning: work()) }
      if !isStarted { continuation.resume(returning: nil) }
    }
  }

  @Test("Work is done apart from its caller, with a stack of any allowed size")
  func apart() async {
    for stack in [nil, 1 << 20, 1 << 18] {
      let caller = pthread_self()
      let worker = await run(stackBytes: stack) { pthread_self() }
      #expect(worker != nil && worker != caller)
    }
  }

  @Test("No signal is handled there")
  func signals() async {
    let blocked = await run { () -> [Bool] in
      var mask = sigset_t()
      guard unsafe pthread_sigmask(SIG_BLOCK, nil, &mask) == 0 else { return [] }
      return [SIGTERM, SIGHUP, SIGINT, SIGPIPE, SIGCHLD].map { signal in unsafe sigismember(&mask, signal) == 1 }
    }
    #expect(blocked == [Bool](repeating: true, count: 5))
  }

  @Test("What can't be started is said, and its work is let go and not done")
  func refused() {
    let counter = Counter()
    #expect(!OwnThread.start(stackBytes: 1) { counter.add() })
    #expect(counter.count == 0 && OwnThread.start {})
  }

  @Test("Work that was done is let go")
  func letGo() async {
    let ended = AsyncStream.makeStream(of: Void.self)
    func start() -> Bool {
      let token = Ending { ended.continuation.yield() }
      return OwnThread.start { token.work() }
    }
    #expect(start())
    var endings = ended.stream.makeAsyncIterator()
    #expect(await endings.next() != nil)
  }

  private final class Counter: Sendable {
    private let added = Mutex(0)
    func add() { added.withLock { $0 += 1 } }
    var count: Int { added.withLock { $0 } }
  }

  private final class Ending: Sendable {
    private let end: @Sendable () -> Void
    init(_ end: @escaping @Sendable () -> Void) { self.end = end }
    func work() {}
    deinit { end() }
  }
}
