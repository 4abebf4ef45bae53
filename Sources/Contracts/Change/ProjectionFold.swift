// What the store must know of a fold to keep records up to date beside the log: how to begin, to go on from what was
// stored, and what to store. The fold itself is the missions', and neither knows the other.

package protocol ProjectionFold: Sendable {
  associatedtype Problem: Error

  init(recordID: Identifier)
  /// Goes on where `stored` stopped.
  init(recordID: Identifier, resuming record: JSONObject, at position: ChangePosition) throws(Problem)

  /// Rows come in the order of their positions.
  mutating func fold(_ row: ChangeRow) throws(Problem)

  /// Nil as long as no row was folded. A record that was deleted is stored too, as such.
  var stored: (record: JSONObject, position: ChangePosition)? { get }

  var missionColumns: ProjectionColumns { get }
  var agentColumns: ProjectionColumns { get }
}

/// What is asked of a folded record in real columns in place of its JSON.
package struct ProjectionColumns: Hashable, Sendable {
  /// Nil where there is nothing to be had: the record was deleted, either way.
  package let state: String?
  package let nextRun: Instant?
  /// Why it is not handed out although it may be due.
  package let parked: String?

  package init(state: String?, nextRun: Instant? = nil, parked: String? = nil) {
    self.state = state
    self.nextRun = nextRun
    self.parked = parked
  }
}
