// What the system asks of a service by signals: SIGTERM and SIGINT to finish and end, SIGHUP to read its files again.
// The handler does the one thing that is safe in one, writing a byte into a pipe; a thread at the other end does the
// rest. Blocking the signals and waiting for them would be simpler, but takes only effect in threads that start later.

import Glibc
import Synchronization

package final class ServiceSignals: Sendable {
  package enum Request: Sendable, Equatable {
    case stop
    case reload
  }

  /// In the order in which they came; ends with the process. For one reader. Who reads late finds the last one alone:
  /// a second request to reload says nothing new, and none counts once the process is to stop, so the request to stop
  /// is the last one and is never displaced.
  package let requests: AsyncStream<Request>

  /// Takes the signals over for the whole process. A second request to stop ends the process at once, for the operator
  /// who will not wait for the drain.
  package static func take() throws(SystemFailure) -> ServiceSignals {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw .last }
    for end in ends where fcntl(end, F_SETFD, FD_CLOEXEC) != 0 { throw .last }
    // A full pipe must not stop a handler; what is in it already wakes the reader.
    guard fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 else { throw .last }
    let isFirst = signalPipe.compareExchange(expected: -1, desired: ends[1], ordering: .relaxed).exchanged
    precondition(isFirst, "the signals of this process were taken already")
    let (requests, continuation) = AsyncStream.makeStream(
      of: Request.self, bufferingPolicy: .bufferingNewest(1))
    try SignalReader(pipe: ends[0], continuation).start()
    for signal in [SIGTERM, SIGINT, SIGHUP] {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = passOn
      // Calls of others go on as if nothing had happened.
      action.sa_flags = SA_RESTART
      guard unsafe sigaction(signal, &action, nil) == 0 else { throw .last }
    }
    return ServiceSignals(requests)
  }

  private init(_ requests: AsyncStream<Request>) { self.requests = requests }
}

/// The writing end; -1 before the signals are taken. Global, because a handler has no other way to anything.
private let signalPipe = Atomic<Int32>(-1)

/// Runs in whatever thread the kernel chose, between any two of its instructions: no allocation, no lock.
private func passOn(_ signal: Int32) {
  let before = errno
  var byte = UInt8(truncatingIfNeeded: signal)
  _ = unsafe write(signalPipe.load(ordering: .relaxed), &byte, 1)
  errno = before
}

private final class SignalReader: Sendable {
  private let pipe: Int32
  private let continuation: AsyncStream<ServiceSignals.Request>.Continuation

  init(pipe: Int32, _ continuation: AsyncStream<ServiceSignals.Request>.Continuation) {
    (self.pipe, self.continuation) = (pipe, continuation)
  }

  func start() throws(SystemFailure) {
    let reader = unsafe Unmanaged.passRetained(self)
    var thread = pthread_t()
    let code = unsafe pthread_create(&thread, nil, readSignals, reader.toOpaque())
    guard code == 0 else { throw SystemFailure(code: code) }
    pthread_detach(thread)
  }

  func run() {
    var isStopping = false
    while true {
      var byte: UInt8 = 0
      let count = unsafe read(pipe, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return }
      if Int32(byte) == SIGHUP {
        if !isStopping { continuation.yield(.reload) }
      } else if isStopping {
        // As a shell counts a death by this signal.
        _exit(128 + Int32(byte))
      } else {
        isStopping = true
        continuation.yield(.stop)
      }
    }
  }
}

private func readSignals(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument = unsafe argument else { return nil }
  unsafe Unmanaged<SignalReader>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}
