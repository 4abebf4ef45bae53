// When a folded mission is due, for the columns that are asked in place of its JSON. The time is an instant: as text
// `10:00Z` and `12:00+02:00` would be two moments, and their order that of a collation (docs/flaws.md, F18).

package import Contracts

package struct MissionDue: Hashable, Sendable {
  package enum NextRun: Hashable, Sendable {
    /// Absent or null: the mission is started by hand, or has run for the last time.
    case never
    case at(Instant)
    /// Something that names no moment. It is never due, and somebody should be told.
    case unreadable
  }

  /// Nil also for a mission whose `deletedAt` is anything but null, so that it can't be found as an active one.
  package let state: String?
  package let nextRun: NextRun

  package init(_ mission: JSONObject) {
    let isListed = mission["deletedAt"]?.isNull ?? true
    state = isListed ? mission["state"]?.text : nil
    nextRun =
      switch mission["nextRunAt"] {
      case nil, .null: .never
      case .string(let spelled): Instant(iso: spelled.text).map { .at($0) } ?? .unreadable
      default: .unreadable
      }
  }
}

extension FoldState {
  /// Nil where there is no mission.
  package var due: MissionDue? { mission.map { MissionDue($0) } }
}
