// Every limit of a listener, with its unit and its reason. docs/http.md shows the same table to operators.

package struct HTTPLimits: Sendable {
  /// Connections at once, those included whose handler has not ended yet. 1,024: what one process serves within the
  /// usual 4,096 descriptors beside its database connections. One more is told 503 and closed.
  package var connections = 1024
  /// Bytes of request line and headers together. 16 KiB holds a large token and ten proxies' worth of headers.
  package var headBytes = 16 << 10
  /// Header fields per request; a hundred short ones cost more to keep than to send.
  package var headerCount = 100
  /// Bytes of the request target. 8 KiB is what RFC 9110 asks every recipient to take.
  package var targetBytes = 8 << 10
  /// Bytes of a body, unless its route says otherwise. 1 MiB: a grant for a thousand records is a tenth of that.
  package var bodyBytes = 1 << 20
  /// Bytes that no route may exceed.
  package var largestBodyBytes = 32 << 20
  /// Bytes of all requests and answers that a listener holds, from a request's first byte to its answer's last. While
  /// they are more, no body is read on: its sender is told 503 and to come back. 64 MiB are eight of the largest calls
  /// that any of our services takes; 1,024 connections could else bring 8 GiB.
  package var heldBytes = 64 << 20
  /// Bytes a client may send ahead while its last request is unanswered. What comes beyond is thrown away, and the
  /// connection closed after that answer.
  package var aheadBytes = 64 << 10

  /// From the connection, or a request's first byte, to the end of its headers; TLS's handshake included.
  package var headTime = Duration.seconds(10)
  /// From the end of the headers to the end of the body; 1 MiB in 30 s is 35 KiB/s.
  package var bodyTime = Duration.seconds(30)
  /// From the whole request to the handler's answer; then it is cancelled and the client told 504.
  package var handlerTime = Duration.seconds(30)
  /// From the answer to its last byte in the kernel's hands; a client that reads more slowly is cut off.
  package var writeTime = Duration.seconds(30)
  /// Without a byte between two requests. Longer than common proxies keep theirs, so that they close first.
  package var idleTime = Duration.seconds(75)

  package init() {}

  /// The first relation that does not hold, in words for the operator.
  package var contradiction: String? {
    if connections < 1 { return "connections must be at least 1" }
    if targetBytes < 1 || headBytes <= targetBytes + RequestHead.requestLineOverhead {
      return "headBytes must leave room beside targetBytes"
    }
    if bodyBytes < 0 || bodyBytes > largestBodyBytes { return "bodyBytes must be between 0 and largestBodyBytes" }
    if heldBytes < largestBodyBytes { return "heldBytes must hold a body of largestBodyBytes" }
    if headerCount < 1 || aheadBytes < 0 { return "headerCount and aheadBytes must not be negative" }
    let times = [headTime, bodyTime, handlerTime, writeTime, idleTime]
    if times.contains(where: { $0 <= .zero || $0 > .seconds(86_400) }) {
      return "every time must be more than zero and at most a day"
    }
    return nil
  }
}
