// The client is cut off at every boundary there is between its messages, and between the server's: whatever has left
// the database by then has its row on the log.

import Contracts
import Postgres
import PostgresSupport
import Store
import StoreSupport
import Testing

@Suite struct KilledClientTests {
  /// One unit over one fresh connection that is cut. Answers what was seen, and how many receipts are committed.
  private func run(
    _ world: World, _ socket: String, _ cut: Guillotine.Cut, _ grant: String
  ) async throws -> (sight: Guillotine.Sight, seen: [Seen], committed: Int64) {
    let guillotine = try Guillotine(
      before: socket, cut: cut, marker: Array(share(grant, "n1").prefix(40)))
    let pool = PostgresPool(
      try ConnectionConfiguration(
        url: guillotine.url(database: world.database.name, user: StoreRole.resolver.rawValue),
        pooler: world.road == .pooler ? .transaction : .none, applicationName: "mandate-tests"),
      limits: PoolLimits(minimum: 0, maximum: 1))
    let batch = newID()
    let receipts = Receipts(pool) { batch }
    let seen = try await receipts.release([try opening("a", "m", grant, ["n1", "n2"])])
    _ = await pool.drain(deadline: .after(.seconds(20)))
    let sight = await guillotine.result()
    let committed = try await world.number("SELECT count(*) FROM mana_ai.decrypt_audit WHERE batch = '\(batch)'")
    return (sight, seen, committed)
  }

  @Test(
    "Cut off at any message of open and redeem: a share that left the database has its committed row",
    arguments: Road.allCases)
  func everyBoundary(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1", "n2"])
      let cluster = try await TemporaryCluster.shared()
      // A pooler of its own, whose socket is known.
      let pooler = try await TemporaryPooler.start(before: cluster, users: [StoreRole.resolver.rawValue])
      let socket =
        switch road {
        case .direct: "\(cluster.socketFolder)/.s.PGSQL.\(TemporaryCluster.socketPort)"
        case .pooler: try #require(Self.socket(in: pooler.url(database: world.database.name)))
        }
      let whole = try await run(world, socket, .never, grant)
      #expect(whole.sight.left && whole.sight.arrived && whole.committed == 2 && !whole.sight.wasCut)
      #expect(whole.seen[0].records.count == 2)
      var (boundaries, left, arrived, unredeemed) = (0, 0, 0, 0)
      let rounds = Rounds.of(1)
      let everywhere =
        (0..<whole.sight.requests).map { Guillotine.Cut.afterRequests($0) }
        + (0..<whole.sight.answers).map { Guillotine.Cut.afterAnswers($0) }
      for (number, cut) in (0..<rounds).flatMap({ _ in everywhere }).enumerated() {
        let (sight, seen, committed) = try await run(world, socket, cut, grant)
        #expect(sight.wasCut, "\(cut)")
        #expect(committed == 0 || committed == 2, "\(cut): all rows of a unit or none")
        if sight.left { #expect(committed == 2, "\(cut): a share left the database") }
        // What our own code hands on is only what it has seen to its end.
        let receipts = seen.flatMap(\.receipts).count
        if receipts > 0 { #expect(sight.arrived && committed == 2, "\(cut)") }
        boundaries += 1
        Rounds.progress("killed client, \(road)", number + 1, of: rounds * everywhere.count)
        left += sight.left ? 1 : 0
        arrived += sight.arrived ? 1 : 0
        unredeemed += committed == 2 && !sight.left ? 1 : 0
      }
      print(
        "killed client, \(road.rawValue): \(boundaries) boundaries; a share left the database at \(left), reached the "
          + "client at \(arrived), was withheld for a committed row at \(unredeemed)")
      #expect(boundaries == rounds * everywhere.count && everywhere.count > 30)
      #expect(left > 0 && left < boundaries && unredeemed > 0)
      try await pooler.end()
    }
  }

  /// The path of the socket that a URL names by folder and port.
  private static func socket(in url: String) -> String? {
    guard let match = url.firstMatch(of: /host=([^&]+)&port=([0-9]+)/) else { return nil }
    return "\(match.1)/.s.PGSQL.\(match.2)"
  }
}
