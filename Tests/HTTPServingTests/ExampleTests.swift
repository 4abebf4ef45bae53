// The example does what it says, so that whoever copies it begins with something that works.

import HTTPServing
import Secrets
import Testing

@Suite("The example service", .timeLimit(.minutes(1)))
struct ExampleTests {
  @Test("It greets, is healthy, reverses for services alone, and ends when it is told to")
  func works() async throws {
    let key = "a-key-for-this-test"
    let bytes = Array(key.utf8)
    let service = try ExampleService(port: 0, key: try SecretBytes(copying: bytes.span), trustedUID: UInt32.max)
    let stop = AsyncGate()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await service.run { await stop.opened() } }
      try await offPool {
        let outside = try RawSocket(service.server.addresses[0])
        #expect(try outside.get("/hello/Ada%20L").body == "Hello, Ada L!")
        #expect(try outside.get("/health").status == 404)
        let inside = try RawSocket(service.server.addresses[1])
        #expect(try inside.get("/health").body == "{\"ok\":true}")
        let request = "POST /internal/v1/reverse HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
        #expect(try inside.ask(request + "X-Service-Key: \(key)\r\n\r\nabc").body == "cba")
        #expect(try inside.ask(request + "\r\nabc").status == 401)
      }
      stop.open()
      try await group.waitForAll()
    }
  }
}
