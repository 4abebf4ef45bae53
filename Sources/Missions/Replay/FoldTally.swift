// What a fold has done and met, for the caller's counters and log; it has no influence on the record.

package struct FoldTally: Hashable, Sendable {
  /// Rows that became part of the record, a delete included.
  package internal(set) var rows = 0
  /// Rows behind a delete, and the row that was folded last when it came once more.
  package internal(set) var passedOver = 0
  /// Stamps, or whole columns of stamps, that were not what they should be and were taken as missing.
  package internal(set) var unreadableStamps = 0
  /// Data that was neither an object nor null and was taken as null.
  package internal(set) var unreadableData = 0
  /// Keys looked at. The work of a fold is in proportion to this number, and a test holds it linear.
  package internal(set) var steps = 0

  package init() {}
}
