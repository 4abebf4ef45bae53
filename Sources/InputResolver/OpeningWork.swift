// The records of one released mission, taken one after the other: each is shown or refused, and a failure of one leaves
// the others alone. Receipts, wishes and places stand in the same order.

import Contracts
import Cryptography
import Grants
import Missions
import Postgres
import Secrets
import Store

struct OpeningWork: ~Copyable {
  private var mission: ReleasedMission
  private var wishes: ArraySlice<PlannedOpening.Wish>
  var shown: ShownInputs
  /// Looked at already, because its receipt carries the grant, and not opened yet.
  private var pending: (wish: PlannedOpening.Wish, record: ReleasedRecord)?
  private let deadline: Deadline
  /// The batch's time was over before everything was opened.
  private(set) var isLate: Bool
  private var title = WipedBytes()
  private var content = WipedBytes()

  /// A record that was released, taken apart.
  struct ReleasedRecord {
    let receipt: ReceiptID
    let grant: ReleasedGrant?
    let share: [UInt8]?
    let history: RecordHistory
    let copies: JSONObject?
  }

  init(
    _ mission: consuming ReleasedMission, _ wishes: [PlannedOpening.Wish], _ shown: consuming ShownInputs,
    _ deadline: Deadline
  ) {
    self.mission = mission
    self.wishes = wishes[...]
    self.shown = shown
    self.deadline = deadline
    isLate = deadline.hasPassed
  }

  /// The next record that was released; those before it that were refused are noted. It is opened by whoever asks next.
  mutating func nextReleased() -> ReleasedRecord? {
    if let pending { return pending.record }
    while let release = mission.next() {
      guard let wish = wishes.popFirst() else { preconditionFailure("a record that nobody asked for was released") }
      switch consume release {
      case .refused(let refused):
        shown.refuse(wish.place, refused.reason, failing: refused.failing)
        shown.conclude(GrantOutcome(refused.reason))
      case .released(let receipt, let history, copies: let copies):
        let record = ReleasedRecord(
          receipt: receipt.id, grant: receipt.grant, share: receipt.share, history: history, copies: copies)
        pending = (wish, record)
        return record
      }
    }
    return nil
  }

  private mutating func take() -> (wish: PlannedOpening.Wish, record: ReleasedRecord)? {
    _ = nextReleased()
    defer { pending = nil }
    return pending
  }

  /// Nil also when the time is over; a single record takes no time that counts.
  private mutating func takeInTime() -> (wish: PlannedOpening.Wish, record: ReleasedRecord)? {
    isLate = isLate || deadline.hasPassed
    return isLate ? nil : take()
  }

  consuming func finished() -> Shown { shown.finished() }

  /// Nothing of this mission is shown: its answer would come too late.
  consuming func givenUp() -> Shown {
    refuseRest(.decryptFailed)
    shown.withdraw(.unavailable)
    return shown.finished()
  }

  mutating func refuseRest(_ reason: AuditReason) {
    while let (wish, record) = take() { shown.refuse(wish.place, reason, failing: record.receipt) }
  }

  // MARK: Opening

  mutating func open(under grant: borrowing OpenGrantV2) throws(GrantFailure) {
    var codec = try Self.codec()
    while let (wish, record) = takeInTime() {
      do throws(FieldFailure) {
        try show(wish, record, under: grant, with: &codec)
      } catch { try refuse(wish, record, error) }
    }
  }

  mutating func open(under grant: borrowing OpenGrantV1) throws(GrantFailure) {
    var codec = try Self.codec()
    while let (wish, record) = takeInTime() {
      guard let (module, fields) = fold(wish, record) else { continue }
      do throws(FieldFailure) {
        let opened = try codec.openRecord1(fields, key: grant.missionKey)
        format(wish, record, module, opened)
        shown.count(opened.openedCount, of: module.table)
      } catch { try refuse(wish, record, error) }
    }
  }

  /// Without a grant: nothing is sealed.
  mutating func showAll() {
    while let (wish, record) = takeInTime() {
      guard let (module, fields) = fold(wish, record) else { continue }
      format(wish, record, module, PlainRecord(object: fields))
    }
  }

  private mutating func show(
    _ wish: PlannedOpening.Wish, _ record: ReleasedRecord, under grant: borrowing OpenGrantV2,
    with codec: inout FieldCodec
  ) throws(FieldFailure) {
    guard let (module, fields) = fold(wish, record) else { return }
    guard let table = try? TableName(module.table), let share = record.share else {
      throw .refused(.ciphertextTampered)
    }
    let name = RecordName(table: table, record: wish.wish.address.record)
    let key = try grant.recordKey(name, row: share, with: &codec.cipher)
    let opened = try codec.openRecord2(
      fields, fields: module.fields, key: key, user: grant.label.user, name: name, copies: Self.copies(record))
    format(wish, record, module, opened)
    shown.count(opened.openedCount, of: module.table)
  }

  /// The record as it is now; nil where there is nothing to show, which is noted.
  private mutating func fold(
    _ wish: PlannedOpening.Wish, _ record: ReleasedRecord
  ) -> (module: InputModule, fields: JSONObject)? {
    guard let module = wish.module, case .rows(let rows) = record.history else {
      shown.refuse(wish.place, .decryptFailed, failing: record.receipt)
      return nil
    }
    guard let fields = Replay.record(id: wish.wish.address.record, rows: rows) else {
      shown.refuse(wish.place, .recordMissing, failing: record.receipt)
      return nil
    }
    return (module, fields)
  }

  private mutating func format(
    _ wish: PlannedOpening.Wish, _ record: ReleasedRecord, _ module: InputModule,
    _ fields: borrowing some RecordFields & ~Copyable
  ) {
    title.resize(to: 0)
    content.resize(to: 0)
    module.writeTitle(of: fields, to: &title)
    module.writeContent(of: fields, to: &content)
    shown.show(wish, record.receipt, title: title, content: content)
  }

  /// A refusal is an answer about this record; a failure of our own machine ends the mission.
  private mutating func refuse(
    _ wish: PlannedOpening.Wish, _ record: ReleasedRecord, _ failure: FieldFailure
  ) throws(GrantFailure) {
    switch failure {
    case .refused(let why): shown.refuse(wish.place, AuditReason(field: why), failing: record.receipt)
    case .failed(let error):
      shown.refuse(wish.place, .decryptFailed, failing: record.receipt)
      throw .failed(error)
    }
  }

  private static func codec() throws(GrantFailure) -> FieldCodec {
    do { return try FieldCodec() } catch { throw .failed(error) }
  }

  private static func copies(_ record: ReleasedRecord) -> [JSONString: SealedCopy] {
    var copies: [JSONString: SealedCopy] = [:]
    for member in record.copies?.members ?? [] { copies[member.key] = SealedCopy(member.value) }
    return copies
  }
}
