// Every phase of a connection has an absolute deadline: drip by drip does not move it. The limits here are short, and
// each test waits for what the server does, not for time.

import HTTPServing
import Testing

@Suite("Deadlines", .timeLimit(.minutes(3)))
struct DeadlineTests {
  private static func limits(_ change: (inout HTTPLimits) -> Void) -> HTTPListener {
    var limits = HTTPLimits()
    change(&limits)
    return TestServer.listener(limits: limits)
  }

  /// Sends one byte after the other until the server has had enough; more bytes than there is time for.
  private static func drip(_ socket: RawSocket, _ honest: HonestClient) throws {
    for _ in 0..<100_000 {
      guard socket.trySend([UInt8(ascii: "x")]) else { return }
      try honest.ask()
    }
    Issue.record("the server went on reading")
  }

  @Test("A head that comes drop by drop ends in 408 while others are served")
  func slowHead() async throws {
    try await TestServer.blocking(Self.limits { $0.headTime = .milliseconds(400) }) { test in
      let honest = try HonestClient(test)
      let socket = try test.connect()
      try socket.send("GET /ok HTTP/1.1\r\nHost: a\r\nX-A: ")
      try Self.drip(socket, honest)
      #expect(honest.count > 0)
      #expect(test.observed.refusals == [.timeout])
    }
  }

  @Test("The 408 can be read by a client that stops sending")
  func slowHeadReply() async throws {
    try await TestServer.blocking(Self.limits { $0.headTime = .milliseconds(200) }) { test in
      let honest = try HonestClient(test)
      let socket = try test.connect()
      try socket.send("GET /ok HT")
      let reply = try #require(try socket.reply())
      #expect(reply.status == 408)
      #expect(reply.header("Connection") == "close")
      socket.endSending()
      #expect(try socket.rest() == "")
      // The honest client sent nothing either; its own connection is past its first deadline.
      _ = honest
    }
  }

  @Test("A body that comes drop by drop ends in 408 while others are served", arguments: [true, false])
  func slowBody(isChunked: Bool) async throws {
    try await TestServer.blocking(Self.limits { $0.bodyTime = .milliseconds(400) }) { test in
      let honest = try HonestClient(test)
      let socket = try test.connect()
      try socket.send(
        isChunked
          ? "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"
          : "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
      try Self.drip(socket, honest)
      #expect(honest.count > 0)
      #expect(test.observed.refusals == [.timeout])
    }
  }

  @Test("Half-open connections, which say nothing, are closed, and one that was served when it falls silent too")
  func silence() async throws {
    let listener = Self.limits {
      $0.headTime = .milliseconds(300)
      $0.idleTime = .milliseconds(300)
    }
    try await TestServer.blocking(listener) { test in
      let silent = try (0..<20).map { _ in try test.connect() }
      let served = try test.connect()
      #expect(try served.get("/ok").body == "ok")
      for socket in silent { #expect(try socket.receive() == nil) }
      #expect(try served.receive() == nil)
      let honest = try HonestClient(test)
      try honest.ask()
    }
  }

  @Test("A handler that takes too long is cancelled, its client told 504, and others are served meanwhile")
  func slowHandler() async throws {
    var listener = Self.limits { $0.handlerTime = .milliseconds(300) }
    let gate = AsyncGate()
    let wasCancelled = AsyncGate()
    listener.routes.get("/slow") { _ in
      if await !gate.opened() { wasCancelled.open() }
      return .text("too late")
    }
    try await TestServer.run([listener]) { test in
      try await offPool {
        let honest = try HonestClient(test)
        let socket = try test.connect()
        try socket.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        try honest.ask()
        let reply = try #require(try socket.reply())
        #expect(reply.status == 504)
        #expect(reply.header("Connection") == "close")
        #expect(reply.body == "{\"error\":\"the service did not answer in time\",\"code\":\"TIMEOUT\"}")
        #expect(try socket.rest() == "")
        try honest.ask()
      }
      #expect(await wasCancelled.opened())
      let record = await test.observed.record { $0.route == "/slow" }
      #expect(record?.outcome == .overdue)
      #expect(record?.status == 504)
    }
  }

  @Test("A client that reads a large answer too slowly is cut off, and others are served meanwhile")
  func slowReader() async throws {
    var listener = Self.limits { $0.writeTime = .milliseconds(400) }
    listener.routes.get("/large") { _ in
      .bytes([UInt8](repeating: 0x78, count: 32 << 20), type: "application/octet-stream")
    }
    try await TestServer.run([listener]) { test in
      let (honest, socket) = try await offPool {
        let honest = try HonestClient(test)
        let socket = try test.connect()
        try socket.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        try honest.ask()
        return (honest, socket)
      }
      let record = await test.observed.record { $0.route == "/large" }
      #expect(record?.outcome == .lost)
      let received = try await offPool {
        try honest.ask()
        return try socket.rest().utf8.count
      }
      #expect(received < 32 << 20)
    }
  }

  @Test(
    "A client that vanishes in the middle of a handler cancels it; a reset and a goodbye alike",
    arguments: [true, false])
  func vanishing(byReset: Bool) async throws {
    let (begun, gate, wasCancelled) = (AsyncGate(), AsyncGate(), AsyncGate())
    var routes = TestServer.standardRoutes
    routes.get("/wait") { _ in
      begun.open()
      if await !gate.opened() { wasCancelled.open() }
      return .text("to nobody")
    }
    try await TestServer.run([TestServer.listener(routes: routes)]) { test in
      let (honest, socket) = try await offPool {
        let honest = try HonestClient(test)
        let socket = try test.connect()
        try socket.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        return (honest, socket)
      }
      await begun.opened()
      try await offPool {
        try honest.ask()
        if byReset { socket.vanish() } else { socket.endSending() }
      }
      #expect(await wasCancelled.opened())
      let record = await test.observed.record { $0.route == "/wait" }
      #expect(record?.outcome == .lost)
      try await offPool { try honest.ask() }
      #expect(honest.count == 2)
    }
  }
}
