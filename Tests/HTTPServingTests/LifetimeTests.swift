// Beginning and end: how many connections there may be, draining, cancelling, and that nothing is left behind.

import Foundation
import HTTPServing
import Testing

@Suite("Beginning and end", .timeLimit(.minutes(5)), .serialized)
struct LifetimeTests {
  @Test("The 1,025th connection is told 503 and closed, honest clients are served, and a place that is free is given")
  func connectionLimit() async throws {
    try await TestServer.blocking { test in
      let honest = try HonestClient(test)
      try honest.ask()
      var crowd: [RawSocket] = []
      for _ in 0..<1023 { crowd.append(try test.connect()) }
      // They are accepted in their order: once the last is served, so are they all.
      #expect(try crowd[1022].get("/ok").status == 200)
      let extra = try test.connect()
      #expect(try extra.reply()?.status == 503)
      #expect(try extra.rest() == "")
      #expect(test.observed.refusals == [.tooManyConnections])
      try honest.ask()
      crowd.removeFirst(10)
      // The loop learns of the ten in its own time; whoever is turned away may come again.
      for _ in 0..<1000 {
        let next = try test.connect()
        guard next.trySend(Array("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n".utf8)) else { continue }
        guard let reply = try? next.reply() else { continue }
        if reply.status == 200 { return }
      }
      Issue.record("no place was given again")
    }
  }

  @Test("A connection whose client vanished still counts until its handler has ended")
  func abandonedHandlers() async throws {
    var limits = HTTPLimits()
    limits.connections = 2
    let (begun, gate) = (AsyncGate(), AsyncGate())
    var routes = TestServer.standardRoutes
    routes.get("/stubborn") { _ in
      begun.open()
      // Not cancelled with the request: a handler that does not heed it.
      _ = await Task { await gate.opened() }.value
      return .text("at last")
    }
    try await TestServer.run([TestServer.listener(limits: limits, routes: routes)]) { test in
      let (honest, socket) = try await offPool {
        let honest = try HonestClient(test)
        try honest.ask()
        let socket = try test.connect()
        try socket.send("GET /stubborn HTTP/1.1\r\nHost: a\r\n\r\n")
        return (honest, socket)
      }
      await begun.opened()
      socket.vanish()
      _ = await test.observed.event { if case .closed = $0 { true } else { false } }
      try await offPool {
        let extra = try test.connect()
        #expect(try extra.reply()?.status == 503)
        try honest.ask()
      }
      gate.open()
      _ = await test.observed.record { $0.route == "/stubborn" }
    }
  }

  @Test("A drain lets requests under way finish, tells them to close, closes what is idle and accepts nothing more")
  func drain() async throws {
    let (begun, gate) = (AsyncGate(), AsyncGate())
    var routes = TestServer.standardRoutes
    routes.get("/wait") { _ in
      begun.open()
      await gate.opened()
      return .text("finished")
    }
    try await TestServer.run([TestServer.listener(routes: routes)]) { test in
      let (idle, busy) = try await offPool {
        let idle = try test.connect()
        #expect(try idle.get("/ok").status == 200)
        let busy = try test.connect()
        try busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        return (idle, busy)
      }
      await begun.opened()
      async let drained: Void = test.server.drain()
      #expect(try await offPool { try idle.rest() } == "")
      await #expect(throws: SocketProblem.self) { try await offPool { try test.connect() } }
      gate.open()
      try await offPool {
        let reply = try #require(try busy.reply())
        #expect(reply.body == "finished")
        #expect(reply.header("Connection") == "close")
        #expect(try busy.rest() == "")
      }
      await drained
    }
  }

  @Test("A drain that takes too long ends the rest, and cancels their handlers")
  func drainDeadline() async throws {
    let (begun, gate, wasCancelled) = (AsyncGate(), AsyncGate(), AsyncGate())
    var routes = TestServer.standardRoutes
    routes.get("/wait") { _ in
      begun.open()
      if await !gate.opened() { wasCancelled.open() }
      return .text("never")
    }
    try await TestServer.run([TestServer.listener(routes: routes)]) { test in
      let busy = try await offPool {
        let busy = try test.connect()
        try busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        return busy
      }
      await begun.opened()
      await test.server.drain(within: .milliseconds(200))
      #expect(await wasCancelled.opened())
      #expect(try await offPool { try busy.rest() } == "")
    }
  }

