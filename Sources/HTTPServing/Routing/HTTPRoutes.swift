// The table of a listener: method and pattern to handler, with what each route demands.

package typealias HTTPHandler = @Sendable (HTTPRequest) async -> HTTPResponse

package struct HTTPRoutes: Sendable {
  struct Route: Sendable {
    let method: HTTPMethod
    let pattern: RoutePattern
    let bodyLimit: Int?
    let authentication: ServiceAuthentication?
    let handler: HTTPHandler
  }

  /// The label of requests that met no route.
  package static let unmatched = "unmatched"

  private(set) var routes: [Route] = []
  private var authentication: ServiceAuthentication?

  package init() {}

  /// The patterns of all routes, for label sets.
  package var patterns: [String] { routes.map(\.pattern.text) }

  /// Adds a route. `bodyLimit` in bytes, where the listener's is not right for it.
  package mutating func on(
    _ method: HTTPMethod, _ pattern: StaticString, bodyLimit: Int? = nil, handler: @escaping HTTPHandler
  ) {
    let pattern = RoutePattern(pattern)
    let isTaken = routes.contains { $0.method == method && $0.pattern.text == pattern.text }
    precondition(!isTaken, "\(method.rawValue) \(pattern.text) is declared twice")
    precondition(method != .head && method != .options, "HEAD and OPTIONS answer themselves")
    let route = Route(
      method: method, pattern: pattern, bodyLimit: bodyLimit, authentication: authentication, handler: handler)
    let place = routes.firstIndex { $0.pattern.openness > pattern.openness } ?? routes.endIndex
    routes.insert(route, at: place)
  }

  package mutating func get(_ pattern: StaticString, handler: @escaping HTTPHandler) {
    on(.get, pattern, handler: handler)
  }

  package mutating func post(_ pattern: StaticString, bodyLimit: Int? = nil, handler: @escaping HTTPHandler) {
    on(.post, pattern, bodyLimit: bodyLimit, handler: handler)
  }

  /// Routes declared inside are for services only. Whoever is not one is told the same 401, whatever was wrong.
  package mutating func guarded(by authentication: ServiceAuthentication, _ declare: (inout HTTPRoutes) -> Void) {
    let outer = self.authentication
    self.authentication = authentication
    declare(&self)
    self.authentication = outer
  }

  // MARK: Finding

  enum Match {
    case route(Route, [String: String])
    /// The path exists; these methods do.
    case otherMethods([HTTPMethod], pattern: String)
    case nothing
  }

  func find(_ method: HTTPMethod, _ path: [String]) -> Match {
    let wanted = method == .head ? .get : method
    var others: [HTTPMethod] = []
    var pattern: String?
    for route in routes {
      guard let parameters = route.pattern.match(path) else { continue }
      if route.method == wanted { return .route(route, parameters) }
      others.append(route.method)
      pattern = pattern ?? route.pattern.text
    }
    guard let pattern else { return .nothing }
    if others.contains(.get) { others.append(.head) }
    return .otherMethods(HTTPMethod.allCases.filter { others.contains($0) || $0 == .options }, pattern: pattern)
  }

  /// How large a body may be, asked when its headers are in. A path that is refused anyway gets the listener's limit.
  func bodyLimit(_ head: RequestHead, otherwise: Int) -> Int {
    guard routes.contains(where: { $0.bodyLimit != nil }), let target = RequestTarget.decode(head.target.span),
      case .route(let route, _) = find(head.method, target.segments)
    else { return otherwise }
    return route.bodyLimit ?? otherwise
  }
}
