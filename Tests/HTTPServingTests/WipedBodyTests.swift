// A body with one owner is sent from where it lies, and no copy of it is left in this process once it is sent.

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
