// End to end with somebody who shares no line with us: what the documents say is enough to seal, consent, read and check.

import Contracts
import Foundation
import HTTPFetching
import Testing

@Suite("The stranger") struct StrangerTests {
  @Test("What it seals and grants, the resolver reads, and nothing else; the chain that it recomputes is ours")
  func notes() async throws {
    try await StrangerWorld.with { world in
      let vault = try JSONValue(parsing: await world.told("anna", ["vault"]))
      #expect(vault["user"]?.text == "anna" && vault["made"] == .bool(true))
      #expect(try JSONValue(parsing: await world.told("anna", ["vault"]))["made"] == .bool(false))
      let changes = try await world.write(
        "anna", "notes:n1", "title=Grüße 😀", "content=Buy seeds.", "notes:n2", "title=Two", "content=…",
        "notes:n3", "title=Secret", "content=Not granted", "tasks:t1", "title=Call", "description=the plumber")
      #expect(!changes.contains("seeds") && changes.contains("\"enc:2:"))
      let grant = try await world.grant("anna", "morning", "notes:n1", "tasks:t1")
      let tick = try await world.tick("anna", "morning", grant, "notes:n1", "notes:n3", "tasks:t1", "notes:n9")
      #expect(tick.grant == "ok")
      #expect(tick.inputs == ["n1 | Grüße 😀 | Buy seeds.", "t1 | Call | Call — the plumber"])
      #expect(
        tick.refused == ["n3 | record-not-in-grant-allowlist", "n9 | record-not-in-grant-allowlist"])

      // The program fetched and hashed four rows, on pages of any size, and came to the head that the answer named.
      for (page, pages) in [("1", 4), ("3", 2), ("1000", 1)] {
        let audit = try JSONValue(parsing: await world.told("anna", ["audit", "--page", page]))
        #expect(audit["verified"] == .bool(true) && audit["rows"]?.number?.integer == 4)
        #expect(audit["pages"]?.number?.integer == pages && audit["head"]?["hash"]?.text == tick.head)
      }

      // An edited note is read under the same consent; a new one is not.
      try await world.write("anna", "--update", "notes:n1", "content=Buy bulbs.")
      let next = try await world.tick("anna", "morning", grant, "notes:n1")
      #expect(next.inputs == ["n1 | Grüße 😀 | Buy bulbs."])
      #expect(try await world.issuer.ask(.delete, HostileRow.issue + "/morning", as: "anna").status == 200)
      let closed = try await world.tick("anna", "morning", grant, "notes:n1")
      #expect(closed.grant == "revoked" && closed.inputs.isEmpty && closed.refused == ["n1 | revoked"])
      let audit = try JSONValue(parsing: await world.told("anna", ["audit"]))
      #expect(audit["rows"]?.number?.integer == 6 && audit["head"]?["hash"]?.text == closed.head)
    }
  }

  @Test("A v1 grant opens what the stranger sealed under that mission's key, and only where it is accepted")
  func formerVersion() async throws {
    let records = ["notes:n1", "notes:n2"]
    try await StrangerWorld.with { world in
      let changes = try await world.write(
        "anna", "--v1", "m", "notes:n1", "title=Old", "content=Grüße", "notes:n2", "title=Older", "content=x")
      #expect(changes.contains("\"enc:1:") && !changes.contains("enc:2:"))
      let grant = try await world.grant("anna", "--v1", "m", "notes:n1", "notes:n2")
      let tick = try await world.tick("anna", "m", grant, records[0], records[1], "notes:n3")
      #expect(tick.grant == "ok" && tick.inputs == ["n1 | Old | Grüße", "n2 | Older | x"])
      #expect(tick.refused == ["n3 | record-not-in-grant-allowlist"])
      // Another scope gives another key, so this grant opens nothing of what was sealed for the first one.
      let other = try await world.grant("anna", "--v1", "m", "notes:n1")
      let wrong = try await world.tick("anna", "m", other, "notes:n1")
      #expect(wrong.inputs.isEmpty && wrong.refused == ["n1 | ciphertext-tampered-or-wrong-key"])
      try await world.told("anna", ["audit", "--selftest"])
    }
    try await StrangerWorld.with(resolver: ["MANDATE_ACCEPT_V1": "false"]) { world in
      try await world.write("anna", "--v1", "m", "notes:n1", "title=Old", "content=x")
      let grant = try await world.grant("anna", "--v1", "m", "notes:n1")
      let tick = try await world.tick("anna", "m", grant, "notes:n1")
      #expect(tick.grant == "revoked" && tick.inputs.isEmpty && tick.refused == ["n1 | revoked"])
    }
  }

  @Test("The stranger's check of the chain notices every member that is changed, in the answer and in the table")
  func tampered() async throws {
    try await StrangerWorld.with { world in
      try await world.write("anna", "notes:n1", "title=a", "content=b", "notes:n2", "title=a", "content=b")
      let grant = try await world.grant("anna", "m", "notes:n1", "notes:n2")
      _ = try await world.tick("anna", "m", grant, "notes:n1", "notes:n2", "notes:n3")
      let test = try JSONValue(parsing: await world.told("anna", ["audit", "--selftest", "--page", "2"]))
      let tampered = try #require(test["tampered"]?.number?.integer)
      // Thirteen members and the hash of three rows, changed and left out, and what happens to whole rows.
      #expect(tampered > 3 * 14 * 2 && test["noticed"]?.number?.integer == tampered)
      try await world.issuer.script(
        """
        ALTER TABLE mana_ai.decrypt_audit DISABLE TRIGGER decrypt_audit_guard;
        UPDATE mana_ai.decrypt_audit SET record_id = 'n9' WHERE user_id = 'anna' AND seq = 2;
        """)
      let broken = try await world.stranger("anna", ["audit"])
      #expect(broken.code == 1 && broken.output.isEmpty)
      #expect(
        broken.errors.contains("the chain is broken: row 2 is not what was hashed behind row 1"), "\(broken.errors)")
    }
  }

  @Test("Another user gets nothing by a grant that is not theirs")
  func otherUser() async throws {
    try await StrangerWorld.with { world in
      try await world.write("anna", "notes:n1", "title=a", "content=b")
      let grant = try await world.grant("anna", "m", "notes:n1")
      try await world.told("bert", ["vault"])
      let consent = try await world.stranger("bert", ["grant", "m", "notes:n1"])
      #expect(consent.code == 1 && consent.errors.contains("UNKNOWN_RECORD"), "\(consent.errors)")
      let tick = try await world.tick("bert", "m", grant, "notes:n1")
      #expect(tick.grant == "unknown-grant" && tick.inputs.isEmpty && tick.refused == ["n1 | unknown-grant"])
      // It stands on bert's log, and anna's is still empty.
      #expect(try JSONValue(parsing: await world.told("bert", ["audit"]))["rows"]?.number?.integer == 1)
      let own = try JSONValue(parsing: await world.told("anna", ["audit"]))
      #expect(own["rows"]?.number?.integer == 0 && own["head"] == .null)
    }
  }

  @Test("The resolver's private key and a copy of grants and log open no record without key shares")
  func stolenKey() async throws {
    try await StrangerWorld.with { world in
      try await world.write("anna", "notes:n1", "title=a", "content=b", "notes:n2", "title=c", "content=d")
      let grant = try await world.grant("anna", "m", "notes:n1")
      let rows = try await world.issuer.texts("SELECT row_to_json(c)::text FROM public.sync_changes AS c")
        .joined(separator: "\n")
      let alone = try JSONValue(parsing: await world.told("anna", ["steal", world.privateKey, grant], input: rows))
      #expect(alone["unwrapped"] == .bool(true) && alone["fields"]?.number?.integer == 4)
      #expect(alone["opened"]?.number?.integer == 0)
      // The same program opens the granted note once it has the share: that, and nothing else, was missing.
      let shares = try world.file(
        "shares", await world.issuer.texts("SELECT row_to_json(k)::text FROM mana_ai.grant_keys AS k").joined())
      let helped = try JSONValue(
        parsing: await world.told("anna", ["steal", world.privateKey, grant, shares], input: rows))
      #expect(helped["opened"]?.number?.integer == 2)
    }
  }
}
