// Failures of openings are appended in spite of what else goes on: after collisions, and beside others that can't be.

import Contracts
import Postgres
import Store
import StoreSupport
import Testing

@Suite struct FailingTests {
  /// Before each failure's row, `condition` decides whether its transaction ends with this error. What a sequence has
  /// given out stays given out.
  private static func breaking(_ condition: String, _ state: String) -> String {
    """
    CREATE SEQUENCE public.tries;
    CREATE FUNCTION public.breaks() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      IF NEW.of_seq IS NOT NULL AND \(condition) THEN RAISE EXCEPTION 'no' USING ERRCODE = '\(state)'; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER breaks BEFORE INSERT ON mana_ai.decrypt_audit FOR EACH ROW EXECUTE FUNCTION public.breaks()
    """
  }

  private func tries(_ world: World) async throws -> Int64 {
    try await world.number("SELECT last_value FROM public.tries")
  }

  @Test("After collisions a failure is appended all the same", arguments: Road.allCases, ["40P01", "40001", "55P03"])
  func collisions(road: Road, state: String) async throws {
    try await World.with(road) { world in
      try await world.addUser("a")
      let grant = try await world.addGrant("a", "m", ["n1"])
      let receipts = world.receipts
      let id = try await receipts.release([try opening("a", "m", grant, ["n1"])])[0].receipts[0]
      try await world.script(Self.breaking("nextval('public.tries') <= 3", state))
      let report = await receipts.fail([ReceiptFailure(id, .decryptFailed)])
      #expect(report.error == nil && report.unwritten == 0)
      #expect(report.appended.map(\.receipt) == [id] && report.appended.map(\.head.seq) == [2])
      #expect(try await world.committed(id.batch) == ["n1 ok", "n1 failed decrypt-failed"])
      #expect(try await tries(world) == 4)
    }
  }

  @Test(
    "What collides for ever, and what is refused, is told after a limited number of tries", arguments: Road.allCases)
  func forEver(road: Road) async throws {
    for (state, expected) in [("40P01", Int64(10)), ("23514", 1)] {
      try await World.with(road) { world in
        try await world.addUser("a")
        let grant = try await world.addGrant("a", "m", ["n1"])
        let receipts = world.receipts
        let id = try await receipts.release([try opening("a", "m", grant, ["n1"])])[0].receipts[0]
        try await world.script(Self.breaking("nextval('public.tries') > 0", state))
        let report = await receipts.fail([ReceiptFailure(id, .decryptFailed)])
        #expect(report.error != nil && report.unwritten == 1 && report.appended.isEmpty)
        #expect(throws: PostgresError.self) { try report.get() }
        #expect(try await tries(world) == expected)
      }
    }
  }

  @Test("A thousand that can't be appended cost neither those before nor those behind them", arguments: Road.allCases)
  func blocks(road: Road) async throws {
    try await World.with(road) { world in
      let receipts = world.receipts
      var failures: [ReceiptFailure] = []
      for user in ["a", "b", "c"] {
        try await world.addUser(user)
        let records = (0..<1_000).map { "n\($0)" }
        let grant = try await world.addGrant(user, "m", records)
        let seen = try await receipts.release([try opening(user, "m", grant, records)])
        failures += seen[0].receipts.map { ReceiptFailure($0, .decryptFailed) }
      }
      try await world.script(Self.breaking("NEW.user_id = 'b'", "23514"))
      let report = await receipts.fail(failures)
      #expect(report.appended.map(\.receipt) == failures.filter { $0.receipt.user.text != "b" }.map(\.receipt))
      #expect(report.unwritten == 1_000 && report.error != nil)
      #expect(report.appended.last?.head.seq == 2_000)
    }
  }
}
