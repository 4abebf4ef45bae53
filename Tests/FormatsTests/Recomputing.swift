// For each worked example, whether its values follow from each other.

import Contracts
import Cryptography
import Secrets

@testable import Grants
@testable import VectorChecks

enum Recomputing {
  static let checks: [(name: String, holds: @Sendable (Example) throws -> Bool)] = [
    ("frame", frame), ("record-key", recordKey), ("scope", scope), ("mission-key-v2", missionKeyV2), ("key-id", keyId),
    ("grant-v2", grantV2), ("keyring-row", keyringRow), ("field-v2", fieldV2), ("field-v1", fieldV1),
    ("sealed-copy", sealedCopy), ("audit-chain", auditChain), ("mission-key-v1", missionKeyV1),
    ("collision-v1", collisionV1), ("grant-v1", grantV1),
  ]

  @Sendable private static func frame(_ example: Example) throws -> Bool {
    var frame = Frame()
    for part in try example.texts("parts") { frame.add(part) }
    return try frame.bytes == example.bytes("frame")
  }

  @Sendable private static func recordKey(_ example: Example) throws -> Bool {
    var info = Frame()
    info.add("mandate/v2/record-key")
    for part in ["userId", "table", "recordId"] { info.add(try example.text(part)) }
    let key = try derivedRecordKey(example)
    return try all(info.bytes == example.bytes("info"), isKey(key, example.bytes("key")))
  }

  @Sendable private static func scope(_ example: Example) throws -> Bool {
    let scope = try Scope(tables: example.texts("tables"), recordIds: example.texts("recordIds"))
    return try all(
      scope.frame.bytes == example.bytes("frame"), Hex.decode(GrantLabel.digest(of: scope)) == example.bytes("digest"))
  }

  @Sendable private static func missionKeyV2(_ example: Example) throws -> Bool {
    let ids = try example.texts("recordIds")
    let scope = try Scope(of: ids.map { try RecordName(joined: $0) })
    var claim = Frame()
    for part in ["userId", "missionId", "grantId"] { claim.add(try example.text(part)) }
    scope.addRecords(to: &claim)
    let master = try secret(example.bytes("masterKey"))
    var deriver = try KeyDeriver()
    let key = try deriver.missionKeyV2(
      master: master, user: Identifier(example.text("userId")), mission: Identifier(example.text("missionId")),
      grantId: Identifier(example.text("grantId")), scope: scope)
    return try all(SHA256.digest(claim.bytes) == example.bytes("claim"), isKey(key, example.bytes("key")))
  }

  @Sendable private static func keyId(_ example: Example) throws -> Bool {
    let spki = try example.bytes("spki")
    let key = try RSAPublicKey(spki: spki.span)
    return try all(key.keyId == example.bytes("keyId"), key == publishedKeys()["a"].publicKey)
  }

  @Sendable private static func grantV2(_ example: Example) throws -> Bool {
    let json = try example.json("grant")
    let grant = try GrantV2(json)
    let label = GrantLabel(grant.claims)
    let key = try resolver().unwrapV2(wrapped: grant.wrappedKey, label: label)
    let opens = try SealedGrantV2.withOpen(
      json, keys: resolver(), user: label.user, mission: label.mission, now: label.issuedAt
    ) { $0.label == label }
    return try all(
      opens, label.bytes == example.bytes("label"), GrantLabel(parsing: label.bytes) == label,
      isKey(key, example.bytes("missionKey")), grant.json.compactText() == example.written("grant"))
  }

  @Sendable private static func keyringRow(_ example: Example) throws -> Bool {
    let missionKey = MissionKeyV2(try secret(example.bytes("missionKey")))
    let record = try RecordName(table: TableName(example.text("table")), record: Identifier(example.text("recordId")))
    var cipher = try AESGCM()
    let row = try example.bytes("row")
    let key = try KeyringRow.open(
      row, under: missionKey, grantId: Identifier(example.text("grantId")), record: record, with: &cipher)
    let again = try KeyringRow.seal(
      key, under: missionKey, grantId: Identifier(example.text("grantId")), record: record,
      nonce: Array(row.prefix(12)), with: &cipher)
    return try all(isKey(key, example.bytes("recordKey")), again == row)
  }

