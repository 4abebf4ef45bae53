// The audit chain: each row carries the hash of all rows before it.

import Contracts
import Cryptography
import Grants

enum AuditChainVectors: OwnFormat {
  static let name = "audit-chain-v2.1"
  static let algorithm = "mandate-v2 audit chain"
  static let header = [
    "hash = SHA-256(previous || frame(\"mandate/v2/audit\", user, seq, ts, mission, grant, iteration, table, record, status,",
    "reason, purpose, batch, ofSeq)); null is the empty part, numbers are decimal; before the first row stand 32 zero bytes.",
    "AuditChain: the rows of one user in order. AuditChainBroken: single rows whose hash is not the one of their members.",
  ]
  static let notes = [
    Note("Basic", "BASIC", "Rows as an opening writes them."),
    Note("Absent", "FUNCTIONALITY", "Members that a row does not have are empty parts."),
    Note("Correction", "FUNCTIONALITY", "A later row that names the one it corrects."),
    Note("HardNames", "FUNCTIONALITY", "Names that are easily got wrong."),
    Note("Changed", "AUTH_BYPASS", "One member of the row was changed after it was hashed."),
    Note("Reordered", "AUTH_BYPASS", "The row stands behind another one than it was hashed behind."),
  ]
  private static let rowMembers: [Shape.Member] =
    [
      .init("previous", .hex(bytes: 32)), .init("userId", .text), .init("seq", .positiveInteger), .init("ts", .text),
      .init("missionId", .text), .init("grantId", .orNull(.text)), .init("iterationId", .orNull(.text)),
      .init("table", .text), .init("recordId", .text), .init("status", .text), .init("reason", .orNull(.text)),
      .init("purpose", .orNull(.text)), .init("batch", .orNull(.text)), .init("ofSeq", .orNull(.positiveInteger)),
      .init("hash", .hex(bytes: 32)),
    ]
  static let groups = [
    GroupShape(
      type: "AuditChain", members: [.init("start", .hex(bytes: 32))], inputs: rowMembers, valid: [.init("frame", .hex)],
      invalid: []),
    GroupShape(type: "AuditChainBroken", members: [], inputs: rowMembers, valid: [], invalid: []),
  ]

  static func checker(for group: Members) throws -> (Members) throws -> Outcome {
    guard group.text("type") == "AuditChain" else { return { check($0) } }
    guard group.bytes("start") == AuditChain.start else { throw UnreadableVectors(why: "a chain begins with zeroes") }
    let chain = Chain()
    return { test in
      guard test.bytes("previous") == chain.head, test.integer("seq") == chain.next else {
        return .failed("the row does not follow the one before it")
      }
      chain.next += 1
      chain.head = test.bytes("hash")
      return check(test)
    }
  }

  private final class Chain {
    var head = AuditChain.start
    var next = 1
  }

  private static func check(_ test: Members) -> Outcome {
    let entry = entry(test)
    let matches = AuditChain.hash(after: test.bytes("previous"), entry) == test.bytes("hash")
    guard test.isValid else { return .expect(!matches, "the hash is that of the row") }
    return .expect(matches && entry.frame.bytes == test.bytes("frame"), "another hash or frame")
  }

  private static func entry(_ test: Members) -> AuditEntry {
    AuditEntry(
      user: Identifier(test.text("userId")), seq: Int64(test.integer("seq")), timestamp: test.text("ts"),
      mission: test.text("missionId"), grant: test.optionalText("grantId"), iteration: test.optionalText("iterationId"),
      table: test.text("table"), record: test.text("recordId"), status: test.text("status"),
      reason: test.optionalText("reason"), purpose: test.optionalText("purpose"), batch: test.optionalText("batch"),
      ofSeq: test.isNull("ofSeq") ? nil : Int64(test.integer("ofSeq")))
  }

  // MARK: Cases

  /// A row as the file spells it; `nil` is null.
  private struct Row {
    var user = Material.user
    var seq = 1
    var ts = "2026-11-21T12:34:56.789012Z"
    var mission = Material.mission
    var grant: String? = Material.grantId
    var iteration: String? = "iteration-1"
    var table = "notes"
    var record = "n1"
    var status = "ok"
    var reason: String?
    var purpose: String? = "mission-tick"
    var batch: String? = "3f0d6c1e-8f7a-4b52-9b1c-5d4e3f2a1b0c"
    var ofSeq: Int?

    var frame: [UInt8] {
      let parts = [user, String(seq), ts, mission, grant ?? "", iteration ?? "", table, record, status]
      let more = [reason ?? "", purpose ?? "", batch ?? "", ofSeq.map(String.init) ?? ""]
      return Material.frame((["mandate/v2/audit"] + parts + more).map { Array($0.utf8) })
    }

    func hash(after previous: [UInt8]) -> [UInt8] { SHA256.digest(previous + frame) }

