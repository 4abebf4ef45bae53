// The only door to other services over HTTP. It sends what it is told to where it is told to: no proxy, cookie, netrc
// or redirect of its own accord, and never a request twice that may not be.

import Secrets

package final class HTTPClient: Sendable {
  private let engine: Engine
  private let configuration: HTTPConfiguration
  private let time: HTTPTime

  /// One engine, one thread, one set of connections. A process has one client per set of authorities it trusts.
  package init(_ configuration: HTTPConfiguration = HTTPConfiguration(), time: HTTPTime = .system) throws(HTTPFailure) {
    engine = try Engine(configuration)
    self.configuration = configuration
    self.time = time
  }

  deinit { engine.close() }

  /// Ends every call with `.closed`, and refuses further ones.
  package func close() { engine.close() }

  /// One answer, whatever its status.
  package func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    let transfer = try await exchange(request, sink: .collected)
    return HTTPResponse(status: transfer.head.status, headers: transfer.head.headers, body: transfer.body)
  }

  /// The same for an answer that must not stay in memory.
  package func sendWiped(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPWipedResponse {
    let transfer = try await exchange(request, sink: .wiped)
    return HTTPWipedResponse(
      status: transfer.head.status, headers: transfer.head.headers, body: transfer.takeWiped())
  }

  /// An answer that is read while it comes. Retries end with its head, and redirects are never followed.
  package func stream(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPStream {
    try request.check()
    let deadline = request.limits.total.map { time.now().advanced(by: $0) }
    var attempt = 0
    while true {
      let remaining = try remaining(until: deadline)
      let buffer = StreamBuffer()
      let transfer = try Transfer(request, configuration, remaining: remaining, sink: .streamed(buffer))
      let stream = HTTPStream(transfer, buffer, of: self)
      engine.start(transfer)
      var (status, retryAfter, failure) = (0, Duration.zero, HTTPFailure?.none)
      do throws(HTTPFailure) {
        let beginning = try await stream.begin()
        (status, retryAfter) = (beginning.head.status, beginning.retryAfter)
      } catch {
        failure = error
      }
      let step = request.retries.next(
        after: .init(
          number: attempt, isIdempotent: request.isIdempotent, failure: failure, status: status,
          retryAfter: retryAfter, remaining: deadline.map { time.now().duration(to: $0) }), jitter: time.jitter)
      guard case .pauseAndRepeat(let pause) = step else {
        if let failure { throw failure }
        return stream
      }
      stream.cancel()
      try await sleep(pause)
      attempt += 1
    }
  }

  // MARK: Attempts

  private func exchange(_ request: HTTPRequest, sink: Transfer.Sink) async throws(HTTPFailure) -> Transfer {
    try request.check()
    let deadline = request.limits.total.map { time.now().advanced(by: $0) }
    var request = request
    var (attempt, redirects) = (0, 0)
    while true {
      let transfer = try Transfer(request, configuration, remaining: remaining(until: deadline), sink: sink)
      await engine.run(transfer, outlivesCaller: request.outlivesCaller)
      let step = request.retries.next(
        after: .init(
          number: attempt, isIdempotent: request.isIdempotent, failure: transfer.failure,
          status: transfer.head.status, retryAfter: transfer.retryAfter,
          remaining: deadline.map { time.now().duration(to: $0) }), jitter: time.jitter)
      if case .pauseAndRepeat(let pause) = step {
        do throws(HTTPFailure) {
          try await sleep(pause)
          attempt += 1
          continue
        } catch {
          guard request.outlivesCaller else { throw error }
          // What came last is the result.
        }
      }
      if let failure = transfer.failure { throw failure }
      guard request.mostRedirects > 0, let target = transfer.redirect,
        request.method == .get || request.method == .head
      else { return transfer }
      guard redirects < request.mostRedirects else { throw .tooManyRedirects }
      redirects += 1
      request = try request.redirected(to: target)
    }
  }

  private func remaining(until deadline: ContinuousClock.Instant?) throws(HTTPFailure) -> Duration? {
    guard let deadline else { return nil }
    let remaining = time.now().duration(to: deadline)
    guard remaining > .zero else { throw .deadlinePassed }
    return remaining
  }

  private func sleep(_ duration: Duration) async throws(HTTPFailure) {
    do {
      try await time.sleep(duration)
    } catch {
      throw .cancelled
    }
  }

  func cancel(_ transfer: Transfer) { engine.cancel(transfer) }
  func unpause(_ transfer: Transfer) { engine.unpause(transfer) }
}

extension HTTPRequest {
  /// What the caller said of himself is not told to anybody he did not name.
  private static let personalNames: Set<String> = ["authorization", "cookie", "proxy-authorization"]

  /// The request for the next hop: never from TLS to none, and without credentials to another origin.
  func redirected(to target: String) throws(HTTPFailure) -> HTTPRequest {
    let next: HTTPURL
    do {
      next = try HTTPURL(target, cuttingFragment: true)
    } catch {
      throw .redirectRefused
    }
    if url.scheme == "https", next.scheme != "https" { throw .redirectRefused }
    var hop = self
    hop.url = next
    if !next.hasOrigin(of: url) {
      // A socket is one service; another origin is not behind it.
      guard unixSocket == nil else { throw .redirectRefused }
      hop.credentials = []
      hop.headers.removeAll { Self.personalNames.contains($0.name.lowercased()) }
    }
    return hop
  }
}
