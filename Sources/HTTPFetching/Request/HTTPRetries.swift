// Whether and when to ask again: a plain function of what happened, tested without a network.

package struct HTTPRetries: Sendable {
  /// Beyond the first attempt.
  package var most: Int
  /// The longest first pause; it doubles with each attempt.
  package var firstPause: Duration = .milliseconds(100)
  /// No pause of ours is longer, however many attempts there were.
  package var longestPause: Duration = .seconds(5)
  /// A server that asks for a longer pause gets none: its answer is the result.
  package var longestRetryAfter: Duration = .seconds(20)

  package static let never = HTTPRetries(upTo: 0)

  package init(upTo most: Int) { self.most = most }
}

enum NextStep: Equatable {
  /// What came is the result: an answer or a failure.
  case deliver
  case pauseAndRepeat(Duration)
}

extension HTTPRetries {
  /// What one attempt came to, as far as a decision needs it.
  struct Attempt {
    /// How many attempts there were before it.
    var number: Int
    var isIdempotent: Bool
    var failure: HTTPFailure?
    var status: Int
    /// What the server asks for, zero if it does not.
    var retryAfter: Duration
    /// Until the deadline; nil without one.
    var remaining: Duration?
  }

  /// Full jitter: anything from nothing to the whole pause, so that clients that failed together come back apart.
  func next(after attempt: Attempt, jitter: (Duration) -> Duration) -> NextStep {
    guard attempt.isIdempotent, attempt.number < most, Self.mayPass(attempt) else { return .deliver }
    guard attempt.retryAfter <= longestRetryAfter else { return .deliver }
    // Doubled so often the first pause is beyond any longest one; further shifts would only overflow.
    let pause = min(longestPause, firstPause * (1 << min(attempt.number, 16)))
    let wait = max(attempt.retryAfter, min(max(.zero, jitter(pause)), pause))
    if let remaining = attempt.remaining, wait >= remaining { return .deliver }
    return .pauseAndRepeat(wait)
  }

  /// Only what may be better a moment later. A full server says 429 or 503; 502 and 504 are said by what stands before.
  private static func mayPass(_ attempt: Attempt) -> Bool {
    switch attempt.failure {
    case .unreachable, .connectTimedOut, .interrupted: true
    case nil: [429, 502, 503, 504].contains(attempt.status)
    default: false
    }
  }
}
