// Bearer token to principal: the only way to one.

import HTTPFetching
package import ServiceRuntime

package struct TokenAuthority: Sendable {
  private let configuration: IdentityConfiguration
  private let keys: any KeySource
  private let clock: WallClock
  private let refused: @Sendable (TokenRefusal) -> Void

  /// `refused` is told why, once per refusal, for the log and the metric.
  package init(
    _ configuration: IdentityConfiguration, keys: any KeySource, clock: WallClock,
    refused: @escaping @Sendable (TokenRefusal) -> Void
  ) {
    self.configuration = configuration
    self.keys = keys
    self.clock = clock
    self.refused = refused
  }

  /// From the value of the one `Authorization` header; nil where there is none, or more than one.
  package func principal(authorization: String?) async throws(Unauthenticated) -> Principal {
    switch await judge(authorization) {
    case .success(let principal): return principal
    case .failure(let reason):
      refused(reason)
      throw Unauthenticated()
    }
  }

  private func judge(_ authorization: String?) async -> Result<Principal, TokenRefusal> {
    do throws(TokenRefusal) {
      // Exactly so, as the seeds' services ask for it: one space, no other spelling.
      let scheme = "Bearer "
      guard let authorization, authorization.utf8.starts(with: scheme.utf8) else { throw .noBearer }
      let token = try ReadToken(String(authorization.utf8.dropFirst(scheme.utf8.count)) ?? "")
      let key = try await keys.key(token.keyID).get().key
      // The clock is read after the keys have come, which may have taken seconds.
      return .success(try token.proven(by: key).principal(configuration, now: clock.now()))
    } catch {
      return .failure(error)
    }
  }
}
