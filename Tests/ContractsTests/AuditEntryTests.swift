// What the audit chain hashes: known bytes, and that every value of a row counts.

import Contracts
import Testing

@Suite("Audit entries")
struct AuditEntryTests {
  private let entry = AuditEntry(
    user: Identifier("u1"), seq: 7, timestamp: "2026-11-20T07:00:00.123456Z", mission: "m1", grant: "g1",
    iteration: "i1",
    table: "notes", record: "n1", status: "ok", reason: nil, purpose: "mission-tick", batch: "b1", ofSeq: nil)

  @Test("The frame is the domain and the thirteen values in the order of the format's page, absent ones empty")
  func knownBytes() {
    let parts = [
      "mandate/v2/audit", "u1", "7", "2026-11-20T07:00:00.123456Z", "m1", "g1", "i1", "notes", "n1", "ok", "",
      "mission-tick",
      "b1", "",
    ]
    #expect(entry.frame.bytes == parts.flatMap { [0, 0, 0, UInt8($0.utf8.count)] + Array($0.utf8) })

    var failure = entry
    (failure.seq, failure.ofSeq, failure.status, failure.reason) = (Int64.max, 7, "failed", "decrypt-failed")
    (failure.grant, failure.iteration, failure.purpose, failure.batch) = (nil, nil, nil, nil)
    let failed = [
      "mandate/v2/audit", "u1", "9223372036854775807", "2026-11-20T07:00:00.123456Z", "m1", "", "", "notes", "n1",
      "failed",
      "decrypt-failed", "", "", "7",
    ]
    #expect(failure.frame.bytes == failed.flatMap { [0, 0, 0, UInt8($0.utf8.count)] + Array($0.utf8) })
  }

  @Test("Changing any one value changes the frame, and makes another entry")
  func everyValueCounts() {
    let changes: [(String, (inout AuditEntry) -> Void)] = [
      ("user", { $0.user = Identifier("u2") }), ("seq", { $0.seq = 8 }), ("timestamp", { $0.timestamp = "x" }),
      ("mission", { $0.mission = "m2" }), ("grant", { $0.grant = nil }), ("iteration", { $0.iteration = "i2" }),
      ("table", { $0.table = "tasks" }), ("record", { $0.record = decomposed }), ("status", { $0.status = "failed" }),
      ("reason", { $0.reason = "expired" }), ("purpose", { $0.purpose = nil }), ("batch", { $0.batch = "b2" }),
      ("ofSeq", { $0.ofSeq = 7 }), ("spelling", { $0.record = composed }),
      ("moved", { ($0.table, $0.record) = ("notesn", "1") }),
      ("swapped", { ($0.mission, $0.grant) = ("g1", "m1") }),
    ]
    var frames = Set([entry.frame.bytes])
    for (name, change) in changes {
      var other = entry
      change(&other)
      #expect(other != entry, "\(name)")
      #expect(frames.insert(other.frame.bytes).inserted, "\(name)")
    }
    #expect(frames.count == 1 + changes.count)
  }

  @Test("Two entries whose records are two spellings of the same letters are two, and absent is not empty")
  func equality() {
    var (left, right) = (entry, entry)
    #expect(left == right)
    (left.record, right.record) = (composed, decomposed)
    #expect(left != right)
    (left, right) = (entry, entry)
    right.reason = ""
    #expect(left != right)
  }
}
