// The stand-in behind HTTP: its routes, and the exchange of its key pair while it serves.

import Contracts
import HTTPServing
import ServiceRuntime
import Synchronization

final class AuthDesk: Sendable {
  private let current: Mutex<AuthStandIn>
  private let folder: String

  init(_ standIn: AuthStandIn, folder: String) {
    current = Mutex(standIn)
    self.folder = folder
  }

  /// For SIGHUP: whoever removed or exchanged the pair in the folder wants another one. What cannot be used changes
  /// nothing.
  func reload() {
    do {
      let key = try SigningKey(in: folder)
      let standIn = current.withLock { $0 }
      guard let renewed = try standIn.renewed(with: key) else {
        return try StandardStream.output.write("the pair is the same\n")
      }
      current.withLock { $0 = renewed }
      try StandardStream.output.write("another pair signs now\n")
    } catch {
      Development.complain("mandate-dev: the pair stays as it was: \(error)")
    }
  }

  var routes: HTTPRoutes {
    var routes = HTTPRoutes()
    for keys: StaticString in ["/api/auth/jwks", "/api/v1/auth/jwks"] {
      routes.get(keys) { await self.answer($0, keys) }
    }
    let (login, spaces): (StaticString, StaticString) = ("/api/v1/auth/login", "/api/auth/organization/list")
    routes.post(login, bodyLimit: AuthStandIn.longestBody) { await self.answer($0, login) }
    routes.get(spaces) { await self.answer($0, spaces) }
    return routes
  }

  private func answer(_ request: HTTPRequest, _ path: StaticString) async -> HTTPResponse {
    let standIn = current.withLock { $0 }
    do {
      let answer = try await standIn.answer(
        AuthRequest(
          method: request.method == .head ? HTTPMethod.get.rawValue : request.method.rawValue,
          path: path.description, authorization: request.headers["Authorization"], body: [UInt8](copying: request.bytes)
        ))
      return .json(answer.json.compactBytes(), status: answer.status)
    } catch {
      Development.complain("mandate-dev: a request failed: \(error)")
      return .problem(.internalError)
    }
  }
}
