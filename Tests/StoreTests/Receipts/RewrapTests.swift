// Moving grants to another resolver key, and a grant whose time runs out between opening and redeeming.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct RewrapTests {
  private static let listing = Statement(
    "SELECT l.grant_id FROM mana_ai.rewrap_list($1, $2, $3) AS l", .text, .text, .int4)
  private static let moving = Statement(
    "SELECT mana_ai.rewrap_grant($1, $2, $3, $4, $5, $6)", .text, .text, .text, .bytea, .text, .bytea)
  private static let substance = Statement(
    """
    SELECT concat_ws('|', g.grant_id, g.user_id, g.mission_id, g.version, g.issued_at, g.expires_at, g.renewable_until)
    FROM mana_ai.grants AS g WHERE g.grant_id = $1
    """, .text)
  private static let wanted = Statement(
    """
    SELECT mana_ai.grant_claims(g.grant_id, $2, g.user_id, g.mission_id, g.issued_at, g.expires_at,
      convert_to(repeat('0f', 32), 'UTF8')) FROM mana_ai.grants AS g WHERE g.grant_id = $1
    """, .text, .text)
  private static let (oldKey, newKey) = (String(repeating: "ab", count: 16), String(repeating: "cd", count: 16))
  private static let (oldWrap, newWrap) = ([UInt8](repeating: 0x5A, count: 256), [UInt8](repeating: 0x33, count: 512))

  private func list(_ world: World, _ key: String, after: String = "") async throws -> [String] {
    try await world.resolver.query(Self.listing.bind(.text(key), .text(after), .int4(3))).map { try $0.get(0) }
  }

  private func move(
    _ world: World, _ user: String, _ grant: String, _ key: String = oldKey, _ wrap: [UInt8] = oldWrap,
    to newKey: String = newKey, _ newWrap: [UInt8] = newWrap
  ) async throws -> [UInt8]? {
    let row = try await world.resolver.query(
      Self.moving.bind(.text(user), .text(grant), .text(key), .bytes(wrap), .text(newKey), .bytes(newWrap))
    ).only()
    return row.isNull(0) ? nil : try row.get(0) as [UInt8]
  }

  @Test(
    "Rewrapping changes the key and nothing else, once, and only if the row is still what was opened",
    arguments: Road.allCases)
  func rewrap(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      var grants: [String] = []
      for number in 0..<5 { grants.append(try await world.addGrant("a", "m\(number)", ["n1"])) }
      grants.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      let closed = try await GrantClosing(world.issuer).close(try scope("a"), grants: [grants[4]], reason: .user)
      #expect(closed.closed.count == 1)
      // What is listed is open, under this key, in the order of the ids, page by page.
      #expect(try await list(world, Self.oldKey) == Array(grants[..<3]))
      #expect(try await list(world, Self.oldKey, after: grants[2]) == [grants[3]])
      #expect(try await list(world, Self.newKey).isEmpty)

      let grant = grants[0]
      let before = try await world.admin.query(Self.substance.bind(.text(grant))).only().get(0, as: String.self)
      let zeros = [UInt8](repeating: 0, count: 256)
      let attempts: [(String, String, String, [UInt8])] = [
        ("b", grant, Self.oldKey, Self.oldWrap), ("a", grant, Self.newKey, Self.oldWrap),
        ("a", grant, Self.oldKey, zeros),
        ("a", grants[4], Self.oldKey, Self.oldWrap), ("a", "x", Self.oldKey, Self.oldWrap),
      ]
      for (user, id, key, wrap) in attempts {
        let moved = try await move(world, user, id, key, wrap)
        #expect(moved == nil, "\(user) \(id) \(key)")
      }
      // The claims come from the row: nothing that the caller says is in them but the key's id.
      let wanted = try await world.admin.query(Self.wanted.bind(.text(grant), .text(Self.newKey))).only()
        .get(0, as: [UInt8].self)
      #expect(try await move(world, "a", grant) == wanted)
      #expect(try await world.admin.query(Self.substance.bind(.text(grant))).only().get(0, as: String.self) == before)
      #expect(try await move(world, "a", grant) == nil, "a second time")
      #expect(try await list(world, Self.newKey) == [grant])
      for (key, wrap) in [("short", Self.newWrap), (Self.newKey, [0x78])] {
        let error = try await failure { () async throws(any Error) in
          _ = try await move(world, "a", grants[1], to: key, wrap)
        }
        #expect((error as? PostgresError)?.state == .checkViolation, "\(key)")
      }
      // What is released from now on is the new wrap with its claims.
      let seen = try await world.receipts.release([try opening("a", missionOf(world, grant), grant, ["n1"])])
      #expect(seen[0].grants.map(\.wrappedKey) == [Self.newWrap] && seen[0].grants.map(\.claims) == [wanted])
    }
  }

  private func missionOf(_ world: World, _ grant: String) async throws -> String {
    try await world.admin.query(
      Statement("SELECT g.mission_id FROM mana_ai.grants AS g WHERE g.grant_id = $1", .text).bind(.text(grant))
    ).only().get(0)
  }

  @Test("Of two that rewrap the same grant at once, one does", arguments: Road.allCases)
  func twoAtOnce(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      for round in 0..<10 {
        let grant = try await world.addGrant("a", "m\(round)", ["n1"])
        async let one = move(world, "a", grant)
        async let other = move(world, "a", grant)
        let both = try await [one, other]
        #expect(both.count { $0 != nil } == 1)
      }
    }
  }

  // MARK: Expiry

  /// The same grant with less time left: what a clock does, without waiting for it.
  private static let expire = Statement(
    """
    UPDATE mana_ai.grants AS g SET expires_at = d.at, claims = mana_ai.grant_claims(g.grant_id, g.key_id, g.user_id,
      g.mission_id, g.issued_at, d.at, substring(g.claims FROM octet_length(g.claims) - 63))
    FROM (SELECT date_trunc('milliseconds', clock_timestamp() + $2::interval) AS at) AS d WHERE g.grant_id = $1
    """, .text, .text)

  @Test(
    "A grant that expires between opening and redeeming releases nothing and says why, by the database's clock",
    arguments: Road.allCases)
  func expiring(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      for left in ["-1 millisecond", "20 milliseconds"] {
        let grant = try await world.addGrant("a", "m\(left)", ["n1", "n2"])
        let mission = RawMission(user: "a", mission: "m\(left)", grant: grant, records: ["n1", "n2"])
        #expect(try await world.resolver.query(Raw.open(mission)).texts() == ["ok", "ok"])
        let changed = try await world.admin.query(Self.expire.bind(.text(grant), .text(left))).affected
        #expect(changed == 1)
        #expect(
          try await world.becomesTrue(
            "SELECT count(*) FROM mana_ai.grants WHERE grant_id = '\(grant)' AND expires_at <= clock_timestamp()"))
        let rows = try await world.resolver.query(Raw.redeem(mission))
        #expect(try rows.texts(4) == ["expired", "expired"])
        #expect(try rows.released().isEmpty)
        // Nor does it open again, though nobody has closed it yet.
        let again = RawMission(user: "a", mission: "m\(left)", grant: grant, records: ["n1"])
        #expect(try await world.resolver.query(Raw.open(again)).texts() == ["failed expired"])
      }
      #expect(try await GrantClosing(world.issuer).closeExpired(limit: 10) == 2)
    }
  }
}
