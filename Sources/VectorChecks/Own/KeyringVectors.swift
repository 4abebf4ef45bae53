// Keyring rows: one record key, sealed under the mission key for one grant, table and record.

import Contracts
import Cryptography
import Grants
import Secrets

enum KeyringVectors: OwnFormat {
  static let name = "keyring-v2.1"
  static let algorithm = "mandate-v2 keyring row"
  static let header = [
    "row = nonce (12) || AES-256-GCM(mission key, record key, aad), 60 bytes;",
    "aad = frame(\"mandate/v2/keyring\", grant, table, id). The group derives the mission key, each test its record key.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "Rows of an ordinary grant."),
    Note("HardNames", "FUNCTIONALITY", "Record names that are easily got wrong."),
    Note("Moved", "AUTH_BYPASS", "A good row, looked for under another grant, table, record or mission key."),
    Note("Length", "FUNCTIONALITY", "A row has 60 bytes."),
    Note("Tampered", "AUTH_BYPASS", "One bit of the row was changed."),
  ]
  static let groups = [
    GroupShape(
      type: "KeyringRow",
      members: [
        .init("masterKey", .hex(bytes: 32)), .init("userId", .text), .init("missionId", .text), .init("grantId", .text),
        .init("records", .list(Names.recordShape, atLeast: 1)), .init("missionKey", .hex(bytes: 32)),
      ],
      inputs: [.init("rowGrantId", .text), .init("table", .text), .init("recordId", .text), .init("row", .hex)],
      valid: [.init("nonce", .hex(bytes: 12)), .init("aad", .hex), .init("recordKey", .hex(bytes: 32))],
      invalid: [])
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome {
    let masterBytes = group.bytes("masterKey")
    let master = try SecretBytes(copying: masterBytes.span)
    var deriver = try KeyDeriver()
    let key = try deriver.missionKeyV2(
      master: master, user: Identifier(group.text("userId")), mission: Identifier(group.text("missionId")),
      grantId: Identifier(group.text("grantId")), scope: Scope(of: Names.records(group.list("records"))))
    guard key.equals(group.bytes("missionKey").span) else {
      throw UnreadableVectors(why: "the mission key is not the one that its inputs give")
    }
    let owner = Owner(master, key, user: Identifier(group.text("userId")))
    return { test in try check(test, owner) }
  }

  /// A closure that may escape cannot hold what has only one owner; this can.
  private final class Owner {
    let master: SecretBytes
    let missionKey: MissionKeyV2
    let user: Identifier

    init(_ master: consuming SecretBytes, _ missionKey: consuming MissionKeyV2, user: Identifier) {
      self.master = master
      self.missionKey = missionKey
      self.user = user
    }
  }

  private static func check(_ test: Members, _ owner: Owner) throws -> Outcome {
    var cipher = try AESGCM()
    var deriver = try KeyDeriver()
    let record = try Names.record(test.text("table"), test.text("recordId"))
    let grantId = Identifier(test.text("rowGrantId"))
    do {
      let opened = try KeyringRow.open(
        test.bytes("row"), under: owner.missionKey, grantId: grantId, record: record, with: &cipher)
      guard test.isValid else { return .failed("it opened") }
      let derived = try deriver.recordKey(master: owner.master, user: owner.user, record: record)
      guard opened.equals(test.bytes("recordKey").span), derived.equals(test.bytes("recordKey").span) else {
        return .failed("another record key")
      }
      let sealed = try KeyringRow.seal(
        derived, under: owner.missionKey, grantId: grantId, record: record, nonce: test.bytes("nonce"), with: &cipher)
      guard sealed == test.bytes("row") else { return .failed("sealing gave another row") }
      return .expect(aad(test.text("rowGrantId"), record) == test.bytes("aad"), "another aad")
    } catch FieldFailure.refused(.ciphertextTampered) {
      return .expect(!test.isValid, "refused")
    }
  }

  private static func aad(_ grantId: String, _ record: RecordName) -> [UInt8] {
    Material.frame("mandate/v2/keyring", grantId, record.table.text, record.record.text)
  }

  // MARK: Cases

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    let names =
      [("notes", "n1"), ("notes", "n2"), ("tasks", "n1"), ("a", "1x"), ("a1", "x")]
      + Names.hardIdentifiers.map { ("notes", $0.text) }
    let scope = try Scope(of: names.map { try Names.record($0.0, $0.1) })
    let key = try MissionKeyV2Vectors.key(
      Material.master, Material.user, Material.mission, Material.grantId, scope)
    let rows = try names.enumerated().map { index, name in
      try valid("row \(index + 1)", index < 5 ? "Basic" : "HardNames", name, key)
    }
    return [
      Group(
        type: "KeyringRow",
        members: [
          ("masterKey", .hex(Material.master)), ("userId", .text(Material.user)),
          ("missionId", .text(Material.mission)),
          ("grantId", .text(Material.grantId)), ("records", Names.json(scope.records)), ("missionKey", .hex(key)),
        ],
        tests: rows + (try refusals(key)))
    ]
  }

