// Somebody who can write the database's rows and has no key: claims, wraps, shares and copies that were exchanged open
// nothing, whatever was put where, and all of it is answered in one way.

import Contracts
import Grants
import Testing

@testable import InputResolver

@Suite("A hostile writer of rows", .serialized)
struct HostileRowTests {
  private static let edits: [(what: String, sql: String)] = [
    (
      "a later expiry in the claims",
      "claims = overlay(claims placing convert_to('9', 'UTF8') from octet_length(claims) - 88)"
    ),
    ("one bit of the wrap", "wrapped_key = set_bit(wrapped_key, 77, 1 - get_bit(wrapped_key, 77))"),
    ("a short wrap", "wrapped_key = substring(wrapped_key FROM 2)"),
    ("an empty wrap", "wrapped_key = ''"),
    (
      "another grant's wrap and claims",
      "(wrapped_key, claims) = (SELECT o.wrapped_key, o.claims FROM mana_ai.grants AS o WHERE o.mission_id = 'other')"
    ),
    (
      "another grant's wrap",
      "wrapped_key = (SELECT o.wrapped_key FROM mana_ai.grants AS o WHERE o.mission_id = 'other')"
    ),
    ("claims that are none", "claims = '\\x00'"),
    ("a scope digest with a digit more", "claims = claims || '\\x30'"),
  ]

  /// Claims that contradict their own row, and wraps of no key's length, are refused by the table; whoever owns it is
  /// not bound by that.
  private func loosen(_ world: World) async throws {
    try await world.run(
      "ALTER TABLE mana_ai.grants DROP CONSTRAINT grants_claims, DROP CONSTRAINT grants_wrapped_key")
  }

