// Moving grants to another key, in a real database with real wraps, beside resolvers that serve.

import Contracts
import Cryptography
import Foundation
import Grants
import Postgres
import PostgresSupport
import ServiceRuntime
import Store
import Synchronization
import Testing

@testable import InputResolver

/// In these tests the own pair is the former key, and the other one the current.
enum KeyChange {
  static let former = Pair.own.publicKey.keyIdHex
  static let current = Pair.other.publicKey.keyIdHex

  static func keys() throws -> ResolverKeys {
    let (new, old) = (Pair.other.pem, Pair.own.pem)
    return ResolverKeys(try RSAPrivateKey(pem: new.span)).adding(try RSAPrivateKey(pem: old.span))
  }
}

/// Counts up across tasks; on as soon as it has counted once.
final class Count: Sendable {
  private let value = Atomic(0)

  var isOn: Bool { value.load(ordering: .relaxed) > 0 }
  @discardableResult func up() -> Int { value.add(1, ordering: .relaxed).newValue }
}

extension World {
  func rewrap(
    dryRun: Bool = false, from: [String] = [], keys: ResolverKeys? = nil,
    isStopWanted: @escaping @Sendable () -> Bool = { false }
  ) async throws -> RewrapReport {
    let keys = try keys ?? KeyChange.keys()
    var rules = Rewrap.Rules()
    (rules.isDryRun, rules.lanes) = (dryRun, 2)
    let rewrap = Rewrap(
      GrantRewrapping(pool), keys: keys, current: try #require(keys.currentPublicKey), workers: workers, rules: rules,
      isStopWanted: isStopWanted)
    return try await rewrap.run(from: from) { ProgressMeter("moving", total: $0, isTerminal: false, write: { _ in }) }
  }

  /// Every column of every grant, in one text each.
  func grants() async throws -> [String] {
    try await texts("SELECT g::text FROM mana_ai.grants AS g ORDER BY g.grant_id COLLATE \"C\"")
  }

  func openGrants(_ key: String) async throws -> Int {
    let rows = try await texts(
      "SELECT count(*)::text FROM mana_ai.grants WHERE closed_at IS NULL AND key_id = '\(key)'")
    return Int(rows[0]) ?? -1
  }
}

