// Why the gate refuses a connection or a request before any handler sees it. A closed set: it is a metric's label.

package enum Refusal: String, Sendable, CaseIterable {
  // 400: two readers could understand it in two ways, or it is no HTTP at all.
  case requestLine = "request_line"
  case target
  case lineEnding = "line_ending"
  case headerName = "header_name"
  case headerValue = "header_value"
  case foldedHeader = "folded_header"
  case host
  case contentLength = "content_length"
  case transferEncoding = "transfer_encoding"
  case chunk
  case trailer
  case bodyNotAllowed = "body_not_allowed"
  // Their own status.
  case timeout
  case bodyTooLarge = "body_too_large"
  case targetTooLong = "target_too_long"
  case expectation
  case headersTooLarge = "headers_too_large"
  case method
  case version
  case noRoom = "no_room"
  // No answer, or one that is written past evhttp.
  case tooManyConnections = "too_many_connections"
  case handshake
  case sentAhead = "sent_ahead"

  /// What the client is told, and nothing of what it sent.
  var problem: Problem {
    switch self {
    case .timeout: Problem(408, "REQUEST_TIMEOUT", "the request did not arrive in time")
    case .bodyTooLarge: Problem(413, "BODY_TOO_LARGE", "the body is larger than this route takes")
    case .targetTooLong: Problem(414, "TARGET_TOO_LONG", "the request target is too long")
    case .expectation: Problem(417, "EXPECTATION_FAILED", "only 100-continue can be expected")
    case .headersTooLarge: Problem(431, "HEADERS_TOO_LARGE", "the header fields are too large")
    case .method: Problem(501, "NOT_IMPLEMENTED", "the method is not implemented")
    case .version: Problem(505, "VERSION_NOT_SUPPORTED", "only HTTP/1.1 and HTTP/1.0 are spoken here")
    case .tooManyConnections: Problem(503, "TOO_MANY_CONNECTIONS", "this service has too many connections")
    case .noRoom: Self.noRoomProblem
    default: Problem(400, "BAD_REQUEST", "the request is malformed")
    }
  }

  private static var noRoomProblem: Problem {
    var problem = Problem(503, "TOO_MUCH_AT_ONCE", "this service is holding as much as it may; try again")
    problem.headers.set("Retry-After", "1")
    return problem
  }
}