  @Sendable private static func fieldV2(_ example: Example) throws -> Bool {
    var codec = try FieldCodec()
    var plaintext = WipedBytes()
    let key = try derivedRecordKey(example)
    let envelope = try example.text("envelope")
    let opened = try codec.open2(envelope.utf8.span, key: key, place: place(example), onto: &plaintext)
    let value = JSONValue(opened.tape, in: plaintext.bytes.extracting(opened.range))
    let message = value.compactBytes()
    let iv = try example.bytes("iv")
    let sealed = try codec.seal2(message.span, key: key, place: place(example), iv: iv)
    return try all(value == example.json("value"), sealed == envelope)
  }

  @Sendable private static func fieldV1(_ example: Example) throws -> Bool {
    var codec = try FieldCodec()
    var plaintext = WipedBytes()
    let key = try derivedMissionKeyV1(example, recordIds: example.texts("recordIds"))
    let envelope = try example.text("envelope")
    let opened = try codec.open1(envelope.utf8.span, key: key, onto: &plaintext)
    let value = JSONValue(opened.tape, in: plaintext.bytes.extracting(opened.range))
    let message = value.compactBytes()
    let iv = try example.bytes("iv")
    let sealed = try codec.seal1(message.span, key: key, iv: iv)
    return try all(value == example.json("value"), sealed == envelope)
  }

  @Sendable private static func sealedCopy(_ example: Example) throws -> Bool {
    var codec = try FieldCodec()
    var plaintext = WipedBytes()
    let key = try derivedRecordKey(example)
    let current = try example.text("current")
    let copy = SealedCopy(try example.json("entry"))
    let opened = try codec.openCopy(copy, for: current.utf8.span, key: key, place: place(example), onto: &plaintext)
    let value = JSONValue(opened.tape, in: plaintext.bytes.extracting(opened.range))
    let message = value.compactBytes()
    let iv = try example.bytes("iv")
    let envelope = try FieldEnvelope(parsing: current.utf8.span, as: .one)
    let made = try codec.sealCopy(
      message.span, of: envelope, key: key, place: place(example), iv: iv)
    // Clients seal under the master key itself, and so does the page.
    var cipher = try AESGCM()
    let master = try example.bytes("masterKey")
    let written: WipedBytes = try cipher.open(
      envelope.sealed, key: master.span, iv: envelope.iv, aad: Span<UInt8>())
    return try all(
      value == example.json("value"), made.json.compactText() == example.written("entry"),
      ConstantTime.equal(written.bytes, message.span))
  }

  @Sendable private static func auditChain(_ example: Example) throws -> Bool {
    func optional(_ name: String) throws -> String? { try example.json(name).isNull ? nil : example.text(name) }
    var entry = AuditEntry(
      user: Identifier(try example.text("userId")), seq: 1, timestamp: try example.text("ts"),
      mission: try example.text("missionId"), grant: try optional("grantId"), iteration: try optional("iterationId"),
      table: try example.text("table"), record: try example.text("recordId"), status: try example.text("status"),
      reason: try optional("reason"), purpose: try optional("purpose"), batch: try optional("batch"), ofSeq: nil)
    let first = AuditChain.hash(after: AuditChain.start, entry)
    entry.seq = 2
    return try all(first == example.bytes("hash1"), AuditChain.hash(after: first, entry) == example.bytes("hash2"))
  }

  @Sendable private static func missionKeyV1(_ example: Example) throws -> Bool {
    let (tables, ids) = (try example.texts("tables"), try example.texts("recordIds"))
    let key = try derivedMissionKeyV1(example, recordIds: ids)
    return try all(
      canonicalScopeV1(tables: tables, recordIds: ids) == example.text("info"), isKey(key, example.bytes("key")))
  }

