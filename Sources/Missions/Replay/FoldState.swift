// One record's history folded into its present value: for each field the last writer wins, told by the field's stamp.
// The fold takes one row after another, so it never holds a history, and it can be stored after any row and resumed.
//
//  · A delete ends the record. No later row brings it back.
//  · The first row becomes the record as it stands, whatever its operation; its fields are stamped by its field_meta
//    alone, so a field without a stamp there yields to any later value. A stamp may stand there for a field that has
//    no value yet, and holds off values that are older.
//  · A later row writes each of its fields whose stamp (without one: the row's own time) is not before the one that
//    the field was written with. Null is a value like any other. Nested values are replaced, never merged.
//
// Why stamps are compared as text and deletes are final: docs/flaws.md, F-16 and F-17.

package import Contracts

package struct FoldState: Sendable {
  /// The record's key in the log. Its field `id` is data, and a writer may have put anything there.
  package let recordID: Identifier
  /// Where the last folded row stands; nil as long as there was none.
  package internal(set) var position: ChangePosition?
  package internal(set) var isDeleted = false
  package internal(set) var tally = FoldTally()

  var fields = FieldTable()
  /// Stamps of fields that have no value yet.
  var awaited = FieldTable()

  package init(recordID: Identifier) { self.recordID = recordID }

  /// Rows come in the order of their positions. The row that was folded last may come again and changes nothing; one
  /// that belongs before it can't be folded any more, and the state stays as it was.
  package mutating func fold(_ row: ChangeRow) throws(MissionsProblem) {
    if isDeleted || row.operation == .delete {
      return end(with: row)  // Wherever it stands among the rows, what comes out is the same.
    }
    guard let last = position else {
      begin(with: row)
      return advance(to: row)
    }
    guard last < row.position else {
      guard last == row.position else { throw .rowBeforePosition }
      tally.passedOver += 1
      return
    }
    write(row)
    advance(to: row)
  }

  package mutating func fold(contentsOf rows: some Sequence<ChangeRow>) throws(MissionsProblem) {
    for row in rows { try fold(row) }
  }

  private mutating func advance(to row: ChangeRow) {
    position = row.position
    tally.rows += 1
  }

  private mutating func end(with row: ChangeRow) {
    if isDeleted { tally.passedOver += 1 } else { tally.rows += 1 }
    isDeleted = true
    fields = FieldTable()
    awaited = FieldTable()
    position = position.map { max($0, row.position) } ?? row.position
  }

  private mutating func begin(with row: ChangeRow) {
    let members = dataMembers(of: row)
    fields.reserve(members.count + 1)
    fields.append(Self.idKey, .string(recordID.text), .none)
    for member in members {
      tally.steps += 1
      if member.key == Self.idKey {
        fields.set(member.value, at: 0)
      } else {
        fields.append(member.key, member.value, .none)
      }
    }
    for member in stampMembers(of: row) {
      let stamp: FieldStamp
      switch member.value {
      case .string(let text): stamp = .text(text)
      case .null: stamp = .null
      default: stamp = .none
      }
      if case .text = stamp {} else { tally.unreadableStamps += 1 }
      if case .none = stamp { continue }
      if let place = fields.place(of: member.key, steps: &tally.steps) {
        fields.setStamp(stamp, at: place)
      } else {
        awaited.append(member.key, .null, stamp)
      }
    }
  }

  private mutating func write(_ row: ChangeRow) {
    let members = dataMembers(of: row)
    guard !members.isEmpty else { return }
    var stamps = StampsOfRow(stampMembers(of: row), at: row.position)
    for member in members {
      let stamp = stamps.stamp(of: member.key, tally: &tally)
      if let place = fields.place(of: member.key, steps: &tally.steps) {
        guard fields.stamp(at: place).yields(to: stamp) else { continue }
        fields.set(member.value, at: place)
        fields.setStamp(.text(stamp), at: place)
      } else {
        // The stamp that was waiting for this field may be newer; it has served when the field has a value.
        if let place = awaited.place(of: member.key, steps: &tally.steps) {
          guard awaited.stamp(at: place).yields(to: stamp) else { continue }
          awaited.setStamp(.none, at: place)
        }
        fields.append(member.key, member.value, .text(stamp))
      }
    }
  }

  private mutating func dataMembers(of row: ChangeRow) -> [JSONObject.Member] {
    switch row.data {
    case .object(let object): return object.members
    case nil, .null: return []
    default:
      tally.unreadableData += 1
      return []
    }
  }

  private mutating func stampMembers(of row: ChangeRow) -> [JSONObject.Member] {
    switch row.fieldMeta {
    case .object(let object): return object.members
    case nil, .null: return []
    default:
      tally.unreadableStamps += 1
      return []
    }
  }

  static let idKey = JSONString("id")
}

/// The stamps that one row brings.
private struct StampsOfRow {
  private let members: [JSONObject.Member]
  private let index: KeyIndex
  private var lastHit = -1
  private let position: ChangePosition
  /// Spelled only when a field needs it.
  private lazy var ownTime = position.stamp

  init(_ members: [JSONObject.Member], at position: ChangePosition) {
    self.members = members
    self.position = position
    index = KeyIndex(of: members)
  }

  mutating func stamp(of key: JSONString, tally: inout FoldTally) -> JSONString {
    if let place = index.place(of: key, in: members, after: &lastHit, steps: &tally.steps) {
      if case .string(let text) = members[place].value { return text }
      tally.unreadableStamps += 1
    }
    return ownTime
  }
}
