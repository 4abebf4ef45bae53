// The mission key of v1: HKDF over the canonical string of the scope.

import Contracts
import Cryptography
import Grants
import Secrets

enum MissionKeyV1Vectors: OwnFormat {
  static let name = "mission-key-v1.1"
  static let algorithm = "mandate-v1 mission key"
  static let header = [
    "HKDF-SHA256 with the mission id as salt and the canonical string of the scope as info; 32 bytes.",
    "info is text; its UTF-8 bytes go into HKDF. A refused case names its reason.",
    "The canonical string is not injective: cases with the flag Collision show different scopes with one key.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "An ordinary scope."),
    Note("Order", "FUNCTIONALITY", "Both lists are sorted by UTF-16 code units, whatever order they come in."),
    Note("Unicode", "FUNCTIONALITY", "Nothing is normalised: composed and decomposed characters are different."),
    Note("Duplicates", "FUNCTIONALITY", "Names that stand twice stay twice."),
    Note("Empty", "EDGE_CASE", "Empty lists, names and missions are derived from as they are."),
    Note("Salt", "EDGE_CASE", "HMAC hashes a salt longer than 64 bytes and fills a shorter one with zeroes."),
    Note("LongInfo", "EDGE_CASE", "Some libraries cap the info at 1,024 or 32,768 bytes; the format does not."),
    Note("Collision", "AUTH_BYPASS", "Another scope or mission in this file has the same key."),
    Note("MasterKeyLength", "WEAK_PARAMS", "A master key has 32 bytes. This is looked at first."),
    Note("Version", "FUNCTIONALITY", "Only the version v1 is derived this way."),
  ]
  static let groups = [
    GroupShape(
      type: "MissionKeyV1", members: [],
      inputs: [
        .init("masterKey", .hex), .init("version", .text), .init("missionId", .text), .init("tables", .list(.text)),
        .init("recordIds", .list(.text)),
      ],
      valid: [.init("info", .text), .init("key", .hex(bytes: 32))],
      invalid: [.init("reason", .word(["master-key-length", "unsupported-version"]))])
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome { check }

  private static func check(_ test: Members) throws -> Outcome {
    let masterBytes = test.bytes("masterKey")
    let master = try SecretBytes(copying: masterBytes.span)
    var deriver = try KeyDeriver()
    do throws(DerivationFailure) {
      let key = try deriver.missionKeyV1(
        master: master, version: test.text("version"), mission: test.text("missionId"), tables: test.texts("tables"),
        recordIds: test.texts("recordIds"))
      guard test.isValid else { return .failed("a key came out") }
      let info = canonicalScopeV1(tables: test.texts("tables"), recordIds: test.texts("recordIds"))
      guard JSONString(info) == JSONString(test.text("info")) else { return .failed("another canonical string") }
      return .expect(key.equals(test.bytes("key").span), "another key")
    } catch {
      let reason = reason(error)
      return .expect(!test.isValid && reason == test.text("reason"), "refused: \(reason)")
    }
  }

  private static func reason(_ error: DerivationFailure) -> String {
    switch error {
    case .masterKeyLength: "master-key-length"
    case .unsupportedVersion: "unsupported-version"
    case .failed(let error): error.description
    }
  }

  // MARK: Cases

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    [Group(type: "MissionKeyV1", members: [], tests: try derivations() + refusals())]
  }

