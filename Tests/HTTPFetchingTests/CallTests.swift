// What a call sends and what it gives back, seen from the server's side.

import Glibc
import HTTPFetching
import HTTPSupport
import MemoryInspection
import Secrets
import Testing

@Suite("A call")
struct CallTests {
  @Test("Each method arrives with its body, and nothing that nobody asked for")
  func methods() async throws {
    let server = try RawServer(answering: answer(200, ""))
    let client = try HTTPClient()
    for method in HTTPMethod.allCases {
      let hasBody = method == .post || method == .put || method == .patch
      let made = try request(server, method, path: "/a?b=c", body: hasBody ? "payload" : nil) {
        $0.headers = [("X-Mine", "yes")]
      }
      #expect(await Outcome.of(client, made) == .answer(200, ""))
      let seen = try #require(server.requests.last)
      #expect(seen.line == "\(method.rawValue) /a?b=c HTTP/1.1")
      #expect(seen.header("x-mine") == "yes")
      #expect(seen.body == (hasBody ? Array("payload".utf8) : []))
      #expect(seen.header("content-type") == (hasBody ? "text/plain" : nil))
      #expect(seen.header("expect") == nil && seen.header("cookie") == nil && seen.header("authorization") == nil)
      #expect(seen.header("accept-encoding") == nil)
    }
    #expect(server.connections == 1)
  }

  @Test("A POST, PUT or PATCH without a body says that its length is zero")
  func emptyBody() async throws {
    let server = try RawServer(answering: answer())
    for method in [HTTPMethod.post, .put, .patch] {
      #expect(try await Outcome.of(request(server, method)) == .answer(200, ""))
      #expect(server.requests.last?.header("content-length") == "0")
      #expect(server.requests.last?.header("content-type") == nil)
    }
  }

  @Test("A large body arrives whole, without waiting for permission")
  func largeBody() async throws {
    let server = try RawServer(answering: answer(204))
    let text = String(repeating: "0123456789", count: 300_000)
    #expect(try await Outcome.of(request(server, .post, body: text)) == .answer(204, ""))
    #expect(server.requests.last?.body == Array(text.utf8))
  }

  @Test("Headers of an answer are found under any case, and a repeated one is not one value")
  func headers() async throws {
    let server = try RawServer(answering: answer(200, "", headers: ["X-One: 1 ", "x-two: a", "X-Two: b"]))
    let response = try await HTTPClient().send(request(server))
    #expect(response.headers["x-ONE"] == "1")
    #expect(response.headers["X-Two"] == nil)
    #expect(response.headers.all("X-TWO") == ["a", "b"])
  }

