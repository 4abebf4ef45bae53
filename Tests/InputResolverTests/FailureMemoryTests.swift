// Nothing stays behind on a bad day either: after time-outs, a database that went away, grants that would not open, and
// callers who hung up while they were being answered, the whole memory of the built service holds no opened text and no
// key, and neither does its log.

import Contracts
import Foundation
import Glibc
import MemoryInspection
import PostgresSupport
import Store
import StoreSupport
import Testing

@Suite("The memory of the built resolver after bad days", .serialized)
struct FailureMemoryTests {
  /// What is in the memory of a service that has just opened it for somebody, and how it is looked for.
  private struct Secret {
    let text = "opened text \(newID()) \(newID())"
    let good: ResolveCall.Request
    let bad: [ResolveCall.Request]
    let long: ResolveCall.Request
    let keys: KeyBytes

    /// Besides the good one: records that fail behind an opened field, a wrap for another key, an edited row, and
    /// blobs that are no grants.
    init(_ world: World) async throws {
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "title, \(text)", content: "content, \(text)")
      try await world.addRecord(
        "a", "notes:n2",
        [
          "title": try World.sealed("a", "notes:n2", "title", text),
          "content": try World.sealed("a", "notes:n1", "content", text),
        ])
      try await world.addRecord(
        "a", "notes:long",
        [
          "title": String(repeating: "x", count: 10_000),
          "content": try World.sealed("a", "notes:long", "content", text),
        ])
      let grant = try await world.addGrant("a", "m", ["notes:long", "notes:n1", "notes:n2"])
      keys = KeyBytes(user: "a", mission: "m", grant: grant.id, notes: ["long", "n1", "n2"])
      good = request("a", "m", grant.json, notes("n1", "n2"))
      // Six megabytes of answer, more than sockets hold.
      long = request("a", "m", grant.json, (0..<600).map { _ in notes("long")[0] })
      let otherKey = try await world.addGrant("a", "other", ["notes:n1"], pair: .other)
      let edited = try await world.addGrant("a", "edited", ["notes:n1"], edited: true)
      bad = [
        request("a", "other", otherKey.json, notes("n1")), request("a", "edited", edited.json, notes("n1")),
        request("a", "x", .bool(true), notes("n1")), request("a", "x", .null, notes("n1")),
        request("a", "x", try JSONValue(parsing: #"{"derivation":{"version":"v2"},"grantId":"x"}"#), notes("n1")),
      ]
    }

    /// Nothing of it is left. What a request still does at this moment ends with the next ones, so each look that finds
    /// something is followed by another request; there is an end to them.
    func isGone(_ process: ResolverProcess, _ caller: Caller) async throws {
      #expect(try keys.areRight(), "what is looked for is what there was")
      let patterns = [Data(text.utf8), Data(text.utf8.dropFirst(12).prefix(36))] + (try keys.all())
      #expect(try Data(process.keys.path.utf8).count(in: process.pid) > 0, "the search sees what is there")
      var counts: [Int] = []
      for _ in 0..<20 {
        counts = try patterns.map { try $0.count(in: process.pid) }
        if counts.allSatisfy({ $0 == 0 }) { break }
        #expect(try await caller.get("/health").status == 200)
      }
      #expect(counts == [0, 0, 0, 0, 0, 0])
      #expect(!process.said.contains { $0.contains(text) || $0.contains(text.prefix(48)) })
    }
  }

  private static let isAllowed = Sanitizer.isAbsent && Debugger.isAllowed