  private static func refusals(_ key: PublishedBytes) throws -> [Test] {
    let row = try sealed(("notes", "n1"), key, Material.grantId, "refusals")
    func moved(_ comment: String, grantId: String = Material.grantId, _ name: (String, String)) -> Test {
      refuse(comment, "Moved", row, grantId, name)
    }
    let other = try Scope(of: [Names.record("notes", "n1")])
    let otherKey = try MissionKeyV2Vectors.key(
      Material.master, Material.user, Material.mission, Material.otherGrantId, other)
    let composed = try sealed(("notes", Material.composed), key, Material.grantId, "composed")
    return [
      moved("for another record", ("notes", "n2")), moved("for another table", ("tasks", "n1")),
      moved("for another grant", grantId: Material.otherGrantId, ("notes", "n1")),
      moved("with the boundary moved", ("note", "sn1")),
      refuse("for the decomposed name", "Moved", composed, Material.grantId, ("notes", Material.decomposed)),
      refuse(
        "under the mission key of another grant", "Moved",
        try sealed(("notes", "n1"), otherKey, Material.otherGrantId, "another grant"), Material.otherGrantId,
        ("notes", "n1")),
      refuse("a row of no bytes", "Length", [], Material.grantId, ("notes", "n1")),
      refuse("a row of 12 bytes", "Length", Array(row.prefix(12)), Material.grantId, ("notes", "n1")),
      refuse("a row of 28 bytes", "Length", Array(row.prefix(28)), Material.grantId, ("notes", "n1")),
      refuse("a row of 59 bytes", "Length", Array(row.dropLast()), Material.grantId, ("notes", "n1")),
      refuse("a row of 61 bytes", "Length", row + [0], Material.grantId, ("notes", "n1")),
      refuse(
        "a good seal of 31 bytes", "Length",
        try sealed(Array(repeating: 7, count: 31), ("notes", "n1"), key, Material.grantId, "31"), Material.grantId,
        ("notes", "n1")),
    ]
      + [0, 11, 12, 43, 44, 59].map { place in
        refuse("a bit of byte \(place)", "Tampered", flipped(row, at: place), Material.grantId, ("notes", "n1"))
      }
  }

  private static func valid(_ comment: String, _ flag: String, _ name: (String, String), _ key: PublishedBytes) throws
    -> Test
  {
    let row = try sealed(name, key, Material.grantId, comment)
    return Test(
      comment, [flag], inputs(row, Material.grantId, name),
      .valid([
        ("nonce", .hex(Array(row.prefix(12)))), ("aad", .hex(aad(Material.grantId, try Names.record(name.0, name.1)))),
        ("recordKey", .hex(try recordKey(name))),
      ]))
  }

  private static func refuse(
    _ comment: String, _ flag: String, _ row: [UInt8], _ grantId: String, _ name: (String, String)
  ) -> Test {
    Test(comment, [flag], inputs(row, grantId, name), .invalid([]))
  }

  private static func inputs(_ row: [UInt8], _ grantId: String, _ name: (String, String)) -> [(String, JSONValue)] {
    [("rowGrantId", .text(grantId)), ("table", .text(name.0)), ("recordId", .text(name.1)), ("row", .hex(row))]
  }

  private static func recordKey(_ name: (String, String)) throws -> PublishedBytes {
    let info = Material.frame("mandate/v2/record-key", Material.user, name.0, name.1)
    return try Material.hkdf(Material.master, salt: [], info: info)
  }

  private static func sealed(
    _ name: (String, String), _ key: PublishedBytes, _ grantId: String, _ nonce: String
  ) throws -> [UInt8] {
    try sealed(recordKey(name), name, key, grantId, nonce)
  }

  private static func sealed(
    _ secret: PublishedBytes, _ name: (String, String), _ key: PublishedBytes, _ grantId: String, _ nonce: String
  ) throws -> [UInt8] {
    let nonce = Material.nonce("keyring \(nonce)")
    return nonce + (try Material.sealed(secret, key: key, iv: nonce, aad: aad(grantId, Names.record(name.0, name.1))))
  }
}
