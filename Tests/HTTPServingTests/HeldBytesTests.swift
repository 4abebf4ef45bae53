// What a listener holds of all requests and answers together is bounded, however many connections bring it.

import Foundation
import HTTPServing
import Testing

@Suite("Held bytes", .timeLimit(.minutes(5)), .serialized)
struct HeldBytesTests {
  private static let body = [UInt8](repeating: 0x61, count: 100 << 10)

  private static func head(_ path: String, _ count: Int = body.count) -> [UInt8] {
    Array("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n".utf8)
  }

  private static var limits: HTTPLimits {
    var limits = HTTPLimits()
    (limits.bodyBytes, limits.largestBodyBytes, limits.heldBytes) = (128 << 10, 128 << 10, 192 << 10)
    return limits
  }

  @Test("Who brings a body while there is no room is told so; small questions are answered, and room comes back")
  func noRoom() async throws {
    let (begun, gate) = ([AsyncGate(), AsyncGate()], AsyncGate())
    var routes = TestServer.standardRoutes
    for number in 0..<2 {
      let pattern: StaticString = number == 0 ? "/hold/0" : "/hold/1"
      routes.post(pattern) { _ in
        begun[number].open()
        await gate.opened()
        return .text("held")
      }
    }
    try await TestServer.run([TestServer.listener(limits: Self.limits, routes: routes)]) { test in
      let (honest, holding) = try await offPool {
        let honest = try HonestClient(test)
        try honest.ask()
        let holding = [try test.connect(), try test.connect()]
        // Two of these fit, and of a third one half.
        let part = Self.body.prefix(80 << 10)
        for (number, socket) in holding.enumerated() {
          try socket.send(Self.head("/hold/\(number)", part.count) + part)
        }
        return (honest, holding)
      }
      for gate in begun { await gate.opened() }
      try await offPool {
        let extra = try test.connect()
        try extra.send(Self.head("/echo") + Self.body.prefix(50 << 10))
        let reply = try #require(try extra.reply())
        #expect(reply.status == 503 && reply.header("Retry-After") == "1")
        #expect(reply.body.contains("\"TOO_MUCH_AT_ONCE\""))
        #expect(test.observed.refusals == [.noRoom])
        try honest.ask()
      }
      gate.open()
      try await offPool {
        for socket in holding { #expect(try socket.reply()?.body == "held") }
        let next = try test.connect()
        try next.send(Self.head("/echo") + Self.body)
        #expect(try next.reply()?.body.utf8.count == Self.body.count)
        try honest.ask()
      }
    }
  }

  private static func closed(_ test: TestServer) -> Int {
    test.observed.events.count { if case .closed = $0 { true } else { false } }
  }

  @Test("Clients that vanish in the middle of their bodies leave nothing behind that would count")
  func vanished() async throws {
    try await TestServer.blocking(TestServer.listener(limits: Self.limits)) { test in
      for round in 1...8 {
        let socket = try test.connect()
        try socket.send(Self.head("/echo") + Self.body.prefix(50 << 10))
        // A whole request on another connection comes after it in the loop's order, and so does the end.
        #expect(try test.connect().get("/ok").status == 200)
        socket.vanish()
        while Self.closed(test) < round { sched_yield() }
      }
      let next = try test.connect()
      try next.send(Self.head("/echo") + Self.body)
      #expect(try next.reply()?.body.utf8.count == Self.body.count)
      #expect(test.observed.refusals == [])
    }
  }
}
