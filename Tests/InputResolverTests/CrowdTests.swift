// More callers than the built resolver has places for, while its database stands still.

import Contracts
import Foundation
import Postgres
import Testing

@Suite("Crowds", .serialized, .timeLimit(.minutes(5)))
struct CrowdTests {
  /// The most that the process has had in memory at once, in KiB.
  private func peak(_ pid: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.split(separator: " ")[1]))
  }

  private func until(_ caller: Caller, _ lines: String...) async throws {
    while true {
      let page = try await caller.get("/metrics").body
      if lines.allSatisfy({ page.contains($0 + "\n") }) { return }
    }
  }

  private func largest(_ user: String) -> [UInt8] {
    // In the place of the grant: nearly as much as a call may hold.
    let filler = JSONValue.string(String(repeating: "x", count: 7 << 20))
    return ResolveCall(
      purpose: "mission-tick", requests: [request(user, "m", filler, notes("n1"))]
    ).json.compactBytes()
  }

  @Test("Some batches work, some wait, the rest is told 503 at once and leaves no trace; then all others are answered")
  func crowd() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      let process = try await ResolverProcess(
        world.database, pems: ["a.pem": Pair.own.pem],
        ["MANDATE_RESOLVE_BATCHES": "2", "MANDATE_RESOLVE_MS": "25000", "MANDATE_DATABASE_CONNECTIONS": "4"])
      let address = try await process.address()
      let caller = try Caller(address)
      #expect(try await caller.answers([request("a", "m", grant.json, notes("n1"))]).map(\.inputs) == [["n1: T | C"]])

      let service = #"{service="mandate-resolver"}"#
      try await withThrowingTaskGroup(of: [[String]].self) { group in
        try await world.admin.withTransaction { transaction throws(PostgresError) in
          _ = try await transaction.query(Statement("LOCK TABLE mana_ai.decrypt_audit", reuse: .once).bind())
          for _ in 0..<18 {
            // Each with connections of its own: a client has few to one host.
            group.addTask {
              try await Caller(address).answers([request("a", "m", grant.json, notes("n1"))]).map(\.inputs)
            }
          }
          do {
            try await until(
              caller, "mandate_resolve_batches_in_work\(service) 2", "mandate_resolve_batches_waiting\(service) 16")
            let refused = try await caller.resolve(
              ResolveCall(purpose: "mission-tick", requests: [request("late", "m", .null, notes("n1"))]).json
                .compactBytes())
            #expect(refused.status == 503 && refused.body.contains("\"TOO_MANY_BATCHES\""))
            try await until(caller, "mandate_resolve_turned_away_total\(service) 1")
          } catch { Issue.record(error) }
        }
        for try await inputs in group { #expect(inputs == [["n1: T | C"]]) }
      }
      #expect(try await world.log("late") == [])
      #expect(try await world.log("a").count == 19)
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
    }
  }

  @Test("Of a crowd of the largest calls there are, few are kept, and the memory of the rest is given back")
  func large() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      let process = try await ResolverProcess(world.database, pems: ["a.pem": Pair.own.pem])
      let address = try await process.address()
      let body = largest("a")
      try await withThrowingTaskGroup(of: Int.self) { group in
        try await world.admin.withTransaction { transaction throws(PostgresError) in
          _ = try await transaction.query(Statement("LOCK TABLE mana_ai.decrypt_audit", reuse: .once).bind())
          for _ in 0..<20 { group.addTask { try await Caller(address).resolve(body).status } }
          do {
            // One is in work and four may wait: whatever the others meet first, there is no place for them.
            for _ in 0..<15 { #expect(try await group.next() == 503) }
            let kilobytes = try peak(process.pid)
            #expect(kilobytes < 300 << 10, "\(kilobytes) KiB")
          } catch { Issue.record(error) }
        }
        for try await status in group { #expect(status == 200 || status == 503) }
      }
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
    }
  }
}
