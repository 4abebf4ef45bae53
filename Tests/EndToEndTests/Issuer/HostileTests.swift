// The table of hostile inputs over real sockets: each row's status, its code, and that nothing changed where it was
// refused. At the end the issuer still serves, and its log holds nothing of what was sent.

import Contracts
import Foundation
import HTTPFetching
import Testing

@Suite struct HostileTests {
  @Test("Whatever is sent, the answer is the one that is promised, and what is refused changes nothing")
  func table() async throws {
    try await IssuerProcess.with { issuer in
      for user in ["anna", "bert", "zoe"] { try await prepare(user, issuer) }
      try await prepareOthers(issuer)
      let rows = try HostileRows.all(issuer.signer)
      var (refused, accepted) = (0, 0)
      for row in rows {
        // The limits are about somebody's pace; these rows are about what is said.
        try await issuer.script("UPDATE auth.encryption_vault_audit SET created_at = created_at - interval '2 hours'")
        let before = try await issuer.counts()
        let answer = try await issuer.ask(
          row.method, row.path, bytes: row.body, as: row.user, headers: row.headers, inside: row.inside)
        #expect(answer.status == row.status, "\(row.name): \(answer.status) \(answer.body.prefix(200))")
        #expect(answer.code == row.code, "\(row.name): \(answer.body.prefix(200))")
        let after = try await issuer.counts()
        #expect((after != before) == row.changes, "\(row.name): \(zip(before, after).filter { $0 != $1 })")
        if answer.status == 401 || answer.status == 500, !row.inside {
          #expect(answer.json["statusCode"]?.number?.integer == answer.status && answer.json["message"] != nil)
        }
        if answer.status >= 400 { refused += 1 } else { accepted += 1 }
      }
      print("hostile inputs: \(rows.count) rows, \(refused) refused, \(accepted) accepted")
      #expect(rows.count >= 150 && refused >= 150 && accepted >= 10)
      #expect(try await issuer.ask(.get, "/health", inside: true).status == 200)
      #expect(try await issuer.ask(.get, HostileRow.vault + "/key", as: "bert").status == 200)
    }
  }

  private func prepare(_ user: String, _ issuer: IssuerProcess) async throws {
    #expect(try await issuer.ask(.post, HostileRow.vault + "/init", "", as: user).status == 200)
    try await issuer.script(
      """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
      SELECT 'notes', 'notes', r, '\(user)', 'insert', '{}', 'device' FROM unnest(ARRAY['n1', 'n2', 'n3']) AS r
      """)
  }

  private func prepareOthers(_ issuer: IssuerProcess) async throws {
    try await issuer.script(
      """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id) VALUES
        ('notes', 'notes', 'berts', 'bert', 'insert', '{}', 'device'),
        ('ai', 'aiMissions', 'berts-mission', 'bert', 'insert', '{}', 'device'),
        ('notes', 'notes', 'gone', 'anna', 'insert', '{}', 'device'),
        ('notes', 'notes', 'gone', 'anna', 'delete', '{}', 'device'),
        ('todo', 'notes', 'elsewhere', 'anna', 'insert', '{}', 'device'),
        ('notes', 'notes', E'caf\\u00E9', 'anna', 'insert', '{}', 'device'),
        ('ai', 'aiMissions', 'gone-mission', 'anna', 'insert', '{}', 'device'),
        ('ai', 'aiMissions', 'gone-mission', 'anna', 'delete', '{}', 'device');
      INSERT INTO auth.users (id) VALUES ('yara');
      INSERT INTO auth.encryption_vaults (user_id, recovery_wrapped_mk, recovery_iv, zero_knowledge)
      VALUES ('yara', 'r', 'i', true);
      """)
    let wish = #"{"missionId":"berts-grant","tables":["notes"],"recordIds":["notes:n1"]}"#
    #expect(try await issuer.ask(.post, HostileRow.issue, wish, as: "bert").status == 200)
    let pair = #"{"recoveryWrappedMk":"d3JhcA==","recoveryIv":"aXY="}"#
    #expect(try await issuer.ask(.post, HostileRow.vault + "/recovery-wrap", pair, as: "zoe").status == 200)
    #expect(
      try await issuer.ask(.post, HostileRow.vault + "/zero-knowledge", #"{"enable":true}"#, as: "zoe").status == 200)
  }
}
