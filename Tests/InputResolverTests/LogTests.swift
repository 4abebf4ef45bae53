// What the log says of missions: each that did not get all it asked for, by its ids and with a reason, and nothing of
// what was opened or of what it was opened with.

import Contracts
import Cryptography
import Foundation
import Glibc
import Store
import Testing

@testable import InputResolver

@Suite struct MissionFindingTests {
  private func kind(
    _ grant: GrantOutcome?, _ outage: ResolveOutage? = nil, _ reasons: AuditReason?...
  ) -> MissionFinding.Kind? { MissionFinding(grant, outage, reasons).kind }

  @Test("Who got everything, or asked for nothing, gets no line")
  func silence() {
    #expect(kind(.ok, nil, nil, nil) == nil && kind(.ok) == nil)
    // Goals need no grant.
    #expect(kind(GrantOutcome.none, nil, nil) == nil)
  }

  @Test("A record outside a grant is an alarm, a mission without a grant is none")
  func alarms() {
    #expect(kind(.ok, nil, nil, .recordNotInGrant) == .beyondGrant)
    #expect(kind(.ok, nil, .recordMissing, .ciphertextTampered, .recordNotInGrant) == .beyondGrant)
    #expect(kind(GrantOutcome.none, nil, .notGranted, .notGranted) == .refused)
  }

  @Test("What was altered is told from what ended, and either from what is merely not there")
  func grades() {
    #expect(kind(.wrapRejected, nil, .wrapRejected) == .altered)
    for reason in [AuditReason.ciphertextTampered, .movedCiphertext] { #expect(kind(.ok, nil, reason) == .altered) }
    for grant in [GrantOutcome.expired, .revoked, .unknownGrant, .malformed, .notConfigured] {
      #expect(kind(grant, nil, AuditReason(grant)) == .grantUnusable)
    }
    for reason in [AuditReason.recordMissing, .notSealedYet, .unknownModule, .batchTooLarge] {
      #expect(kind(.ok, nil, nil, reason) == .refused)
    }
    #expect(kind(nil, .unavailable) == .unanswered && kind(.ok, .internal, .recordNotInGrant) == .unanswered)
  }

  @Test("Reasons are counted, in an order that does not change")
  func detail() {
    let finding = MissionFinding(.ok, nil, [nil, .recordMissing, .batchTooLarge, .recordMissing])
    #expect(finding.detail == "batch-too-large 1, record-missing 2" && finding.shown == 1 && finding.refused == 3)
  }
}

@Suite("What the built resolver logs", .serialized)
struct LogTests {
  private struct Line {
    let json: JSONValue
    init(_ text: String) throws { json = try JSONValue(parsing: text) }

    subscript(_ name: String) -> String? { json[name]?.text }
    func count(_ name: String) -> Int? { json[name]?.number?.integer }
  }

  /// Twelve kinds of trouble for whoever reads a log line by line, or puts it onto a terminal.
  private static let hostile = [
    "line\nbreak", "{\"level\":\"error\"}", "\",\"level\":\"error", "\u{1B}[2J\u{1B}[1;1H", "tab\there", "nul\u{0}nul",
    "\u{202E}txet", "\u{2028}line", "é", "\u{FEFF}bom", "%s%n", String(repeating: "x", count: 10_000),
  ]