    func inputs(_ previous: [UInt8], _ hash: [UInt8]) -> [(String, JSONValue)] {
      func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
      return [
        ("previous", .hex(previous)), ("userId", .text(user)), ("seq", .number(JSONNumber(seq))), ("ts", .text(ts)),
        ("missionId", .text(mission)), ("grantId", optional(grant)), ("iterationId", optional(iteration)),
        ("table", .text(table)), ("recordId", .text(record)), ("status", .text(status)), ("reason", optional(reason)),
        ("purpose", optional(purpose)), ("batch", optional(batch)),
        ("ofSeq", ofSeq.map { .number(JSONNumber($0)) } ?? .null), ("hash", .hex(hash)),
      ]
    }
  }

  static func make(keeping former: FormerFile, keys: ThrowAwayKeys) throws -> [Group] {
    var (head, tests) = (AuditChain.start, [Test]())
    for (index, (comment, flags, change)) in rows.enumerated() {
      var row = Row()
      row.seq = index + 1
      change(&row)
      let hash = row.hash(after: head)
      tests.append(Test(comment, flags, row.inputs(head, hash), .valid([("frame", .hex(row.frame))])))
      head = hash
    }
    return [
      Group(type: "AuditChain", members: [("start", .hex(AuditChain.start))], tests: tests),
      Group(type: "AuditChainBroken", members: [], tests: broken()),
    ]
  }

  private static let rows: [(String, [String], @Sendable (inout Row) -> Void)] = [
    ("the first row of a user", ["Basic"], { _ in }),
    ("the next one, the same but for its number", ["Basic"], { _ in }),
    (
      "a record outside the keyring", ["Basic"],
      {
        ($0.record, $0.status, $0.reason) = ("n9", "scope-violation", "record-not-in-grant-allowlist")
      }
    ),
    ("no grant and no iteration", ["Absent"], { ($0.grant, $0.iteration) = (nil, nil) }),
    (
      "nothing that may be absent", ["Absent"],
      {
        ($0.grant, $0.iteration, $0.reason, $0.purpose, $0.batch) = (nil, nil, nil, nil, nil)
      }
    ),
    ("a purpose but no reason", ["Absent"], { ($0.reason, $0.purpose) = (nil, "x") }),
    ("a reason but no purpose", ["Absent"], { ($0.reason, $0.purpose) = ("x", nil) }),
    (
      "a field of the first row failed", ["Correction"],
      {
        ($0.status, $0.reason, $0.ofSeq) = ("failed", "ciphertext-tampered-or-wrong-key", 1)
      }
    ),
    ("composed and decomposed", ["HardNames"], { ($0.record, $0.mission) = (Material.composed, Material.decomposed) }),
    ("an astral character, colons, commas", ["HardNames"], { $0.record = "\u{1F600}:a,b" }),
    ("a record of 256 bytes", ["HardNames"], { $0.record = Material.longestId }),
    ("a number as a name", ["HardNames"], { ($0.record, $0.batch) = ("12", "12") }),
  ]

  private static func broken() -> [Test] {
    let previous = Material.seeded("previous hash", 32)
    var row = Row()
    (row.seq, row.status, row.reason, row.ofSeq) = (7, "failed", "not-sealed-yet", 3)
    let hash = row.hash(after: previous)
    func changed(_ comment: String, _ change: (inout Row) -> Void) -> Test {
      var other = row
      change(&other)
      return Test("changed: \(comment)", ["Changed"], other.inputs(previous, hash), .invalid([]))
    }
    let changes: [(String, (inout Row) -> Void)] = [
      ("user", { $0.user = "user-9" }), ("seq", { $0.seq = 8 }), ("ts", { $0.ts = "2026-11-21T12:34:56.789013Z" }),
      ("mission", { $0.mission = "mission-xyz" }), ("grant", { $0.grant = Material.otherGrantId }),
      ("grant gone", { $0.grant = nil }), ("iteration", { $0.iteration = "iteration-2" }),
      ("table", { $0.table = "note" }),
      ("record", { $0.record = "n2" }), ("status", { $0.status = "ok" }), ("reason", { $0.reason = "decrypt-failed" }),
      ("reason gone", { $0.reason = nil }), ("purpose", { $0.purpose = "mission-tock" }),
      ("batch", { $0.batch = "3f0d6c1e-8f7a-4b52-9b1c-5d4e3f2a1b0d" }), ("of_seq", { $0.ofSeq = 4 }),
      ("of_seq gone", { $0.ofSeq = nil }),
      ("table and record joined otherwise", { ($0.table, $0.record) = ("note", "sn1") }),
      ("reason and purpose exchanged", { ($0.reason, $0.purpose) = ($0.purpose, $0.reason) }),
    ]
    return changes.map { changed($0.0, $0.1) } + [
      Test("behind another row", ["Reordered"], row.inputs(flipped(previous, at: 0), hash), .invalid([])),
      Test("as the first row", ["Reordered"], row.inputs(AuditChain.start, hash), .invalid([])),
      Test("the hash of the row before", ["Reordered"], row.inputs(previous, previous), .invalid([])),
    ]
  }
}