  @Sendable private static func collisionV1(_ example: Example) throws -> Bool {
    let one = try derivedMissionKeyV1(example, recordIds: example.texts("one"))
    let other = try derivedMissionKeyV1(example, recordIds: example.texts("other"))
    return try all(
      isKey(one, example.bytes("key")), isKey(other, example.bytes("key")),
      example.texts("one") != example.texts("other"))
  }

  @Sendable private static func grantV1(_ example: Example) throws -> Bool {
    let json = try example.json("grant")
    guard let derivation = json["derivation"], let mission = derivation["missionId"]?.text,
      let tables = derivation["tables"]?.texts, let ids = derivation["recordIds"]?.texts,
      let wrapped = json["wrappedKey"]?.text, let issued = json["issuedAt"]?.text.flatMap({ Instant(iso: $0) })
    else { return false }
    let rebuilt = GrantV1(
      wrappedKey: wrapped, derivation: .init(missionId: mission, tables: tables, recordIds: ids),
      issuedAt: issued.iso, expiresAt: GrantLifetime.expiry(issuedAt: issued, wanted: nil).iso)
    // Nothing in v1 proves the claims; what ties them to the key on the page is the derivation.
    let inputs = Example(
      name: "",
      lines: [("masterKey", Hex.encode(1...32)), ("missionId", "\"\(mission)\""), ("tables", tablesText(tables))])
    let derived = try derivedMissionKeyV1(inputs, recordIds: ids)
    let missionKey = try example.bytes("missionKey")
    let opens = try SealedGrantV1.withOpen(json, keys: resolver(), now: issued) {
      $0.missionKey.equals(missionKey.span)
    }
    return try all(
      opens, isKey(derived, example.bytes("missionKey")), rebuilt.json.compactText() == example.written("grant"))
  }

  // MARK: Parts

  /// Evaluates all of them first: a key, which cannot be copied, may not stand behind `&&`.
  private static func all(_ facts: Bool...) -> Bool { !facts.contains(false) }

  private static func secret(_ bytes: [UInt8]) throws -> SecretBytes { try SecretBytes(copying: bytes.span) }
  private static func isKey(_ key: borrowing MissionKeyV1, _ bytes: [UInt8]) -> Bool { key.equals(bytes.span) }
  private static func isKey(_ key: borrowing MissionKeyV2, _ bytes: [UInt8]) -> Bool { key.equals(bytes.span) }
  private static func isKey(_ key: borrowing RecordKey, _ bytes: [UInt8]) -> Bool { key.equals(bytes.span) }

  private static func tablesText(_ tables: [String]) -> String {
    JSONValue.array(tables.map(JSONValue.string)).compactText()
  }

  private static func derivedRecordKey(_ example: Example) throws -> RecordKey {
    let master = try secret(example.bytes("masterKey"))
    var deriver = try KeyDeriver()
    return try deriver.recordKey(
      master: master, user: Identifier(example.text("userId")),
      record: RecordName(table: TableName(example.text("table")), record: Identifier(example.text("recordId"))))
  }

  private static func derivedMissionKeyV1(_ example: Example, recordIds: [String]) throws -> MissionKeyV1 {
    let master = try secret(example.bytes("masterKey"))
    var deriver = try KeyDeriver()
    return try deriver.missionKeyV1(
      master: master, mission: example.text("missionId"), tables: example.texts("tables"), recordIds: recordIds)
  }

  private static func place(_ example: Example) throws -> FieldPlace {
    FieldPlace(
      user: Identifier(try example.text("userId")),
      record: RecordName(table: try TableName(example.text("table")), record: Identifier(try example.text("recordId"))),
      field: try example.text("field"))
  }

  private static func publishedKeys() throws -> ThrowAwayKeys {
    try ThrowAwayKeys(keeping: FormerFile(Repository.bytes(of: "Vectors/grant-v2.1.json")))
  }

  private static func resolver() throws -> ResolverKeys { try ThrowAwayKeys.resolver(with: [publishedKeys()["a"]]) }
}
