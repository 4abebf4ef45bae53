// A client of the former system, unchanged: the calls that it makes, with the members that it sends, and what it reads
// from the answers. And the issuer as a process: ready, reloading, draining.

import Contracts
import Cryptography
import Foundation
import Grants
import HTTPFetching
import StoreSupport
import Testing

@Suite struct ClientShapeTests {
  @Test(
    "A client of the former system makes its vault, has a grant issued, and can read all that it reads",
    arguments: Road.allCases)
  func formerClient(road: Road) async throws {
    try await IssuerProcess.with(["MANDATE_ISSUE_V1": "true"], road: road) { issuer in
      let vault = HostileRow.vault
      #expect(try await issuer.ask(.get, vault + "/status", as: "anna").json["vaultExists"] == .bool(false))
      let made = try await issuer.ask(.post, vault + "/init", "", as: "anna").json
      #expect(made["masterKey"]?.text?.utf8.count == 44 && made["formatVersion"]?.number?.integer == 1)
      #expect(try await issuer.ask(.get, vault + "/key", as: "anna").json == made)
      try await issuer.script(
        """
        INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
        VALUES ('notes', 'notes', 'n1', 'anna', 'insert', '{}', 'device'),
          ('todo', 'tasks', 't1', 'anna', 'insert', '{}', 'device')
        """)
      let wish = #"{"missionId":"m","tables":["tasks","notes"],"recordIds":["tasks:t1","notes:n1"],"ttlMs":3600000}"#
      let grant = try await issuer.ask(.post, HostileRow.issue, wish, as: "anna")
      #expect(grant.status == 200)
      // The members that a client of the former system looks at are where they were.
      #expect(grant.json["derivation"]?["tables"]?.texts == ["notes", "tasks"])
      #expect(grant.json["derivation"]?["recordIds"]?.texts == ["notes:n1", "tasks:t1"])
      #expect(grant.json["derivation"]?["missionId"]?.text == "m")
      let (issued, expires) = (grant.json["issuedAt"]?.text, grant.json["expiresAt"]?.text)
      let lifetime =
        try #require(expires.flatMap { Instant(iso: $0) }).milliseconds
        - #require(issued.flatMap { Instant(iso: $0) }).milliseconds
      #expect(lifetime == 3_600_000)
      let opened = try GrantV2(grant.json)
      let opens = try SealedGrantV2.withOpen(
        grant.json, keys: issuer.resolver, user: opened.claims.user, mission: opened.claims.mission,
        now: opened.claims.issuedAt
      ) { _ in true }
      #expect(opens)
      let former = try await issuer.ask(
        .post, HostileRow.issue, wish.dropLast() + #","version":"v1"}"#, as: "anna")
      #expect(former.json.object?.members.map(\.key.text) == ["wrappedKey", "derivation", "issuedAt", "expiresAt"])
      let audit = try await issuer.ask(.get, "/api/v1/me/ai-audit?missionId=m&limit=50", as: "anna")
      #expect(audit.body == #"{"rows":[]}"#)
      let listed = try await issuer.ask(.get, HostileRow.issue + "s", as: "anna").json["grants"]?.array
      #expect(listed?.count == 1 && listed?[0]["grantId"] == grant.json["grantId"])
      let revoked = try await issuer.ask(.delete, HostileRow.issue + "/m", as: "anna").json
      #expect(revoked["revoked"] == .bool(true) && revoked["draining"] == nil)
    }
  }

  @Test("Whoever asks too fast is told how long to wait, and nobody else has to")
  func limits() async throws {
    try await IssuerProcess.with { issuer in
      var waits: [String] = []
      for _ in 0..<34 {
        let answer = try await issuer.ask(.post, HostileRow.vault + "/init", "", as: "anna")
        if answer.status == 429 { waits.append(answer.headers["Retry-After"] ?? "") }
      }
      #expect(waits.count == 4 && waits.allSatisfy { (1...60).contains(Int($0) ?? 0) })
      #expect(try await issuer.ask(.get, HostileRow.vault + "/key", as: "bert").status == 404)
    }
  }

  @Test("Ready when it listens, with metrics and its description; asked to stop, it ends")
  func faces() async throws {
    try await IssuerProcess.with { issuer in
      let ready = try await issuer.ask(.get, "/ready", inside: true)
      #expect(ready.status == 200 && ready.json["checks"]?["keys"]?.text == "ok")
      let health = try await issuer.ask(.get, "/health", inside: true).json
      #expect(health["resolverKeyId"]?.text == issuer.resolver.keyIds.first)
      _ = try await issuer.ask(.get, HostileRow.vault + "/key")
      let metrics = try await issuer.ask(.get, "/metrics", inside: true).body
      #expect(metrics.contains("mandate_tokens_refused_total{") && metrics.contains("mandate_open_grants{"))
      let described = try await issuer.ask(.get, "/api/v1/openapi.json").json
      #expect(described["openapi"]?.text == "3.1.0" && (described["paths"]?.object?.count ?? 0) >= 14)
      let resident = try Self.residentKiB(issuer.identifier)
      print("issuer: \(resident) KiB resident, ready after \(issuer.millisecondsToReady) ms")
      issuer.signal(SIGHUP)
      #expect(try await issuer.ask(.get, "/health", inside: true).status == 200)
      issuer.signal(SIGTERM)
      #expect(await issuer.end() == 0)
    }
  }

  private static func residentKiB(_ process: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return try #require(line.split(separator: " ").compactMap { Int($0) }.first)
  }

  @Test("A deletion that another service tells of is over when it is answered")
  func deletion() async throws {
    try await IssuerProcess.with { issuer in
      _ = try await issuer.ask(.post, HostileRow.vault + "/init", "", as: "anna")
      let answer = try await issuer.ask(
        .post, "/internal/users/anna/deleted", "", headers: [("X-Service-Key", IssuerProcess.serviceKey)], inside: true)
      #expect(answer.status == 200 && answer.json["deleted"] == .bool(true))
      #expect(try await issuer.texts("SELECT user_id FROM auth.encryption_vaults").isEmpty)
    }
  }
}
