// What can go wrong in rules that do no input or output.

package enum MissionsProblem: Error, Equatable {
  /// The row stands before one that has been folded already, so it was committed late: only the whole history, read
  /// again, gives the record.
  case rowBeforePosition
  /// A snapshot that does not carry its stamps, so that no row can be folded onto it.
  case notAStoredFold
}
