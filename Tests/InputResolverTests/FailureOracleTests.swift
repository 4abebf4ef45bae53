// No oracle: what an attacker can steer fails in one way. The bytes of the answer, the lines of the log and the figures
// that move are the same, whatever it was that did not fit. Answers name the end of a user's chain, whose hash is another
// one each time; it is the only thing that is left out.

import Contracts
import Foundation
import StoreSupport
import Testing

@Suite("What fails alike, looks alike", .serialized)
struct FailureOracleTests {
  /// All that somebody outside can see of one call.
  private struct Sight: Equatable {
    let answer: String
    let log: [String]
    let figures: [String]
    let rows: [String]
  }

  /// A resolver that is asked for one thing at a time.
  private struct Window {
    let world: World
    let process: ResolverProcess
    let caller: Caller

    init(_ world: World) async throws {
      self.world = world
      process = try await ResolverProcess(world.database, pems: Failure.keys)
      caller = try Caller(try await process.address())
    }

    func look(_ user: String, _ grant: JSONValue, _ note: String) async throws -> Sight {
      let (before, heard) = (try await figures(), process.said.count)
      let call = ResolveCall(purpose: "p", requests: [request(user, "m", grant, notes(note))])
      let answer = try await caller.resolve(call.json.compactBytes())
      #expect(answer.status == 200)
      // The last line about a request; what else was to be said of it came before.
      try await process.line("A request was answered.")
      let id = grant["grantId"]?.text ?? "none"
      let log = try process.said.dropFirst(heard).map {
        plain(try FailureOracleTests.steady($0).replacing(id, with: "grant"), user, note)
      }
      let moved = try await figures().filter { before[$0.key] != $0.value }
        .map { "\($0.key) +\(($0.value - (before[$0.key] ?? 0)))" }
      return Sight(
        answer: plain(answer.body, user, note), log: log, figures: moved.sorted(),
        rows: try await world.log(user).map { plain($0, user, note) })
    }

    private func plain(_ text: String, _ user: String, _ note: String) -> String {
      text.replacing(/"hash":"[0-9a-f]{64}"/, with: "hash").replacing(note, with: "note").replacing(user, with: "user")
    }

    /// Whatever is counted; how long something took is another thing each time.
    private func figures() async throws -> [String: Double] {
      var figures: [String: Double] = [:]
      for line in try await caller.get("/metrics").body.split(separator: "\n") where !line.hasPrefix("#") {
        let words = line.split(separator: " ")
        let name = String(words[0])
        let isSteady =
          !["process_", "mandate_http_connections"].contains { name.hasPrefix($0) }
          && !["_seconds_sum", "_seconds_bucket", #"route="/metrics""#].contains { name.contains($0) }
        if isSteady { figures[name] = Double(words[1]) }
      }
      return figures
    }
  }

  /// A line without what differs from one request to the next one of the same kind.
  fileprivate static func steady(_ line: String) throws -> String {
    let members = try JSONValue(parsing: line).object?.members ?? []
    return members.filter { !["time", "requestId", "took", "opening"].contains($0.key.text) }
      .map { "\($0.key.text)=\($0.value.compactText())" }.joined(separator: " ")
  }

  private static func expectAlike(_ sights: [Sight]) throws {
    let first = try #require(sights.first)
    #expect(first.log.count >= 3 && first.figures.count > 5 && !first.rows.isEmpty && !first.answer.isEmpty)
    for other in sights.dropFirst() {
      #expect(other.answer == first.answer)
      #expect(other.log == first.log)
      #expect(other.figures == first.figures)
      #expect(other.rows == first.rows)
    }
  }