  @Test(
    "After time-outs and after the database went away, there is no opened text and no key in it",
    .enabled(if: isAllowed, "skipped: this user may not read the memory of a process that is not dumpable"))
  func timeouts() async throws {
    let server = try await Failure.server()
    try await World.with(on: server) { world in
      let secret = try await Secret(world)
      let process = try await ResolverProcess(
        world.database, pems: Failure.keys, ["MANDATE_RESOLVE_MS": "1000", "MANDATE_LOG_LEVEL": "debug"])
      let caller = try Caller(try await process.address())
      let witness = Witness()
      let rounds = max(1, Rounds.of(1) / 5)
      for round in 1...rounds {
        #expect(try await witness.isServed(caller, [secret.good]))
        // Receipts are opened and redeemed, and the reads behind them wait for this lock until the time is up.
        for table in ["mana_ai.sealed_records", "mana_ai.receipt_batches"] {
          let holding = Task { try await world.run("DO $$ BEGIN LOCK TABLE \(table); PERFORM pg_sleep(600); END $$") }
          try await world.until("pg_locks WHERE relation = '\(table)'::regclass AND granted AND mode LIKE 'AccessEx%'")
          try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 { group.addTask { try await witness.ask(caller, [secret.good]) } }
            for try await isWhole in group { #expect(!isWhole, "\(table)") }
          }
          _ = try await world.texts(
            "SELECT pg_cancel_backend(pid)::text FROM pg_stat_activity WHERE query LIKE 'DO $$ BEGIN LOCK TABLE%'")
          await #expect(throws: (any Error).self) { try await holding.value }
          #expect(try await witness.isServed(caller, [secret.good]))
        }
        try await secret.isGone(process, caller)
        try await Failure.underLoad {
          try await witness.ask(caller, [secret.good])
        } while: {
          #expect(try await witness.isServed(caller, [secret.good]))
          try await server.order(.stop)
          try await server.order(.start)
          #expect(try await witness.isServed(caller, [secret.good]))
        }
        try await secret.isGone(process, caller)
        Rounds.progress("memory after time-outs", round, of: rounds)
      }
      print("memory after time-outs and restarts: \(witness.shown) shown, \(witness.lost) lost, nothing found")
      #expect(witness.lost >= 8 * rounds)
      #expect(try await process.stop() == 0)
      #expect(!process.said.contains { $0.contains(secret.text) })
      try await witness.reckon(world)
    }
  }

  @Test(
    "After failed unwraps, malformed calls and callers who hung up while they were answered, there is none either",
    .enabled(if: isAllowed, "skipped: this user may not read the memory of a process that is not dumpable"))
  func refusals() async throws {
    try await World.with(durable: true) { world in
      let secret = try await Secret(world)
      let process = try await ResolverProcess(world.database, pems: Failure.keys, ["MANDATE_LOG_LEVEL": "debug"])
      let address = try await process.address()
      let caller = try Caller(address)
      for _ in 0..<Rounds.of(40) {
        let answers = try await caller.answers([secret.good] + secret.bad)
        #expect(answers.map(\.grant) == ["ok", "wrap-rejected", "wrap-rejected", "expired", "none", "malformed"])
        #expect(answers[0].inputs.count == 2 && answers[0].inputs[1] == "n2: ciphertext-tampered-or-wrong-key")
        #expect(try await caller.resolve(Array("{\"purpose\":\"".utf8)).status == 400)
      }
      try await secret.isGone(process, caller)
      // Callers who are gone while their answer is under way.
      let body = ResolveCall(purpose: "mission-tick", requests: [secret.long]).json.compactBytes()
      let hasty = Rounds.of(2)
      for _ in 0..<hasty { #expect(try await HastyCaller.hangUp(on: address, body) > 0) }
      #expect(try await caller.answers([secret.good]).map(\.grant) == ["ok"])
      let metrics = try await caller.get("/metrics").body
      let lost = metrics.split(separator: "\n").first {
        $0.hasPrefix("mandate_http_outcomes_total{") && $0.contains(#"listener="internal",outcome="lost""#)
      }
      #expect(lost?.split(separator: " ").last.flatMap { Int($0) } == hasty, "\(lost ?? "no such figure")")
      try await secret.isGone(process, caller)
      #expect(try await process.stop() == 0)
      #expect(!process.said.contains { $0.contains(secret.text) })
      try await world.verifyChains()
    }
  }
}

/// Sends a call, takes the first bytes of the answer, and is gone.
private enum HastyCaller {
  struct Failed: Error { let code: Int32 }

  /// How many bytes of the answer it has seen.
  static func hangUp(on address: String, _ body: [UInt8]) async throws -> Int {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try exchange(address, body) }) }
    }
  }

  private static func exchange(_ address: String, _ body: [UInt8]) throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failed(code: errno) }
    defer { close(descriptor) }
    // Little room, so that the service can't have sent it all; and no polite end.
    var room: Int32 = 4_096
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
    var abrupt = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &abrupt, socklen_t(MemoryLayout<linger>.size))
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = UInt16(address.split(separator: ":").last ?? "")?.bigEndian ?? 0
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = unsafe withUnsafePointer(to: &place) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failed(code: errno) }
    let head = """
      POST /internal/v1/resolve HTTP/1.1\r\nHost: resolver\r\nX-Service-Key: \(ResolverProcess.key)\r\n\
      Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n
      """
    let request = Array(head.utf8) + body
    var sent = 0
    while sent < request.count {
      let count = unsafe request.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress?.advanced(by: sent), request.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Failed(code: errno) }
      sent += count
    }
    var answer = [UInt8](repeating: 0, count: 1_024)
    return unsafe recv(descriptor, &answer, answer.count, 0)
  }
}
