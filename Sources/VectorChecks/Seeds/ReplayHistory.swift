// The rows of one record-replay case, and the ways in which they are folded.

import Contracts
import Missions

struct ReplayHistory {
  let recordID: Identifier
  let rows: [ChangeRow]

  private init(recordID: Identifier, rows: [ChangeRow]) {
    self.recordID = recordID
    self.rows = rows
  }

  init(_ fields: CaseFields) throws(CaseProblem) {
    recordID = Identifier(try fields.text("recordId"))
    guard let list = try fields.value("rows").array else { throw CaseProblem(why: "rows is not a list") }
    var rows: [ChangeRow] = []
    for (place, json) in list.enumerated() {
      let row = CaseFields(json: json)
      // The file has no ids. Its order is the order of the rows, so the place is as good as one.
      let position = ChangePosition(
        microseconds: try Self.microseconds(try row.text("created_at")), id: ChangeID(UInt128(place)))
      guard rows.last.map({ $0.position < position }) ?? true else {
        throw CaseProblem(why: "the rows are not in the order of created_at")
      }
      rows.append(
        ChangeRow(
          position: position, operation: ChangeRow.Operation(column: try row.text("op")),
          data: try row.value("data"), fieldMeta: try row.value("field_meta")))
    }
    self.rows = rows
  }

  /// `…sss` or `…ssssss` digits of a second, in UTC.
  private static func microseconds(_ text: String) throws(CaseProblem) -> Int64 {
    guard let instant = Instant(iso: text), text.hasSuffix("Z"), [24, 27].contains(text.utf8.count),
      let below = text.utf8.count == 24 ? 0 : Int64(text.dropLast().suffix(3))
    else { throw CaseProblem(why: "created_at has not three or six digits of a second") }
    return instant.milliseconds * 1000 + below
  }

  func folded() -> FoldState { Replay.state(id: recordID, rows: rows) }

  /// The first rows, then the others on top of what was stored as JSON text; if asked, the last of the first rows
  /// comes again.
  func folded(inTwoAt split: Int, readingTwice: Bool) throws(CaseProblem) -> FoldState {
    do throws(MissionsProblem) {
      var state = FoldState(recordID: recordID)
      try state.fold(contentsOf: rows[..<split])
      if let stored = state.stored {
        guard let text = try? JSONValue(parsing: JSONValue.object(stored.record).compactText()),
          let record = text.object
        else { throw .notAStoredFold }
        state = try FoldState(recordID: recordID, resuming: record, at: stored.position)
      }
      try state.fold(contentsOf: rows[(readingTwice ? split - 1 : split)...])
      return state
    } catch { throw CaseProblem(why: "the history split at \(split) cannot be resumed: \(error)") }
  }

  // MARK: Names

  /// True if a row writes a field of one of these names and has no stamp for it.
  func hasUnstampedField(in names: Set<String>) -> Bool {
    rows.contains { row in
      (row.data?.object?.members ?? []).contains { member in
        names.contains(member.key.text) && row.fieldMeta?.object?[member.key.text] == nil
      }
    }
  }

  func renamed(_ name: (String) -> String) -> ReplayHistory {
    ReplayHistory(
      recordID: recordID,
      rows: rows.map { row in
        ChangeRow(
          position: row.position, operation: row.operation, data: row.data.map { Self.renamed($0, name) },
          fieldMeta: row.fieldMeta.map { Self.renamed($0, name) })
      })
  }

  /// The names of a record's fields, and those of its stamps.
  static func renamed(_ value: JSONValue, _ name: (String) -> String) -> JSONValue {
    guard let object = value.object else { return value }
    return .object(
      JSONObject(
        object.members.map { member in
          let inner = member.key.text == "__fieldMeta" ? renamed(member.value, name) : member.value
          return (JSONString(name(member.key.text)), inner)
        }))
  }
}
