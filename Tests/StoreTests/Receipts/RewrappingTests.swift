// The exchange of wraps as the resolver's command does it: pages, counts, and a row that is not what it was.

import Contracts
import Postgres
import Store
import StoreSupport
import Testing

@Suite struct RewrappingTests {
  private static let (oldKey, newKey) = (String(repeating: "ab", count: 16), String(repeating: "cd", count: 16))
  private static let newWrap = [UInt8](repeating: 0x33, count: 256)
  private static let wanted = Statement(
    """
    SELECT mana_ai.grant_claims(g.grant_id, $2, g.user_id, g.mission_id, g.issued_at, g.expires_at,
      convert_to(repeat('0f', 32), 'UTF8')) FROM mana_ai.grants AS g WHERE g.grant_id = $1
    """, .text, .text)
  private static let key = Statement("SELECT g.key_id FROM mana_ai.grants AS g WHERE g.grant_id = $1", .text)

  @Test("Every open grant of a key comes once, in pages by id, and is counted", arguments: Road.allCases)
  func pages(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let rewrapping = GrantRewrapping(world.resolver)
      #expect(try await rewrapping.count(ofKey: Self.oldKey) == 0)
      #expect(try await rewrapping.page(ofKey: Self.oldKey, after: nil).isEmpty)
      var grants: [String] = []
      for number in 0..<5 { grants.append(try await world.addGrant("a", "m\(number)", ["n1"])) }
      grants.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      #expect(try await rewrapping.count(ofKey: Self.oldKey) == 5)
      #expect(try await rewrapping.count(ofKey: Self.newKey) == 0)
      let page = try await rewrapping.page(ofKey: Self.oldKey, after: nil)
      #expect(page.map(\.grant.text) == grants && page.allSatisfy { $0.user == Identifier("a") })
      let rest = try await rewrapping.page(ofKey: Self.oldKey, after: page[2].grant)
      #expect(rest.map(\.grant.text) == Array(grants[3...]))
    }
  }

  @Test("An exchange whose claims the database does not share leaves the row as it was", arguments: Road.allCases)
  func claims(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1"])
      let rewrapping = GrantRewrapping(world.resolver)
      let row = try #require(try await rewrapping.page(ofKey: Self.oldKey, after: nil).first)
      let error = try await failure { () async throws(any Error) in
        _ = try await rewrapping.exchange(
          row, ofKey: Self.oldKey, for: Self.newKey, wrappedKey: Self.newWrap, claims: row.claims)
      }
      #expect((error as? TransactionError<GrantRewrapping.Failure>) == .body(.claimsDiffer))
      #expect(try await rewrapping.page(ofKey: Self.oldKey, after: nil) == [row])
      let wanted = try await world.admin.query(Self.wanted.bind(.text(grant), .text(Self.newKey))).only()
        .get(0, as: [UInt8].self)
      for expected in [GrantRewrapping.Exchange.done, .changed] {
        let exchange = try await rewrapping.exchange(
          row, ofKey: Self.oldKey, for: Self.newKey, wrappedKey: Self.newWrap, claims: wanted)
        #expect(exchange == expected)
      }
      let key = try await world.admin.query(Self.key.bind(.text(grant))).only().get(0, as: String.self)
      #expect(key == Self.newKey)
    }
  }
}
