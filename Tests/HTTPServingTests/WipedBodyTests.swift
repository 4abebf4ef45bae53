// A body with one owner is sent from where it lies, and no copy of it is left in this process once it is sent. The body
// of a request has one owner as well, whatever way it came in.

import HTTPServing
import MemoryInspection
import Secrets
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite("Wiped bodies", .timeLimit(.minutes(2)), .serialized)
struct WipedBodyTests {
  @Test("The whole body arrives, small, large and empty", arguments: [0, 1, 1000, 5 << 20])
  func arrives(count: Int) async throws {
    var routes = HTTPRoutes()
    routes.get("/wiped") { _ in
      var bytes = WipedBytes(capacity: count)
      for index in 0..<count { bytes.append(UInt8(0x41 + index % 26)) }
      return .wiped(bytes)
    }
    try await TestServer.blocking(TestServer.listener(routes: routes)) { test in
      let socket = try test.connect()
      for _ in 0..<2 {
        let reply = try socket.get("/wiped")
        #expect(reply.status == 200)
        #expect(reply.header("Content-Type") == "application/json")
        let isRight = reply.body.utf8.enumerated().allSatisfy { $0.element == UInt8(0x41 + $0.offset % 26) }
        #expect(reply.body.utf8.count == count && isRight)
      }
    }
  }

  @Test(
    "After it is sent, no copy is left in the process, and there was exactly one before",
    .enabled(if: Sanitizer.isAbsent))
  func isWiped() async throws {
    let secret = MemoryScan(random: 48)
    let before = Mutex(0)
    var routes = TestServer.standardRoutes
    routes.get("/wiped") { _ in
      var bytes = WipedBytes(capacity: secret.count)
      for index in 0..<secret.count { bytes.append(secret.byte(at: index)) }
      let places = (try? secret.places().count) ?? -1
      before.withLock { $0 = places }
      return .wiped(bytes, type: "application/octet-stream")
    }
    try await TestServer.blocking(TestServer.listener(routes: routes)) { test in
      let socket = try test.connect()
      try socket.send("GET /wiped HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try Self.tailMatches(socket.descriptor, secret))
      // The connection's task has let go of its answer when it has taken the next request.
      #expect(try socket.get("/ok").body == "ok")
      #expect(before.withLock { $0 } == 1)
      #expect(try secret.places().isEmpty)
    }
  }

  enum Arrival: CaseIterable {
    case atOnce, inTwoParts, withAnotherBehind, chunked
  }

  @Test(
    "While a handler works there is one copy of what it was sent, and none once it has answered",
    .enabled(if: Sanitizer.isAbsent), arguments: Arrival.allCases)
  func requestIsWiped(arrival: Arrival) async throws {
    let secret = MemoryScan(random: 48)
    let seen = Mutex<(places: Int, isWhole: Bool)>((-1, false))
    var routes = TestServer.standardRoutes
    routes.post("/secret") { request in
      let places = (try? secret.places().count) ?? -1
      let isWhole =
        request.bytes.count == secret.count + 1
        && (0..<secret.count).allSatisfy { request.bytes[$0] == secret.byte(at: $0) }
      seen.withLock { $0 = (places, isWhole) }
      return .text("taken")
    }
    try await TestServer.blocking(TestServer.listener(routes: routes)) { test in
      let socket = try test.connect()
      try Self.post(secret, arrival, through: socket)
      #expect(try socket.reply()?.body == "taken")
      if arrival == .withAnotherBehind { #expect(try socket.reply()?.body == "ok") }
      #expect(try socket.get("/ok").body == "ok")
      let (places, isWhole) = seen.withLock { $0 }
      #expect(isWhole)
      // Where nothing holds the handler back, our own copy may still be there when it looks.
      if arrival == .inTwoParts { #expect(places == 1) }
      #expect(try secret.places().isEmpty)
    }
  }

  /// Sends the secret and one byte after it; nothing of it stays on our side.
  private static func post(_ secret: MemoryScan, _ arrival: Arrival, through socket: RawSocket) throws {
    let count = secret.count + 1
    let length = arrival == .chunked ? "Transfer-Encoding: chunked" : "Content-Length: \(count)"
    do {
      var message = WipedBytes(capacity: 1024)
      for byte in "POST /secret HTTP/1.1\r\nHost: a\r\n\(length)\r\n\r\n".utf8 { message.append(byte) }
      if arrival == .chunked { for byte in "\(String(count, radix: 16))\r\n".utf8 { message.append(byte) } }
      for index in 0..<secret.count { message.append(secret.byte(at: index)) }
      if arrival == .chunked { for byte in "!\r\n0\r\n\r\n".utf8 { message.append(byte) } }
      if arrival == .atOnce { message.append(UInt8(ascii: "!")) }
      if arrival == .withAnotherBehind {
        for byte in "!GET /ok HTTP/1.1\r\nHost: a\r\n\r\n".utf8 { message.append(byte) }
      }
      let sent = unsafe message.bytes.withUnsafeBytes {
        unsafe send(socket.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard sent == message.count else { throw SocketProblem.cannotSend(errno) }
    }
    if arrival == .inTwoParts { try socket.send("!") }
  }

  /// Reads one reply whose last bytes should be the secret, into memory that is wiped at once.
  private static func tailMatches(_ descriptor: Int32, _ secret: MemoryScan) throws -> Bool {
    var reply = WipedBytes()
    reply.resize(to: 4096)
    var count = 0
    var headEnd: Int?
    while count < 4096 {
      var window = reply.mutableBytes
      let received = unsafe window.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress?.advanced(by: count), 4096 - count, 0)
      }
      guard received > 0 else { throw SocketProblem.reset }
      count += received
      let bytes = reply.bytes
      if headEnd == nil {
        headEnd = (3..<count).first {
          bytes[$0] == 10 && bytes[$0 - 1] == 13 && bytes[$0 - 2] == 10 && bytes[$0 - 3] == 13
        }
      }
      if let headEnd, count >= headEnd + 1 + secret.count {
        return (0..<secret.count).allSatisfy { bytes[headEnd + 1 + $0] == secret.byte(at: $0) }
      }
    }
    return false
  }
}
