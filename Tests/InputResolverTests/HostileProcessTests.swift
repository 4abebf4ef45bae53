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

  @Test("A folder for keys that others may change is none")
  func folder() async throws {
    try await World.with(durable: true) { world in
      let process = try await ResolverProcess(world.database, pems: ["a.pem": Pair.own.pem])
      _ = try await process.address()
      try FileManager.default.setAttributes([.posixPermissions: 0o772], ofItemAtPath: process.keys.path)
      process.signal(SIGHUP)
      let refused = try await process.line("Could not be reloaded; what was there stays.")
      #expect(refused["detail"]?.text?.contains("0772") == true)
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
    }
  }
}
