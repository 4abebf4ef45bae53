// How grants end: by their user, with their time, with their mission, with the key that they were made from, with the
// account. In every case in the transaction that is the reason for it.

import Contracts
import Postgres
import Secrets
import Store
import StoreSupport
import Testing

@testable import GrantIssuer

@Suite struct EndingTests {
  @Test("A revoked grant opens nothing from then on, and revoking again says the same", arguments: Road.allCases)
  func revokes(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      let key = try masterKey(try json(await office.issuer.fetchKey(of: anna)))
      let grant = try await office.issuer.issueGrant(try wish("m", ["n1", "n2"]), by: anna).get()
      let id = try #require(grant["grantId"]?.text)
      #expect(try await office.openAll("anna", "m", id, ["n1"], under: key) == ["n1 opened"])
      let first = try await office.issuer.revokeGrant(mission: "m", by: anna).get().json
      #expect(first["revoked"] == .bool(true) && first["draining"] == nil)
      let read = try await office.texts(
        "SELECT to_char(max(ts) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') FROM mana_ai.decrypt_audit")
      #expect(first["lastRead"]?.text == read.first)
      #expect(try await office.openAll("anna", "m", id, ["n1"], under: key) == ["n1 revoked"])
      #expect(try await office.issuer.revokeGrant(mission: "m", by: anna).get().json == first)
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grant_keys") == 0)
      #expect(try await office.lines("anna").filter { $0.hasPrefix("grant_revoke") } == ["grant_revoke/200/grant=*"])
      let listed = try await office.issuer.listGrants(of: anna).get()["grants"]?.array
      #expect(listed?.count == 1 && listed?[0]["closedReason"] == .string("user"))
      #expect(listed?[0]["reads"]?.number?.integer == 1 && listed?[0]["lastRead"] == first["lastRead"])
      #expect(listed?[0]["recordIds"]?.texts == ["notes:n1", "notes:n2"])
    }
  }

  @Test(
    "Revoking what was never granted, and somebody else's mission, says so and changes nothing",
    arguments: Road.allCases)
  func revokesNothing(road: Road) async throws {
    try await Office.with(road: road) { office in
      let (anna, bert) = (try await office.addUser("anna"), try await office.addUser("bert"))
      _ = try await office.issuer.issueGrant(try wish("m", ["n1"]), by: bert).get()
      let before = try await office.counts()
      for mission in ["m", "other"] {
        #expect(
          try await office.issuer.revokeGrant(mission: mission, by: anna).get().json.compactText()
            == #"{"revoked":false,"revokedAt":null,"lastRead":null}"#)
      }
      #expect(await office.issuer.revokeGrant(mission: "a\u{0}", by: anna).isBadRequest)
      #expect(try await office.counts() == before)
    }
  }

  @Test(
    "A revocation that meets an opening in flight says that it is still draining, and is in force all the same",
    arguments: Road.allCases)
  func drains(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      let grant = try await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna).get()
      let id = try #require(grant["grantId"]?.text)
      let (held, release) = AsyncStream<Void>.makeStream()
      let (isHeld, signal) = AsyncStream<Void>.makeStream()
      async let holder: Void = office.admin.withTransaction { transaction throws(PostgresError) in
        _ = try await transaction.query(
          Statement("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 1))::text", .text).bind(.text(id)))
        signal.finish()
        for await _ in held {}
      }
      for await _ in isHeld {}
      let answer = try await office.issuer.revokeGrant(mission: "m", by: anna).get().json
      release.finish()
      try await holder
      #expect(answer["draining"] == .bool(true) && answer["revoked"] == .bool(true))
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grants WHERE closed_at IS NULL") == 0)
    }
  }

  @Test(
    "If the vault's change fails, no grant is closed; if a grant can't be closed, the vault does not change",
    arguments: Road.allCases)
  func oneTransaction(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      _ = try await office.issuer.setRecovery(try .sample, by: anna).get()
      let key = try json(await office.issuer.fetchKey(of: anna))
      _ = try await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna).get()
      let before = try await office.counts()
      let breakages = [
        "ALTER TABLE auth.encryption_vaults ADD CONSTRAINT broken CHECK (rotated_at IS NULL AND NOT zero_knowledge)",
        "ALTER TABLE mana_ai.grants ADD CONSTRAINT broken CHECK (closed_at IS NULL)",
        "ALTER TABLE auth.encryption_vault_audit ADD CONSTRAINT broken CHECK (action = 'fetch') NOT VALID",
      ]
      for breakage in breakages {
        try await office.script(breakage)
        #expect(problem(await office.issuer.rotateKey(of: anna))?.status == 500)
        #expect(await office.issuer.changeZeroKnowledge(.enter, by: anna).problem?.status == 500)
        if !breakage.contains("vaults ") {
          #expect(await office.issuer.issueGrant(try wish("m", ["n2"]), by: anna).problem?.status == 500)
        }
        #expect(try await office.counts() == before, "\(breakage)")
        #expect(try json(await office.issuer.fetchKey(of: anna)) == key)
        try await office.script(
          String(breakage.prefix { $0 != "(" }.replacing("ADD", with: "DROP").replacing(" CHECK ", with: "")))
      }
      #expect(problem(await office.issuer.rotateKey(of: anna)) == nil)
    }
  }

  @Test(
    "A deleted account leaves no row, its grants open nothing, and its neighbours keep theirs", arguments: Road.allCases
  )
  func deletes(road: Road) async throws {
    try await Office.with(road: road) { office in
      let (anna, bert) = (try await office.addUser("anna"), try await office.addUser("bert"))
      let key = try masterKey(try json(await office.issuer.fetchKey(of: anna)))
      let grant = try await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna).get()
      _ = try await office.issuer.issueGrant(try wish("m", ["n1"]), by: bert).get()
      let id = try #require(grant["grantId"]?.text)
      #expect(try await office.openAll("anna", "m", id, ["n1"], under: key) == ["n1 opened"])
      let answer = try await office.issuer.deleteUser(anna).get()
      #expect(answer["deleted"] == .bool(true) && answer["lastSeq"]?.number?.integer == 1)
      #expect(try await office.openAll("anna", "m", id, ["n1"], under: key) == ["n1 unknown-grant"])
      for table in [
        "auth.encryption_vaults", "auth.encryption_vault_audit", "mana_ai.grants", "mana_ai.grant_keys",
        "public.sync_changes",
      ] {
        #expect(try await office.number("SELECT count(*) FROM \(table) WHERE user_id = 'anna'") == 0, "\(table)")
        #expect(try await office.number("SELECT count(*) FROM \(table) WHERE user_id = 'bert'") > 0, "\(table)")
      }
      #expect(try await office.issuer.deleteUser(anna).get()["deleted"] == .bool(true))
      #expect(problem(await office.issuer.fetchKey(of: anna)) == .vaultNotInitialised)
    }
  }

  @Test("Grants whose time is over are closed, and no others", arguments: Road.allCases)
  func expires(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      for mission in ["old", "young"] {
        _ = try await office.issuer.issueGrant(try wish(mission, ["n1"]), by: anna).get()
      }
      try await office.script(
        """
        UPDATE mana_ai.grants AS g SET issued_at = g.issued_at - interval '8 days', expires_at = g.expires_at - interval '8 days',
          claims = mana_ai.grant_claims(g.grant_id, g.key_id, g.user_id, g.mission_id, g.issued_at - interval '8 days',
            g.expires_at - interval '8 days', substring(g.claims FROM octet_length(g.claims) - 63))
        WHERE g.mission_id = 'old'
        """)
      await Housekeeping(office.issuer).closeExpiredNow()
      let grants = try await office.texts(
        "SELECT mission_id || ' ' || coalesce(closed_reason, 'open') FROM mana_ai.grants ORDER BY mission_id COLLATE \"C\""
      )
      #expect(grants == ["old expired", "young open"])
    }
  }
}

extension Result where Failure == IssuerProblem {
  var isBadRequest: Bool { if case .failure(.badRequest) = self { true } else { false } }
}
