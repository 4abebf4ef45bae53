// The mission key of v2: user, mission, grant and every record of the scope are in it.

import Contracts
import Cryptography
import Grants
import Secrets

enum MissionKeyV2Vectors: OwnFormat {
  static let name = "mission-key-v2.1"
  static let algorithm = "mandate-v2 mission key"
  static let header = [
    "claim = SHA-256(frame(user, mission, grant, n, table1, id1, ...)), records sorted by table bytes, then id bytes;",
    "info = frame(\"mandate/v2/mission-key\", claim); key = HKDF-SHA256(master key, salt = mission, info), 32 bytes.",
    "records may come in any order and more than once. An invalid case names the first input that is refused.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "Each input changed alone gives another key."),
    Note("Order", "FUNCTIONALITY", "The order and repetition of records do not matter; their bytes do."),
    Note("Unicode", "AUTH_BYPASS", "Identifiers are bytes."),
    Note("Boundary", "AUTH_BYPASS", "What v1 derives one key from gives different keys here."),
    Note("Count", "EDGE_CASE", "1 to 1,000 records."),
    Note("MasterKeyLength", "WEAK_PARAMS", "A master key has 32 bytes."),
    Note("Identifier", "FUNCTIONALITY", "1 to 256 bytes of UTF-8 without control characters."),
  ]
  static let groups = [
    GroupShape(
      type: "MissionKeyV2", members: [],
      inputs: [
        .init("masterKey", .hex), .init("userId", .text), .init("missionId", .text), .init("grantId", .text),
        .init("records", .list(Names.recordShape)),
      ],
      valid: [.init("claim", .hex(bytes: 32)), .init("info", .hex), .init("key", .hex(bytes: 32))],
      invalid: [.init("reason", .word(["master-key", "user", "mission", "scope"]))])
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
    guard let mission = try? Identifier(checking: test.text("missionId")) else { return refused("mission") }
    guard let scope = try? Scope(of: Names.records(test.list("records"))) else { return refused("scope") }
    var deriver = try KeyDeriver()
    let key = try deriver.missionKeyV2(
      master: master, user: user, mission: mission, grantId: Identifier(test.text("grantId")), scope: scope)
    guard test.isValid else { return .failed("a key came out") }
    let (claim, info) = claimAndInfo(user.text, mission.text, test.text("grantId"), scope)
    guard claim == test.bytes("claim"), info == test.bytes("info") else { return .failed("another claim or info") }
    return .expect(key.equals(test.bytes("key").span), "another key")
  }

  static func claimAndInfo(_ user: String, _ mission: String, _ grantId: String, _ scope: Scope) -> ([UInt8], [UInt8]) {
    let count = [Array(String(scope.records.count).utf8)]
    let parts =
      [user, mission, grantId].map { Array($0.utf8) } + count
      + scope.records.flatMap { [$0.table.utf8, $0.record.utf8] }
    let claim = SHA256.digest(Material.frame(parts))
    return (claim, Material.frame([Array("mandate/v2/mission-key".utf8), claim]))
  }

  static func key(
    _ master: PublishedBytes, _ user: String, _ mission: String, _ grantId: String, _ scope: Scope
  ) throws -> PublishedBytes {
    let (_, info) = claimAndInfo(user, mission, grantId, scope)
    return try Material.hkdf(master, salt: Array(mission.utf8), info: info)
  }

  // MARK: Cases

