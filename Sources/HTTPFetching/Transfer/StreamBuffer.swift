// The few bytes between libcurl and the reader of a stream. When the reader is behind, libcurl is told to pause, which
// fills the socket, which slows the server: nobody's memory grows.

import Synchronization

final class StreamBuffer: Sendable {
  /// Room for a few of libcurl's parts, which are up to 16 KiB.
  static let room = 64 << 10

  struct Beginning {
    let head: ResponseHead
    let retryAfter: Duration
  }

  enum Ending: Equatable {
    case complete
    case failed(HTTPFailure)
  }

  /// `@safe`: whoever resumes the sleeper has taken it out of the state first.
  @safe
  private struct State {
    var beginning: Beginning?
    var bytes: [UInt8] = []
    var isPaused = false
    var ending: Ending?
    var sleeper: UnsafeContinuation<Void, Never>?

    mutating func takeSleeper() -> UnsafeContinuation<Void, Never>? {
      defer { unsafe sleeper = nil }
      return unsafe sleeper
    }
  }

  private let state = Mutex(State())

  // MARK: On the engine's thread

  func begin(_ head: ResponseHead, retryAfter: Duration) {
    change { $0.beginning = Beginning(head: head, retryAfter: retryAfter) }
  }

  /// False if there is no room now; the same bytes come again after the reader has asked for more.
  func append(_ part: Span<UInt8>) -> Bool {
    change { state in
      guard state.bytes.isEmpty || state.bytes.count + part.count <= Self.room else {
        state.isPaused = true
        return false
      }
      unsafe part.withBytes { unsafe state.bytes.append(contentsOf: $0) }
      return true
    }
  }

  func end(with failure: HTTPFailure?) {
    change { $0.ending = failure.map(Ending.failed) ?? .complete }
  }

  private func change<Result: Sendable>(_ body: (inout sending State) -> Result) -> Result {
    var sleeper: UnsafeContinuation<Void, Never>?
    let result = state.withLock { state in
      let result = body(&state)
      unsafe sleeper = unsafe state.takeSleeper()
      return result
    }
    unsafe sleeper?.resume()
    return result
  }

  // MARK: In the reader's task

  var knownHead: ResponseHead? { state.withLock { $0.beginning?.head } }

  /// The head of the answer; returns when there is one or it failed before.
  func beginning() async -> Result<Beginning, HTTPFailure> {
    while true {
      let (beginning, ending) = state.withLock { ($0.beginning, $0.ending) }
      if let beginning { return .success(beginning) }
      if let ending {
        if case .failed(let failure) = ending { return .failure(failure) }
        return .failure(.malformedResponse)
      }
      await sleep { $0.beginning != nil || $0.ending != nil }
    }
  }

  /// All that is there, waiting while there is nothing; nil at the end. `wasPaused` says that libcurl waits.
  func next() async -> Result<(bytes: [UInt8], wasPaused: Bool)?, HTTPFailure> {
    while true {
      let (bytes, wasPaused, ending) = state.withLock { state in
        let taken = (state.bytes, state.isPaused, state.ending)
        state.bytes = []
        state.isPaused = false
        return taken
      }
      if !bytes.isEmpty { return .success((bytes, wasPaused)) }
      switch ending {
      case .complete: return .success(nil)
      case .failed(let failure): return .failure(failure)
      case nil: await sleep { !$0.bytes.isEmpty || $0.ending != nil }
      }
    }
  }

  private func sleep(unless isAwaited: @Sendable (borrowing State) -> Bool) async {
    unsafe await withUnsafeContinuation { continuation in
      let isThere = state.withLock { state in
        if isAwaited(state) { return true }
        precondition(unsafe state.sleeper == nil, "a stream has one reader")
        unsafe state.sleeper = unsafe continuation
        return false
      }
      if isThere { unsafe continuation.resume() }
    }
  }
}
