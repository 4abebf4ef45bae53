// The built issuer is killed in the middle of issuing: the database holds its transaction back at one of the tables that
// it writes, and once it is seen to wait there, SIGKILL ends it. What is left is the state before, or the whole deed.

import Contracts
import Foundation
import HTTPFetching
import StoreSupport
import Testing

@Suite struct KilledProcessTests {
  @Test(
    "Killed in the middle of issuing, the issuer leaves nothing that is half written",
    arguments: ["mana_ai.grants", "mana_ai.grant_keys", "auth.encryption_vault_audit"])
  func killed(table: String) async throws {
    try await IssuerProcess.with { issuer in
      #expect(try await issuer.ask(.post, HostileRow.vault + "/init", "", as: "anna").status == 200)
      try await issuer.script(
        """
        INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
        SELECT 'notes', 'notes', 'n' || i, 'anna', 'insert', '{}', 'device' FROM generate_series(1, 10) AS i
        """)
      #expect(try await issuer.ask(.post, HostileRow.issue, Self.wish(1...2), as: "anna").status == 200)
      let before = try await issuer.texts(Self.state)
      #expect(before == ["open 2 of 2, 1 lines"])

      let holder = Task {
        do { try await issuer.script("BEGIN; LOCK TABLE \(table) IN EXCLUSIVE MODE; SELECT pg_sleep(600)") } catch {
          return true
        }
        return false
      }
      try await issuer.until("\(Self.locks) AND l.relation = '\(table)'::regclass AND l.granted")
      let asking = Task { try await issuer.ask(.post, HostileRow.issue, Self.wish(1...10), as: "anna").status }
      try await issuer.until("\(Self.waits) AND l.relation = '\(table)'::regclass AND NOT l.granted")
      issuer.signal(SIGKILL)
      #expect(await issuer.end() == 128 + SIGKILL)
      let answer = await asking.result
      #expect(throws: (any Error).self, "a dead issuer has answered") { try answer.get() }

      let released = try await issuer.texts(
        "SELECT pg_cancel_backend(l.pid)::text \(Self.locks) AND l.relation = '\(table)'::regclass AND l.granted")
      #expect(released == ["true"])
      #expect(await holder.value)
      try await issuer.until("FROM pg_stat_activity AS a WHERE a.usename = 'mandate_issuer'", isThere: false)
      let after = try await issuer.texts(Self.state)
      print("killed at \(table): \(after == before ? "nothing was done" : "all was done")")
      #expect(after == before || after == ["open 10 of 10, 2 lines", "superseded 0 of 2, 2 lines"])
    }
  }

  private static func wish(_ notes: ClosedRange<Int>) -> String {
    #"{"missionId":"m","tables":["notes"],"recordIds":[\#(notes.map { "\"notes:n\($0)\"" }.joined(separator: ","))]}"#
  }

  /// Each grant with the shares that it has and should have, and the lines that the log has of grants.
  private static let state = """
    SELECT coalesce(g.closed_reason, 'open') || ' ' || (SELECT count(*) FROM mana_ai.grant_keys AS k
        WHERE k.grant_id = g.grant_id) || ' of ' || cardinality(g.record_ids) || ', '
      || (SELECT count(*) FROM auth.encryption_vault_audit AS a WHERE a.action = 'grant_issue' AND a.status = 200)
      || ' lines'
    FROM mana_ai.grants AS g ORDER BY 1
    """
  private static let locks = "FROM pg_locks AS l WHERE l.mode = 'ExclusiveLock'"
  private static let waits = "FROM pg_locks AS l WHERE l.mode <> 'ExclusiveLock'"
}

extension IssuerProcess {
  /// Asks the database until it has such rows, or none any more; each round is a round trip, and there is an end to them.
  fileprivate func until(_ rows: String, isThere: Bool = true) async throws {
    for _ in 0..<20_000 {
      let found = try await texts("SELECT 'row' \(rows) LIMIT 1")
      if found.isEmpty != isThere { return }
    }
    Issue.record("the database never came to that: \(rows)")
  }
}
