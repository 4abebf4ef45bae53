// A thread for work that blocks: connecting (name resolution cannot be interrupted) and cancelling. Such work must
// never run on the cooperative threads, of which there is one per core.

import Threads

enum BlockingThread {
  /// Enough for the resolver, TLS and SCRAM; the default of 8 MiB would count against a container's limit.
  private static let stackBytes = 1 << 20

  /// False when the system has no thread left; the work is then not done.
  static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    OwnThread.start(stackBytes: stackBytes, body)
  }
}
