// What the built service says and leaves when it is killed by its own mistake, or lies behind a filter of system calls.

import Contracts
import Foundation
import Glibc
import Testing

@Suite("The built resolver, crashing", .serialized)
struct HostileProcessTests {
  @Test("A crash says nothing of what was in memory")
  func crash() async throws {
    try await World.with(durable: true) { world in
      for signal in [SIGSEGV, SIGILL, SIGTRAP, SIGBUS, SIGABRT, SIGFPE] {
        let process = try await ResolverProcess(world.database, pems: ["a.pem": Pair.own.pem])
        _ = try await process.address()
        process.signal(signal)
        #expect(try await process.end() == 128 + signal)
        let lines = process.said
        #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix("{") }, "\(lines.filter { !$0.hasPrefix("{") })")
      }
    }
  }
}
