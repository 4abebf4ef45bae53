// The seven routes of the vault: what each answers, what it writes into the log, and that what is refused stays in the
// log as well.

import Contracts
import Postgres
import Secrets
import Store
import StoreSupport
import Testing
import Vault

@testable import GrantIssuer

@Suite struct VaultRouteTests {
  @Test("The first call makes the key, every other is answered with the same", arguments: Road.allCases)
  func initialises(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try caller("anna")
      #expect(
        try await office.issuer.showVaultStatus(of: anna).get().compactText()
          == #"{"vaultExists":false,"hasRecoveryWrap":false,"zeroKnowledge":false,"recoverySetAt":null}"#)
      let first = try json(await office.issuer.initVault(of: anna))
      #expect(first.object?.members.map(\.key.text) == ["masterKey", "formatVersion", "kekId"])
      #expect(first["formatVersion"]?.number?.integer == 1)
      #expect(first["masterKey"]?.text.flatMap { Base64.decodeStrict(Array($0.utf8).span) }?.count == 32)
      #expect(try json(await office.issuer.initVault(of: anna)) == first)
      #expect(try json(await office.issuer.fetchKey(of: anna)) == first)
      #expect(try await office.lines("anna") == ["init/201/created", "init/200/already-exists", "fetch/200"])
      let row = try await office.texts(
        "SELECT kek_id || ' ' || length(wrapped_mk) || ' ' || length(wrap_iv) || ' ' || octet_length(key_check) FROM auth.encryption_vaults"
      )
      #expect(row == ["\(try Office.kekRing().currentId) 64 16 32"])
      let stored = try await office.texts(
        "SELECT id || coalesce(ip_address, '') || user_agent FROM auth.encryption_vault_audit")
      #expect(stored.allSatisfy { $0.utf8.count == 21 + "192.0.2.1test".utf8.count })
    }
  }

  @Test("Many devices that begin at once have one key", arguments: Road.allCases)
  func initialisesAtOnce(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try caller("anna")
      let keys = try await withThrowingTaskGroup(of: JSONValue.self) { group in
        for number in 0..<12 {
          group.addTask {
            try json(
              number.isMultiple(of: 3)
                ? await office.issuer.rotateKey(of: anna) : await office.issuer.initVault(of: anna))
          }
        }
        return try await group.reduce(into: Set<JSONValue>()) { $0.insert($1) }
      }
      let last = try json(await office.issuer.fetchKey(of: anna))
      #expect(keys.contains(last) && keys.count <= 5)
      #expect(try await office.lines("anna").filter { $0.contains("/201/") }.count == 1)
    }
  }

  @Test("A fetch without a vault, and one that fails, are in the log all the same", arguments: Road.allCases)
  func failuresPersist(road: Road) async throws {
    try await Office.with(road: road) { office in
      let nobody = try caller("nobody")
      #expect(problem(await office.issuer.fetchKey(of: nobody)) == .vaultNotInitialised)
      #expect(try await office.lines("nobody") == ["failed_fetch/404/not-initialised"])
      let anna = try await office.addUser("anna")
      let stranger = try office.issuer(keys: Office.kekRing(current: Office.otherKek))
      let refused = problem(await stranger.fetchKey(of: anna))
      #expect(refused == .failed(.vault(.unopenable)) && refused?.status == 500)
      #expect(try await office.lines("anna").last == "failed_fetch/500/unwrap-failed")
      #expect(problem(await stranger.initVault(of: anna))?.status == 500)
      #expect(
        try await office.lines("anna").count == 2, "an existing vault that can't be opened leaves no line on init")
    }
  }

  @Test("A wrap that was put into another user's row does not open there", arguments: Road.allCases)
  func swappedRows(road: Road) async throws {
    try await Office.with(road: road) { office in
      let (anna, bert) = (try await office.addUser("anna"), try await office.addUser("bert"))
      try await office.script(
        """
        UPDATE auth.encryption_vaults SET (wrapped_mk, wrap_iv, kek_id) =
          (SELECT v.wrapped_mk, v.wrap_iv, v.kek_id FROM auth.encryption_vaults AS v WHERE v.user_id = 'bert')
        WHERE user_id = 'anna'
        """)
      #expect(problem(await office.issuer.fetchKey(of: anna)) == .failed(.vault(.unopenable)))
      #expect(await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna).problem?.status == 500)
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grants") == 0)
      #expect(try await office.lines("anna").last == "grant_refuse/500/failed")
      #expect(problem(await office.issuer.fetchKey(of: bert)) == nil)
    }
  }

  @Test(
    "Rotating makes another key, forgets the recovery pair and closes every grant; without a vault it makes one",
    arguments: Road.allCases)
  func rotates(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try caller("anna")
      let first = try json(await office.issuer.rotateKey(of: anna))
      #expect(try await office.lines("anna") == ["rotate/201/init-on-rotate"])
      for note in ["n1", "n2"] { try await office.addRecord("anna", "notes", note) }
      _ = try await office.issuer.setRecovery(try .sample, by: anna).get()
      for mission in ["m1", "m2"] {
        _ = try await office.issuer.issueGrant(try wish(mission, ["n1", "n2"]), by: anna).get()
      }
      let second = try json(await office.issuer.rotateKey(of: anna))
      #expect(second["masterKey"] != first["masterKey"])
      #expect(try json(await office.issuer.fetchKey(of: anna)) == second)
      #expect(
        try await office.texts("SELECT DISTINCT closed_reason FROM mana_ai.grants") == ["vault-rotated"])
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grant_keys") == 0)
      #expect(
        try await office.number(
          "SELECT count(*) FROM auth.encryption_vaults WHERE rotated_at IS NOT NULL AND recovery_wrapped_mk IS NULL AND recovery_set_at IS NULL"
        ) == 1)
      #expect(try await office.lines("anna").suffix(2) == ["rotate/200", "fetch/200"])
    }
  }

  @Test(
    "A fourth rotation within the hour has to wait, and so has a thirty-first fetch within the minute",
    arguments: Road.allCases)
  func rateLimits(road: Road) async throws {
    try await Office.with(road: road, rules: IssuerRules()) { office in
      let anna = try caller("anna")
      for _ in 0..<3 { #expect(problem(await office.issuer.rotateKey(of: anna)) == nil) }
      let before = try await office.counts()
      let wait = try #require(problem(await office.issuer.rotateKey(of: anna))?.retryAfter)
      #expect((3_500...3_600).contains(wait))
      #expect(try await office.counts() == before)
      for number in 0..<30 {
        let refusal =
          number < 15
          ? problem(await office.issuer.fetchKey(of: anna)) : problem(await office.issuer.initVault(of: anna))
        #expect(refusal == nil, "\(number)")
      }
      #expect(problem(await office.issuer.fetchKey(of: anna))?.status == 429)
      #expect(problem(await office.issuer.initVault(of: anna))?.status == 429)
    }
  }

  @Test("The recovery pair is kept as it comes, and cleared unless the mode depends on it", arguments: Road.allCases)
  func recovery(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try caller("anna")
      #expect(await office.issuer.setRecovery(try .sample, by: anna).problem == .vaultNotInitialised)
      #expect(await office.issuer.clearRecovery(by: anna).problem == .vaultNotInitialised)
      #expect(try await office.lines("anna") == ["recovery_set/404/no-vault", "recovery_clear/404/no-vault"])
      _ = try json(await office.issuer.initVault(of: anna))
      #expect(try await office.issuer.clearRecovery(by: anna).get().compactText() == #"{"ok":true}"#)
      #expect(try await office.issuer.setRecovery(try .sample, by: anna).get().compactText() == #"{"ok":true}"#)
      let status = try await office.issuer.showVaultStatus(of: anna).get()
      #expect(
        status["hasRecoveryWrap"] == .bool(true) && status["recoverySetAt"]?.text.flatMap { Instant(iso: $0) } != nil)
      _ = try await office.issuer.changeZeroKnowledge(.enter, by: anna).get()
      #expect(await office.issuer.clearRecovery(by: anna).problem == .zeroKnowledgeActive)
      #expect(try await office.lines("anna").last == "recovery_clear/409/zk-active")
      #expect(
        await office.issuer.setRecovery(try .sample, by: anna).problem == nil, "a new pair is welcome in the mode")
    }
  }

  @Test("Into zero-knowledge mode: only with a recovery pair; the wrap and every grant go", arguments: Road.allCases)
  func enters(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      _ = try await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna).get()
      #expect(await office.issuer.changeZeroKnowledge(.enter, by: anna).problem == .recoveryMissing)
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grants WHERE closed_at IS NULL") == 1)
      _ = try await office.issuer.setRecovery(try .sample, by: anna).get()
      #expect(
        try await office.issuer.changeZeroKnowledge(.enter, by: anna).get().compactText()
          == #"{"ok":true,"zeroKnowledge":true}"#)
      #expect(try await office.texts("SELECT closed_reason FROM mana_ai.grants") == ["zero-knowledge"])
      #expect(try await office.number("SELECT count(*) FROM mana_ai.grant_keys") == 0)
      #expect(
        try await office.number(
          "SELECT count(*) FROM auth.encryption_vaults WHERE wrapped_mk IS NULL AND wrap_iv IS NULL AND zero_knowledge")
          == 1)
      let reply = try json(await office.issuer.fetchKey(of: anna))
      #expect(
        reply.compactText()
          == #"{"requiresRecoveryCode":true,"recoveryWrappedMk":"d3JhcA==","recoveryIv":"aXY=","formatVersion":1}"#)
      #expect(try json(await office.issuer.initVault(of: anna)) == reply)
      #expect(problem(await office.issuer.rotateKey(of: anna)) == .rotationForbidden)
      #expect(await office.issuer.changeZeroKnowledge(.enter, by: anna).problem == nil)
      #expect(
        try await office.lines("anna").dropFirst(2) == [
          "zk_enable/400/no-recovery-wrap", "recovery_set/200", "zk_enable/200", "fetch/200/zk-recovery-blob",
          "init/200/already-exists-zk", "rotate/409/zk-rotate-forbidden", "zk_enable/200/already-enabled",
        ])
    }
  }

  @Test("Out of zero-knowledge mode: only with the key that went in", arguments: Road.allCases)
  func leaves(road: Road) async throws {
    try await Office.with(road: road) { office in
      let anna = try await office.addUser("anna")
      let key = try #require(try json(await office.issuer.fetchKey(of: anna))["masterKey"]?.text)
      try await office.enterZeroKnowledge(anna)
      let before = try await office.counts()
      let wrong = Base64.encode([UInt8](repeating: 1, count: 32).span)
      #expect(await office.issuer.changeZeroKnowledge(try leaving(wrong), by: anna).problem == .wrongKey)
      #expect(try await office.counts() == before)
      // Escaped, spaced and unpadded it is still the same key.
      let spelled = key.dropLast().replacing("/", with: "\\/")
      #expect(
        try await office.issuer.changeZeroKnowledge(try leaving(" \(spelled) "), by: anna).get().compactText()
          == #"{"ok":true,"zeroKnowledge":false}"#)
      #expect(try json(await office.issuer.fetchKey(of: anna))["masterKey"]?.text == key)
      #expect(await office.issuer.issueGrant(try wish("m", ["n1"]), by: anna).problem == nil)
      #expect(
        await office.issuer.changeZeroKnowledge(try leaving(wrong), by: anna).problem == nil, "ignored outside the mode"
      )
      #expect(
        try await office.lines("anna").filter { $0.hasPrefix("zk_disable") } == [
          "zk_disable/400/wrong-key", "zk_disable/200", "zk_disable/200/already-disabled",
        ])
      let nobody = try caller("nobody")
      #expect(await office.issuer.changeZeroKnowledge(try leaving(wrong), by: nobody).problem == .vaultNotInitialised)
      #expect(await office.issuer.changeZeroKnowledge(.enter, by: nobody).problem == .vaultNotInitialised)
    }
  }

  @Test(
    "A vault that came here in zero-knowledge mode stays in it, for nobody knows which key is its own",
    arguments: Road.allCases)
  func importedWithoutCheck(road: Road) async throws {
    try await Office.with(road: road) { office in
      try await office.script(
        """
        INSERT INTO auth.users (id) VALUES ('zoe');
        INSERT INTO auth.encryption_vaults (user_id, recovery_wrapped_mk, recovery_iv, zero_knowledge)
        VALUES ('zoe', 'r', 'i', true)
        """)
      let key = Base64.encode([UInt8](repeating: 9, count: 32).span)
      #expect(
        await office.issuer.changeZeroKnowledge(try leaving(key), by: try caller("zoe")).problem == .keyCheckMissing)
      #expect(try await office.lines("zoe") == ["zk_disable/409/no-key-check"])
    }
  }

  @Test(
    "A wish to change the mode that is none is refused",
    arguments: [
      "", "nothing", "[]", "{}", #"{"enable":"true"}"#, #"{"enable":1}"#, #"{"enable":null}"#, #"{"enable":false}"#,
      #"{"enable":false,"masterKey":""}"#, #"{"enable":false,"masterKey":"!!!!"}"#,
      #"{"enable":false,"masterKey":"AAAA"}"#, #"{"enable":false,"masterKey":null}"#,
      #"{"enable":false,"masterKey":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]}"#,
      #"{"enable":false,"masterKey":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
      #"{"enable":true,"enable":false}"#,
    ])
  func noChange(body: String) {
    var code: String?
    do throws(IssuerProblem) {
      let bytes = Array(body.utf8)
      let call = try ZeroKnowledgeCall(bytes.span)
      _ = consume call
    } catch { code = error.code }
    #expect(code == "BAD_REQUEST")
  }
}

func leaving(_ key: String) throws -> ZeroKnowledgeCall {
  let body = Array("{\"enable\":false,\"masterKey\":\"\(key)\"}".utf8)
  return try ZeroKnowledgeCall(body.span)
}

extension RecoveryCall {
  static var sample: RecoveryCall {
    get throws {
      let body = Array(#"{"recoveryWrappedMk":"d3JhcA==","recoveryIv":"aXY="}"#.utf8)
      return try RecoveryCall(body.span)
    }
  }
}
