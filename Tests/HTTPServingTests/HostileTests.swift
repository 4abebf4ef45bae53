// Each hostile item, sent as raw bytes: it ends in a 4xx or 5xx and a close, no handler sees it, and a client that
// behaves is served on the same listener before, during and after.

import HTTPServing
import Testing

struct Hostile: Sendable, CustomTestStringConvertible {
  let name: String
  let bytes: String
  let status: Int
  var testDescription: String { name }

  init(_ name: String, _ bytes: String, _ status: Int = 400) {
    (self.name, self.bytes, self.status) = (name, bytes, status)
  }

  static func post(_ headers: String, _ body: String = "") -> String {
    "POST /echo HTTP/1.1\r\nHost: a\r\n\(headers)\r\n\r\n\(body)"
  }

  static let framing: [Hostile] = [
    Hostile("two lengths that differ", post("Content-Length: 5\r\nContent-Length: 6", "hello!")),
    Hostile("two lengths that agree", post("Content-Length: 5\r\nContent-Length: 5", "hello")),
    Hostile("a list of lengths", post("Content-Length: 5, 5", "hello")),
    Hostile("a length with a sign", post("Content-Length: +5", "hello")),
    Hostile("a negative length", post("Content-Length: -5", "hello")),
    Hostile("a hexadecimal length", post("Content-Length: 0x5", "hello")),
    Hostile("a length with a blank inside", post("Content-Length: 1 0", "hello")),
    Hostile("an empty length", post("Content-Length: ", "hello")),
    Hostile("a length beyond 64 bits", post("Content-Length: 99999999999999999999", "hello")),
    Hostile("a length and chunks", post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n")),
    Hostile("chunks and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n")),
    Hostile("chunks named twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n")),
    Hostile("identity after chunked", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")),
    Hostile("gzip before chunked", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n")),
    Hostile("an unknown coding", post("Transfer-Encoding: xchunked", "0\r\n\r\n")),
    Hostile("a vertical tab around chunked", post("Transfer-Encoding: \u{0B}chunked", "0\r\n\r\n")),
    Hostile("a blank before the colon", post("Transfer-Encoding : chunked", "0\r\n\r\n")),
    Hostile("chunks in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Hostile("a chunk size that is no number", post("Transfer-Encoding: chunked", "zz\r\n")),
    Hostile("a chunk size with a sign", post("Transfer-Encoding: chunked", "-1\r\n")),
    Hostile("a chunk size with 0x", post("Transfer-Encoding: chunked", "0x5\r\nhello\r\n0\r\n\r\n")),
    Hostile("a chunk extension", post("Transfer-Encoding: chunked", "5;a=b\r\nhello\r\n0\r\n\r\n")),
    Hostile("a chunk line without end", post("Transfer-Encoding: chunked", String(repeating: "0", count: 64))),
    Hostile("a chunk longer than it says", post("Transfer-Encoding: chunked", "3\r\nhello\r\n0\r\n\r\n")),
    Hostile("a chunk size that ends in a bare line feed", post("Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n")),
    Hostile("a trailer field", post("Transfer-Encoding: chunked", "0\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n")),
    Hostile("a body with GET", "GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    Hostile("chunks with GET", "GET /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    Hostile("a body with DELETE", "DELETE /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"),
    Hostile("10 GiB", post("Content-Length: 10737418240"), 413),
    Hostile("one byte more than may be", post("Content-Length: 1048577"), 413),
    Hostile(
      "chunks that add up to too much",
      post("Transfer-Encoding: chunked", "fffff\r\n" + String(repeating: "x", count: 0xFFFFF) + "\r\n2\r\n"), 413),
    Hostile("a chunk of 4 GiB", post("Transfer-Encoding: chunked", "ffffffff\r\n"), 413),
  ]

  static let heads: [Hostile] = [
    Hostile("no host", "GET /ok HTTP/1.1\r\n\r\n"),
    Hostile("two hosts", "GET /ok HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    Hostile("an empty host", "GET /ok HTTP/1.1\r\nHost: \r\n\r\n"),
    Hostile("a host with a path", "GET /ok HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    Hostile("a host with a blank", "GET /ok HTTP/1.1\r\nHost: a b\r\n\r\n"),
    Hostile("a folded header", "GET /ok HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n"),
    Hostile("a fold with a tab", "GET /ok HTTP/1.1\r\nHost: a\r\n\tc: d\r\n\r\n"),
    Hostile("a name with a blank", "GET /ok HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n"),
    Hostile("a name with a bracket", "GET /ok HTTP/1.1\r\nHost: a\r\nX(A): b\r\n\r\n"),
    Hostile("a name with a control byte", "GET /ok HTTP/1.1\r\nHost: a\r\nX\u{1}A: b\r\n\r\n"),
    Hostile("a header without a name", "GET /ok HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
    Hostile("a header without a colon", "GET /ok HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n"),
    Hostile("a NUL in a value", "GET /ok HTTP/1.1\r\nHost: a\r\nX-A: b\u{0}c\r\n\r\n"),
    Hostile("an escape in a value", "GET /ok HTTP/1.1\r\nHost: a\r\nX-A: \u{1B}[2J\r\n\r\n"),
    Hostile("a DEL in a value", "GET /ok HTTP/1.1\r\nHost: a\r\nX-A: \u{7F}\r\n\r\n"),
    Hostile("bytes above ASCII in a value", "GET /ok HTTP/1.1\r\nHost: a\r\nX-A: é\r\n\r\n"),
    Hostile("a carriage return in a value", "GET /ok HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n"),
    Hostile("bare line feeds", "GET /ok HTTP/1.1\nHost: a\n\n"),
    Hostile("one bare line feed", "GET /ok HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n"),
    Hostile("an empty line first", "\r\nGET /ok HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("HTTP/0.9", "GET /ok\r\n"),
    Hostile("HTTP/2.0", "GET /ok HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    Hostile("HTTP/1.2", "GET /ok HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    Hostile("HTTP/11", "GET /ok HTTP/11\r\nHost: a\r\n\r\n", 505),
    Hostile("http in small letters", "GET /ok http/1.1\r\nHost: a\r\n\r\n"),
    Hostile("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    Hostile("no version", "GET /ok \r\nHost: a\r\n\r\n"),
    Hostile("two blanks", "GET  /ok HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("a tab for a blank", "GET\t/ok HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("a blank in the target", "GET /o k HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("another server's address", "GET http://b/ok HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("an authority", "GET //b/ok HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("an asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("no slash", "GET ok HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("a fragment", "GET /ok#a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("a NUL in the target", "GET /ok\u{0} HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("bytes above ASCII in the target", "GET /é HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile("a tunnel", "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", 501),
    Hostile("TRACE", "TRACE /ok HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    Hostile("a method of one's own", "BREW /ok HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    Hostile("a method in small letters", "get /ok HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    Hostile("a method that is no token", "G(T /ok HTTP/1.1\r\nHost: a\r\n\r\n"),
    Hostile(
      "another expectation", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: wonders\r\n\r\nx", 417),
    Hostile("a TLS greeting", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{FC}\u{3}\u{3}\n"),
    Hostile(
      "64 KiB of headers",
      "GET /ok HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X-A: 0123456789\r\n", count: 4096) + "\r\n", 431),
    Hostile(
      "one header of 64 KiB",
      "GET /ok HTTP/1.1\r\nHost: a\r\nX-A: " + String(repeating: "x", count: 65_536) + "\r\n\r\n", 431),
    Hostile(
      "a hundred and one headers",
      "GET /ok HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 100) + "\r\n", 431),
    Hostile(
      "a target of 64 KiB", "GET /" + String(repeating: "x", count: 65_536) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414),
  ]
}

@Suite("The gate", .timeLimit(.minutes(5)))
struct HostileTests {
  @Test(
    "What two readers could read in two ways is refused and closed, and honest clients notice nothing",
    arguments: Hostile.framing + Hostile.heads)
  func refused(_ hostile: Hostile) async throws {
    try await TestServer.blocking { test in
      let honest = try HonestClient(test)
      try honest.ask()
      let socket = try test.connect()
      // A large one may be refused before all of it is sent.
      _ = socket.trySend(Array(hostile.bytes.utf8))
      try honest.ask()
      let reply = try #require(try socket.reply())
      #expect(reply.status == hostile.status)
      #expect(reply.header("Content-Type") == "application/json")
      #expect(reply.header("Connection") == "close")
      #expect(reply.body.contains("\"code\":\""))
      // The answer ends with its body, and the server says nothing more.
      socket.endSending()
      #expect(try socket.rest() == "")
      try honest.ask()
      #expect(honest.count == 3)
      #expect(test.observed.refusals.count == 1)
      // No handler saw it: the honest requests alone were counted.
      #expect(test.observed.records.allSatisfy { $0.route == "/ok" && $0.status == 200 })
    }
  }

  @Test(
    "Cut into single bytes, the hostile heads are refused all the same",
    arguments: Hostile.heads.filter { $0.bytes.utf8.count < 200 })
  func refusedBytewise(_ hostile: Hostile) async throws {
    try await TestServer.blocking { test in
      let honest = try HonestClient(test)
      let socket = try test.connect()
      for byte in hostile.bytes.utf8 { if !socket.trySend([byte]) { break } }
      try honest.ask()
      #expect(try socket.reply()?.status == hostile.status)
      socket.endSending()
      #expect(try socket.rest() == "")
      try honest.ask()
      #expect(honest.count == 2)
    }
  }

  @Test("A request smuggled behind a good one: the good one is answered, the other refused, what follows is never read")
  func smuggling() async throws {
    let good = "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"
    let pairs = [
      Hostile.post("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
      Hostile.post("Content-Length: 0\r\nContent-Length: 30", ""),
      Hostile.post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
      Hostile.post("Transfer-Encoding:\u{0B}chunked", "0\r\n\r\n"),
      "GET /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n",
    ]
    try await TestServer.blocking { test in
      let honest = try HonestClient(test)
      for pair in pairs {
        let socket = try test.connect()
        try socket.send(good + pair + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try socket.reply()?.status == 200)
        #expect(try socket.reply()?.status == 400)
        socket.endSending()
        #expect(try socket.rest() == "")
        try honest.ask()
      }
      #expect(test.observed.refusals.count == pairs.count)
      #expect(test.observed.records.allSatisfy { $0.route == "/ok" })
    }
  }

  @Test("Whoever sends too much ahead is closed after the answer that is due")
  func sentAhead() async throws {
    var limits = HTTPLimits()
    limits.aheadBytes = 1024
    var routes = TestServer.standardRoutes
    let gate = AsyncGate()
    routes.get("/wait") { _ in
      await gate.opened()
      return .text("waited")
    }
    try await TestServer.run([TestServer.listener(limits: limits, routes: routes)]) { test in
      let socket = try await offPool { () throws -> RawSocket in
        let socket = try test.connect()
        try socket.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in 0..<100 { try socket.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n") }
        return socket
      }
      _ = await test.observed.event { if case .refused(_, .sentAhead) = $0 { true } else { false } }
      gate.open()
      try await offPool {
        let reply = try #require(try socket.reply())
        #expect(reply.body == "waited")
        #expect(reply.header("Connection") == "close")
        #expect(try socket.rest() == "")
      }
    }
  }
}
