// The audit chain: known values, and that no row can be touched unseen.

import Contracts
import Testing

@testable import Grants

@Suite struct AuditChainTests {
  private static let entry = AuditEntry(
    user: id(Ordinary.user), seq: 1, timestamp: "2026-11-21T12:34:56.789012Z", mission: Ordinary.mission,
    grant: Ordinary.grantId, iteration: "iteration-1", table: "notes", record: "n1", status: "ok", reason: nil,
    purpose: "mission-tick", batch: "3f0d6c1e-8f7a-4b52-9b1c-5d4e3f2a1b0c", ofSeq: nil)

  @Test("The hashes of a chain have the values that docs/formats.md shows")
  func known() {
    let first = AuditChain.hash(after: AuditChain.start, Self.entry)
    #expect(Hex.encode(first) == "5a219cb8d2f3ed491c6be6ba3b67079aa9e914f203bf44790a52d884373f9003")
    var second = Self.entry
    second.seq = 2
    #expect(
      Hex.encode(AuditChain.hash(after: first, second))
        == "7287276687bfa0b18361a763085f6d7800cf1fcae404ca27c74c8a06e8dc859d")
  }

  @Test("Each member of a row is in its hash, and so is the row before")
  func members() {
    let changes: [(inout AuditEntry) -> Void] = [
      { _ in }, { $0.user = id("user-9") }, { $0.user = id(composed) }, { $0.user = id(decomposed) }, { $0.seq = 2 },
      { $0.seq = 11 }, { $0.timestamp = "2026-11-21T12:34:56.789013Z" }, { $0.mission = "mission-xyz" },
      { $0.grant = nil },
      { $0.grant = Ordinary.otherGrantId }, { $0.iteration = nil }, { $0.iteration = "iteration-2" },
      { $0.table = "note" },
      { $0.record = "n2" }, { ($0.table, $0.record) = ("note", "sn1") }, { $0.status = "failed" }, { $0.reason = "x" },
      { $0.reason = "mission-tick" }, { ($0.reason, $0.purpose) = ("mission-tick", nil) }, { $0.purpose = nil },
      { $0.purpose = "mission-tock" }, { $0.batch = nil }, { $0.batch = "3f0d" }, { $0.ofSeq = 1 }, { $0.ofSeq = 2 },
      { ($0.batch, $0.ofSeq) = (nil, 1) }, { $0.batch = "1" },
    ]
    let previous = [UInt8](repeating: 7, count: 32)
    let hashes = changes.map { change in
      var entry = Self.entry
      change(&entry)
      return AuditChain.hash(after: previous, entry)
    }
    #expect(Set(hashes).count == changes.count)
    for index in previous.indices {
      var other = previous
      other[index] ^= 1
      #expect(AuditChain.hash(after: other, Self.entry) != hashes[0])
    }
  }

  @Test("A row removed, doubled, changed or moved changes the end of the chain")
  func tampering() {
    var rows = (1...6).map { seq in
      var row = Self.entry
      row.seq = Int64(seq)
      row.record = "n\(seq)"
      return row
    }
    func end(_ rows: [AuditEntry]) -> [UInt8] { rows.reduce(AuditChain.start) { AuditChain.hash(after: $0, $1) } }
    let whole = end(rows)
    for index in rows.indices {
      var other = rows
      other.remove(at: index)
      #expect(end(other) != whole)
      other.insert(rows[index], at: (index + 1) % rows.count)
      #expect(end(other) != whole)
      #expect(end(Array(rows[...index]) + Array(rows[index...])) != whole)
    }
    rows[0].status = "failed"
    #expect(end(rows) != whole)
  }

  @Test("The largest numbers are written out in full")
  func largest() {
    var entry = Self.entry
    (entry.seq, entry.ofSeq) = (.max, .max)
    let text = String(decoding: entry.frame.bytes, as: UTF8.self)
    #expect(text.hasSuffix("9223372036854775807"))
    #expect(text.contains("\u{13}9223372036854775807\0\0\0\u{1B}2026-11-21"))
  }

  @Test("A hash of another length stops the program")
  func length() async {
    await #expect(processExitsWith: .failure) {
      quietCrashes()
      _ = AuditChain.hash(after: [UInt8](repeating: 0, count: 31), Self.entry)
    }
  }
}
