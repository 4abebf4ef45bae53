// Reading files again at SIGHUP, on a thread of its own: a file on a disk that hangs takes neither a thread that requests
// need nor the ear for SIGTERM.

import HTTPServing
import ServiceRuntime
import Synchronization

final class Reloading: Sendable {
  private let work: @Sendable () -> Void
  private let thread = WorkerThreads(count: 1)
  /// One that waits is enough: it begins after the wish was made, so it reads what the wish was about.
  private let wishes: AsyncStream<Void>
  private let wished: AsyncStream<Void>.Continuation
  private let running = Atomic(false)

  init(_ work: @escaping @Sendable () -> Void) {
    self.work = work
    (wishes, wished) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Never waits.
  func wish() { wished.yield() }

  /// True while files are being read; after `run` has ended, that they may never have been.
  var isRunning: Bool { running.load(ordering: .acquiring) }

  /// Until it is cancelled. It then ends at once, whatever the thread is doing.
  func run() async {
    for await _ in wishes {
      let (ended, end) = AsyncStream.makeStream(of: Void.self)
      running.store(true, ordering: .releasing)
      thread.begin {
        self.work()
        self.running.store(false, ordering: .releasing)
        end.finish()
      }
      for await _ in ended {}
    }
  }
}
