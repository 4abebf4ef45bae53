// Which pages of other origins may read our answers: an exact list, never `*`, and never what the request says.

package struct CORSPolicy: Sendable {
  /// An origin is `scheme://host` or `scheme://host:port` in lower case, without a path.
  package struct InvalidOrigin: Error, Equatable {
    package let origin: String
  }

  private let origins: Set<[UInt8]>
  private let headers: String
  private let allowsCredentials: Bool
  private let maxAge: Int

  /// `maxAge` in seconds: how long a browser may remember a preflight; ten minutes is what browsers cap it to anyway.
  package init(
    origins: [String], headers: [String] = ["Authorization", "Content-Type", "X-Request-Id", "traceparent"],
    allowsCredentials: Bool = false, maxAge: Int = 600
  ) throws(InvalidOrigin) {
    for origin in origins where !Self.isOrigin(origin) { throw InvalidOrigin(origin: origin) }
    self.origins = Set(origins.map { Array($0.utf8) })
    self.headers = headers.joined(separator: ", ")
    self.allowsCredentials = allowsCredentials
    self.maxAge = maxAge
  }

  private static func isOrigin(_ text: String) -> Bool {
    guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return false }
    let rest = text.utf8.dropFirst(scheme.utf8.count)
    return !rest.isEmpty
      && rest.allSatisfy { byte in
        RequestBytes.isDigit(byte) || (0x61...0x7A).contains(byte) || ".-:[]".utf8.contains(byte)
      }
  }

  /// The listed origin that the request comes from.
  private func origin(of request: HTTPRequest) -> String? {
    guard let origin = request.headers["Origin"], origins.contains(Array(origin.utf8)) else { return nil }
    return origin
  }

  /// The answer to a preflight; nil when it is not one.
  func preflight(_ request: HTTPRequest, methods: [HTTPMethod]) -> HTTPResponse? {
    guard request.headers.contains("Origin"), let wanted = request.headers["Access-Control-Request-Method"] else {
      return nil
    }
    guard origin(of: request) != nil, methods.contains(where: { $0.rawValue.utf8.elementsEqual(wanted.utf8) }) else {
      return .problem(Problem(403, "CORS_REFUSED", "this origin may not do this"))
    }
    var response = HTTPResponse.empty()
    response.headers.set("Access-Control-Allow-Methods", HTTPRoutes.list(methods))
    response.headers.set("Access-Control-Allow-Headers", headers)
    response.headers.set("Access-Control-Max-Age", String(maxAge))
    return response
  }

  /// Every answer varies with the origin, the refused ones too, or a cache would hand one origin's answer to another.
  func decorate(_ response: inout HTTPResponse, for request: HTTPRequest) {
    response.headers.add("Vary", "Origin")
    guard let origin = origin(of: request) else { return }
    response.headers.set("Access-Control-Allow-Origin", origin)
    response.headers.set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
    if allowsCredentials { response.headers.set("Access-Control-Allow-Credentials", "true") }
  }
}
