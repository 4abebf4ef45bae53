// What the typed way promises: exactly the shares of the records that were named, each with its row on the log, and a
// trouble of one mission is no trouble of its neighbours.

import Contracts
import Postgres
import Store
import StoreSupport
import Testing

/// What came of a unit, as values that can be compared.
struct Seen: Sendable {
  var place = 0
  var head: ChainHead?
  var failure: PostgresError?
  var unredeemed: [ReceiptID] = []
  /// "record: share", "record: receipt" where no grant decided, or "record: reason".
  var records: [String] = []
  var receipts: [ReceiptID] = []
  var rows: [Int] = []
  var grants: [ReleasedGrant] = []

  static func all(_ unit: consuming ReleasedUnit) -> [Seen] {
    var missions: [Seen] = []
    while let mission = unit.next() { missions.append(Seen(mission)) }
    return missions
  }

  init(_ released: consuming ReleasedMission) {
    (place, head, failure, unredeemed) = (released.place, released.head, released.failure, released.unredeemed)
    while let record = released.next() {
      switch consume record {
      case .released(let receipt, let history, copies: _):
        let share = receipt.share.map { String(decoding: $0.prefix { $0 != 0x2E }, as: UTF8.self) }
        records.append("\(receipt.address.record.text): \(share ?? "receipt")")
        receipts.append(receipt.id)
        if let grant = receipt.grant { grants.append(grant) }
        if case .rows(let read) = history { rows.append(read.count) } else { rows.append(-1) }
      case .refused(let refused):
        records.append("\(refused.address.record.text): \(refused.reason.rawValue)")
        if let failing = refused.failing { receipts.append(failing) }
      }
    }
  }
}

extension Receipts {
  func release(_ openings: [MissionOpening]) async throws -> [Seen] {
    var seen: [Seen] = []
    for unit in try ReceiptUnit.units(of: openings) {
      let released = await release(unit)
      let apart = released.apart
      seen += Seen.all(released)
      for mission in apart { seen.append(Seen(await release(mission))) }
    }
    return seen.sorted { $0.place < $1.place }
  }
}

@Suite struct ReceiptTests {
  @Test(
    "A committed receipt releases exactly the share it names, with the wrap, the claims and the record's history",
    arguments: Road.allCases)
  func honest(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      try await world.addUser("b")
      let one = try await world.addGrant("a", "m1", ["n1", "n2"])
      let other = try await world.addGrant("b", "m1", ["n1"])
      try await world.addNote("a", "n1", #"{"title":"x"}"#)
      try await world.addNote("a", "n1", #"{"title":"y"}"#)
      try await world.addNote("b", "n1", #"{"title":"z"}"#)
      let seen = try await world.receipts.release([
        try opening("b", "m1", other, ["n1", "n2"]), try opening("a", "m1", one, ["n2", "n1"]),
      ])
      #expect(
        seen.map(\.records) == [
          ["n1: \(other.prefix(30))|n1", "n2: record-not-in-grant-allowlist"],
          ["n2: \(one.prefix(30))|n2", "n1: \(one.prefix(30))|n1"],
        ])
      #expect(seen.map(\.rows) == [[1], [0, 2]])
      #expect(seen.flatMap(\.grants).allSatisfy { $0.wrappedKey == [UInt8](repeating: 0x5A, count: 256) })
      #expect(
        seen.flatMap(\.grants).allSatisfy { $0.claims.starts(with: [0, 0, 0, 16] + Array("mandate/v2/grant".utf8)) })
      #expect(seen.map(\.head?.seq) == [2, 2])
      for receipt in seen.flatMap(\.receipts) { #expect(try await world.committed(receipt.batch).count == 2) }
      let heads = try await world.number(
        "SELECT count(*) FROM mana_ai.audit_heads h JOIN mana_ai.decrypt_audit a USING (user_id, seq) WHERE a.hash = h.hash"
      )
      #expect(heads == 2)
    }
  }

  @Test(
    "Unknown, foreign, closed and expired grants cost their neighbours nothing and say why", arguments: Road.allCases)
  func refusals(road: Road) async throws {
    try await World.with(road) { world in
      for user in ["a", "b"] { try await world.addUser(user) }
      let good = try await world.addGrant("b", "m1", ["n1"])
      let own = try await world.addGrant("a", "m1", ["n1"])
      let expired = try await world.addGrant("a", "expired", ["n1"], issued: "-8 days")
      let closed = try await world.addGrant("a", "closed", ["n1"])
      let closing = GrantClosing(world.issuer)
      let ended = try await closing.close(try scope("a"), mission: Identifier("closed"), reason: .user)
      #expect(ended.closed.map(\.grant) == [closed] && !ended.isDraining)
      let cases = [
        ("m1", newID(), "unknown-grant"), ("m1", "not a uuid; '\"", "unknown-grant"), ("m1", good, "unknown-grant"),
        ("m1", own.uppercased(), "unknown-grant"), ("other", own, "unknown-grant"), ("closed", closed, "revoked"),
        ("expired", expired, "expired"),
      ]
      let seen = try await world.receipts.release(
        try cases.map { try opening("a", $0.0, $0.1, ["n1"]) } + [try opening("b", "m1", good, ["n1"])])
      #expect(seen.map(\.records) == cases.map { ["n1: \($0.2)"] } + [["n1: \(good.prefix(30))|n1"]])
      #expect(seen.allSatisfy { $0.failure == nil })
      // What the caller refuses is on the log, and a record of another table or user has no share to be given.
      let refused = try await world.receipts.release([
        MissionOpening(
          scope: try scope("a"), mission: Identifier("m1"), authority: .grant(Identifier(own)),
          wishes: [
            .init(note("n1"), refusal: .unknownModule), .init(note("n1", table: "tasks")), .init(note("n1")),
          ])
      ])
      #expect(
        refused.map(\.records) == [
          [
            "n1: unknown-module", "n1: record-not-in-grant-allowlist", "n1: \(own.prefix(30))|n1",
          ]
        ])
    }
  }

