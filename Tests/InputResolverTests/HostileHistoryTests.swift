// Many users at once whose histories are as long as one may be: what their missions need is in memory one mission after
// the other, so it is their number that costs time, and never the process.

import Contracts
import Foundation
import Postgres
import Store
import Testing

@testable import InputResolver

@Suite("A crowd of the longest histories", .serialized, .timeLimit(.minutes(5)))
struct HostileHistoryTests {
  private static let large = (10..<18).map { "large\($0)" }
  private static let small = ["a", "z"]

  /// A history of so many bytes, in one row.
  private func addLong(_ world: World, _ user: String, bytes: Int) async throws {
    try await world.run(
      """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id, created_at)
      VALUES ('notes', 'notes', 'long', $1, 'insert',
        jsonb_build_object('title', 'x', 'zzz', repeat('y', \(bytes))), 'd', now())
      """, user)
  }

  /// One unit: eight whose histories have nearly the length that there may be, one whose history is longer, and two
  /// neighbours of the usual kind.
  private func requests(_ world: World) async throws -> [ResolveCall.Request] {
    var requests: [ResolveCall.Request] = []
    for user in Self.small + Self.large + ["over"] {
      try await world.addUser(user)
      try await world.addNote(user, "n1", title: "T", content: "C")
      let isSmall = Self.small.contains(user)
      if !isSmall { try await addLong(world, user, bytes: user == "over" ? 17 << 20 : 15 << 20) }
      let ids = isSmall ? ["n1"] : ["n1", "long"]
      let grant = try await world.addGrant(user, "m", ids.map { "notes:\($0)" })
      requests.append(
        request(user, "m", grant.json, ids.map { ResolveCall.InputRef(module: "notes", table: "notes", id: $0) }))
    }
    return requests
  }

  private static let expected =
    small.map { _ in ["n1: T | C"] } + large.map { _ in ["n1: T | C", "long: x | \"\""] }
    + [["n1: T | C", "long: batch-too-large"]]

  /// The most that the process has had in memory at once.
  private func peak(_ pid: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.split(separator: " ")[1])) << 10
  }

  @Test("Missions that need all the room there is are all answered, and are in memory one at a time")
  func crowd() async throws {
    try await World.with(durable: true) { world in
      let requests = try await requests(world)
      let process = try await ResolverProcess(
        world.database, pems: ["a.pem": Pair.own.pem], ["MANDATE_RESOLVE_MS": "25000"])
      let address = try await process.address()
      // Two batches: what is true of one is true of all together.
      try await withThrowingTaskGroup(of: [Answer].self) { group in
        for _ in 0..<2 { group.addTask { try await Caller(address).answers(requests) } }
        for try await answers in group { #expect(answers.map(\.inputs) == Self.expected) }
      }
      let most = try peak(process.pid)
      print("a crowd of the longest histories: at most \(most >> 20) MiB")
      // All of them together have 120 MiB of text, and each is in memory more than once while it is read.
      #expect(most < 256 << 20, "\(most >> 20) MiB")
      for user in Self.large {
        #expect(try await world.log(user).sorted() == ["long ok", "long ok", "n1 ok", "n1 ok"])
      }
      #expect(try await world.log("over").count { $0.hasPrefix("long failed batch-too-large ") } == 2)
      #expect(try await process.stop() == 0)
      try await world.verifyChains()
    }
  }

  @Test("Whoever's turn to be read apart does not come in time has an outage, and what was written for it is failed")
  func late() async throws {
    try await World.with { world in
      for user in ["a", "b"] { try await world.addUser(user) }
      try await world.addNote("a", "n1", title: "T", content: "C")
      try await addLong(world, "b", bytes: 9 << 20)
      let own = try await world.addGrant("a", "m", ["notes:n1"])
      let long = try await world.addGrant("b", "m", ["notes:long"])
      let wishes = [("a", own, "n1"), ("b", long, "long")].map { user, grant, id in
        request(user, "m", grant.json, [ResolveCall.InputRef(module: "notes", table: "notes", id: id)])
      }
      let queue = BatchQueue(.oneAtATime)
      var rules = InputResolver.Rules()
      rules.batchTime = .seconds(5)
      let resolver = world.resolver(rules: rules, largeReads: queue)
      // Somebody else's reading that does not end.
      let answers = try await queue.run(0, turnBy: .after(.seconds(60))) {
        await Result { try await resolver.answers(wishes) }
      }.get()
      #expect(answers.map(\.inputs) == [["n1: T | C"], []])
      #expect(answers.map(\.outage) == [nil, "unavailable"])
      #expect(try await world.log("b") == ["long ok", "long failed decrypt-failed 1"])
    }
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
