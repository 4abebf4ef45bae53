// What a handler answers: a status, headers, and a body that is either plain bytes or owned and wiped when sent.

package import Secrets

package struct HTTPResponse: Sendable {
  package var status: Int
  package var headers = HTTPHeaders()
  let body: Body

  enum Body: Sendable {
    case bytes([UInt8])
    case wiped(WipedBody)

    var count: Int {
      switch self {
      case .bytes(let bytes): bytes.count
      case .wiped(let body): body.bytes.count
      }
    }
  }

  private init(status: Int, type: String?, body: Body) {
    self.status = status
    self.body = body
    if let type { headers.add("Content-Type", type) }
  }

  /// No body; 204 unless said otherwise.
  package static func empty(status: Int = 204) -> HTTPResponse {
    HTTPResponse(status: status, type: nil, body: .bytes([]))
  }

  /// Bytes that are JSON already.
  package static func json(_ bytes: [UInt8], status: Int = 200) -> HTTPResponse {
    HTTPResponse(status: status, type: "application/json", body: .bytes(bytes))
  }

  package static func text(_ text: String, status: Int = 200) -> HTTPResponse {
    HTTPResponse(status: status, type: "text/plain; charset=utf-8", body: .bytes(Array(text.utf8)))
  }

  package static func bytes(_ bytes: [UInt8], type: String, status: Int = 200) -> HTTPResponse {
    HTTPResponse(status: status, type: type, body: .bytes(bytes))
  }

  /// A body with one owner: it is written to the socket from where it lies and wiped when the last byte is gone, or
  /// when the client is.
  package static func wiped(
    _ bytes: consuming sending WipedBytes, type: String = "application/json", status: Int = 200
  ) -> HTTPResponse {
    HTTPResponse(status: status, type: type, body: .wiped(WipedBody(bytes)))
  }

  package static func problem(_ problem: Problem) -> HTTPResponse { problem.response }
}

/// A body of a request or of an answer. `@unchecked Sendable`: the bytes are never changed after they are taken in, and wiped by the last owner's end.
final class WipedBody: @unchecked Sendable {
  let bytes: WipedBytes

  init(_ bytes: consuming sending WipedBytes) { self.bytes = bytes }
}
