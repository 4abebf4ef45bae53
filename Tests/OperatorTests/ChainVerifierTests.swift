// The verifier of chains, without a database: whatever is done to a chain is found, and named for what it is.

import Contracts
import Grants
import Store
import Testing

@testable import Operator

@Suite struct ChainVerifierTests {
  private static let user = Identifier("u")

  private static func entry(_ seq: Int64, _ record: String) -> AuditEntry {
    AuditEntry(
      user: user, seq: seq, timestamp: "2026-11-20T07:00:00.\(100_000 + seq)Z", mission: "m", grant: "g",
      iteration: nil,
      table: "notes", record: record, status: "ok", reason: nil, purpose: "p", batch: nil, ofSeq: nil)
  }

  private static func chain(_ count: Int64) -> [AuditRow] {
    var previous = AuditChain.start
    return (1...count).map { seq in
      let entry = entry(seq, "n\(seq)")
      previous = AuditChain.hash(after: previous, entry)
      return AuditRow(entry: entry, hash: previous)
    }
  }

  private static func end(_ rows: [AuditRow]) -> ChainHead? {
    rows.last.map { ChainHead(seq: $0.entry.seq, hash: $0.hash) }
  }

  /// In pages, as the database gives them.
  private static func findings(
    _ rows: [AuditRow], head: ChainHead?, cut: ChainHead? = nil, anchors: [ChainHead] = [], page: Int = 100
  ) -> [String] {
    var verifier = ChainVerifier(ChainEnds(user: user, head: head, cut: cut), anchors: anchors)
    var rest = rows.sorted { $0.entry.seq < $1.entry.seq }[...]
    while !rest.isEmpty {
      verifier.take(Array(rest.prefix(page)))
      rest = rest.dropFirst(page)
    }
    verifier.finish()
    return verifier.findings.map { "\($0.kind.rawValue) \($0.seq)" + ($0.through.map { " \($0)" } ?? "") }
  }

  private static func with(_ row: AuditRow, seq: Int64? = nil, record: String? = nil, hash: [UInt8]? = nil) -> AuditRow
  {
    var entry = row.entry
    if let seq { entry.seq = seq }
    if let record { entry.record = record }
    return AuditRow(entry: entry, hash: hash ?? row.hash)
  }

  @Test(
    "A whole chain holds, in pages of any size, from its start or from a cut", arguments: [1, 7, 127, 128, 129, 1000])
  func whole(page: Int) {
    let rows = Self.chain(300)
    #expect(Self.findings(rows, head: Self.end(rows), page: page).isEmpty)
    let cut = ChainHead(seq: 100, hash: rows[99].hash)
    #expect(Self.findings(Array(rows[100...]), head: Self.end(rows), cut: cut, page: page).isEmpty)
    #expect(Self.findings([], head: Self.end(rows), cut: Self.end(rows)).isEmpty)
    #expect(Self.findings([], head: ChainHead(seq: 0, hash: AuditChain.start)).isEmpty)
    #expect(Self.findings([], head: nil).isEmpty)
  }

  @Test("A changed row is named, and the rows behind it are not", arguments: [0, 1, 150, 299])
  func changed(index: Int) {
    var rows = Self.chain(300)
    rows[index] = Self.with(rows[index], record: "another")
    #expect(Self.findings(rows, head: Self.end(rows)) == ["changed \(index + 1)"])
  }

  @Test("A row changed with a hash to fit it shows at the row that continues it, or at the end")
  func changedWithHash() {
    var rows = Self.chain(300)
    let head = Self.end(rows)
    let changed = Self.entry(100, "another")
    rows[99] = AuditRow(entry: changed, hash: AuditChain.hash(after: rows[98].hash, changed))
    #expect(Self.findings(rows, head: head) == ["changed 101"])
    var last = Self.chain(300)
    let changedLast = Self.entry(300, "another")
    last[299] = AuditRow(entry: changedLast, hash: AuditChain.hash(after: last[298].hash, changedLast))
    #expect(Self.findings(last, head: head) == ["end-differs 300"])
  }

  @Test("Removed rows are named by their numbers, at the start, in the middle and at the end")
  func removed() {
    let rows = Self.chain(300)
    let head = Self.end(rows)
    #expect(Self.findings(Array(rows[1...]), head: head) == ["removed 1 1"])
    #expect(Self.findings(Array(rows[..<100] + rows[110...]), head: head) == ["removed 101 110"])
    #expect(Self.findings(Array(rows[..<290]), head: head) == ["removed 291 300"])
    #expect(Self.findings([], head: head) == ["removed 1 300"])
    #expect(Self.findings(Array(rows[5...]), head: head, cut: ChainHead(seq: 3, hash: rows[2].hash)) == ["removed 4 5"])
  }

