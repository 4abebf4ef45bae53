// What one opening of a mission came to: first while records are opened, then as it is handed to whoever answers. The
// text that is shown lies here, already as JSON, in memory that is wiped with it.

import Contracts
import Secrets
import Store

final class Shown: Sendable {
  struct Piece: Sendable {
    let place: InputPlace
    let receipt: ReceiptID
    let range: Range<Int>
  }

  struct Refused: Sendable {
    let place: InputPlace
    let reason: AuditReason
  }

  struct Opened: Sendable {
    let table: String
    let fields: Int
  }

  struct Facts: Sendable {
    /// Which opening of the plan this is about.
    let opening: Int
    var pieces: [Piece] = []
    var refused: [Refused] = []
    /// Receipts that came to nothing, to be appended to the log.
    var failures: [ReceiptFailure] = []
    var grant: GrantOutcome?
    var outage: ResolveOutage?
    var head: ChainHead?
    var rows: ClosedRange<Int64>?
    /// Fields that were sealed and are open.
    var opened: [Opened] = []
  }

  let facts: Facts
  private let text: WipedBytes

  fileprivate init(_ facts: Facts, _ text: consuming WipedBytes) {
    self.facts = facts
    self.text = text
  }

  func write(_ piece: Piece, to reply: inout WipedBytes) { Self.copy(piece.range, of: text, to: &reply) }

  private static func copy(_ range: Range<Int>, of text: borrowing WipedBytes, to reply: inout WipedBytes) {
    reply.append(text.bytes.extracting(range))
  }
}

struct ShownInputs: ~Copyable {

  private(set) var facts: Shown.Facts
  private var text = WipedBytes()

  init(opening: Int, head: ChainHead?, rows: ClosedRange<Int64>?) {
    facts = Shown.Facts(opening: opening)
    (facts.head, facts.rows) = (head, rows)
  }

  consuming func finished() -> Shown { Shown(facts, text) }

  /// Unless something was said about the grant before.
  mutating func conclude(_ grant: GrantOutcome?) {
    if facts.grant == nil { facts.grant = grant }
  }

  mutating func refuse(_ place: InputPlace, _ reason: AuditReason, failing receipt: ReceiptID? = nil) {
    facts.refused.append(Shown.Refused(place: place, reason: reason))
    if let receipt { fail(receipt, reason) }
  }

  mutating func fail(_ receipt: ReceiptID, _ reason: AuditReason) {
    facts.failures.append(ReceiptFailure(receipt, reason))
  }

  mutating func show(
    _ wish: PlannedOpening.Wish, _ receipt: ReceiptID, title: borrowing WipedBytes, content: borrowing WipedBytes
  ) {
    let start = text.count
    ResolveReply.input(wish.ref, title: title.bytes, content: content.bytes, &text)
    facts.pieces.append(Shown.Piece(place: wish.place, receipt: receipt, range: start..<text.count))
  }

  mutating func count(_ fields: Int, of table: String) {
    if fields > 0 { facts.opened.append(Shown.Opened(table: table, fields: fields)) }
  }

  /// Nothing of this opening is shown: it could not be done, or a machine of ours failed in the middle of it.
  mutating func withdraw(_ outage: ResolveOutage) {
    for piece in facts.pieces { fail(piece.receipt, .decryptFailed) }
    (facts.pieces, facts.refused, facts.opened, facts.grant) = ([], [], [], nil)
    text.resize(to: 0)
    facts.outage = outage
  }
}
