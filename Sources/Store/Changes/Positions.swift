// Positions of the log between the database and the fold. The column reaches further than microseconds since 1970 do,
// infinity included: such a time stands at the end of the order, where it can be compared and not be resumed from.

import Contracts
import Postgres

extension Row {
  /// Nil where both columns are null; `id` is `uuid_send` of the column.
  func position(time: Int, id: Int) throws(PostgresError) -> ChangePosition? {
    guard let bytes = try get(id, as: [UInt8]?.self), let at = try get(time, as: PostgresTimestamp?.self) else {
      return nil
    }
    guard let id = ChangeID(bytes: bytes) else { throw .decoding(DecodingProblem(column: id, reason: .malformed)) }
    return ChangePosition(microseconds: at.saturatingUnixMicroseconds, id: id)
  }
}

extension ChangePosition {
  /// Nil where the row's time does not fit, and only an infinity would.
  var exactTime: PostgresTimestamp? {
    microseconds == .min || microseconds == .max ? nil : PostgresTimestamp(unixMicroseconds: microseconds)
  }

  /// The row's time, or the infinity that stands for it.
  var time: PostgresTimestamp { exactTime ?? (microseconds < 0 ? .negativeInfinity : .infinity) }
}

extension PostgresTimestamp {
  var saturatingUnixMicroseconds: Int64 {
    unixMicroseconds ?? (self < PostgresTimestamp(microsecondsSince2000: 0) ? .min : .max)
  }
}