  private static func derivations() throws -> [Test] {
    let (notes, ids) = (["notes", "tasks"], ["notes:n1", "tasks:t1"])
    let thousand = (0..<1000).map { "notes:" + Hex.encode(Material.seeded("record \($0)", 16)) }
    return [
      try test("two records", ["Basic"], "mission-abc", notes, ids),
      try test("the same, unsorted", ["Order"], "mission-abc", notes.reversed(), ids.reversed()),
      try test("a record twice", ["Duplicates"], "mission-abc", notes, ["notes:n1", "notes:n1", "tasks:t1"]),
      try test("a table twice", ["Duplicates"], "mission-abc", ["notes", "notes", "tasks"], ids),
      try test(
        "astral characters sort before U+E000", ["Order", "Unicode"], "m", ["notes"],
        ["notes:\u{FF5E}", "notes:\u{1F600}", "notes:\u{E000}"]),
      try test(
        "decomposed before composed", ["Order", "Unicode"], "m", ["notes"], ["notes:\u{E9}", "notes:e\u{301}"]),
      try test("composed alone", ["Unicode"], "m", ["notes"], ["notes:\u{E9}"]),
      try test("decomposed alone", ["Unicode"], "m", ["notes"], ["notes:e\u{301}"]),
      try test(
        "capitals before small letters, 10 before 9", ["Order"], "\u{E9}", ["B", "a", "b", "A"],
        ["notes:10", "notes:9"]),
      try test("no records", ["Empty"], "m", ["notes"], []),
      try test("nothing at all", ["Empty", "Collision"], "m", [], []),
      try test("one empty name in each list", ["Empty", "Collision"], "m", [""], [""]),
      try test("an empty mission", ["Empty", "Salt", "Collision"], "", ["notes"], ["notes:n1"]),
      try test("a mission of one NUL", ["Salt", "Collision"], "\0", ["notes"], ["notes:n1"]),
      try test("a comma in a name", ["Collision"], "m", ["notes"], ["notes:1,notes:2"]),
      try test("the comma between two names", ["Collision"], "m", ["notes"], ["notes:1", "notes:2"]),
      try test("the separator inside a table", ["Collision"], "m", ["a:ids=b"], ["c"]),
      try test("the separator inside a record", ["Collision"], "m", ["a"], ["b:ids=c"]),
      try test("a mission of 64 bytes", ["Salt"], String(repeating: "x", count: 64), notes, ids),
      try test("a mission of 65 bytes", ["Salt"], String(repeating: "x", count: 65), notes, ids),
      try test("info of 1,024 bytes", ["LongInfo"], "m", ["notes"], [padding(to: 1024)]),
      try test("info of 1,025 bytes", ["LongInfo"], "m", ["notes"], [padding(to: 1025)]),
      try test("info of 32,768 bytes", ["LongInfo"], "m", ["notes"], [padding(to: 32768)]),
      try test("info of 32,769 bytes", ["LongInfo"], "m", ["notes"], [padding(to: 32769)]),
      try test("1,000 records", ["LongInfo"], "m", ["notes"], thousand),
      try test("another master key", ["Basic"], "mission-abc", notes, ids, master: Material.otherMaster),
    ]
  }

  private static func refusals() -> [Test] {
    let lengths = [0, 16, 31, 33, 64].map { count in
      refusal("a master key of \(count) bytes", "MasterKeyLength", Material.seeded("short", count), "v1")
    }
    let versions = ["v2", "V1", "", "v1 ", "1"].map { refusal("the version \"\($0)\"", "Version", Material.master, $0) }
    return lengths.map { $0("master-key-length") } + versions.map { $0("unsupported-version") } + [
      refusal("master key and version both wrong", "MasterKeyLength", Material.seeded("short", 31), "v2")(
        "master-key-length")
    ]
  }

  private static func test(
    _ comment: String, _ flags: [String], _ mission: String, _ tables: [String], _ ids: [String],
    master: PublishedBytes = Material.master
  ) throws -> Test {
    let info = canonicalScopeV1(tables: tables, recordIds: ids)
    let key = try Material.hkdf(master, salt: Array(mission.utf8), info: Array(info.utf8))
    return Test(
      comment, flags, inputs(master, "v1", mission, tables, ids), .valid([("info", .text(info)), ("key", .hex(key))]))
  }

  private static func refusal(
    _ comment: String, _ flag: String, _ master: PublishedBytes, _ version: String
  ) -> (String) -> Test {
    { reason in
      Test(comment, [flag], inputs(master, version, "m", ["notes"], ["notes:n1"]), .invalid(reason: reason))
    }
  }

  private static func inputs(
    _ master: PublishedBytes, _ version: String, _ mission: String, _ tables: [String], _ ids: [String]
  ) -> [(String, JSONValue)] {
    [
      ("masterKey", .hex(master)), ("version", .text(version)), ("missionId", .text(mission)),
      ("tables", .strings(tables)), ("recordIds", .strings(ids)),
    ]
  }

  /// A record id that makes the canonical string of `["notes"]` and itself that long.
  private static func padding(to bytes: Int) -> String {
    let rest = canonicalScopeV1(tables: ["notes"], recordIds: [""]).utf8.count
    return String(repeating: "n", count: bytes - rest)
  }
}