@Suite("Moving grants to another key")
struct RewrapTests {
  @Test("Open grants move and open as before under the new key alone; closed ones stay; a second run finds nothing")
  func moves() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      var requests: [ResolveCall.Request] = []
      for number in 0..<3 {
        let grant = try await world.addGrant("a", "m\(number)", ["notes:n1"])
        requests.append(request("a", "m\(number)", grant.json, notes("n1")))
      }
      _ = try await world.addGrant("a", "closed", ["notes:n1"])
      try await world.close("a", "closed")
      let before = try await world.resolver().answers(requests)
      #expect(before.allSatisfy { $0.grant == "ok" && $0.inputs == ["n1: T | C"] })
      let report = try await world.rewrap()
      #expect(report.isDone && report.moved == 3 && report.left == 0 && report.keys.map(\.open) == [3])
      #expect(try await world.openGrants(KeyChange.former) == 0)
      #expect(try await world.openGrants(KeyChange.current) == 3)
      let closed = try await world.texts("SELECT key_id FROM mana_ai.grants WHERE closed_at IS NOT NULL")
      #expect(closed == [KeyChange.former])
      // The missions still carry the blob with the former key: the row decides.
      for (keys, grant) in [(Pair.other.keys, "ok"), (Pair.own.keys, "wrap-rejected")] {
        let after = try await world.resolver(keys).answers(requests)
        #expect(after.map(\.grant) == [grant, grant, grant])
        if grant == "ok" { #expect(after.map(\.inputs) == before.map(\.inputs)) }
      }
      let rows = try await world.grants()
      let again = try await world.rewrap()
      #expect(again.isDone && again.moved == 0 && again.keys.map(\.open) == [0])
      #expect(try await world.grants() == rows)
    }
  }

  @Test("Only the key, the wrap and the claims' key id of a row change")
  func substance() async throws {
    try await World.with { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["notes:n1", "notes:n2"])
      let columns = "concat_ws('|', user_id, mission_id, version, issued_at, expires_at, renewable_until, closed_at)"
      let substance = "SELECT \(columns) FROM mana_ai.grants WHERE grant_id = '\(grant.id)'"
      let claims = "SELECT encode(claims, 'hex') FROM mana_ai.grants WHERE grant_id = '\(grant.id)'"
      let (before, claimsBefore) = (try await world.texts(substance), try await world.texts(claims))
      #expect(try await world.rewrap().moved == 1)
      #expect(try await world.texts(substance) == before)
      let hex = { (text: String) in text.utf8.map { String($0, radix: 16) }.joined() }
      let expected = claimsBefore.map { $0.replacing(hex(KeyChange.former), with: hex(KeyChange.current)) }
      #expect(try await world.texts(claims) == expected && expected != claimsBefore)
      #expect(
        try await world.texts("SELECT count(*)::text FROM mana_ai.grant_keys WHERE grant_id = '\(grant.id)'") == ["2"])
    }
  }

  @Test("A row that somebody edited is refused and named, and the others move")
  func tampered() async throws {
    try await World.with { world in
      try await world.addUser("a")
      _ = try await world.addGrant("a", "good", ["notes:n1"])
      let edited = try await world.addGrant("a", "edited", ["notes:n1"], edited: true)
      let foreign = try await world.addGrant("a", "foreign", ["notes:n1"], pair: .other)
      let damaged = try await world.addGrant("a", "damaged", ["notes:n1"])
      let wrap = "set_byte(wrapped_key, 9, get_byte(wrapped_key, 9) # 1)"
      try await world.run("UPDATE mana_ai.grants SET wrapped_key = \(wrap) WHERE grant_id = $1", damaged.id)
      for isDryRun in [true, false] {
        let report = try await world.rewrap(dryRun: isDryRun)
        #expect(report.moved == 1 && report.failed == 3 && !report.isDone)
        #expect(Set(report.failures.map(\.grant.text)) == [edited.id, foreign.id, damaged.id])
        #expect(report.failures.allSatisfy { $0.reason == .wrapRejected && $0.keyId == KeyChange.former })
        #expect(report.left == (isDryRun ? 4 : 3))
      }
      #expect(try await world.openGrants(KeyChange.former) == 3)
      // Once more: what could not be moved is found again, what was moved is not.
      let again = try await world.rewrap()
      #expect(again.moved == 0 && again.failed == 3 && again.failures.count == 3)
    }
  }

  @Test("A dry run changes no row")
  func dryRun() async throws {
    try await World.with { world in
      try await world.addUser("a")
      for number in 0..<3 { _ = try await world.addGrant("a", "m\(number)", ["notes:n1"]) }
      let rows = try await world.grants()
      let report = try await world.rewrap(dryRun: true)
      #expect(report.isDone && report.moved == 3 && report.left == 3 && report.isDryRun)
      #expect(try await world.grants() == rows)
    }
  }

  @Test("Keys that are none, or the current one, are refused before anything is moved; a lost one is counted")
  func wrongKeys() async throws {
    try await World.with { world in
      try await world.addUser("a")
      _ = try await world.addGrant("a", "m", ["notes:n1"])
      let rows = try await world.grants()
      let unknown = String(repeating: "a", count: 32)
      await #expect(throws: RewrapProblem.self) { try await world.rewrap(from: [KeyChange.former, unknown]) }
      await #expect(throws: RewrapProblem.isCurrent(KeyChange.current)) {
        try await world.rewrap(from: [KeyChange.former, KeyChange.current])
      }
      // This resolver lost the former key: nothing of it can be moved, and the answer says so.
      let without = try await world.rewrap(from: [KeyChange.former], keys: Pair.other.keys)
      #expect(without.failed == 1 && without.left == 1 && !without.isDone && without.keys.map(\.isHeld) == [false])
      #expect(try await world.rewrap(keys: Pair.other.keys).keys.isEmpty)
      #expect(try await world.grants() == rows)
    }
  }

  @Test("Asked to stop it finishes what is in hand, says how far it is, and goes on when it is run again")
  func stopped() async throws {
    try await World.with { world in
      try await world.addUser("a")
      for number in 0..<12 { _ = try await world.addGrant("a", "m\(number)", ["notes:n1"]) }
      let looks = Count()
      let first = try await world.rewrap { looks.up() > 4 }
      #expect(first.wasStopped && !first.isDone)
      #expect(first.moved > 0 && first.moved < 12 && first.left == 12 - first.moved)
      #expect(try await world.openGrants(KeyChange.current) == first.moved)
      let second = try await world.rewrap()
      #expect(second.isDone && second.moved == 12 - first.moved && second.keys.map(\.open) == [12 - first.moved])
    }
  }

  @Test("Of two that run at once, each grant is moved by one")
  func twoAtOnce() async throws {
    try await World.with { world in
      try await world.addUser("a")
      for number in 0..<20 { _ = try await world.addGrant("a", "m\(number)", ["notes:n1"]) }
      async let one = world.rewrap()
      async let other = world.rewrap()
      let reports = try await [one, other]
      #expect(reports.reduce(0) { $0 + $1.moved } == 20)
      #expect(reports.allSatisfy { $0.isDone && $0.failures.isEmpty })
      #expect(try await world.openGrants(KeyChange.current) == 20)
    }
  }

  @Test("Batches that are resolved meanwhile are answered right, whichever key a row has when it is read")
  func whileServing() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      var requests: [ResolveCall.Request] = []
      for number in 0..<12 {
        let grant = try await world.addGrant("a", "m\(number)", ["notes:n1"])
        requests.append(request("a", "m\(number)", grant.json, notes("n1")))
      }
      let (resolver, batch) = (world.resolver(try KeyChange.keys()), requests)
      let isOver = Count()
      let answered = try await withThrowingTaskGroup(of: Int.self, returning: Int.self) { group in
        group.addTask {
          var answered = 0
          repeat {
            let answers = try await resolver.answers(batch)
            #expect(answers.allSatisfy { $0.grant == "ok" && $0.inputs == ["n1: T | C"] })
            answered += answers.count
          } while !isOver.isOn
          return answered
        }
        let report = try await world.rewrap()
        #expect(report.isDone && report.moved == 12)
        isOver.up()
        return try await group.reduce(0, +)
      }
      #expect(answered >= 12)
    }
  }

  @Test("A grant that moves between the opening of its receipts and their redeeming is released under its new key")
  func betweenOpenAndRedeem() async throws {
    try await World.with { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["notes:n1"])
      let batch = newID()
      func ask(_ sql: String) async throws -> Rows { try await world.pool.query(Statement(sql, reuse: .once).bind()) }
      let opened = try await ask(
        """
        SELECT o.status FROM mana_ai.open_receipts(ARRAY['\(batch)']::uuid[], ARRAY['a'], ARRAY['m'],
          ARRAY['\(grant.id)'], ARRAY[NULL]::text[], ARRAY['p'], ARRAY[false], ARRAY[1], ARRAY['notes'], ARRAY['n1'],
          ARRAY[NULL]::text[], ARRAY[NULL]::text[]) AS o
        """
      ).only().get(0, as: String.self)
      #expect(opened == "ok")
      #expect(try await world.rewrap().moved == 1)
      let row = try await ask(
        """
        SELECT r.wrapped_key, r.claims, r.share
        FROM mana_ai.redeem_receipts(ARRAY['\(batch)']::uuid[], ARRAY['a']) AS r
        """
      ).only()
      let (wrapped, claims, share): ([UInt8], [UInt8], [UInt8]) = (try row.get(0), try row.get(1), try row.get(2))
      let label = try #require(GrantLabel(parsing: claims))
      #expect(label.keyId == KeyChange.current)
      let name = try RecordName(joined: "notes:n1")
      let opens = try SealedGrantV2.withOpen(
        wrapped: wrapped, label: label, keys: Pair.other.keys, user: Identifier("a"), mission: Identifier("m"),
        now: label.issuedAt
      ) { open in
        do {
          var cipher = try AESGCM()
          _ = try open.recordKey(name, row: share, with: &cipher)
          return true
        } catch { return false }
      }
      #expect(opens)
    }
  }
}
