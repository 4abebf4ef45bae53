// How a call can fail, for whoever made it. No case holds a URL, a header or a byte of a body, so every one may be
// logged; what the far side can steer is told apart only where a caller would act on it.

package enum HTTPFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// Nothing was sent: the request itself breaks a rule of this door.
  case invalidRequest(StaticString)
  /// Our own certificate files cannot be read or used.
  case trustFilesUnusable
  /// The name has no address, or nobody listens there.
  case unreachable
  case connectTimedOut
  /// The handshake failed for a reason other than the certificate.
  case tlsFailed
  /// The certificate is expired, for another host, or from an authority that was not named.
  case untrusted
  /// The one deadline over everything: connecting, sending, waiting, receiving, retries and redirects.
  case deadlinePassed
  /// Fewer bytes in a while than the low-speed guard allows.
  case tooSlow
  /// The connection ended before the answer did.
  case interrupted
  /// What came is not an HTTP answer that can be read in one way only.
  case malformedResponse
  case headerTooLarge
  case bodyTooLarge
  /// One server-sent event is larger than the caller takes.
  case eventTooLarge
  case tooManyRedirects
  /// To a URL that may not be followed to: another scheme, or from TLS to none.
  case redirectRefused
  case cancelled
  /// The client has been closed.
  case closed
  /// libcurl did something that no input can cause; the sentence is fixed.
  case broken(StaticString)

  package static func == (left: HTTPFailure, right: HTTPFailure) -> Bool { left.description == right.description }

  package var description: String {
    switch self {
    case .invalidRequest(let rule): "the request was not sent: \(rule)"
    case .trustFilesUnusable: "a certificate or key file for the connection cannot be used"
    case .unreachable: "nobody answers at the address"
    case .connectTimedOut: "no connection came about in time"
    case .tlsFailed: "the TLS handshake failed"
    case .untrusted: "the server's certificate is not to be trusted"
    case .deadlinePassed: "the deadline passed"
    case .tooSlow: "the answer came too slowly"
    case .interrupted: "the connection ended before the answer did"
    case .malformedResponse: "the answer is not proper HTTP"
    case .headerTooLarge: "the answer's header is too large"
    case .bodyTooLarge: "the answer's body is too large"
    case .eventTooLarge: "an event of the stream is too large"
    case .tooManyRedirects: "the answer is a chain of redirects"
    case .redirectRefused: "the answer redirects to where it may not"
    case .cancelled: "the call was cancelled"
    case .closed: "the client is closed"
    case .broken(let sentence): sentence.description
    }
  }

  /// A short word for metrics and logs, out of a closed set.
  package var label: StaticString {
    switch self {
    case .invalidRequest: "invalid-request"
    case .trustFilesUnusable: "trust-files"
    case .unreachable: "unreachable"
    case .connectTimedOut: "connect-timeout"
    case .tlsFailed: "tls"
    case .untrusted: "untrusted"
    case .deadlinePassed: "deadline"
    case .tooSlow: "too-slow"
    case .interrupted: "interrupted"
    case .malformedResponse: "malformed"
    case .headerTooLarge: "header-too-large"
    case .bodyTooLarge: "body-too-large"
    case .eventTooLarge: "event-too-large"
    case .tooManyRedirects: "too-many-redirects"
    case .redirectRefused: "redirect-refused"
    case .cancelled: "cancelled"
    case .closed: "closed"
    case .broken: "broken"
    }
  }
}
