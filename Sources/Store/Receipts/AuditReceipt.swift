// No receipt, no key. A receipt stands for one committed row of the audit, and what it takes to open a record leaves
// the database only inside of one: it cannot be copied, and it can be made in this file alone, from what the second of
// the two transactions has brought back. So whoever holds a key share has been written down.

package import Contracts
package import Postgres

/// Which row of whose chain: what a later failure refers to.
package struct ReceiptID: Sendable, Hashable {
  package let user: Identifier
  package let batch: String
  package let seq: Int64
}

/// The end of a user's chain after a unit. Written where the user can see it, it binds the database's owner as well.
package struct ChainHead: Sendable, Hashable {
  package let seq: Int64
  package let hash: [UInt8]

  package init(seq: Int64, hash: [UInt8]) {
    self.seq = seq
    self.hash = hash
  }
}

package struct AuditReceipt: ~Copyable, Sendable {
  package let id: ReceiptID
  package let address: RecordAddress
  private let key: ReleasedKey?

  fileprivate init(id: ReceiptID, address: RecordAddress, key: ReleasedKey?) {
    self.id = id
    self.address = address
    self.key = key
  }

  /// The grant that it was opened under, as its row has it; nil where no grant of ours decided.
  package var grant: ReleasedGrant? { key?.grant }
  /// The record key, sealed under the mission key; nil where no grant of ours decided.
  package var share: [UInt8]? { key?.share }
}

package struct ReleasedGrant: Sendable {
  package let keyID: String
  package let wrappedKey: [UInt8]
  /// The wrap's label, which is what the grant claims.
  package let claims: [UInt8]
  /// The database's clock at the release, by which the claims' own expiry is judged.
  package let now: PostgresTimestamp
}

struct ReleasedKey: Sendable {
  let grant: ReleasedGrant
  let share: [UInt8]
}

/// A record that is not to be opened. Where it has an id, its receipt was ok and came to nothing afterwards, and the
/// caller appends that with `Receipts.fail`.
package struct RefusedRecord: Sendable {
  package let address: RecordAddress
  package let status: AuditStatus
  package let reason: AuditReason
  package let failing: ReceiptID?
}

package enum RecordRelease: ~Copyable, Sendable {
  /// What lies in the record belongs to the receipt: histories and copies are of use to nobody else.
  case released(AuditReceipt, RecordHistory, copies: JSONObject?)
  case refused(RefusedRecord)
}

/// What became of one mission: its records one after the other, each of them once.
package struct ReleasedMission: ~Copyable, Sendable {
  /// Where its opening stood in the list that was asked for.
  package let place: Int
  package let head: ChainHead?
  /// Why there is nothing, where the database could not be asked: neither consent nor its absence is known then.
  package let failure: PostgresError?
  /// Receipts that are on the log and could not be redeemed because of `failure`: to be failed by the caller.
  package let unredeemed: [ReceiptID]
  /// The rows that were written for this mission, from the first to the last; nil where there are none.
  package let rows: ClosedRange<Int64>?
  private var outcomes: ArraySlice<RecordOutcome>

  init(_ outcome: MissionOutcome) {
    let seqs = outcome.records.map(\.id.seq) + outcome.unredeemed.map(\.seq)
    rows = seqs.min().flatMap { first in seqs.max().map { first...$0 } }
    place = outcome.place
    head = outcome.head
    failure = outcome.failure
    unredeemed = outcome.unredeemed
    outcomes = outcome.records[...]
  }

  /// The next record, in the order of the wishes.
  package mutating func next() -> RecordRelease? {
    guard let outcome = outcomes.popFirst() else { return nil }
    switch outcome.state {
    case .refused(let status, let reason, let failing):
      return .refused(
        RefusedRecord(address: outcome.address, status: status, reason: reason, failing: failing ? outcome.id : nil))
    case .released(let key, let history, let copies):
      return .released(AuditReceipt(id: outcome.id, address: outcome.address, key: key), history, copies: copies)
    }
  }
}

/// What became of a unit, mission by mission.
package struct ReleasedUnit: ~Copyable, Sendable {
  private var outcomes: ArraySlice<MissionOutcome>
  /// Those for which there was no room: they are not among the others, and whoever asked reads them with
  /// `Receipts.release`, one at a time.
  package let apart: [ApartMission]

  /// `opened` are those of the unit's missions that have receipts.
  init(_ outcomes: [MissionOutcome], _ opened: [OpenedMission], in unit: ReceiptUnit) {
    // Whoever had all the room there is needs no second look.
    let tooLarge = unit.members.count > 1 ? Set(outcomes.filter(\.isTooLarge).map(\.place)) : []
    let room = BoundedReads.share(of: Set(unit.members.map(\.opening.scope.user)).count)
    // What was read of them makes room for what will be.
    self.outcomes = outcomes.filter { !tooLarge.contains($0.place) }[...]
    apart = opened.filter { tooLarge.contains($0.mission.place) }.map { ApartMission(opened: $0, room: room) }
  }

  package mutating func next() -> ReleasedMission? {
    guard let outcome = outcomes.popFirst() else { return nil }
    return ReleasedMission(outcome)
  }
}

/// A mission whose receipts are committed and whose records are still to be read, alone.
package struct ApartMission: Sendable {
  let opened: OpenedMission
  /// What it may use where it can't be read in more.
  let room: Int

  /// For whoever can't have it read: its receipts are to be failed.
  package func unread(_ failure: PostgresError) -> ReleasedMission {
    ReleasedMission(MissionOutcome(opened, unredeemed: failure))
  }
}

// MARK: Before they are receipts

struct MissionOutcome: Sendable {
  let place: Int
  var head: ChainHead?
  var failure: PostgresError?
  var records: [RecordOutcome] = []
  var unredeemed: [ReceiptID] = []

  /// Not everything could be read in the room it had.
  var isTooLarge: Bool { records.contains(where: \.state.isTooLarge) }
}

extension MissionOutcome {
  init(_ opened: OpenedMission, unredeemed failure: PostgresError) {
    self.init(place: opened.mission.place, head: opened.head, failure: failure, unredeemed: opened.okIDs)
  }
}

struct RecordOutcome: Sendable {
  enum State: Sendable {
    case refused(AuditStatus, AuditReason, failing: Bool)
    case released(ReleasedKey?, RecordHistory, copies: JSONObject?)

    /// Released, if there was room to read it.
    static func read(_ history: RecordHistory?, _ copies: JSONObject?, with key: ReleasedKey?) -> Self {
      guard let history else { return .refused(.failed, .batchTooLarge, failing: true) }
      return .released(key, history, copies: copies)
    }

    var isTooLarge: Bool { if case .refused(_, .batchTooLarge, true) = self { true } else { false } }
  }
  let id: ReceiptID
  let address: RecordAddress
  let state: State
}
