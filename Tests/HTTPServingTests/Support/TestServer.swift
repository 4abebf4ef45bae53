// A server for the length of one test, with the routes that most tests need, and a record of what it observed.

import HTTPServing
import Secrets
import Synchronization
import Testing

final class Observed: Sendable {
  private let state = Mutex<(events: [HTTPObserver.Event], waiters: [Waiter])>(([], []))

  private struct Waiter {
    let isWanted: @Sendable (HTTPObserver.Event) -> Bool
    let continuation: CheckedContinuation<HTTPObserver.Event, Never>
  }

  var observer: HTTPObserver {
    HTTPObserver { event in
      let waiters = self.state.withLock { state in
        state.events.append(event)
        let called = state.waiters.filter { $0.isWanted(event) }
        state.waiters.removeAll { $0.isWanted(event) }
        return called
      }
      for waiter in waiters { waiter.continuation.resume(returning: event) }
    }
  }

  var events: [HTTPObserver.Event] { state.withLock { $0.events } }

  var refusals: [Refusal] {
    events.compactMap { if case .refused(_, let refusal) = $0 { refusal } else { nil } }
  }

  var records: [HTTPObserver.RequestRecord] {
    events.compactMap { if case .finished(let record) = $0 { record } else { nil } }
  }

  /// Waits for it, unless it has happened already.
  func event(where isWanted: @escaping @Sendable (HTTPObserver.Event) -> Bool) async -> HTTPObserver.Event {
    await withCheckedContinuation { continuation in
      let past = state.withLock { state in
        let past = state.events.first(where: isWanted)
        if past == nil { state.waiters.append(Waiter(isWanted: isWanted, continuation: continuation)) }
        return past
      }
      if let past { continuation.resume(returning: past) }
    }
  }

  func record(where isWanted: @escaping @Sendable (HTTPObserver.RequestRecord) -> Bool) async
    -> HTTPObserver.RequestRecord?
  {
    let event = await event { if case .finished(let record) = $0 { isWanted(record) } else { false } }
    if case .finished(let record) = event { return record }
    return nil
  }
}

struct TestServer: Sendable {
  let server: HTTPServer
  let observed: Observed
  var address: HTTPListener.Address { server.addresses[0] }

  static func listener(
    _ name: ListenerName = .publicSide, at address: HTTPListener.Address = .tcp(host: "127.0.0.1", port: 0),
    limits: HTTPLimits = HTTPLimits(), routes: HTTPRoutes = standardRoutes
  ) -> HTTPListener {
    var listener = HTTPListener(name, address, routes: routes)
    listener.limits = limits
    return listener
  }

  /// `/echo` says what it got, `/ok` says ok.
  static var standardRoutes: HTTPRoutes {
    var routes = HTTPRoutes()
    routes.get("/ok") { _ in .text("ok") }
    routes.post("/echo") { request in .wiped(WipedBytes(copying: request.bytes), type: "application/octet-stream") }
    return routes
  }

  static func run(
    _ listeners: [HTTPListener] = [listener()], handlers: (any TaskExecutor)? = nil,
    body: @Sendable @escaping (TestServer) async throws -> Void
  ) async throws {
    let observed = Observed()
    let test = TestServer(
      server: try HTTPServer(listeners, observer: observed.observer, handlers: handlers), observed: observed)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await test.server.run() }
      try await body(test)
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  /// The blocking half of a test, on a thread of its own.
  static func blocking(
    _ listener: HTTPListener = listener(), body: @Sendable @escaping (TestServer) throws -> Void
  ) async throws {
    try await run([listener]) { test in try await offPool { try body(test) } }
  }

  func connect() throws -> RawSocket { try RawSocket(address) }
}

/// A well-behaved client with a connection of its own; whatever others do, it must be served.
final class HonestClient: Sendable {
  private let socket: RawSocket
  private let served = Mutex(0)

  init(_ test: TestServer) throws { socket = try test.connect() }

  func ask(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let reply = try socket.ask("GET /ok HTTP/1.1\r\nHost: honest\r\n\r\n")
    #expect(reply.status == 200 && reply.body == "ok", sourceLocation: sourceLocation)
    served.withLock { $0 += 1 }
  }

  var count: Int { served.withLock { $0 } }
}