  @Test("A wrap for another key, one with a changed byte, and one under another label")
  func wraps() async throws {
    try await World.with(durable: true) { world in
      let users = ["user-1", "user-2", "user-3", "user-4"]
      for user in users {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: "T", content: "C")
      }
      let otherKey = try await world.addGrant(users[0], "m", ["notes:n1"], pair: .other)
      let changed = try await world.addGrant(users[1], "m", ["notes:n1"])
      try await Self.flipWrap(world, 100, changed.id)
      let otherLabel = try await world.addGrant(users[2], "m", ["notes:n1"], edited: true)
      let atStart = try await world.addGrant(users[3], "m", ["notes:n1"])
      try await Self.flipWrap(world, 0, atStart.id)
      let window = try await Window(world)
      var sights: [Sight] = []
      for (user, grant) in zip(users, [otherKey, changed, otherLabel, atStart]) {
        sights.append(try await window.look(user, grant.json, "n1"))
      }
      #expect(sights[0].answer.contains(#""grant":"wrap-rejected""#))
      #expect(sights[0].rows == ["note ok", "note failed wrap-rejected 1"])
      try Self.expectAlike(sights)
      #expect(try await window.process.stop() == 0)
    }
  }

  @Test("A changed share, a changed ciphertext, and one that belongs to another record")
  func records() async throws {
    try await World.with(durable: true) { world in
      let users = ["user-1", "user-2", "user-3"]
      var grants: [JSONValue] = []
      for user in users {
        try await world.addUser(user)
        let grant = try await world.addGrant(user, "m", ["notes:n1"])
        grants.append(grant.json)
        let own = try World.sealed(user, "notes:n1", "title", "secret")
        let text =
          switch user {
          case users[0]: own
          case users[1]: String(own.dropLast(8)) + "AAAAAAAA"
          default: try World.sealed(user, "notes:n2", "title", "secret")
          }
        #expect(text.utf8.count == own.utf8.count)
        try await world.addRecord(user, "notes:n1", ["title": text])
        if user == users[0] { try await Self.flipShare(world, grant.id) }
      }
      let window = try await Window(world)
      var sights: [Sight] = []
      for (user, grant) in zip(users, grants) { sights.append(try await window.look(user, grant, "n1")) }
      #expect(sights[0].answer.contains("ciphertext-tampered-or-wrong-key"))
      try Self.expectAlike(sights)
      #expect(try await window.process.stop() == 0)
    }
  }

  @Test("Another user's record and one that is nowhere")
  func foreign() async throws {
    try await World.with(durable: true) { world in
      for user in ["user-1", "user-2", "user-3"] { try await world.addUser(user) }
      try await world.addNote("user-3", "there", title: "T", content: "C")
      let foreign = try await world.addGrant("user-1", "m", ["notes:there"])
      let absent = try await world.addGrant("user-2", "m", ["notes:where"])
      let window = try await Window(world)
      let sights = [
        try await window.look("user-1", foreign.json, "there"), try await window.look("user-2", absent.json, "where"),
      ]
      #expect(sights[0].answer.contains("record-missing"))
      try Self.expectAlike(sights)
      #expect(try await window.process.stop() == 0)
    }
  }

  /// Another bit in one byte of a grant's wrap, which only somebody with the owner's rights can do.
  private static func flipWrap(_ world: World, _ byte: Int, _ grant: String) async throws {
    try await world.database.script(
      """
      ALTER TABLE mana_ai.grants DISABLE TRIGGER grants_guard;
      UPDATE mana_ai.grants SET wrapped_key = set_byte(wrapped_key, \(byte), get_byte(wrapped_key, \(byte)) # 1)
      WHERE grant_id = '\(grant)';
      ALTER TABLE mana_ai.grants ENABLE ALWAYS TRIGGER grants_guard
      """)
  }

  /// The same in the only share of a grant.
  private static func flipShare(_ world: World, _ grant: String) async throws {
    try await world.run(
      "UPDATE mana_ai.grant_keys SET wrapped_key = set_byte(wrapped_key, 30, get_byte(wrapped_key, 30) # 1) "
        + "WHERE grant_id = $1", grant)
  }
}
