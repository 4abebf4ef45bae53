// Whether a mission's grant must end because of what the log says of the mission. Pure; decided anew from the whole
// history each time something is written to it.
//
// A client of the seeds revokes by writing `grant: null`. Its clock may be behind that of the device which wrote the
// grant, and then the fold never shows the null; so what counts here is that it was stored later, whatever its stamp.

import Contracts
import Missions

enum MissionEnding {
  /// True for a mission that is deleted or archived, and where the log, after the row that first carried this grant,
  /// has one that takes it away or puts another in its place.
  static func ends(_ grant: String, of mission: Identifier, by rows: [ChangeRow]) -> Bool {
    guard !rows.isEmpty else { return false }
    guard let record = Replay.record(id: mission, rows: rows) else { return true }
    if record["state"] == .string("archived") { return true }
    let rows = rows.sorted { $0.position < $1.position }
    guard let first = rows.first(where: { written($0) == .grant(grant) }) else { return false }
    for row in rows where row.position > first.position {
      guard let value = written(row), value != .grant(grant) else { continue }
      // Rows of one transaction have one time and no order that could be known: then the fold says which it is.
      if row.position.microseconds > first.position.microseconds { return true }
      if Written(record["grant"] ?? .null) != .grant(grant) { return true }
    }
    return false
  }

  private enum Written: Equatable {
    case grant(String)
    /// Null, a grant of v1, or anything else that is not a v2 grant.
    case other

    init(_ value: JSONValue) {
      self = value["grantId"]?.text.map { .grant($0) } ?? .other
    }
  }

  /// What a row writes into the field; nil where it does not touch it.
  private static func written(_ row: ChangeRow) -> Written? { row.data?["grant"].map(Written.init) }
}