  @Test("Whatever is changed in a grant's row is one answer, one log and one metric: wrap-rejected")
  func grants() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      try await loosen(world)
      _ = try await world.addGrant("a", "other", ["notes:n1"])
      var requests: [ResolveCall.Request] = []
      for (place, edit) in Self.edits.enumerated() {
        let grant = try await world.addGrant("a", "m\(place)", ["notes:n1"])
        try await world.run("UPDATE mana_ai.grants SET \(edit.sql) WHERE grant_id = $1", grant.id)
        requests.append(request("a", "m\(place)", grant.json, notes("n1")))
      }
      let answers = try await world.resolver().answers(requests)
      for (answer, edit) in zip(answers, Self.edits) {
        #expect(answer.grant == "wrap-rejected" && answer.inputs == ["n1: wrap-rejected"], "\(edit.what)")
      }
      let rows = try await world.texts(
        "SELECT DISTINCT concat_ws(' ', status, reason) FROM mana_ai.decrypt_audit WHERE of_seq IS NOT NULL")
      #expect(rows == ["failed wrap-rejected"])
      #expect(try await world.log("a").count == 2 * Self.edits.count)
    }
  }

  @Test("The row's key id and times beside the claims change nothing for the better")
  func columns() async throws {
    try await World.with { world in
      try await world.addUser("a")
      try await world.addNote("a", "n1", title: "T", content: "C")
      try await loosen(world)
      let old = try await world.addGrant("a", "old", ["notes:n1"], issued: "-8 days")
      try await world.run(
        "UPDATE mana_ai.grants SET expires_at = now() + interval '1 day' WHERE grant_id = $1", old.id)
      let renamed = try await world.addGrant("a", "renamed", ["notes:n1"])
      try await world.run("UPDATE mana_ai.grants SET key_id = repeat('0', 32) WHERE grant_id = $1", renamed.id)
      let answers = try await world.resolver().answers([
        request("a", "old", old.json, notes("n1")), request("a", "renamed", renamed.json, notes("n1")),
      ])
      // The claims, which the unwrap proves, name the expiry and the key.
      #expect(answers.map(\.grant) == ["expired", "ok"])
      #expect(answers[0].inputs == ["n1: expired"])
    }
  }

  @Test("A share of another record, another grant or another user opens no record")
  func shares() async throws {
    try await World.with { world in
      for user in ["a", "b"] {
        try await world.addUser(user)
        for id in ["n1", "n2", "n3", "n4"] { try await world.addNote(user, id, title: "T", content: "C") }
      }
      let grant = try await world.addGrant("a", "m", ["notes:n1", "notes:n2", "notes:n3", "notes:n4"])
      let later = try await world.addGrant("a", "later", ["notes:n3"])
      let foreign = try await world.addGrant("b", "m", ["notes:n2"])
      func take(_ record: String, _ from: String, _ source: String) async throws {
        try await world.run(
          """
          UPDATE mana_ai.grant_keys SET wrapped_key = (
            SELECT o.wrapped_key FROM mana_ai.grant_keys AS o WHERE o.grant_id = $3 AND o.record_id = $4)
          WHERE grant_id = $1 AND record_id = $2
          """, grant.id, record, from, source)
      }
      try await take("n1", grant.id, "n4")
      try await take("n2", foreign.id, "n2")
      try await take("n3", later.id, "n3")
      // A record that was never granted, with the share of one that was.
      try await world.addNote("a", "n9", title: "T", content: "C")
      try await world.run(
        "INSERT INTO mana_ai.grant_keys SELECT grant_id, user_id, table_name, 'n9', wrapped_key FROM mana_ai.grant_keys WHERE grant_id = $1 AND record_id = 'n4'",
        grant.id)
      let answer = try await world.resolver().answer(
        request("a", "m", grant.json, notes("n1", "n2", "n3", "n9", "n4")))
      let wrong = "ciphertext-tampered-or-wrong-key"
      #expect(answer.grant == "ok")
      #expect(answer.inputs == ["n4: T | C", "n1: \(wrong)", "n2: \(wrong)", "n3: \(wrong)", "n9: \(wrong)"])
    }
  }

  @Test("A sealed copy counts for its own user, record, field and ciphertext, and one that is none counts as none")
  func copies() async throws {
    try await World.with { world in
      for user in ["a", "b"] { try await world.addUser(user) }
      let old = try World.sealedV1("a", "x", "old")
      let characters = Array(old.utf8)
      let digest = SealedCopy.digest(of: try FieldEnvelope(parsing: characters.span, as: .one))
      let names = ["field", "record", "user", "native", "shape", "plain", "good"]
      for name in names { try await world.addRecord("a", "notes:\(name)", ["content": old]) }
      try await world.addCopy("a", "notes:good", "content", of: old, "from a copy")
      // Made for other places, stored under these.
      try await world.addCopy("a", "notes:elsewhere", "content", of: old, "X")
      try await world.addCopy("a", "notes:field", "title", of: old, "X")
      try await world.addCopy("b", "notes:user", "content", of: old, "X")
      for sql in [
        "UPDATE mana_ai.sealed_records SET record_id = 'record' WHERE record_id = 'elsewhere'",
        "UPDATE mana_ai.sealed_records SET fields = jsonb_build_object('content', fields->'title') WHERE record_id = 'field'",
        "UPDATE mana_ai.sealed_records SET user_id = 'a' WHERE user_id = 'b'",
      ] { try await world.run(sql) }
      // The record's own field text as if it were a copy; a shape of its own; text that is not sealed.
      let native = try World.sealed("a", "notes:native", "content", "X")
      try await world.addCopy("a", "notes:native", "content", .value(of: digest, native))
      try await world.addCopy("a", "notes:plain", "content", .value(of: digest, "plain text"))
      try await world.run(
        "INSERT INTO mana_ai.sealed_records (user_id, app_id, table_name, record_id, fields) VALUES ('a', 'notes', 'notes', 'shape', '{\"content\": [1, {\"of\": 2}]}')"
      )
      let grant = try await world.addGrant("a", "m", names.map { "notes:\($0)" })
      let answer = try await world.resolver().answer(
        request("a", "m", grant.json, names.map { ResolveCall.InputRef(module: "notes", table: "notes", id: $0) }))
      let wrong = "ciphertext-tampered-or-wrong-key"
      #expect(
        answer.inputs == [
          "good: Notiz | from a copy", "field: \(wrong)", "record: \(wrong)", "user: \(wrong)", "native: \(wrong)",
          "shape: not-sealed-yet", "plain: ciphertext-malformed",
        ])
    }
  }
}
