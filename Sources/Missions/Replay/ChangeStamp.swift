// The time of a row, as the stamp of the fields that it writes.

import Contracts

extension ChangePosition {
  /// The stamp of a field whose row brings none. Digits below the millisecond are cut, not rounded. The log's column
  /// reaches further than the years that the ISO form can spell, infinity included; such a time takes the nearest.
  var stamp: JSONString {
    let cut = microseconds / 1000 - (microseconds % 1000 < 0 ? 1 : 0)
    let first = Instant.range.lowerBound.milliseconds
    let last = Instant.range.upperBound.milliseconds
    return JSONString(Instant(milliseconds: min(max(cut, first), last)).iso)
  }
}