  private struct Input {
    var master = Material.master
    var user = Material.user
    var mission = Material.mission
    var grantId = Material.grantId
    var records = [("notes", "n1"), ("tasks", "t1")]
  }

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    [Group(type: "MissionKeyV2", members: [], tests: try basics() + hard() + refusals())]
  }

  private static func basics() throws -> [Test] {
    [
      try valid("an ordinary grant", ["Basic"]) { _ in },
      try valid("another user", ["Basic"]) { $0.user = "user-9" },
      try valid("another mission", ["Basic"]) { $0.mission = "mission-xyz" },
      try valid("another grant", ["Basic"]) { $0.grantId = Material.otherGrantId },
      try valid("another master key", ["Basic"]) { $0.master = Material.otherMaster },
      try valid("a record less", ["Basic", "Count"]) { $0.records = [("notes", "n1")] },
      try valid("a record more", ["Basic"]) { $0.records.append(("notes", "n2")) },
      try valid("another table", ["Basic"]) { $0.records = [("notes", "n1"), ("task", "t1")] },
      try valid("the records reversed", ["Order"]) { $0.records.reverse() },
      try valid("a record twice", ["Order"]) { $0.records.append(("notes", "n1")) },
      try valid("a table's name begins another's", ["Order"]) { $0.records = [("a", "x"), ("a1", "y"), ("a", "z")] },
      try valid("one name with a comma", ["Boundary"]) { $0.records = [("notes", "1,notes:2")] },
      try valid("two names", ["Boundary"]) { $0.records = [("notes", "1"), ("notes", "2")] },
      try valid("user and mission joined otherwise", ["Boundary"]) {
        ($0.user, $0.mission) = ("user-4f21m", "ission-abc")
      },
      try valid("a mission that begins like the salt of another", ["Boundary"]) { $0.mission = "mission-abc " },
      try valid("1,000 records", ["Count"]) { $0.records = Names.thousand() },
    ]
  }

  private static func hard() throws -> [Test] {
    try Names.hardIdentifiers.flatMap { comment, text in
      [
        try valid("a user id \(comment)", ["Unicode"]) { $0.user = text },
        try valid("a mission id \(comment)", ["Unicode"]) { $0.mission = text },
        try valid("a record id \(comment)", ["Unicode"]) { $0.records = [("notes", text)] },
      ]
    }
  }

  private static func refusals() -> [Test] {
    [0, 31, 33].map { count in
      invalid("a master key of \(count) bytes", "MasterKeyLength", "master-key") {
        $0.master = Material.seeded("short", count)
      }
    }
      + Names.badIdentifiers.flatMap { comment, text in
        [
          invalid("a user id \(comment)", "Identifier", "user") { $0.user = text },
          invalid("a mission id \(comment)", "Identifier", "mission") { $0.mission = text },
          invalid("a record id \(comment)", "Identifier", "scope") { $0.records = [("notes", text)] },
        ]
      }
      + Names.badTables.map { table in
        invalid("the table \"\(table)\"", "Identifier", "scope") { $0.records = [(table, "n1")] }
      } + [
        invalid("no record", "Count", "scope") { $0.records = [] },
        invalid("1,001 records", "Count", "scope") { $0.records = Names.thousand(1001) },
      ]
  }

  private static func valid(_ comment: String, _ flags: [String], _ change: (inout Input) -> Void) throws -> Test {
    var input = Input()
    change(&input)
    let scope = try Scope(of: input.records.map { try Names.record($0.0, $0.1) })
    let (claim, info) = claimAndInfo(input.user, input.mission, input.grantId, scope)
    let key = try key(input.master, input.user, input.mission, input.grantId, scope)
    return Test(
      comment, flags, inputs(input), .valid([("claim", .hex(claim)), ("info", .hex(info)), ("key", .hex(key))]))
  }

  private static func invalid(
    _ comment: String, _ flag: String, _ reason: String, _ change: (inout Input) -> Void
  ) -> Test {
    var input = Input()
    change(&input)
    return Test(comment, [flag], inputs(input), .invalid(reason: reason))
  }

  private static func inputs(_ input: Input) -> [(String, JSONValue)] {
    [
      ("masterKey", .hex(input.master)), ("userId", .text(input.user)), ("missionId", .text(input.mission)),
      ("grantId", .text(input.grantId)), ("records", Names.json(input.records)),
    ]
  }
}
