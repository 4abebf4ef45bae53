// A whole service, to copy: settings in, routes declared, one `run()` that ends by being drained or cancelled.

import HTTPServing
import Secrets

struct ExampleService {
  let server: HTTPServer

  /// `key` is what other services send; whoever connects through a Unix socket as `trustedUID` needs none.
  init(port: UInt16, key: consuming SecretBytes, trustedUID: UInt32, observer: HTTPObserver = .silent) throws {
    let callers = ServiceAuthentication(keys: try ServiceKeys(key), uids: [trustedUID])
    var publicRoutes = HTTPRoutes()
    publicRoutes.get("/hello/{name}") { request in .text("Hello, \(request.parameters["name"] ?? "you")!") }

    var internalRoutes = HTTPRoutes()
    internalRoutes.standard(
      health: { Array(#"{"ok":true}"#.utf8) },
      ready: { (isReady: true, json: Array(#"{"ready":true}"#.utf8)) },
      metrics: { Array("example_up 1\n".utf8) })
    internalRoutes.guarded(by: callers) { routes in
      // This route takes more than the usual 1 MiB, and its answer is wiped once it is sent.
      routes.post("/internal/v1/reverse", bodyLimit: 8 << 20) { request in
        var answer = WipedBytes(capacity: request.bytes.count)
        for index in request.bytes.indices.reversed() { answer.append(request.bytes[index]) }
        return .wiped(answer, type: "application/octet-stream")
      }
    }
    var outside = HTTPListener(.publicSide, .tcp(host: "127.0.0.1", port: port), routes: publicRoutes)
    outside.cors = try CORSPolicy(origins: ["https://app.example"])
    outside.limits.handlerTime = .seconds(5)
    let inside = HTTPListener(.internalSide, .tcp(host: "127.0.0.1", port: 0), routes: internalRoutes)
    server = try HTTPServer([outside, inside], observer: observer)
  }

  /// Ends when `stop` returns (a signal, say), after requests under way have been answered.
  func run(until stop: @escaping @Sendable () async -> Void) async throws {
    try await withThrowingTaskGroup { group in
      group.addTask { try await server.run() }
      await stop()
      await server.drain()
      try await group.waitForAll()
    }
  }
}
