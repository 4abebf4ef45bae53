// Short spellings for histories, so that a test shows its rows and nothing else.

import Contracts
import Missions

enum History {
  static let recordID = Identifier("r")

  /// 2026-04-15T10:00:00Z, the second from which `row` counts.
  static let start: Int64 = 1_776_247_200_000_000

  /// A row `seconds` after ten o'clock. Its id follows from its place unless the test is about ids.
  static func row(
    _ seconds: Double, _ operation: ChangeRow.Operation, _ data: String? = nil, _ stamps: String? = nil,
    id: UInt128 = 0
  ) throws -> ChangeRow {
    ChangeRow(
      position: ChangePosition(
        microseconds: start + Int64((seconds * 1_000_000).rounded()), id: ChangeID(id)),
      operation: operation, data: try data.map { try JSONValue(parsing: $0) },
      fieldMeta: try stamps.map { try JSONValue(parsing: $0) })
  }

  static func state(_ rows: [ChangeRow]) -> FoldState { Replay.state(id: recordID, rows: rows) }

  static func record(_ rows: ChangeRow...) -> String? { text(Replay.record(id: recordID, rows: rows)) }

  static func mission(_ rows: ChangeRow...) -> String? { text(Replay.mission(id: recordID, rows: rows)) }

  static func agent(_ rows: ChangeRow...) -> String? { text(Replay.agent(id: recordID, rows: rows)) }

  static func text(_ object: JSONObject?) -> String? { object.map { JSONValue.object($0).compactText() } }

  /// Folds the first rows, stores them as JSON text, and goes on from that text.
  static func throughStore(_ state: FoldState) throws -> FoldState {
    guard let stored = state.stored else { return FoldState(recordID: state.recordID) }
    let read = try JSONValue(parsing: JSONValue.object(stored.record).compactText())
    guard let record = read.object else { throw MissionsProblem.notAStoredFold }
    return try FoldState(recordID: state.recordID, resuming: record, at: stored.position)
  }

  static func folded(_ rows: [ChangeRow], storedBefore split: Int) throws -> FoldState {
    var state = FoldState(recordID: recordID)
    try state.fold(contentsOf: rows[..<split])
    state = try throughStore(state)
    try state.fold(contentsOf: rows[split...])
    return state
  }
}