  @Test("A HEAD is answered without a body, whatever length is announced")
  func head() async throws {
    let server = try RawServer(answering: "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
    #expect(try await Outcome.of(request(server, .head)) == .answer(200, ""))
  }

  @Test("A connection is used again, one per call at a time, and never more than the limit")
  func reuse() async throws {
    let server = try RawServer(answering: answer(200, "x"))
    var configuration = HTTPConfiguration()
    configuration.mostConnectionsPerHost = 2
    let client = try HTTPClient(configuration)
    for _ in 1...10 { #expect(await Outcome.of(client, try request(server)) == .answer(200, "x")) }
    #expect(server.connections == 1)
    let made = try request(server)
    let answers = await withTaskGroup(of: Outcome.self) { group in
      for _ in 1...40 { group.addTask { await Outcome.of(client, made) } }
      return await group.reduce(into: 0) { count, outcome in count += outcome == .answer(200, "x") ? 1 : 0 }
    }
    #expect(answers == 40)
    #expect(server.connections <= 2)
    #expect(server.requests.count == 50)
  }

  @Test("A Unix socket is a server like any other")
  func unixSocket() async throws {
    let path = socketPath()
    defer { unsafe unlink(path) }
    let server = try RawServer(unixSocket: path) { connection in
      while connection.readRequest() != nil, connection.send(answer(200, "from the socket")) {}
    }
    var request = HTTPRequest(.get, try HTTPURL("http://resolver/x"))
    request.unixSocket = path
    #expect(try await Outcome.of(request) == .answer(200, "from the socket"))
    #expect(server.requests.last?.header("host") == "resolver")
    request.unixSocket = socketPath()
    #expect(try await Outcome.of(request) == .failure(.unreachable))
  }

  @Test("The environment's proxy is not asked")
  func proxy() async {
    // In a process of its own, for the environment is everybody's.
    await #expect(processExitsWith: .success) {
      let proxy = try RawServer(answering: answer(200, "from the proxy"))
      let server = try RawServer(answering: answer(200, "direct"))
      for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] { unsafe setenv(name, proxy.url(), 1) }
      let outcome = try await Outcome.of(request(server))
      exit(outcome == .answer(200, "direct") && proxy.connections == 0 ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }

  @Test("No cookie is kept")
  func cookies() async throws {
    let server = try RawServer(answering: answer(200, "", headers: ["Set-Cookie: a=b"]))
    let client = try HTTPClient()
    for _ in 1...2 { _ = await Outcome.of(client, try request(server)) }
    #expect(server.requests.count == 2)
    #expect(server.requests.allSatisfy { $0.header("cookie") == nil })
  }

  @Test("A request that breaks a rule is not sent")
  func refused() async throws {
    let server = try RawServer(answering: answer())
    let changes: [(inout HTTPRequest) -> Void] = [
      { $0.headers = [("X-A", "b\r\nX-B: c")] }, { $0.headers = [("X A", "b")] }, { $0.headers = [("", "b")] },
      { $0.headers = [("X-A", "")] }, { $0.headers = [("Host", "other")] },
      { $0.headers = [("Transfer-Encoding", "chunked")] }, { $0.headers = [("content-length", "1")] },
      { $0.body = HTTPBody([1], contentType: "a/b") }, { $0.unixSocket = String(repeating: "x", count: 108) },
      { $0.limits.total = .zero }, { $0.limits.headerBytes = 0 },
    ]
    for change in changes {
      let outcome = try await Outcome.of(request(server, change: change))
      guard case .failure(.invalidRequest) = outcome else {
        Issue.record("\(outcome)")
        continue
      }
    }
    #expect(server.connections == 0)
    for text in [
      "ftp://h/", "file:///etc/passwd", "http://user@h/", "http://user:pw@h/", "http://h/#f", "/path", "http:///",
      "http://h/ b", "http://h:0/", "http://h:99999/", "gopher://h/", "", "http://h/\r\n",
    ] {
      #expect(throws: HTTPFailure.self, "\(text)") { try HTTPURL(text) }
    }
  }

  // MARK: Secrets

  @Test("A credential leaves nothing behind when its last request is gone")
  func credential() async throws {
    let server = try RawServer { connection in
      connection.discardRequest()
      connection.send(answer(200, ""))
    }
    let pattern = MemoryScan(masked: (0..<48).map { _ in UInt8.random(in: 0x61...0x7A) ^ 0x5A })
    func call() async throws {
      var secret = try SecretBytes(zeroed: pattern.count)
      var bytes = secret.mutableBytes
      pattern.fill(&bytes)
      var request = try request(server)
      request.credentials = [try HTTPCredential(header: "X-Service-Key", secret: secret)]
      #expect(try await Outcome.of(request) == .answer(200, ""))
      let found = try pattern.places().count
      #expect(found > 0, "the search finds a live credential")
    }
    try await call()
    #expect(try pattern.places().isEmpty)
  }

  @Test("A wiped answer is whole while it is held, and nowhere when it is gone")
  func wipedAnswer() async throws {
    let pattern = MemoryScan(random: 64)
    let server = try RawServer { connection in
      connection.discardRequest()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(64 * 1000)\r\n\r\n")
      connection.sendWiped(count: 64 * 1000) { pattern.byte(at: $0 % 64) }
    }
    func call() async throws {
      let response = try await HTTPClient().sendWiped(request(server))
      let (count, last) = (response.body.count, response.body.bytes[64 * 1000 - 1])
      #expect(count == 64 * 1000)
      #expect(last == pattern.byte(at: 63))
      let places = try pattern.places().count
      #expect(places == 1000)
    }
    try await call()
    #expect(try pattern.places().isEmpty)
  }

  @Test("A credential's value is what the server reads")
  func credentialText() async throws {
    let server = try RawServer(answering: answer())
    let text = Array("s3cret".utf8)
    var request = try request(server)
    request.credentials = [
      try HTTPCredential(header: "Authorization", prefix: "Bearer ", secret: SecretBytes(copying: text.span))
    ]
    #expect(try await Outcome.of(request) == .answer(200, ""))
    #expect(server.requests.last?.header("authorization") == "Bearer s3cret")
    for bad in ["", "a b", "a\r\nX: y", "\u{e9}"] {
      let bytes = Array(bad.utf8)
      #expect(throws: HTTPFailure.self) {
        try HTTPCredential(header: "X", secret: SecretBytes(copying: bytes.span))
      }
    }
  }
}