  @Test("Where no thread is left to serve, the server says so, and who drains it does not wait for ever")
  func noThread() async {
    await #expect(processExitsWith: .exitCode(0)) {
      let server = try HTTPServer([HTTPListener(.internalSide, .tcp(host: "127.0.0.1", port: 0), routes: HTTPRoutes())])
      // Less than the stack of a thread.
      let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
      let pages = try #require(text.split(separator: " ").first.flatMap { UInt($0) })
      var limit = rlimit()
      let kind = __rlimit_resource_t(RLIMIT_AS.rawValue)
      try #require(unsafe getrlimit(kind, &limit) == 0)
      limit.rlim_cur = UInt(pages) * UInt(sysconf(Int32(_SC_PAGESIZE))) + 1 << 20
      try #require(unsafe setrlimit(kind, &limit) == 0)
      await #expect(throws: HTTPServingError.outOfResources) { try await server.run() }
      await server.drain(within: .zero)
      exit(0)
    }
  }

  @Test("An answer that is being written when a drain begins is written to its end, and its connection then closed")
  func drainWhileWriting() async throws {
    let count = 32 << 20
    var routes = TestServer.standardRoutes
    routes.get("/large") { _ in .bytes([UInt8](repeating: 0x78, count: count), type: "application/octet-stream") }
    try await TestServer.run([TestServer.listener(routes: routes)]) { test in
      let (reader, begun) = try await offPool {
        let reader = try test.connect()
        try reader.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        return (reader, try reader.receive()?.count ?? 0)
      }
      #expect(begun > 0)
      // Longer than the reader's patience: a connection that stays open until the drain's own end fails the test.
      async let drained: Void = test.server.drain(within: .seconds(100))
      let rest = try await offPool {
        var rest = 0
        while let more = try reader.receive() { rest += more.count }
        return rest
      }
      #expect(begun + rest > count)
      await drained
    }
  }

  @Test("A broken pipe is an error of the write, never the end of the process")
  func brokenPipe() async throws {
    try await TestServer.blocking { test in
      // The server's loop runs once it has answered.
      let reply = try test.connect().get("/ok")
      #expect(reply.status == 200)
      // Would end this process, were it not ignored.
      #expect(raise(SIGPIPE) == 0)
    }
  }

  @Test("Cancelling the server's task ends every connection and every handler")
  func cancellation() async throws {
    let (begun, gate, wasCancelled) = (AsyncGate(), AsyncGate(), AsyncGate())
    var routes = TestServer.standardRoutes
    routes.get("/wait") { _ in
      begun.open()
      if await !gate.opened() { wasCancelled.open() }
      return .text("never")
    }
    let server = try HTTPServer([TestServer.listener(routes: routes)])
    let running = Task { try await server.run() }
    let busy = try await offPool {
      let busy = try RawSocket(server.addresses[0])
      try busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
      return busy
    }
    await begun.opened()
    running.cancel()
    try await running.value
    #expect(await wasCancelled.opened())
    #expect(try await offPool { try busy.rest() } == "")
    await #expect(throws: HTTPServingError.alreadyRun) { try await server.run() }
  }

  @Test("10,000 requests, a hundred connections and a hundred refusals leave no descriptor and no growing memory")
  func nothingIsLeft() async throws {
    try await TestServer.blocking { test in
      let honest = try HonestClient(test)
      func round() throws {
        for _ in 0..<5000 { try honest.ask() }
        for _ in 0..<50 {
          let socket = try test.connect()
          #expect(try socket.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc").body == "abc")
          let hostile = try test.connect()
          #expect(try hostile.ask("GET /ok HTTP/1.1\r\n\r\n").status == 400)
          hostile.endSending()
          #expect(try hostile.rest() == "")
        }
      }
      try round()
      let before = try Self.use()
      try round()
      try honest.ask()
      let after = try Self.use()
      // One connection may still be on its way out on either side.
      #expect(after.descriptors <= before.descriptors + 2)
      // A leak of 1 KiB per request would be 5 MiB; the observer of this test keeps its records, some 300 bytes each.
      #expect(after.residentKiB <= before.residentKiB + 5000)
      #expect(honest.count == 10_001)
    }
  }

  private static func use() throws -> (descriptors: Int, residentKiB: Int) {
    let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return (descriptors, Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0)
  }
}
