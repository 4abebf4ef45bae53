// What a caller asks for. Rules that a value may break are checked in one place, before anything is sent.

package import Secrets

package enum HTTPMethod: String, Sendable, CaseIterable {
  case get = "GET"
  case head = "HEAD"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"

  /// Asking twice has the effect of asking once (RFC 9110, 9.2.2).
  var isIdempotent: Bool {
    switch self {
    case .get, .head, .put, .delete: true
    case .post, .patch: false
    }
  }
}

package struct HTTPRequest: Sendable {
  package var method: HTTPMethod
  package var url: HTTPURL
  /// Nothing secret: these may be kept and compared.
  package var headers: [(name: String, value: String)] = []
  package var credentials: [HTTPCredential] = []
  package var body: HTTPBody?
  package var limits = HTTPLimits()
  package var retries = HTTPRetries.never
  /// How many redirects a GET or HEAD follows. Other methods never follow one: their 3xx is the answer.
  package var mostRedirects = 0
  /// True where asking twice does no harm, though the method does not say so.
  package var isIdempotent: Bool
  /// True where the answer is for others too: an attempt that was begun is then ended although its caller was cancelled,
  /// and only what would come after it (a pause, a repetition) is not. For `send`.
  package var outlivesCaller = false
  /// Connects to this socket in place of the URL's host.
  package var unixSocket: String?

  package init(_ method: HTTPMethod, _ url: HTTPURL, body: HTTPBody? = nil) {
    self.method = method
    self.url = url
    self.body = body
    isIdempotent = method.isIdempotent
  }

  /// Header lines that libcurl writes itself, or that would let a caller cut one request into two.
  private static let ownNames: Set<String> = [
    "host", "content-length", "transfer-encoding", "connection", "expect", "content-type", "upgrade", "te", "trailer",
  ]

  func check() throws(HTTPFailure) {
    for (name, value) in headers {
      guard HTTPText.isToken(name), HTTPText.isValue(value), !value.isEmpty else {
        throw .invalidRequest("a header is not a name and a value")
      }
      guard !Self.ownNames.contains(name.lowercased()) else { throw .invalidRequest("a header is not the caller's") }
    }
    if let body, !HTTPText.isValue(body.contentType) || body.contentType.isEmpty {
      throw .invalidRequest("the content type is not one")
    }
    if body != nil, method == .get || method == .head { throw .invalidRequest("this method has no body") }
    if let unixSocket, unixSocket.isEmpty || unixSocket.utf8.count > 107 || unixSocket.utf8.contains(0) {
      throw .invalidRequest("the socket's path is empty or longer than 107 bytes")
    }
    guard limits.headerBytes > 0, limits.bodyBytes >= 0, limits.connect > .zero, limits.total ?? .seconds(1) > .zero
    else { throw .invalidRequest("a limit is not positive") }
  }
}

/// Bytes to send: the same ones in every attempt.
package struct HTTPBody: Sendable {
  enum Storage: Sendable {
    case plain([UInt8])
    case wiped(WipedBody)
  }

  let storage: Storage
  package let contentType: String

  package init(_ bytes: [UInt8], contentType: String) {
    storage = .plain(bytes)
    self.contentType = contentType
  }

  /// Plaintext: wiped when the last request that holds it is gone.
  package init(_ bytes: consuming WipedBytes, contentType: String) {
    storage = .wiped(WipedBody(bytes))
    self.contentType = contentType
  }
}

/// `@unchecked Sendable`: never changed after it is made.
final class WipedBody: @unchecked Sendable {
  let bytes: WipedBytes
  init(_ bytes: consuming WipedBytes) { self.bytes = bytes }

  func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) { unsafe Self.lend(bytes, body) }

  private static func lend(_ bytes: borrowing WipedBytes, _ body: (UnsafeRawBufferPointer) -> Void) {
    let span = bytes.bytes
    unsafe span.withUnsafeBytes { unsafe body($0) }
  }
}

/// The grammar of header lines (RFC 9110, 5).
enum HTTPText {
  static func isToken(_ text: some StringProtocol) -> Bool { !text.isEmpty && text.utf8.allSatisfy(isTokenByte) }

  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
      UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  static func isValue(_ text: String) -> Bool { text.utf8.allSatisfy(isValueByte) }

  /// Anything but control characters; a tab is allowed.
  static func isValueByte(_ byte: UInt8) -> Bool { byte == 0x09 || (byte >= 0x20 && byte != 0x7F) }
}
