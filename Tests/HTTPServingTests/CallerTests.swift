// Who calls: peer uids, service keys, request ids, traces, and addresses behind proxies.

import Foundation
import HTTPServing
import Secrets
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite("Callers", .timeLimit(.minutes(2)))
struct CallerTests {
  private static func secret(_ text: String) throws -> SecretBytes {
    let bytes = Array(text.utf8)
    return try SecretBytes(copying: bytes.span)
  }

  private static func guarded(_ authentication: ServiceAuthentication) -> HTTPRoutes {
    var routes = HTTPRoutes()
    routes.guarded(by: authentication) { routes in
      routes.get("/internal") { request in
        // What a handler sees of the key: nothing.
        .text(request.headers.contains("X-Service-Key") ? "leaked" : "welcome")
      }
    }
    routes.get("/open") { _ in .text("open") }
    return routes
  }

  @Test(
    "Either accepted key opens a guarded route; a wrong, a missing, a longer and a repeated one get one and the same 401"
  )
  func serviceKeys() async throws {
    let keys = try ServiceKeys(Self.secret("the-key-of-today-00")).adding(Self.secret("the-key-of-yesterday"))
    let routes = Self.guarded(ServiceAuthentication(keys: keys))
    try await TestServer.blocking(TestServer.listener(.internalSide, routes: routes)) { test in
      let socket = try test.connect()
      for key in ["the-key-of-today-00", "the-key-of-yesterday"] {
        #expect(try socket.get("/internal", headers: "x-service-key: \(key)\r\n").body == "welcome")
      }
      let refused = [
        "", "X-Service-Key: the-key-of-today-01\r\n", "X-Service-Key: the-key-of-today-000\r\n", "X-Service-Key: \r\n",
        "X-Service-Key: the-key-of-today-00\r\nX-Service-Key: the-key-of-today-00\r\n",
        "X-Service-Key: the-key-of-today-00, the-key-of-today-00\r\n",
      ]
      for headers in refused {
        let reply = try socket.get("/internal", headers: headers)
        #expect(reply.status == 401)
        #expect(
          reply.body == "{\"error\":\"invalid or missing service key\",\"code\":\"UNAUTHORIZED\","
            + "\"statusCode\":401,\"message\":\"invalid or missing service key\"}")
      }
      #expect(try socket.get("/open").body == "open")
    }
  }

  @Test("A key that could be guessed is not taken")
  func shortKeys() throws {
    #expect(throws: ServiceKeys.Failure.tooShort(minimum: 16)) { try ServiceKeys(Self.secret("dev-service-key")) }
    #expect(throws: ServiceKeys.Failure.tooShort(minimum: 1)) { try ServiceKeys(Self.secret(""), minimum: 0) }
    _ = try ServiceKeys(Self.secret("dev-service-key"), minimum: 8)
  }

  @Test("On a Unix socket the peer's uid opens a guarded route, and no other uid does")
  func peerUID() async throws {
    let folder = try TemporaryFolder()
    for (uids, status) in [([getuid()] as Set, 200), ([getuid() + 1] as Set, 401)] {
      let routes = Self.guarded(ServiceAuthentication(uids: uids))
      let address = HTTPListener.Address.unix(path: folder.path("a.sock"), access: .owner)
      try await TestServer.blocking(TestServer.listener(.internalSide, at: address, routes: routes)) { test in
        let reply = try test.connect().get("/internal")
        #expect(reply.status == status)
      }
    }
  }

  @Test("Over TCP a listed uid helps nobody")
  func noUID() async throws {
    let routes = Self.guarded(ServiceAuthentication(uids: [getuid(), 0]))
    try await TestServer.blocking(TestServer.listener(.internalSide, routes: routes)) { test in
      let reply = try test.connect().get("/internal")
      #expect(reply.status == 401)
    }
  }

  private static var telling: HTTPRoutes {
    var routes = HTTPRoutes()
    routes.get("/who") { request in
      .text("\(request.client?.description ?? "-") \(request.id) \(request.traceParent?.traceID ?? "-")")
    }
    return routes
  }

  @Test("An internal caller names its request if the name is sane; a public one does not")
  func requestIDs() async throws {
    for (name, isTaken) in [(ListenerName.internalSide, true), (.publicSide, false)] {
      try await TestServer.blocking(TestServer.listener(name, routes: Self.telling)) { test in
        let socket = try test.connect()
        let reply = try socket.get("/who", headers: "X-Request-Id: run-7_a.b\r\n")
        #expect((reply.header("X-Request-Id") == "run-7_a.b") == isTaken)
        #expect(reply.body.contains(reply.header("X-Request-Id") ?? "nothing"))
        for bad in ["a b", "a\"b", String(repeating: "a", count: 65), "<a>", ""] {
          #expect(try socket.get("/who", headers: "X-Request-Id: \(bad)\r\n").header("X-Request-Id")?.count == 32)
        }
        let twice = "X-Request-Id: a\r\nX-Request-Id: b\r\n"
        #expect(try socket.get("/who", headers: twice).header("X-Request-Id")?.count == 32)
        let ids = try (0..<100).map { _ in try socket.get("/who").header("X-Request-Id") }
        #expect(Set(ids).count == 100)
      }
    }
  }

  @Test("A valid traceparent is carried, every other is as good as none")
  func traces() async throws {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    let valid = "00-\(trace)-00f067aa0ba902b7-01"
    try await TestServer.run([TestServer.listener(routes: Self.telling)]) { test in
      try await offPool {
        let socket = try test.connect()
        #expect(try socket.get("/who", headers: "traceparent: \(valid)\r\n").body.hasSuffix(trace))
        let invalid = [
          valid.uppercased(), "01" + valid.dropFirst(2), valid + "-00", String(valid.dropLast()),
          "00-\(String(repeating: "0", count: 32))-00f067aa0ba902b7-01", "00-\(trace)-0000000000000000-01", "",
        ]
        for bad in invalid { #expect(try socket.get("/who", headers: "traceparent: \(bad)\r\n").body.hasSuffix(" -")) }
        let twice = "traceparent: \(valid)\r\ntraceparent: \(valid)\r\n"
        #expect(try socket.get("/who", headers: twice).body.hasSuffix(" -"))
      }
      let record = await test.observed.record { $0.traceParent != nil }
      #expect(record?.traceParent?.text == valid)
      #expect(record?.route == "/who")
    }
  }

  @Test("X-Forwarded-For counts behind trusted proxies alone, and then its rightmost untrusted address")
  func proxies() async throws {
    var trusting = TestServer.listener(routes: Self.telling)
    let networks = try ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"].map { try #require(IPNetwork($0)) }
    trusting.trustedProxies = TrustedProxies(networks: networks)
    let cases = [
      ("", "127.0.0.1"), ("203.0.113.9", "203.0.113.9"), ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
      ("203.0.113.9, 10.1.2.3", "203.0.113.9"), ("203.0.113.9,fd00::1 ,10.1.2.3", "203.0.113.9"),
      ("2001:db8::7, 10.1.2.3", "2001:db8::7"), ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
      ("203.0.113.9, unknown, 10.1.2.3", "10.1.2.3"), ("203.0.113.9, , 10.1.2.3", "10.1.2.3"), ("garbage", "127.0.0.1"),
      ("::ffff:10.1.2.3", "10.1.2.3"), ("203.0.113.9:80", "127.0.0.1"),
    ]
    try await TestServer.blocking(trusting) { test in
      let socket = try test.connect()
      for (header, client) in cases {
        let headers = header.isEmpty ? "" : "X-Forwarded-For: \(header)\r\n"
        #expect(try socket.get("/who", headers: headers).body.hasPrefix(client + " "))
      }
      let split = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.1.2.3\r\n"
      #expect(try socket.get("/who", headers: split).body.hasPrefix("203.0.113.9 "))
    }
    try await TestServer.blocking(TestServer.listener(routes: Self.telling)) { test in
      let reply = try test.connect().get("/who", headers: "X-Forwarded-For: 1.1.1.1\r\n")
      #expect(reply.body.hasPrefix("127.0.0.1 "))
    }
  }

  @Test("Networks are read strictly")
  func networks() throws {
    for bad in ["10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/+8", "a", "", "::/129", "10.0/8"] {
      #expect(IPNetwork(bad) == nil, "\(bad)")
    }
    let (four, six) = (try #require(IPNetwork("10.0.0.0/8")), try #require(IPNetwork("2001:db8::/32")))
    #expect(four.contains(try #require(IPAddress("10.255.0.1"))))
    #expect(!four.contains(try #require(IPAddress("11.0.0.1"))))
    #expect(six.contains(try #require(IPAddress("2001:db8:ffff::1"))))
    #expect(!six.contains(try #require(IPAddress("2001:db9::1"))))
    let everyone = try #require(IPNetwork("0.0.0.0/0"))
    #expect(everyone.contains(try #require(IPAddress("1.2.3.4"))))
    #expect(!everyone.contains(try #require(IPAddress("2001:db8::1"))))
  }
}