  @Test(
    "Without a grant the caller's decision is logged and there is a receipt without a share; v1 is refused where it must be",
    arguments: Road.allCases)
  func withoutGrant(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      try await world.addUser("zk", zeroKnowledge: true)
      _ = try await world.addGrant("a", "had-one", ["n1"])
      func one(_ user: String, _ mission: String, _ authority: MissionOpening.Authority) throws -> MissionOpening {
        MissionOpening(
          scope: try scope(user), mission: Identifier(mission), authority: authority,
          wishes: [.init(note("n1")), .init(note("n2"), refusal: .recordMissing)])
      }
      let seen = try await world.receipts.release([
        try one("a", "old", .v1Blob), try one("a", "had-one", .v1Blob), try one("zk", "old", .v1Blob),
        try one("a", "had-one", .none),
      ])
      #expect(
        seen.map(\.records) == [
          ["n1: receipt", "n2: record-missing"], ["n1: revoked", "n2: record-missing"],
          ["n1: revoked", "n2: record-missing"], ["n1: receipt", "n2: record-missing"],
        ])
      #expect(seen.flatMap(\.grants).isEmpty)
    }
  }

  @Test(
    "A mission that the database refuses to open, or whose history can't be read, is its own trouble alone",
    arguments: Road.allCases)
  func oneBadMission(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m1", ["n1", "deep"])
      let second = try await world.addGrant("a", "m2", ["n1"])
      try await world.addNote(
        "a", "deep", #"{"x":\#(String(repeating: "[", count: 3000))\#(String(repeating: "]", count: 3000))}"#)
      try await world.addNote("a", "n1", "{}")
      let long = String(repeating: "x", count: 257)
      let seen = try await world.receipts.release([
        try opening("a", "m1", grant, [long]), try opening("a", "m1", grant, ["deep", "n1"]),
        try opening("a", "m2", second, ["nul\0"]), try opening("a", "m2", second, ["n1"]),
      ])
      #expect(seen.map { $0.failure?.state } == [SQLState("MD003"), nil, nil, nil])
      #expect(seen[1].rows == [-1, 1] && seen[3].rows == [1])
      #expect(seen[2].failure == .parameter(.nulInText(parameter: 9)))
      #expect(seen[1].records.count == 2 && seen[3].records == ["n1: \(second.prefix(30))|n1"])
      #expect(try await world.number("SELECT count(*) FROM mana_ai.decrypt_audit") == 3)
    }
  }

  @Test("Units hold 32 missions and 1,000 records at most, by the bytes of their users, each mission once")
  func units() throws {
    let users = ["é", "b", "B", "a", "_"]
    let many = try (0..<100).map { try opening(users[$0 % 5], "m\($0)", newID(), ["n"]) }
    let units = try ReceiptUnit.units(of: many)
    #expect(units.map(\.places.count) == [32, 32, 32, 4])
    #expect(Set(units.flatMap(\.places)) == Set(0..<100))
    #expect(
      units.flatMap(\.places).map { many[$0].scope.user.text }.reduce(into: []) { seen, user in
        if seen.last != user { seen.append(user) }
      } == ["B", "_", "a", "b", "é"])
    let large = try (0..<3).map { _ in try opening("a", "m", newID(), (0..<400).map { "n\($0)" }) }
    #expect(try ReceiptUnit.units(of: large).map(\.places.count) == [2, 1])
    let tooLarge = try opening("a", "m", newID(), (0...1000).map { "n\($0)" })
    #expect(throws: ReceiptUnit.Problem.tooManyRecords(place: 1)) { try ReceiptUnit.units(of: [many[0], tooLarge]) }
    #expect(throws: ReceiptUnit.Problem.noRecords(place: 0)) {
      try ReceiptUnit.units(of: [try opening("a", "m", newID(), [])])
    }
    #expect(throws: EmptyUser.self) { try UserScope(Identifier("")) }
  }

  @Test(
    "32 missions with 1,000 records in one round trip: each has its receipt and its share", arguments: Road.allCases)
  func fullUnit(road: Road) async throws {
    try await World.with(road) { world in
      var openings: [MissionOpening] = []
      for number in 0..<32 {
        let user = "u\(number % 8)"
        if number < 8 { try await world.addUser(user) }
        let records = (0..<(number == 0 ? 39 : 31)).map { "n\($0)" }
        let grant = newID()
        _ = try await world.admin.query(
          Self.bulk.bind(.text(grant), .text(user), .text("m\(number)"), .int8(Int64(records.count))))
        openings.append(try opening(user, "m\(number)", grant, records))
      }
      #expect(try ReceiptUnit.units(of: openings).count == 1)
      let seen = try await world.receipts.release(openings)
      #expect(seen.flatMap(\.receipts).count == 1000 && Set(seen.flatMap(\.receipts)).count == 1000)
      #expect(seen.allSatisfy { $0.failure == nil })
      #expect(try await world.number("SELECT count(*) FROM mana_ai.decrypt_audit WHERE status = 'ok'") == 1000)
    }
  }

  private static let bulk = Statement(
    """
    WITH d AS (SELECT date_trunc('milliseconds', now()) AS issued), g AS (
      INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at,
        expires_at, renewable_until)
      SELECT $1, $2, $3, 'v2', repeat('ab', 16), decode(repeat('5a', 256), 'hex'),
        mana_ai.grant_claims($1, repeat('ab', 16), $2, $3, d.issued, d.issued + interval '1 day',
          convert_to(repeat('0f', 32), 'UTF8')), d.issued, d.issued + interval '1 day', d.issued + interval '30 days'
      FROM d)
    INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key)
    SELECT $1, $2, 'notes', 'n' || i, decode(repeat('5a', 60), 'hex') FROM generate_series(0, $4 - 1) AS i
    """, .text, .text, .text, .int8)

  @Test("A failure is appended once, for its own receipt, and becomes the chain's end", arguments: Road.allCases)
  func failures(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m1", ["n1", "n2"])
      let receipts = world.receipts
      let seen = try await receipts.release([try opening("a", "m1", grant, ["n1", "n2"])])
      let ids = seen[0].receipts
      let appended = try await receipts.fail([
        ReceiptFailure(ids[1], .notSealedYet), ReceiptFailure(ids[0], .decryptFailed),
      ]).get()
      #expect(appended.map(\.receipt) == [ids[1], ids[0]] && appended.map(\.head.seq) == [3, 4])
      #expect(try await receipts.fail([ReceiptFailure(ids[0], .decryptFailed)]).get().isEmpty)
      #expect(
        try await world.committed(ids[0].batch) == [
          "n1 ok", "n2 ok", "n2 failed not-sealed-yet", "n1 failed decrypt-failed",
        ])
      let queued = try await world.number(
        "SELECT count(*) FROM mana_ai.change_queue WHERE topic = 'seal' AND record_id = 'n2'")
      #expect(queued == 1)
      for reason in AuditReason.allCases {
        let again = try await receipts.release([try opening("a", "m1", grant, ["n1"])])
        #expect(try await receipts.fail([ReceiptFailure(again[0].receipts[0], reason)]).get().count == 1, "\(reason)")
      }
    }
  }
}
