// Where a connection's task waits for the next request, and learns that the connection has ended. The loop's thread is
// at one side, the task at the other.

import Synchronization

final class Mailbox: Sendable {
  /// `@safe`: whoever resumes a continuation takes it out of the state first, so nobody else can.
  @safe
  private struct State {
    var request: RawRequest?
    var reader: UnsafeContinuation<RawRequest?, Never>?
    var note: RequestNote?
    var hasEnded = false
  }

  private let state = Mutex(State())
  private let end = Latch()

  // MARK: The loop's side

  func deliver(_ request: RawRequest) {
    let reader = unsafe state.withLock { state -> UnsafeContinuation<RawRequest?, Never>? in
      state.note = nil
      guard let reader = unsafe state.reader else {
        state.request = request
        return nil
      }
      unsafe state.reader = nil
      return unsafe reader
    }
    unsafe reader?.resume(returning: request)
  }

  /// No request comes any more, and whoever works on one should stop.
  func close() {
    let reader = unsafe state.withLock { state in
      state.hasEnded = true
      state.request = nil
      defer { unsafe state.reader = nil }
      return unsafe state.reader
    }
    unsafe reader?.resume(returning: nil)
    end.open()
  }

  /// What the task has found out about the request that it works on.
  var note: RequestNote? { state.withLock { $0.note } }

  // MARK: The task's side

  func next() async -> RawRequest? {
    unsafe await withUnsafeContinuation { continuation in
      let (isHere, request) = state.withLock { state -> (Bool, RawRequest?) in
        if let request = state.request {
          state.request = nil
          return (true, request)
        }
        if !state.hasEnded { unsafe state.reader = continuation }
        return (state.hasEnded, nil)
      }
      if isHere { unsafe continuation.resume(returning: request) }
    }
  }

  func note(_ note: RequestNote) { state.withLock { $0.note = note } }

  func ended() async { await end.opened() }
}

/// A request as it leaves evhttp: copied, and not yet looked at.
struct RawRequest: Sendable {
  let method: HTTPMethod
  let target: [UInt8]
  let headers: HTTPHeaders
  let serviceKey: PresentedServiceKey?
  let body: WipedBody?
  let id: String
  let peer: HTTPRequest.Peer
}

/// What a finished request is counted and logged under.
struct RequestNote: Sendable {
  var route: String
  let method: HTTPMethod
  let id: String
  let traceParent: TraceParent?
  let client: IPAddress?
}
