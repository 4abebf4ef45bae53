// From path to handler: patterns, decoding, 404 and 405, body limits, CORS, problems, and the standard routes.

import HTTPServing
import Testing

@Suite("Routes", .timeLimit(.minutes(2)))
struct RoutingTests {
  private static var routes: HTTPRoutes {
    var routes = HTTPRoutes()
    routes.get("/users/{id}") { request in .text("user " + (request.parameters["id"] ?? "")) }
    routes.get("/users/me") { _ in .text("me") }
    routes.post("/users/{id}/notes") { request in .text("\(request.bytes.count)", status: 201) }
    routes.post("/large", bodyLimit: 4 << 20) { request in .text("\(request.bytes.count)") }
    routes.post("/small", bodyLimit: 10) { request in .text("\(request.bytes.count)") }
    routes.get("/query") { request in
      .text(
        request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ";") + "|" + (request.queryValue("a") ?? "-"))
    }
    routes.get("/broken") { _ in .problem(.internalError) }
    routes.get("/split") { _ in
      var response = HTTPResponse.text("x")
      response.headers.add("X-A", "b\r\nSet-Cookie: c=d")
      return response
    }
    return routes
  }

  @Test("Names stand for one segment, a fixed segment wins, and segments are decoded once")
  func patterns() async throws {
    try await TestServer.blocking(TestServer.listener(routes: Self.routes)) { test in
      let socket = try test.connect()
      let cases = [
        ("/users/7", "user 7"), ("/users/me", "me"), ("/users/a%20b", "user a b"), ("/users/%C3%A9", "user é"),
        ("/users/%2525", "user %25"), ("/users/a+b", "user a+b"), ("/users/%6De", "me"),
      ]
      for (path, body) in cases { #expect(try socket.get(path).body == body) }
      for path in ["/", "/users", "/users/", "/users/7/", "/users/7/notes/8", "/USERS/7", "/users//7"] {
        #expect(try socket.get(path).status == 404, "\(path)")
      }
    }
  }

  @Test("A path that could mean another one to somebody else is 400; the connection stays usable")
  func paths() async throws {
    try await TestServer.blocking(TestServer.listener(routes: Self.routes)) { test in
      let socket = try test.connect()
      let bad = [
        "/users/../users/7", "/users/.", "/users/%2e%2e/7", "/users/%2E", "/users/%", "/users/%4", "/users/%zz",
        "/users/%00", "/users/a%2Fb", "/users/a%5Cb", "/users/%FF", "/users/%C0%AF", "/query?a=%", "/query?a=%00",
        "/query?%FF=1",
      ]
      for path in bad {
        let reply = try socket.get(path)
        #expect(reply.status == 400, "\(path)")
        #expect(reply.body == "{\"error\":\"the request is malformed\",\"code\":\"BAD_REQUEST\"}")
      }
      #expect(try socket.get("/query?a=1&b=x%26y&c=a+b&d&=e").body == "a=1;b=x&y;c=a b;d=;=e|1")
      #expect(try socket.get("/query?a=1&a=2").body == "a=1;a=2|-")
    }
  }

  @Test("An unknown path is 404, a known one with another method 405 with Allow, and nothing sent is repeated")
  func unknown() async throws {
    try await TestServer.blocking(TestServer.listener(routes: Self.routes)) { test in
      let socket = try test.connect()
      let missing = try socket.get("/secret-path?token=abc")
      #expect(missing.status == 404)
      #expect(missing.body == "{\"error\":\"there is nothing here\",\"code\":\"NOT_FOUND\"}")
      let wrong = try socket.ask("DELETE /users/7 HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(wrong.status == 405)
      #expect(wrong.header("Allow") == "GET, HEAD, OPTIONS")
      let options = try socket.ask("OPTIONS /users/7/notes HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(options.status == 204)
      #expect(options.header("Allow") == "POST, OPTIONS")
      #expect(options.header("Content-Length") == nil)
      #expect(try socket.get("/users/me").body == "me")
    }
  }

  @Test("A route takes as much as it says and no byte more, whatever its neighbours take")
  func bodyLimits() async throws {
    @Sendable func post(_ path: String, _ count: Int) -> String {
      "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n" + String(repeating: "x", count: count)
    }
    try await TestServer.blocking(TestServer.listener(routes: Self.routes)) { test in
      let socket = try test.connect()
      #expect(try socket.ask(post("/large", 4 << 20)).body == "\(4 << 20)")
      #expect(try socket.ask(post("/users/7/notes", 1 << 20)).body == "\(1 << 20)")
      #expect(try socket.ask(post("/small", 10)).body == "10")
      for (path, count) in [("/large", 4 << 20), ("/users/7/notes", 1 << 20), ("/small", 10), ("/nowhere", 1 << 20)] {
        let other = try test.connect()
        let head = "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(count + 1)\r\n\r\n"
        #expect(try other.ask(head).status == 413)
      }
    }
  }

  @Test("A handler's broken header becomes a 500, never a second header; 500 carries both shapes")
  func brokenHandler() async throws {
    let body = "{\"error\":\"internal error\",\"code\":\"INTERNAL\",\"statusCode\":500,\"message\":\"internal error\"}"
    try await TestServer.blocking(TestServer.listener(routes: Self.routes)) { test in
      for path in ["/broken", "/split"] {
        let reply = try test.connect().get(path)
        #expect(reply.status == 500)
        #expect(reply.body == body)
        #expect(reply.header("Set-Cookie") == nil)
      }
    }
  }

  @Test("The observer hears patterns, never paths")
  func labels() async throws {
    try await TestServer.run([TestServer.listener(routes: Self.routes)]) { test in
      try await offPool {
        let socket = try test.connect()
        for path in ["/users/7", "/users/8", "/nobody-knows", "/users/%"] { _ = try socket.get(path) }
        _ = try socket.ask("DELETE /users/9 HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try socket.get("/users/me")
      }
      _ = await test.observed.record { $0.route == "/users/me" }
      #expect(
        test.observed.records.map(\.route)
          == ["/users/{id}", "/users/{id}", HTTPRoutes.unmatched, HTTPRoutes.unmatched, "/users/{id}", "/users/me"])
      #expect(test.observed.records.map(\.status) == [200, 200, 404, 400, 405, 200])
    }
  }

  @Test("CORS: a listed origin may, every other may not, and every answer varies with the origin")
  func cors() async throws {
    var listener = TestServer.listener(routes: Self.routes)
    listener.cors = try CORSPolicy(origins: ["https://app.example", "http://127.0.0.1:5173"], allowsCredentials: true)
    try await TestServer.blocking(listener) { test in
      let socket = try test.connect()
      for origin in ["https://app.example", "http://127.0.0.1:5173"] {
        let reply = try socket.get("/users/me", headers: "Origin: \(origin)\r\n")
        #expect(reply.header("Access-Control-Allow-Origin") == origin)
        #expect(reply.header("Access-Control-Allow-Credentials") == "true")
        #expect(reply.header("Vary") == "Origin")
      }
      let refused = [
        "https://evil.example", "https://app.example.evil.example", "https://app.example:444", "http://app.example",
        "null", "HTTPS://APP.EXAMPLE", "https://app.example/", "*",
      ]
      for origin in refused {
        let reply = try socket.get("/users/me", headers: "Origin: \(origin)\r\n")
        #expect(reply.header("Access-Control-Allow-Origin") == nil, "\(origin)")
        #expect(reply.header("Access-Control-Allow-Credentials") == nil)
        #expect(reply.header("Vary") == "Origin")
        #expect(try preflight(socket, origin, "GET").status == 403)
      }
      let allowed = try preflight(socket, "https://app.example", "GET")
      #expect(allowed.status == 204)
      #expect(allowed.header("Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS")
      #expect(allowed.header("Access-Control-Allow-Headers")?.contains("Authorization") == true)
      #expect(allowed.header("Access-Control-Max-Age") == "600")
      #expect(try preflight(socket, "https://app.example", "DELETE").status == 403)
      #expect(try socket.get("/nowhere", headers: "Origin: https://app.example\r\n").header("Vary") == "Origin")
      #expect(try socket.get("/users/me").header("Vary") == "Origin")
    }
  }

  private func preflight(_ socket: RawSocket, _ origin: String, _ method: String) throws -> Reply {
    try socket.ask(
      "OPTIONS /users/7 HTTP/1.1\r\nHost: a\r\nOrigin: \(origin)\r\nAccess-Control-Request-Method: \(method)\r\n\r\n")
  }

  @Test(
    "An origin that is a pattern or no origin at all cannot be listed",
    arguments: ["*", "https://*.example", "null", "https://app.example/", "app.example", "https://", "HTTPS://A", ""])
  func origins(_ origin: String) {
    #expect(throws: CORSPolicy.InvalidOrigin.self) { try CORSPolicy(origins: [origin]) }
  }

  @Test("Health, readiness and metrics come from closures; what is not ready is 503")
  func standardRoutes() async throws {
    for isReady in [true, false] {
      var routes = HTTPRoutes()
      routes.standard(
        health: { Array("{\"ok\":true}".utf8) }, ready: { (isReady, Array("{}".utf8)) },
        metrics: { Array("up 1\n".utf8) })
      try await TestServer.blocking(TestServer.listener(.internalSide, routes: routes)) { test in
        let socket = try test.connect()
        #expect(try socket.get("/health").body == "{\"ok\":true}")
        #expect(try socket.get("/ready").status == (isReady ? 200 : 503))
        let metrics = try socket.get("/metrics")
        #expect(metrics.body == "up 1\n")
        #expect(metrics.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
      }
    }
  }
}
