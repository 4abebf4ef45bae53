// Recomputes one user's chain row by row and names what does not hold. A plain function of the rows: it asks no
// database, and it takes no hash from one without having made it again here, where the database's owner has no say.
//
// One wrong row must not make all behind it wrong as well. So what does not verify is looked at together with the rows
// around it, within a window: a row that verifies in another place was moved, and one without which the next verifies
// was inserted. Otherwise it counts as changed, and the chain goes on from the hash that is stored beside it.

import Contracts
import Grants
import Store

struct ChainVerifier {
  /// How far behind and ahead a row's true place is looked for.
  private static let window = 128

  private let ends: ChainEnds
  private let user: String
  private var anchors: ArraySlice<ChainHead>

  /// The last row that counts: its number, as the chain knows it, and its hash.
  private var last: ChainHead
  private var beforeLast: ChainHead?
  private var lastTimestamp = ""
  /// Rows that were inserted so far push the numbers of those behind them up.
  private var shift: Int64 = 0
  private var lastStored: Int64

  private var waiting: [AuditRow] = []
  private var passed: [AuditRow] = []
  private(set) var findings: [ChainFinding] = []
  private(set) var rows = 0
  /// Exported ends that lie before the cut, where nothing is left to compare them with.
  private(set) var uncheckedAnchors = 0

  /// `anchors` are ends of this chain that were exported at some time.
  init(_ ends: ChainEnds, anchors: [ChainHead] = []) {
    self.ends = ends
    user = ends.user.text
    last = Self.sound(ends.cut) ?? ChainHead(seq: ends.cut?.seq ?? 0, hash: AuditChain.start)
    lastStored = last.seq
    self.anchors = anchors.sorted { $0.seq < $1.seq }[...]
    compareAnchors(at: last)
  }

  /// The next rows, in the order of their numbers.
  mutating func take(_ rows: [AuditRow]) {
    waiting += rows
    var next = 0
    while waiting.count - next > Self.window {
      verify(waiting[next], ahead: waiting[(next + 1)...].prefix(Self.window))
      next += 1
    }
    waiting.removeFirst(next)
  }

  mutating func finish() {
    for index in waiting.indices { verify(waiting[index], ahead: waiting[(index + 1)...].prefix(Self.window)) }
    waiting = []
    compareEnd()
    for anchor in anchors { add(.shorterThanExport, anchor.seq) }
    anchors = []
  }

  /// A hash of another length than 32 bytes is none, and nothing follows it.
  private static func sound(_ end: ChainHead?) -> ChainHead? { end.flatMap { $0.hash.count == 32 ? $0 : nil } }

  // MARK: One row

  private mutating func verify(_ row: AuditRow, ahead: ArraySlice<AuditRow>) {
    rows += 1
    defer {
      passed.append(row)
      if passed.count > 2 * Self.window { passed.removeFirst(Self.window) }
    }
    guard row.entry.seq > lastStored, isBeforeEnd(row) else {
      // A second row of one number, one before the cut, or one behind the end.
      return add(.inserted, row.entry.seq)
    }
    if row.entry.seq > lastStored + 1 {
      add(.removed, lastStored + 1, through: row.entry.seq - 1)
      // What came before it is gone, so its own hash can only be believed.
      return advance(row, to: row.entry.seq - shift, hash: row.hash)
    }
    lastStored = row.entry.seq
    let place = last.seq + 1
    if follows(row, last, as: place) { return advance(row, to: place, hash: row.hash) }
    if let written = (ahead + passed[...]).first(where: { follows($0, last, as: place) }) {
      if ahead.first == written, !belongs(row, behind: written, or: ahead, from: place) {
        add(.inserted, row.entry.seq)
        shift += 1
      } else {
        // The row that was written for this place stands elsewhere, and the chain goes on from it.
        if let home = home(of: row, written, ahead, place) { add(.moved, row.entry.seq, through: home) }
        advance(row, to: place, hash: written.hash)
      }
    } else if let before = beforeLast, follows(row, before, as: place - 1) {
      // Without the row before it, it is right: that one came in between, with a hash made to fit.
      add(.inserted, row.entry.seq - 1)
      shift += 1
      advance(row, to: place - 1, hash: row.hash)
    } else {
      add(.changed, row.entry.seq)
      advance(row, to: place, hash: row.hash)
    }
  }

  /// Whoever inserts a row may move the end or leave it, so behind an inserted row both count.
  private func isBeforeEnd(_ row: AuditRow) -> Bool {
    guard let head = ends.head else { return true }
    return row.entry.seq <= head.seq + shift
  }

  private func follows(_ row: AuditRow, _ before: ChainHead, as seq: Int64) -> Bool {
    var entry = row.entry
    entry.seq = seq
    return AuditChain.hash(after: before.hash, entry) == row.hash
  }

  /// Where else the row may have been written: behind the row whose place it took, or behind one further on.
  private func home(of row: AuditRow, _ written: AuditRow, _ ahead: ArraySlice<AuditRow>, _ place: Int64) -> Int64? {
    if follows(row, ChainHead(seq: place, hash: written.hash), as: place + 1) { return place + 1 }
    for other in ahead + passed[...] where other.hash.count == 32 {
      let seq = other.entry.seq - shift + 1
      if follows(row, ChainHead(seq: seq - 1, hash: other.hash), as: seq) { return seq }
    }
    return nil
  }

  private func belongs(
    _ row: AuditRow, behind written: AuditRow, or ahead: ArraySlice<AuditRow>, from place: Int64
  ) -> Bool { home(of: row, written, ahead, place) != nil }

  private mutating func advance(_ row: AuditRow, to seq: Int64, hash: [UInt8]) {
    lastStored = row.entry.seq
    if row.entry.timestamp < lastTimestamp { add(.timeRunsBackwards, row.entry.seq) }
    lastTimestamp = row.entry.timestamp
    beforeLast = last
    last = ChainHead(seq: seq, hash: hash.count == 32 ? hash : AuditChain.start)
    compareAnchors(at: last)
  }

  // MARK: Against what is known otherwise

  private mutating func compareAnchors(at end: ChainHead) {
    while let anchor = anchors.first, anchor.seq <= end.seq {
      anchors = anchors.dropFirst()
      if anchor.seq < end.seq {
        uncheckedAnchors += 1
      } else if anchor.hash != end.hash {
        add(.differsFromExport, anchor.seq)
      }
    }
  }

  private mutating func compareEnd() {
    guard let head = ends.head else {
      if rows > 0 || ends.cut != nil { add(.endMissing, lastStored) }
      return
    }
    if head.seq > lastStored {
      add(.removed, lastStored + 1, through: head.seq)
    } else if findings.isEmpty, head != last {
      add(.endDiffers, last.seq)
    }
  }

  private mutating func add(_ kind: ChainFinding.Kind, _ seq: Int64, through: Int64? = nil) {
    findings.append(ChainFinding(user: user, kind: kind, seq: seq, through: through))
  }
}
