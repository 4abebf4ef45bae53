// A request as a handler sees it: whole, within every limit, and read in one way only.

import Secrets

package struct HTTPRequest: Sendable {
  package let method: HTTPMethod
  /// Decoded segments of the path; `/` has none, `/a/` has `a` and an empty one.
  package let segments: [String]
  /// Decoded query items in their order, repeated ones included.
  package let query: [QueryItem]
  /// All fields but `X-Service-Key`, which is compared and never handed on.
  package let headers: HTTPHeaders
  /// Nil for an empty one. Any body may hold a secret, so all of them are wiped when the last request value ends.
  let body: WipedBody?
  /// Ours unless an internal caller sent one; echoed as `X-Request-Id`.
  package let id: String
  /// Valid by W3C's grammar, or nil.
  package let traceParent: TraceParent?
  package let peer: Peer
  /// Where the request comes from: the connection's address, or what trusted proxies say in `X-Forwarded-For`.
  package let client: IPAddress?
  /// What the pattern's `{names}` stood for; filled in by the router.
  package internal(set) var parameters: [String: String] = [:]
  let serviceKey: PresentedServiceKey?

  package struct QueryItem: Sendable, Equatable {
    package let name: String
    package let value: String
  }

  /// Who is at the other end of the connection, as far as the kernel and TLS can tell.
  package struct Peer: Sendable {
    /// The uid of the process at the other end of a Unix socket.
    package var uid: UInt32?
    package var address: IPAddress?
    /// The subject of a verified client certificate, in the form of RFC 2253.
    package var certificateSubject: String?
    package var listener: ListenerName
  }

  /// The body, where it lies. Whoever copies it answers for the copy.
  package var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    borrowing get {
      guard let body else { return Span() }
      // The bytes are the body's, which never changes them, and this value keeps the body alive.
      let span = unsafe Span(_unsafeElements: Self.place(of: body.bytes))
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  private static func place(of bytes: borrowing WipedBytes) -> UnsafeBufferPointer<UInt8> {
    unsafe bytes.bytes.withUnsafeBufferPointer { unsafe $0 }
  }

  /// The only value of a query item; nil when there is none or more than one.
  package func queryValue(_ name: String) -> String? {
    let values = query.filter { $0.name.utf8.elementsEqual(name.utf8) }
    return values.count == 1 ? values.first?.value : nil
  }
}
