// The smallest service that users call: one route that demands a bearer token.

import Contracts
import HTTPServing
import Identity

struct TokenService {
  private let server: HTTPServer
  let port: Int

  /// One route per authority, under its own path.
  init(_ authorities: [(path: StaticString, authority: TokenAuthority)]) throws {
    var routes = HTTPRoutes()
    for (path, authority) in authorities {
      routes.get(path) { request in
        do throws(Unauthenticated) {
          return .text(try await authority.principal(authorization: request.headers["Authorization"]).user.text)
        } catch {
          return .problem(Problem(401, "UNAUTHORIZED", "authentication is needed"))
        }
      }
    }
    server = try HTTPServer([HTTPListener(.publicSide, .tcp(host: "127.0.0.1", port: 0), routes: routes)])
    guard case .tcp(_, let port)? = server.addresses.first else { preconditionFailure("it was a TCP address") }
    self.port = Int(port)
  }

  /// Serves while the body runs.
  func whileServing(_ body: () async throws -> Void) async throws {
    let server = server
    let serving = Task { try await server.run() }
    do { try await body() } catch {
      serving.cancel()
      throw error
    }
    serving.cancel()
    try await serving.value
  }
}
