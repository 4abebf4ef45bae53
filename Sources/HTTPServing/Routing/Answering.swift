// From a request to its answer: route, preflight, authentication, handler, and the headers that every answer has.

extension HTTPRoutes {
  /// The pattern that a request is counted under.
  func label(of request: HTTPRequest) -> String {
    switch find(request.method, request.segments) {
    case .nothing: Self.unmatched
    case .otherMethods(_, let pattern): pattern
    case .route(let route, _): route.pattern.text
    }
  }

  func answer(_ request: HTTPRequest, cors: CORSPolicy?) async -> HTTPResponse {
    var response = await dispatch(request, cors: cors)
    if !response.headers.areWritable {
      // A line break in a header would begin a header, or an answer, of its own.
      response = .problem(.internalError)
    }
    cors?.decorate(&response, for: request)
    Self.secure(&response, id: request.id)
    return response
  }

  private func dispatch(_ request: HTTPRequest, cors: CORSPolicy?) async -> HTTPResponse {
    switch find(request.method, request.segments) {
    case .nothing: return .problem(.notFound)
    case .otherMethods(let methods, _):
      if request.method == .options {
        if let preflight = cors?.preflight(request, methods: methods) { return preflight }
        var response = HTTPResponse.empty()
        response.headers.set("Allow", Self.list(methods))
        return response
      }
      var problem = Problem(405, "METHOD_NOT_ALLOWED", "this method is not allowed here")
      problem.headers.set("Allow", Self.list(methods))
      return .problem(problem)
    case .route(let route, let parameters):
      if let authentication = route.authentication, !authentication.admits(request) {
        return .problem(.serviceUnauthorized)
      }
      var request = request
      request.parameters = parameters
      return await route.handler(request)
    }
  }

  /// What an API's answers need in a browser: no guessing of types, no copy in a cache unless the handler allows one.
  static func secure(_ response: inout HTTPResponse, id: String) {
    response.headers.set("X-Request-Id", id)
    response.headers.set("X-Content-Type-Options", "nosniff")
    if !response.headers.contains("Cache-Control") { response.headers.add("Cache-Control", "no-store") }
  }

  static func list(_ methods: [HTTPMethod]) -> String { methods.map(\.rawValue).joined(separator: ", ") }
}
