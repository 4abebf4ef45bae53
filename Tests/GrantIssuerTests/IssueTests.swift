// What issuing promises: a grant that opens exactly what was named, or a refusal that leaves nothing but its line in the
// log.

import Contracts
import Cryptography
import Grants
import Postgres
import Secrets
import Store
import StoreSupport
import Testing

@testable import GrantIssuer

@Suite struct IssueTests {
  @Test(
    "A grant opens exactly the records that it names, through receipts and the resolver's private key",
    arguments: Road.allCases)
  func opensItsRecords(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      let key = try masterKey(try json(await office.issuer.fetchKey(of: anna)))
      let grant = try GrantV2(try await office.issuer.issueGrant(try wish("m1", ["n2", "n1", "n2"]), by: anna).get())
      #expect(grant.claims.scope.recordIds == ["notes:n1", "notes:n2"])
      #expect(grant.claims.keyId == Office.pair.publicKey.keyIdHex && grant.claims.user == anna.user)
      let opened = try await office.openAll("anna", "m1", grant.claims.grantId.text, ["n1", "n2", "n3"], under: key)
      #expect(opened == ["n1 opened", "n2 opened", "n3 record-not-in-grant-allowlist"])
      #expect(try await office.lines("anna").last == "grant_issue/200/grant=* scope=*")
      let stored = try await office.texts("SELECT array_to_string(g.record_ids, ' ') FROM mana_ai.grants AS g")
      #expect(stored == ["notes:n1 notes:n2"])
    }
  }

  @Test(
    "A new grant for a mission closes the former one, whose shares are gone in the same moment",
    arguments: Road.allCases)
  func supersedes(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      let key = try masterKey(try json(await office.issuer.fetchKey(of: anna)))
      let first = try await office.issuer.issueGrant(try wish("m1", ["n1", "n2"]), by: anna).get()
      let other = try await office.issuer.issueGrant(try wish("m2", ["n1"]), by: anna).get()
      let second = try await office.issuer.issueGrant(try wish("m1", ["n3"]), by: anna).get()
      let open = try await office.texts(
        "SELECT grant_id FROM mana_ai.grants WHERE closed_at IS NULL ORDER BY mission_id")
      #expect(open == [second, other].compactMap { $0["grantId"]?.text })
      #expect(
        try await office.texts("SELECT closed_reason FROM mana_ai.grants WHERE closed_at IS NOT NULL") == ["superseded"]
      )
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grant_keys") == 2)
      let late = try await office.openAll("anna", "m1", try #require(first["grantId"]?.text), ["n1"], under: key)
      #expect(late == ["n1 revoked"])
      let now = try await office.openAll("anna", "m1", try #require(second["grantId"]?.text), ["n3", "n1"], under: key)
      #expect(now == ["n3 opened", "n1 record-not-in-grant-allowlist"])
    }
  }

  static let lifetimes: [(member: String, milliseconds: Int64)] = [
    ("", 604_800_000), (#","ttlMs":null"#, 604_800_000), (#","ttlMs":"7200000""#, 604_800_000),
    (#","ttlMs":7200000"#, 7_200_000), (#","ttlMs":7200000.9"#, 7_200_000), (#","ttlMs":1"#, 3_600_000),
    (#","ttlMs":-5"#, 3_600_000), (#","ttlMs":0"#, 3_600_000), (#","ttlMs":1e300"#, 2_592_000_000),
    (#","ttlMs":1e999"#, 2_592_000_000), (#","ttlMs":[1]"#, 604_800_000),
  ]

  @Test("A lifetime is the default where it is no number, and clamped where it is one", arguments: Road.allCases)
  func clampsLifetimes(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      for (member, expected) in Self.lifetimes {
        let grant = try GrantV2(try await office.issuer.issueGrant(try wish("m", ["n1"], member), by: anna).get())
        #expect(grant.claims.expiresAt.milliseconds - grant.claims.issuedAt.milliseconds == expected, "\(member)")
      }
    }
  }

  @Test(
    "Records that are absent, deleted or somebody else's are refused by name, and all alike", arguments: Road.allCases)
  func unknownRecords(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      _ = try await office.addUser("bert")
      try await office.addRecord("bert", "notes", "berts")
      try await office.addRecord("anna", "notes", "gone")
      try await office.addRecord("anna", "notes", "gone", op: "delete")
      try await office.addRecord("anna", "notes", "elsewhere", app: "todo")
      let before = try await office.counts()
      for name in ["never", "berts", "gone", "elsewhere", "n1 "] {
        let answer = await office.issuer.issueGrant(try wish("m", ["n1", name]), by: anna)
        #expect(answer.problem == .unknownRecords(["notes:\(name)"]), "\(name)")
      }
      #expect(try await office.counts() == before)
      #expect(try await office.lines("anna").suffix(5) == .init(repeating: "grant_refuse/400/unknown-record", count: 5))
      let allowed = await office.issuer.issueGrant(
        try wish("m", ["never", "berts"], #","allowMissing":true"#), by: anna)
      #expect(allowed.problem == nil)
    }
  }

  @Test(
    "A table that no grant can name is refused, whether absent records are allowed or not",
    arguments: ["true", "false"])
  func unknownTable(allowMissing: String) async throws {
    try await Office.with { office in
      let anna = try await office.addUser("anna")
      try await office.addMission("anna", "m")
      let call = try issueCall(
        #"{"missionId":"m","tables":["aiMissions"],"recordIds":["aiMissions:m"],"allowMissing":\#(allowMissing)}"#)
      #expect(await office.issuer.issueGrant(call, by: anna).problem == .unknownRecords(["aiMissions:m"]))
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grants") == 0)
    }
  }

  @Test(
    "Attached, the grant is on its mission when the answer leaves; without a mission there is no grant",
    arguments: Road.allCases)
  func attaches(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      try await office.addMission("anna", "m1")
      let grant = try await office.issuer.issueGrant(try wish("m1", ["n1"], #","attach":true"#), by: anna).get()
      let missions = try await office.issuer.listMissions(after: nil, of: anna).get()
      // The database orders an object's members as it likes; the grant is the same.
      let attached = try #require(missions["missions"]?.array?.first?["grant"])
      #expect(try GrantV2(attached) == GrantV2(grant))
      let before = try await office.counts()
      let refused = await office.issuer.issueGrant(try wish("m2", ["n1"], #","attach":true"#), by: anna)
      #expect(refused.problem == .unknownMission)
      #expect(try await office.counts() == before)
      #expect(try await office.lines("anna").last == "grant_refuse/400/unknown-mission")
    }
  }

  @Test(
    "Without a vault, and in zero-knowledge mode, nothing is granted, and the refusal stays in the log",
    arguments: Road.allCases)
  func refusals(road: Road) async throws {
    try await Office.with(road: road) { office in
      let nobody = try caller("nobody")
      #expect(await office.issuer.issueGrant(try wish("m", ["n1"]), by: nobody).problem == .vaultNotInitialised)
      #expect(try await office.lines("nobody") == ["grant_refuse/404/not-initialised"])
      let anna = try await office.addUser("anna")
      try await office.enterZeroKnowledge(anna)
      #expect(await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna).problem == .zeroKnowledgeActive)
      #expect(try await office.lines("anna").last == "grant_refuse/409/zk-active")
    }
  }

  @Test("The order of refusals is the seeds': configuration before counts before the vault", arguments: Road.allCases)
  func order(road: Road) async throws {
    try await Office.with(road: road) { office in
      let nobody = try caller("nobody")
      let unconfigured = try office.issuer(resolverKey: nil)
      let empty = try issueCall(#"{"missionId":"m","tables":[],"recordIds":[]}"#)
      #expect(await unconfigured.issueGrant(empty, by: nobody).problem == .grantNotConfigured)
      #expect(await office.issuer.issueGrant(empty, by: nobody).problem == .badRequest("tables must not be empty."))
      let noRecords = try issueCall(#"{"missionId":"m","tables":["notes"],"recordIds":[]}"#)
      #expect(
        await office.issuer.issueGrant(noRecords, by: nobody).problem == .badRequest("recordIds must not be empty."))
      let many = try wish("m", .init(repeating: "same", count: 1001))
      #expect(await office.issuer.issueGrant(many, by: nobody).problem?.code == "BAD_REQUEST")
      #expect(try await office.lines("nobody").isEmpty, "what is refused for its shape is no matter of the vault")
    }
  }

  @Test("A thousand records are one grant", arguments: Road.allCases)
  func thousand(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      let names = (0..<1000).map { "r\($0)" }
      let answer = await office.issuer.issueGrant(try wish("m", names, #","allowMissing":true"#), by: anna)
      #expect(try GrantV2(answer.get()).claims.scope.records.count == 1000)
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grant_keys") == 1000)
    }
  }

  @Test("The eleventh wish within a minute has to wait, and nobody else has to", arguments: Road.allCases)
  func rateLimit(road: Road) async throws {
    var rules = IssuerRules.generous
    rules.issues = IssuerRules().issues
    try await Office.with(road: road, rules: rules) { office in
      let anna = try await office.addUser("anna")
      let bert = try await office.addUser("bert")
      for round in 0..<10 {
        let isRefused = round.isMultiple(of: 2)
        let answer = await office.issuer.issueGrant(try wish("m", [isRefused ? "never" : "n1"]), by: anna)
        #expect((answer.problem != nil) == isRefused, "refusals count as well")
      }
      let before = try await office.counts()
      let answer = await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna)
      let wait = try #require(answer.problem?.retryAfter)
      #expect((1...60).contains(wait) && answer.problem?.status == 429)
      #expect(try await office.counts() == before)
      #expect(await office.issuer.issueGrant(try wish("m", ["n1"]), by: bert).problem == nil)
      // A minute later there is room again.
      try await office.script("UPDATE auth.encryption_vault_audit SET created_at = created_at - interval '61 s'")
      #expect(await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna).problem == nil)
    }
  }

  @Test("Ten wishes at once for the last place: one gets it", arguments: Road.allCases)
  func rateLimitAtOnce(road: Road) async throws {
    var rules = IssuerRules.generous
    rules.issues.calls = 1
    try await Office.with(road: road, rules: rules) { office in
      let anna = try await office.addUser("anna")
      let granted = try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<10 {
          group.addTask { await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna).problem == nil }
        }
        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(granted == 1)
    }
  }

  @Test(
    "A grant of v1 has the seeds' members in their order, and the key that their derivation gives",
    arguments: Road.allCases)
  func versionOne(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      let key = try masterKey(try json(await office.issuer.fetchKey(of: anna)))
      let call = try issueCall(
        #"{"missionId":"é","tables":["tasks","notes"],"recordIds":["notes:10","notes:9","notes:9"],"version":"v1"}"#)
      let grant = try await office.issuer.issueGrant(call, by: anna).get()
      #expect(grant.object?.members.map(\.key.text) == ["wrappedKey", "derivation", "issuedAt", "expiresAt"])
      #expect(
        grant["derivation"]?.compactText()
          == #"{"version":"v1","missionId":"é","tables":["notes","tasks"],"recordIds":["notes:10","notes:9","notes:9"]}"#
      )
      var deriver = try KeyDeriver()
      let expected = try deriver.missionKeyV1(
        master: key, mission: "é", tables: ["tasks", "notes"], recordIds: ["notes:10", "notes:9", "notes:9"])
      let sealed = FieldCheck.sealed(under: expected)
      let opens = try SealedGrantV1.withOpen(grant, keys: Office.pair.keys, now: Instant(milliseconds: 0)) { open in
        FieldCheck.opens(sealed, under: open.missionKey)
      }
      #expect(opens)
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grants") == 0)
      #expect(try await office.lines("anna").last == "grant_issue/200/v1 scope=*")
    }
  }

  @Test("Where v1 is not issued, asking for it is refused and named", arguments: Road.allCases)
  func versionOneOff(road: Road) async throws {
    var rules = IssuerRules.generous
    rules.issuesV1 = false
    try await Office.with(road: road, rules: rules) { office in
      let anna = try await office.addUser("anna")
      let answer = await office.issuer.issueGrant(try wish("m", ["n1"], #","version":"v1""#), by: anna)
      #expect(answer.problem == .badRequest("version v1 is not issued here."))
    }
  }
}
