// What an ordinary client gets: answers, headers, problems, HEAD, pipelining, both kinds of bodies.

import Foundation
import HTTPServing
import Synchronization
import Testing

@Suite("An ordinary client", .timeLimit(.minutes(2)))
struct ServingTests {
  @Test("Requests on one connection are answered one after the other")
  func keepAlive() async throws {
    try await TestServer.blocking { test in
      let socket = try test.connect()
      for _ in 0..<3 {
        let reply = try socket.get("/ok")
        #expect(reply.status == 200)
        #expect(reply.body == "ok")
        #expect(reply.header("Content-Type") == "text/plain; charset=utf-8")
        #expect(reply.header("X-Content-Type-Options") == "nosniff")
        #expect(reply.header("Cache-Control") == "no-store")
        #expect(reply.header("X-Request-Id")?.count == 32)
        #expect(reply.header("Server") == nil)
        #expect(reply.header("Connection") == nil)
      }
    }
  }

  @Test("A body arrives whole, announced or in chunks, however it is cut")
  func bodies() async throws {
    try await TestServer.blocking { test in
      let socket = try test.connect()
      let plain = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"
      let chunked =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
      for request in [plain, chunked] {
        #expect(try socket.ask(request).body == "hello world")
        for byte in request.utf8 { try socket.send([byte]) }
        #expect(try socket.reply()?.body == "hello world")
      }
      let large = String(repeating: "x", count: 1 << 20)
      let reply = try socket.ask(
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(large.utf8.count)\r\n\r\n" + large)
      #expect(reply.body == large)
    }
  }

  @Test("Pipelined requests are answered in their order, bodies and all")
  func pipelining() async throws {
    try await TestServer.blocking { test in
      let socket = try test.connect()
      var requests = ""
      for number in 0..<50 {
        requests += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\(100 + number)"
        requests += "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"
      }
      try socket.send(requests)
      for number in 0..<50 {
        #expect(try socket.reply()?.body == "\(100 + number)")
        #expect(try socket.reply()?.body == "ok")
      }
    }
  }

  @Test("HEAD answers as GET would, without the body; the connection stays in step")
  func head() async throws {
    try await TestServer.blocking { test in
      let socket = try test.connect()
      try socket.send("HEAD /ok HTTP/1.1\r\nHost: a\r\n\r\n")
      let reply = try #require(try socket.reply(toHead: true))
      #expect(reply.status == 200)
      #expect(reply.header("Content-Length") == "2")
      #expect(try socket.get("/ok").body == "ok")
    }
  }

  @Test("A client that waits for 100 Continue gets it, and then its answer")
  func interim() async throws {
    try await TestServer.blocking { test in
      let socket = try test.connect()
      for _ in 0..<2 {
        try socket.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        #expect(try socket.reply()?.status == 100)
        try socket.send("hel")
        try socket.send("lo")
        let reply = try #require(try socket.reply())
        #expect(reply.status == 200 && reply.body == "hello")
        #expect(try socket.get("/ok").body == "ok")
      }
      let whole = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"
      #expect(try socket.ask(whole).body == "hello")
    }
  }

  @Test("A client that asks to close is closed after its answer, also when it says so among other words")
  func closing() async throws {
    try await TestServer.blocking { test in
      for words in ["close", "Close", "keep-alive, close"] {
        let socket = try test.connect()
        let reply = try socket.get("/ok", headers: "Connection: \(words)\r\n")
        #expect(reply.header("Connection") == "close")
        #expect(try socket.receive() == nil)
      }
    }
  }

  @Test("HTTP/1.0 is served, and closed unless it asks to stay")
  func version10() async throws {
    try await TestServer.blocking { test in
      let first = try test.connect()
      #expect(try first.ask("GET /ok HTTP/1.0\r\n\r\n").body == "ok")
      #expect(try first.receive() == nil)
      let second = try test.connect()
      for _ in 0..<2 { #expect(try second.ask("GET /ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").body == "ok") }
    }
  }

  @Test("Handlers run on the threads that the server was given, from the first request of a connection to the last")
  func handlers() async throws {
    let given = CountingExecutor()
    var routes = HTTPRoutes()
    routes.get("/where") { _ in
      await Task.yield()
      return .text(CountingExecutor.isHere ? "there" : "elsewhere")
    }
    try await TestServer.run([TestServer.listener(routes: routes)], handlers: given) { test in
      let replies = try await offPool {
        let socket = try test.connect()
        return [try socket.get("/where").body, try socket.get("/where").body]
      }
      #expect(replies == ["there", "there"])
    }
    #expect(given.steps.withLock { $0 } > 2)
  }
}

/// Threads of its own, and how often they were asked for.
private final class CountingExecutor: TaskExecutor {
  let steps = Mutex(0)
  /// Those that are at work now.
  private static let threads = Mutex<Set<pthread_t>>([])

  static var isHere: Bool { threads.withLock { $0.contains(pthread_self()) } }

  func enqueue(_ job: consuming ExecutorJob) {
    steps.withLock { $0 += 1 }
    let (job, executor) = (UnownedJob(job), unsafe asUnownedTaskExecutor())
    Thread {
      Self.threads.withLock { _ = $0.insert(pthread_self()) }
      unsafe job.runSynchronously(on: executor)
      Self.threads.withLock { _ = $0.remove(pthread_self()) }
    }.start()
  }
}