  @Test("Rows that changed places are named as moved", arguments: [(10, 11), (10, 14), (0, 1), (298, 299)])
  func moved(one: Int, other: Int) {
    var rows = Self.chain(300)
    (rows[one], rows[other]) = (
      Self.with(rows[other], seq: Int64(one + 1)), Self.with(rows[one], seq: Int64(other + 1))
    )
    let findings = Self.findings(rows, head: Self.end(Self.chain(300)))
    #expect(findings.contains("moved \(one + 1) \(other + 1)"), "\(findings)")
    #expect(findings.allSatisfy { $0.hasPrefix("moved") || $0.hasPrefix("time-runs-backwards") }, "\(findings)")
  }

  @Test("An inserted row is named whether its hash fits or not, and the rows behind it hold")
  func inserted() {
    let rows = Self.chain(300)
    let shifted = rows[100...].map { Self.with($0, seq: $0.entry.seq + 1) }
    for head in [ChainHead(seq: 301, hash: rows[299].hash), ChainHead(seq: 300, hash: rows[299].hash)] {
      let wrong = AuditRow(entry: Self.entry(101, "forged"), hash: [UInt8](repeating: 7, count: 32))
      #expect(Self.findings(rows[..<100] + [wrong] + shifted, head: head) == ["inserted 101"])
      let forged = Self.entry(101, "forged")
      let fitting = AuditRow(entry: forged, hash: AuditChain.hash(after: rows[99].hash, forged))
      #expect(Self.findings(rows[..<100] + [fitting] + shifted, head: head) == ["inserted 101"])
    }
    let appended = Self.entry(301, "forged")
    let behind = AuditRow(entry: appended, hash: AuditChain.hash(after: rows[299].hash, appended))
    #expect(Self.findings(rows + [behind], head: Self.end(rows)) == ["inserted 301"])
    #expect(Self.findings(rows + [rows[4]], head: Self.end(rows)) == ["inserted 5"])
    let cut = ChainHead(seq: 3, hash: rows[2].hash)
    #expect(Self.findings(Array(rows[2...]), head: Self.end(rows), cut: cut) == ["inserted 3"])
    #expect(Self.findings(rows, head: nil) == ["end-missing 300"])
  }

  @Test("A chain rewritten as a whole verifies, and shows beside the ends that were exported before")
  func rewritten() {
    let rows = Self.chain(300)
    let anchors = [1, 99, 100, 101, 300].map { ChainHead(seq: Int64($0), hash: rows[$0 - 1].hash) }
    #expect(Self.findings(rows, head: Self.end(rows), anchors: anchors).isEmpty)
    var previous = rows[98].hash
    let rewritten =
      rows[..<99]
      + (Int64(100)...290).map { seq in
        let entry = Self.entry(seq, "x\(seq)")
        previous = AuditChain.hash(after: previous, entry)
        return AuditRow(entry: entry, hash: previous)
      }
    #expect(Self.findings(Array(rewritten), head: Self.end(Array(rewritten))).isEmpty)
    #expect(
      Self.findings(Array(rewritten), head: Self.end(Array(rewritten)), anchors: anchors)
        == ["differs-from-export 100", "differs-from-export 101", "shorter-than-export 300"])
    // What was pruned can't be compared any more, but the cut itself can.
    let cut = ChainHead(seq: 100, hash: rows[99].hash)
    #expect(Self.findings(Array(rows[100...]), head: Self.end(rows), cut: cut, anchors: anchors).isEmpty)
    let wrongCut = ChainHead(seq: 99, hash: [UInt8](repeating: 1, count: 32))
    #expect(
      Self.findings(Array(rows[99...]), head: Self.end(rows), cut: wrongCut, anchors: anchors)
        == ["differs-from-export 99", "changed 100"])
  }

  @Test("Exported lines are read back, and a line that is none of ours is refused")
  func lines() throws {
    let head = ChainHead(seq: 7, hash: [UInt8](repeating: 0xAB, count: 32))
    let line = Array(AuditLines.head(Identifier("é\"\n"), head).utf8)
    let read = try AuditLines.readHead(line.span)
    #expect(read?.user == Identifier("é\"\n") && read?.end == head)
    let row = Array(AuditLines.row(Self.chain(1)[0]).utf8)
    let isNone = try AuditLines.readHead(row.span) == nil
    #expect(isNone)
    for wrong in [
      "", "{", #"{"head":{"user":"u","seq":"1","hash":""}}"#, #"{"head":{"user":"u","seq":1,"hash":"ab"}}"#,
    ] {
      let bytes = Array(wrong.utf8)
      #expect(throws: (any Error).self) { try AuditLines.readHead(bytes.span) }
    }
  }
}
