// What a user reads about themself: the audit, folded and as a chain that can be recomputed, missions and records.

import Contracts
import Cryptography
import Foundation
import Grants
import Postgres
import Secrets
import Store
import StoreSupport
import Testing

@testable import GrantIssuer

@Suite struct ReadTests {
  private func query(_ limit: String? = nil, before: String? = nil, mission: String? = nil) throws -> AuditQuery {
    try AuditQuery(missionId: mission, limit: limit, before: before)
  }

  @Test("Each read is one entry with the last thing known of it, newest first, in pages", arguments: Road.allCases)
  func folded(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      let key = try masterKey(try json(await office.issuer.fetchKey(of: anna)))
      let id = try GrantV2(try await office.issuer.issueGrant(try wish("m", ["n1", "n2", "n3"]), by: anna).get())
        .claims.grantId.text
      _ = try await office.openAll("anna", "m", id, ["n1", "n2", "n3", "n4"], under: key)
      try await office.script(
        """
        SELECT f FROM mana_ai.decrypt_audit AS a,
          mana_ai.fail_receipts(ARRAY[a.batch], ARRAY['anna'], ARRAY[a.seq], ARRAY['decrypt-failed']) AS f
        WHERE a.record_id = 'n2';
        INSERT INTO mana_ai.decrypt_audit (user_id, mission_id, table_name, record_id, status, ts)
        VALUES ('anna', 'old', 'notes', 'before', 'ok', now() - interval '1 year')
        """)
      let rows = try #require(try await office.issuer.readAudit(try query(), of: anna).get()["rows"]?.array)
      let seen = rows.map { row in
        [
          row["recordId"]?.text, row["status"]?.text, row["reason"]?.text ?? "-",
          row["keyReleased"]?.bool.map(String.init),
        ]
        .compactMap(\.self).joined(separator: " ")
      }
      #expect(
        seen == [
          "n4 scope-violation record-not-in-grant-allowlist false", "n3 ok - true", "n2 failed decrypt-failed true",
          "n1 ok - true", "before ok - false",
        ])
      var paged: [JSONValue] = []
      var before: String?
      repeat {
        let page = try #require(
          try await office.issuer.readAudit(try query("2", before: before), of: anna).get()["rows"]?.array)
        paged += page
        before = page.last?["id"]?.text
      } while before != nil
      #expect(paged == rows)
      let mission = try await office.issuer.readAudit(try query(mission: "old"), of: anna).get()["rows"]?.array
      #expect(mission == [rows[4]])
      #expect(
        try await office.issuer.readAudit(try query(), of: try caller("bert")).get().compactText() == #"{"rows":[]}"#)
    }
  }

  @Test("With chain=true every hash can be recomputed from what is answered", arguments: Road.allCases)
  func chain(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      let key = try masterKey(try json(await office.issuer.fetchKey(of: anna)))
      let id = try GrantV2(try await office.issuer.issueGrant(try wish("m", ["n1", "n2"]), by: anna).get())
        .claims.grantId.text
      _ = try await office.openAll("anna", "m", id, ["n1", "n2", "other"], under: key)
      let query = try AuditQuery(missionId: nil, limit: nil, chain: "true")
      let answer = try await office.issuer.readAudit(query, of: anna).get()
      var hash = AuditChain.start
      let rows = try #require(answer["rows"]?.array)
      for row in rows {
        hash = AuditChain.hash(
          after: hash,
          AuditEntry(
            user: Identifier(try #require(row["userId"]?.text)), seq: Int64(try #require(row["seq"]?.number?.integer)),
            timestamp: try #require(row["ts"]?.text), mission: try #require(row["missionId"]?.text),
            grant: row["grantId"]?.text, iteration: row["iterationId"]?.text,
            table: try #require(row["tableName"]?.text), record: try #require(row["recordId"]?.text),
            status: try #require(row["status"]?.text), reason: row["reason"]?.text, purpose: row["purpose"]?.text,
            batch: row["batch"]?.text, ofSeq: row["ofSeq"]?.number?.integer.map { Int64($0) }))
        #expect(row["hash"]?.text == Contracts.Hex.encode(hash))
      }
      #expect(rows.count == 3 && answer["head"]?["hash"]?.text == Contracts.Hex.encode(hash) && answer["cut"] == .null)
      let later = try AuditQuery(missionId: nil, limit: "1", chain: "true", after: "1")
      #expect(try await office.issuer.readAudit(later, of: anna).get()["rows"]?.array == [rows[1]])
      for wrong in ["x", "-1", "1.5", "99999999999999999999"] {
        #expect(throws: IssuerProblem.self) { try AuditQuery(missionId: nil, limit: nil, chain: "true", after: wrong) }
      }
    }
  }

  @Test("Missions and records come folded and still sealed, one's own alone", arguments: Road.allCases)
  func records(road: Road) async throws {
    try await Office.with(road: road) { office in
      let (anna, bert) = (try await office.addUser("anna"), try await office.addUser("bert"))
      try await office.addMission("anna", "m1", #"{"title":"enc:1:x"}"#)
      try await office.addMission("anna", "m2")
      try await office.addRecord("anna", "aiMissions", "m2", "{}", app: "ai", op: "delete")
      try await office.addRecord(
        "anna", "notes", "n1", #"{"title":"enc:1:new"}"#, op: "update", meta: #"{"title":"2026"}"#)
      let missions = try await office.issuer.listMissions(after: nil, of: anna).get()
      #expect(missions.compactText() == #"{"missions":[{"id":"m1","title":"enc:1:x"}],"next":null}"#)
      let query = try RecordsQuery(table: "notes", ids: ["n2", "n1", "never"])
      #expect(
        try await office.issuer.readRecords(query, of: anna).get().compactText()
          == #"{"records":[{"id":"n2"},{"id":"n1","title":"enc:1:new"}]}"#)
      #expect(try await office.issuer.listMissions(after: nil, of: bert).get()["missions"]?.array?.isEmpty == true)
      for table in ["aiMissions", "agents", "nothing"] {
        #expect(await office.issuer.readRecords(try RecordsQuery(table: table, ids: ["m1"]), of: anna).isBadRequest)
      }
      #expect(throws: IssuerProblem.self) { try RecordsQuery(table: "notes", ids: []) }
      #expect(throws: IssuerProblem.self) { try RecordsQuery(table: nil, ids: ["n1"]) }
      #expect(throws: IssuerProblem.self) { try RecordsQuery(table: "notes", ids: .init(repeating: "n", count: 201)) }
    }
  }

  @Test("The resolver's key is shown in both spellings, or its absence is", arguments: Road.allCases)
  func resolverKey(road: Road) async throws {
    try await Office.with(road: road) { office in
      let shown = try office.issuer.showResolverKey().get()
      #expect(shown["keyId"]?.text == Office.pair.publicKey.keyIdHex && shown["jwk"]?["kid"] == shown["keyId"])
      #expect(shown["pem"]?.text == Office.pair.publicKey.pem())
      let modulus = try #require(shown["jwk"]?["n"]?.text)
      let standard = modulus.replacing("-", with: "+").replacing("_", with: "/")
      let bytes = try #require(
        Data(base64Encoded: standard + String(repeating: "=", count: (4 - standard.count % 4) % 4)))
      #expect(bytes.count == 256 && bytes[0] >= 0x80)
      #expect(Array(Office.pair.publicKey.spki).firstRange(of: Array(bytes)) != nil)
      #expect(try office.issuer(resolverKey: nil).showResolverKey().problem == .grantNotConfigured)
    }
  }
}
