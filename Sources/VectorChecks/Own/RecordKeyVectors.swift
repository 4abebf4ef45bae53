// The key of one record: it depends on master key, user, table and record, and on nothing that an edit changes.

import Contracts
import Grants
import Secrets

enum RecordKeyVectors: OwnFormat {
  static let name = "record-key-v2.1"
  static let algorithm = "mandate-v2 record key"
  static let header = [
    "HKDF-SHA256 of the master key with an empty salt and info = frame(\"mandate/v2/record-key\", user, table, id).",
    "An invalid case names the first input that is refused: the master key, the user, the table or the id.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "Each input changed alone gives another key."),
    Note("Unicode", "AUTH_BYPASS", "Identifiers are bytes: nothing is normalised, no character is special."),
    Note("Boundary", "AUTH_BYPASS", "Moving a character from one input to the next gives another key."),
    Note("MasterKeyLength", "WEAK_PARAMS", "A master key has 32 bytes."),
    Note(
      "Identifier", "FUNCTIONALITY", "1 to 256 bytes of UTF-8 without control characters; table names are narrower."),
  ]
  static let groups = [
    GroupShape(
      type: "RecordKey", members: [],
      inputs: [.init("masterKey", .hex), .init("userId", .text), .init("table", .text), .init("recordId", .text)],
      valid: [.init("info", .hex), .init("key", .hex(bytes: 32))],
      invalid: [.init("reason", .word(["master-key", "user", "table", "record"]))])
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome { check }

  private static func check(_ test: Members) throws -> Outcome {
    func refused(_ reason: String) -> Outcome {
      .expect(!test.isValid && test.text("reason") == reason, "refused: \(reason)")
    }
    let masterBytes = test.bytes("masterKey")
    let master = try SecretBytes(copying: masterBytes.span)
    guard master.count == KeyDeriver.masterKeyBytes else { return refused("master-key") }
    guard let user = try? Identifier(checking: test.text("userId")) else { return refused("user") }
    guard let table = try? TableName(test.text("table")) else { return refused("table") }
    guard let id = try? Identifier(checking: test.text("recordId")) else { return refused("record") }
    var deriver = try KeyDeriver()
    let key = try deriver.recordKey(master: master, user: user, record: RecordName(table: table, record: id))
    guard test.isValid else { return .failed("a key came out") }
    let info = Material.frame("mandate/v2/record-key", user.text, table.text, id.text)
    guard info == test.bytes("info") else { return .failed("another info") }
    return .expect(key.equals(test.bytes("key").span), "another key")
  }

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    let user = Material.user
    let basics = [
      try valid("an ordinary record", ["Basic"], user, "notes", "n1"),
      try valid("another record", ["Basic"], user, "notes", "n2"),
      try valid("another table", ["Basic"], user, "tasks", "n1"),
      try valid("another user", ["Basic"], "user-9", "notes", "n1"),
      try valid("another master key", ["Basic"], user, "notes", "n1", master: Material.otherMaster),
      try valid("a table's name in other case", ["Basic"], user, "Notes", "n1"),
      try valid("table a, record 1x", ["Boundary"], user, "a", "1x"),
      try valid("table a1, record x", ["Boundary"], user, "a1", "x"),
      try valid("user a, table b", ["Boundary"], "a", "b", "n1"),
      try valid("user ab, table b", ["Boundary"], "ab", "b", "n1"),
      try valid("a table of 63 bytes", ["Boundary"], user, String(repeating: "t", count: 63), "n1"),
    ]
    let hard = try Names.hardIdentifiers.flatMap { comment, text in
      [
        try valid("a record id \(comment)", ["Unicode"], user, "notes", text),
        try valid("a user id \(comment)", ["Unicode"], text, "notes", "n1"),
      ]
    }
    return [Group(type: "RecordKey", members: [], tests: basics + hard + refusals())]
  }

  private static func refusals() -> [Test] {
    let user = Material.user
    return [0, 16, 31, 33].map { count in
      invalid(
        "a master key of \(count) bytes", "MasterKeyLength", Material.seeded("short", count), user, "notes", "n1")(
          "master-key")
    }
      + Names.badIdentifiers.flatMap { comment, text in
        [
          invalid("a record id \(comment)", "Identifier", Material.master, user, "notes", text)("record"),
          invalid("a user id \(comment)", "Identifier", Material.master, text, "notes", "n1")("user"),
        ]
      }
      + Names.badTables.map { table in
        invalid("the table \"\(table)\"", "Identifier", Material.master, user, table, "n1")("table")
      }
  }

  private static func valid(
    _ comment: String, _ flags: [String], _ user: String, _ table: String, _ id: String,
    master: PublishedBytes = Material.master
  ) throws -> Test {
    let info = Material.frame("mandate/v2/record-key", user, table, id)
    return Test(
      comment, flags, inputs(master, user, table, id),
      .valid([("info", .hex(info)), ("key", .hex(try Material.hkdf(master, salt: [], info: info)))]))
  }

  private static func invalid(
    _ comment: String, _ flag: String, _ master: PublishedBytes, _ user: String, _ table: String, _ id: String
  ) -> (String) -> Test {
    { Test(comment, [flag], inputs(master, user, table, id), .invalid(reason: $0)) }
  }

  private static func inputs(
    _ master: PublishedBytes, _ user: String, _ table: String, _ id: String
  ) -> [(String, JSONValue)] {
    [("masterKey", .hex(master)), ("userId", .text(user)), ("table", .text(table)), ("recordId", .text(id))]
  }
}
