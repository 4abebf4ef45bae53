// The one thing that the resolver is asked for, and how its ends are answered. The only file of it that sees HTTP.

import Contracts
import HTTPServing
import Postgres
import ServiceHost
import ServiceRuntime

struct Routes: Sendable {
  let resolver: InputResolver
  let queue: BatchQueue
  /// For a batch, its wait included.
  let time: Duration
  let log: Log

  func add(to service: inout RunningService, callers: ServiceAuthentication) {
    service.internalRoutes.guarded(by: callers) { routes in
      routes.post("/internal/v1/resolve", bodyLimit: ResolveCall.mostBytes) { request in await resolve(request) }
    }
  }

  /// The body stays as it came until there is room for what becomes of it. Whoever waits for more than half of its time
  /// would begin too late to end.
  private func resolve(_ request: HTTPRequest) async -> HTTPResponse {
    let deadline = Deadline.after(time)
    do throws(BatchQueue.Refusal) {
      return try await queue.run(request.bytes.count, turnBy: .after(time / 2)) { await resolve(request, by: deadline) }
    } catch {
      if error != .cancelled { resolver.observer.noteTurnedAway() }
      return .problem(ResolverProblem.busy)
    }
  }

  private func resolve(_ request: HTTPRequest, by deadline: Deadline) async -> HTTPResponse {
    let call: ResolveCall
    do throws(ResolveCallProblem) { call = try ResolveCall(parsing: request.bytes) } catch {
      return refuse(error, request)
    }
    do throws(InputResolver.Failure) {
      let reply = try await resolver.resolve(
        call, from: ResolveOrigin(requestID: request.id, traceID: request.traceParent?.traceID), by: deadline)
      return .wiped(reply.take())
    } catch {
      log.error(
        "No mission of a batch could be opened: the database is not there, or not in time.",
        [
          .requestId: .id(request.id), .count: .count(call.requests.count),
        ])
      return .problem(ResolverProblem.unavailable)
    }
  }

  private func refuse(_ problem: ResolveCallProblem, _ request: HTTPRequest) -> HTTPResponse {
    switch problem {
    case .member(let path):
      log.warning("A call was refused.", [.requestId: .id(request.id), .detail: .text(path)])
      return .problem(ResolverProblem.malformed)
    case .notJSON: return .problem(ResolverProblem.malformed)
    case .tooLong, .tooManyRequests: return .problem(ResolverProblem.tooLarge)
    }
  }
}