  @Test("Each mission that did not get everything has a line with its ids and reason; a batch has one with its counts")
  func lines() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "s3cret title", content: "s3cret content")
      let grant = try await world.addGrant("a", "granted", ["notes:n1"])
      let edited = try await world.addGrant("a", "edited", ["notes:n1"], edited: true)
      let closed = try await world.addGrant("a", "closed", ["notes:n1"])
      try await world.close("a", "closed")
      let process = try await ResolverProcess(world.database, pems: ["a.pem": Pair.own.pem])
      let caller = try Caller(try await process.address())
      let quiet = request("a", "granted", grant.json, notes("n1"))
      _ = try await caller.answers([quiet])
      _ = try await caller.answers([
        quiet, request("a", "granted", grant.json, notes("n1", "outside", "too")),
        request("a", "none", .null, notes("n1", "n2")), request("a", "edited", edited.json, notes("n1")),
        request("a", "closed", closed.json, notes("n1")),
      ])
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)
      let lines = try process.said.map { try Line($0) }
      let missions = lines.filter { $0["missionId"] != nil }
      #expect(
        missions.map { "\($0["level"] ?? "") \($0["missionId"] ?? "") \($0["reason"] ?? "") \($0["detail"] ?? "")" }
          == [
            "warning granted ok record-not-in-grant-allowlist 2", "info none none not-granted 2",
            "warning edited wrap-rejected wrap-rejected 1", "info closed revoked revoked 1",
          ])
      #expect(missions.allSatisfy { $0["userId"] == "a" && $0["requestId"] != nil })
      #expect(missions.first?.count("shown") == 1 && missions.first?.count("refused") == 2)
      let batches = lines.filter { $0["event"] == "A batch was answered." }
      #expect(batches.map { $0.count("count") } == [1, 5] && batches.map { $0.count("shown") } == [1, 2])
      #expect(batches.map { $0.count("refused") } == [0, 6])
      #expect(batches.allSatisfy { $0.json["took"]?.number != nil && $0.json["opening"]?.number != nil })
      // The batch, its missions and the request have one id.
      let request = lines.last { $0["route"] == "/internal/v1/resolve" }?["requestId"]
      #expect(request != nil && batches.last?["requestId"] == request)
      #expect(missions.allSatisfy { $0["requestId"] == request })
    }
  }

  @Test("Hostile ids are in the log, escaped and cut, one line each; content and keys are not")
  func hostileIDs() async throws {
    try await World.with(durable: true) { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "s3cret title", content: "s3cret content")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      let process = try await ResolverProcess(world.database, pems: ["a.pem": Pair.own.pem])
      let caller = try Caller(try await process.address())
      var requests = [request("a", "m", grant.json, notes("n1", "n2"))]
      for id in Self.hostile {
        requests.append(request("a", id, grant.json, notes("n1")))
        requests.append(request(id, "of somebody", grant.json, notes("n1")))
        let ref = ResolveCall.InputRef(module: id, table: id, id: id)
        requests.append(request("a", "input \(requests.count)", grant.json, [ref]))
      }
      let answers = try await caller.answers(requests)
      #expect(answers.count == requests.count && answers[0].inputs.first == "n1: s3cret title | s3cret content")
      process.signal(SIGTERM)
      #expect(try await process.end() == 0)

      let said = process.said
      #expect(said.allSatisfy { line in line.utf8.allSatisfy { 0x20...0x7E ~= $0 } && line.utf8.count < 4_096 })
      let lines = try said.map { try Line($0) }
      #expect(lines.allSatisfy { $0["program"] == "mandate-resolver" && $0["level"] != "error" })
      let missions = lines.filter { $0["missionId"] != nil }
      #expect(missions.count == requests.count)
      for (line, asked) in zip(missions, requests) {
        for (name, id) in [("userId", asked.user), ("missionId", asked.mission)] {
          let shown = try #require(line[name])
          let isWhole = id.utf8.elementsEqual(shown.utf8)
          #expect(isWhole || (id.utf8.count > 256 && shown == id.prefix(256) + "..."), "\(name) \(shown.prefix(40))")
        }
      }
      let all = said.joined(separator: "\n")
      let pem = String(decoding: Pair.own.pem, as: UTF8.self).split(separator: "\n").dropFirst().dropLast()
      let wrapped = try #require(grant.json["wrappedKey"]?.text)
      let secrets = ["s3cret", ResolverProcess.key, wrapped, "enc:2:"] + pem.map(String.init)
      #expect(secrets.count > 20)
      for secret in secrets { #expect(!all.contains(secret)) }
    }
  }
}
