// A fold at rest, so that a refresh reads the new rows and not the history. The record lies there with its stamps under
// `__fieldMeta`, in the form of the seeds' snapshots; beside it, in columns, the position of the last row.
//
// A deleted record leaves `{"__fieldMeta":"deleted"}`, so that its history is not read again for each row that still
// comes. No writer can feign that: whatever a record's own data says under that name, the stamps take its place.

package import Contracts

extension FoldState {
  /// Nil as long as there is nothing to store.
  package var stored: (record: JSONObject, position: ChangePosition)? {
    guard let position else { return nil }
    return (isDeleted ? Self.tombstone : object(withStamps: true), position)
  }

  /// Goes on where `stored` stopped. The seeds' own snapshots are of the same form but may hold what their refresh got
  /// wrong (docs/flaws.md, F-14) and have no position; a record that has none of ours is folded from its first row.
  package init(
    recordID: Identifier, resuming record: JSONObject, at position: ChangePosition
  ) throws(MissionsProblem) {
    self.init(recordID: recordID)
    self.position = position
    switch record.members.first(where: { $0.key == Self.stampsKey })?.value {
    case Self.deletedMark: isDeleted = true
    case .object(let stamps): resume(record.members, stamps.members)
    default: throw .notAStoredFold
    }
  }

  private mutating func resume(_ members: [JSONObject.Member], _ stamps: [JSONObject.Member]) {
    fields.reserve(members.count)
    for member in members where member.key != Self.stampsKey { fields.append(member.key, member.value, .none) }
    for member in stamps {
      let stamp: FieldStamp
      switch member.value {
      case .string(let text): stamp = .text(text)
      case .null: stamp = .null
      default: continue  // We write none.
      }
      if let place = fields.place(of: member.key, steps: &tally.steps) {
        fields.setStamp(stamp, at: place)
      } else {
        awaited.append(member.key, .null, stamp)
      }
    }
  }

  private static let deletedMark = JSONValue.string("deleted")
  private static let tombstone = JSONObject([(stampsKey, deletedMark)])
}
