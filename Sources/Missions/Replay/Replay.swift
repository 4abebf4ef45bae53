// A whole history at once, in whatever order its rows were read: they are folded by time and then by id, so two rows
// of one transaction always come out the same way.

package import Contracts

package enum Replay {
  /// The record as the resolver reads it; nil where there is none (any more).
  package static func record(id: Identifier, rows: [ChangeRow]) -> JSONObject? { state(id: id, rows: rows).record }

  package static func mission(id: Identifier, rows: [ChangeRow]) -> JSONObject? { state(id: id, rows: rows).mission }

  package static func agent(id: Identifier, rows: [ChangeRow]) -> JSONObject? { state(id: id, rows: rows).agent }

  package static func state(id: Identifier, rows: [ChangeRow]) -> FoldState {
    var state = FoldState(recordID: id)
    do throws(MissionsProblem) {
      try state.fold(contentsOf: inOrder(rows))
    } catch {
      preconditionFailure("rows in order fold: \(error)")
    }
    return state
  }

  /// A reader asks the database for this order, so as a rule there is nothing to sort.
  private static func inOrder(_ rows: [ChangeRow]) -> [ChangeRow] {
    let isInOrder = zip(rows, rows.dropFirst()).allSatisfy { $0.position <= $1.position }
    return isInOrder ? rows : rows.sorted { $0.position < $1.position }
  }
}
