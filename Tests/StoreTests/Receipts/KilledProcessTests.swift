// The same promise as with a cut connection, with a client that is a process and gets SIGKILL: before each statement
// of open and redeem, and behind it while nobody has read the answer.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct KilledProcessTests {
  private enum Death: CaseIterable {
    /// The statement before has been answered.
    case before
    /// The statement is sent, and its answer is not waited for.
    case during
  }

  @Test(
    "Killed at any statement of open and redeem, a share that the process got has its committed row",
    arguments: Road.allCases)
  func everyStatement(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1", "n2"])
      let url = try await world.database.url(StoreRole.resolver.rawValue, road)
      let rounds = Rounds.of(1)
      var (boundaries, released, withheld) = (0, 0, 0)
      for round in 1...rounds {
        let steps = Self.steps(newID(), grant).count
        for (at, death) in (0...steps).flatMap({ at in Death.allCases.map { (at, $0) } })
        where at < steps || death == .before {
          let batch = newID()
          let client = try PSQL(url)
          let statements = Self.steps(batch, grant)
          for statement in statements[..<at] { _ = try await client.say(statement) }
          if death == .during { try client.send(statements[at]) }
          client.kill()
          let got = await client.everything().contains { $0.contains(Self.share) }
          let committed = try await world.committed(batch).count
          #expect(committed == 0 || committed == 2, "\(death) \(at): all rows of a unit or none")
          if got { #expect(committed == 2, "\(death) \(at): it got a share") }
          boundaries += 1
          released += got ? 1 : 0
          withheld += committed == 2 && !got ? 1 : 0
        }
        Rounds.progress("killed processes, \(road)", round, of: rounds)
      }
      print(
        "killed process, \(road): \(boundaries) boundaries; a share was released at \(released), withheld for a committed "
          + "row at \(withheld)")
      #expect(boundaries == rounds * 13 && released > 0 && withheld > 0)
    }
  }

  private static let share = "the share of n1"

  /// The six statements of a unit, as a client sends them one by one.
  private static func steps(_ batch: String, _ grant: String) -> [String] {
    [
      "BEGIN;",
      """
      SELECT o.status FROM mana_ai.open_receipts('{\(batch)}', '{a}', '{m}', '{\(grant)}', '{i}', '{p}', '{f}', '{1,1}', \
      '{notes,notes}', '{n1,n2}', '{NULL,NULL}', '{NULL,NULL}') AS o;
      """, "COMMIT;", "BEGIN;",
      """
      SELECT 'the share of ' || r.record_id FROM mana_ai.redeem_receipts('{\(batch)}', '{a}') AS r \
      WHERE r.share IS NOT NULL;
      """, "COMMIT;",
    ]
  }
}
