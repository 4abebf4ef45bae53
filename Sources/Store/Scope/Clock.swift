// The database's clock: what grants expire by, so what they are issued by too.

package import Contracts
package import Postgres

package enum Clock {
  /// The time of this statement, not of its transaction.
  package static let read = Statement("SELECT clock_timestamp()").bind()

  package static func decode(_ rows: Rows) throws(PostgresError) -> Instant {
    let time: PostgresTimestamp = try rows.only().get(0)
    guard let instant = time.instant else { throw .decoding(DecodingProblem(column: 0, reason: .malformed)) }
    return instant
  }
}
