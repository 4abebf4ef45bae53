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

  @Test("Every series that an alert asks for is there from the start, at nothing")
  func series() async throws {
    try await World.with(durable: true) { world in
      let process = try await ResolverProcess(world.database, pems: ["a.pem": Pair.own.pem])
      let caller = try Caller(try await process.address())
      let metrics = try await caller.get("/metrics").body
      let service = #"service="mandate-resolver""#
      for line in [
        #"mana_ai_grant_scope_violations_total{\#(service),table="notes"} 0"#,
        #"mana_ai_grant_skips_total{\#(service),reason="wrap-rejected"} 0"#,
        #"mandate_resolve_outages_total{\#(service),outage="internal"} 0"#,
        #"mandate_resolve_unappended_failures_total{\#(service)} 0"#,
        #"mandate_resolve_turned_away_total{\#(service)} 0"#,
        #"mandate_resolve_batches_in_work{\#(service)} 0"#,
        #"mandate_resolve_inputs_total{\#(service),outcome="moved-ciphertext"} 0"#,
        #"mandate_database_waiting{\#(service)} 0"#,
      ] {
        #expect(metrics.contains(line + "\n"), "\(line)")
      }
      #expect(metrics.contains(#"mandate_ready{\#(service),check="keys"}"#))
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
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
