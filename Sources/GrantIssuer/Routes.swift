// Which request means which use case, and how an outcome is answered. The only file of the issuer that sees HTTP.

import Contracts
import HTTPServing
import Identity
import Secrets
import ServiceHost
import ServiceRuntime

struct Routes: Sendable {
  let issuer: Issuer
  let authority: TokenAuthority
  let metrics: IssuerMetrics
  let log: Log

  func add(to service: inout RunningService, callers: ServiceAuthentication) {
    var routes = HTTPRoutes()
    addGrants(to: &routes)
    addVault(to: &routes)
    addReads(to: &routes)
    service.publicRoutes = routes
    service.internalRoutes.guarded(by: callers) { routes in
      routes.post("/internal/users/{id}/deleted") { request in
        guard let caller = Caller(user: request.parameters["id"] ?? "") else {
          return answer(.badRequest("The user's id must have 1 to 256 bytes and no control characters."), request)
        }
        return answer(await issuer.deleteUser(caller), request)
      }
    }
  }

  private func addGrants(to routes: inout HTTPRoutes) {
    routes.post("/api/v1/me/ai-mission-grant") { request in
      await asUser(request) { caller in
        let started = ContinuousClock.now
        let outcome: Result<JSONValue, IssuerProblem>
        do throws(IssuerProblem) {
          outcome = await issuer.issueGrant(try IssueGrantCall(request.bytes), by: caller)
        } catch { outcome = .failure(error) }
        metrics.issued(outcome.problem, took: started.duration(to: .now))
        return answer(outcome, request)
      }
    }
    routes.get("/api/v1/me/ai-mission-grants") { request in
      await asUser(request) { caller in answer(await issuer.listGrants(of: caller), request) }
    }
    routes.on(.delete, "/api/v1/me/ai-mission-grant/{missionId}") { request in
      await asUser(request) { caller in
        let revoked = await issuer.revokeGrant(mission: request.parameters["missionId"] ?? "", by: caller)
        return answer(revoked.map(\.json), request)
      }
    }
  }

  private func addVault(to routes: inout HTTPRoutes) {
    routes.get("/api/v1/me/encryption-vault/status") { request in
      await asUser(request) { caller in answer(await issuer.showVaultStatus(of: caller), request) }
    }
    routes.post("/api/v1/me/encryption-vault/init") { request in
      await asUser(request) { caller in answerKey(await issuer.initVault(of: caller), request) }
    }
    routes.get("/api/v1/me/encryption-vault/key") { request in
      await asUser(request) { caller in answerKey(await issuer.fetchKey(of: caller), request) }
    }
    routes.post("/api/v1/me/encryption-vault/rotate") { request in
      await asUser(request) { caller in answerKey(await issuer.rotateKey(of: caller), request) }
    }
    routes.post("/api/v1/me/encryption-vault/recovery-wrap") { request in
      await asUser(request) { caller in
        do throws(IssuerProblem) {
          return answer(await issuer.setRecovery(try RecoveryCall(request.bytes), by: caller), request)
        } catch { return answer(error, request) }
      }
    }
    routes.on(.delete, "/api/v1/me/encryption-vault/recovery-wrap") { request in
      await asUser(request) { caller in answer(await issuer.clearRecovery(by: caller), request) }
    }
    routes.post("/api/v1/me/encryption-vault/zero-knowledge") { request in
      await asUser(request) { caller in
        do throws(IssuerProblem) {
          let call = try ZeroKnowledgeCall(request.bytes)
          return answer(await issuer.changeZeroKnowledge(call, by: caller), request)
        } catch { return answer(error, request) }
      }
    }
  }

  private func addReads(to routes: inout HTTPRoutes) {
    routes.get("/api/v1/me/ai-audit") { request in
      await asUser(request) { caller in
        do throws(IssuerProblem) {
          let query = try AuditQuery(
            missionId: request.first("missionId"), limit: request.first("limit"), before: request.first("before"),
            chain: request.first("chain"), after: request.first("after"))
          return answer(await issuer.readAudit(query, of: caller), request)
        } catch { return answer(error, request) }
      }
    }
    routes.get("/api/v1/me/missions") { request in
      await asUser(request) { caller in
        answer(await issuer.listMissions(after: request.first("after"), of: caller), request)
      }
    }
    routes.get("/api/v1/me/records") { request in
      await asUser(request) { caller in
        do throws(IssuerProblem) {
          // `id` may be repeated, for ids that hold a comma.
          let ids = (request.first("ids") ?? "").utf8.split(separator: UInt8(ascii: ",")).map {
            String(decoding: $0, as: UTF8.self)
          }
          let named = request.query.filter { $0.name == "id" }.map(\.value)
          let query = try RecordsQuery(table: request.first("table"), ids: ids + named)
          return answer(await issuer.readRecords(query, of: caller), request)
        } catch { return answer(error, request) }
      }
    }
    routes.get("/api/v1/openapi.json") { _ in .json(PackageResources.openapi_json) }
    routes.get("/api/v1/resolver-key") { request in answer(issuer.showResolverKey(), request) }
  }

  // MARK: Who asks

  private func asUser(
    _ request: HTTPRequest, _ body: (Caller) async -> HTTPResponse
  ) async -> HTTPResponse {
    let principal: Principal
    do throws(Unauthenticated) {
      principal = try await authority.principal(authorization: request.headers["Authorization"])
    } catch { return answer(.unauthorised, request) }
    // The token's rule for a user's id is the same as ours.
    guard
      let caller = Caller(
        user: principal.user.text, address: request.client?.description, agent: request.headers["User-Agent"])
    else { return answer(.unauthorised, request) }
    return await body(caller)
  }

  // MARK: How it is answered

  private func answer(_ outcome: Result<JSONValue, IssuerProblem>, _ request: HTTPRequest) -> HTTPResponse {
    switch outcome {
    case .success(let value): .json(value.compactBytes())
    case .failure(let problem): answer(problem, request)
    }
  }

  private func answerKey(_ outcome: consuming sending Result<KeyReply, IssuerProblem>, _ request: HTTPRequest)
    -> HTTPResponse
  {
    switch consume outcome {
    case .success(let reply): .wiped(reply.intoBody())
    case .failure(let problem): answer(problem, request)
    }
  }

  private func answer(_ problem: IssuerProblem, _ request: HTTPRequest) -> HTTPResponse {
    if let detail = problem.detail {
      log.error(
        "A request could not be served.",
        [.requestId: .id(request.id), .reason: .name(problem.code), .detail: .text(detail)])
    }
    var response = HTTPResponse.json(problem.body.compactBytes(), status: problem.status)
    if let seconds = problem.retryAfter { response.headers.set("Retry-After", String(seconds)) }
    return response
  }
}

extension HTTPRequest {
  /// The first value where there are several, as the seeds read a query.
  fileprivate func first(_ name: String) -> String? {
    query.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
  }
}

extension Result where Success == JSONValue, Failure == IssuerProblem {
  fileprivate var problem: IssuerProblem? { if case .failure(let problem) = self { problem } else { nil } }
}
