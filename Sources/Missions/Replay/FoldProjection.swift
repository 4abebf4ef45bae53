// The fold as the store keeps it: what of a mission and of an agent stands in columns beside the stored record.

package import Contracts

extension FoldState: ProjectionFold {
  /// A due time that names no moment is parked, so that somebody is told; it would never be due.
  package var missionColumns: ProjectionColumns {
    guard let due else { return ProjectionColumns(state: nil) }
    return switch due.nextRun {
    case .never: ProjectionColumns(state: due.state)
    case .at(let instant): ProjectionColumns(state: due.state, nextRun: instant)
    case .unreadable: ProjectionColumns(state: due.state, parked: "next-run-unreadable")
    }
  }

  /// An agent whose `deletedAt` is set keeps its row and its position but has no state: it is not to be had, until an
  /// edit clears the field again. One without a state of its own is active; one whose state is no text is nothing
  /// that anybody knows.
  package var agentColumns: ProjectionColumns {
    guard let agent else { return ProjectionColumns(state: nil) }
    return switch agent["state"] {
    case nil, .null: ProjectionColumns(state: "active")
    case .string(let state): ProjectionColumns(state: state.text)
    default: ProjectionColumns(state: "unreadable")
    }
  }
}
