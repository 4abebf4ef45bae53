// A `timestamptz`: microseconds since 2000-01-01 in UTC, exactly as the server stores it.

package struct PostgresTimestamp: Sendable, Hashable, Comparable {
  /// The server's own number. Its two extremes are the infinities.
  package let microsecondsSince2000: Int64

  package init(microsecondsSince2000: Int64) { self.microsecondsSince2000 = microsecondsSince2000 }

  package static let infinity = PostgresTimestamp(microsecondsSince2000: .max)
  package static let negativeInfinity = PostgresTimestamp(microsecondsSince2000: .min)
  /// 294276-12-31 and 4713-01-01 BC, the ends of what the server accepts.
  package static let latest = PostgresTimestamp(microsecondsSince2000: 9_223_371_331_199_999_999)
  package static let earliest = PostgresTimestamp(microsecondsSince2000: -211_813_488_000_000_000)

  /// From 1970-01-01 to 2000-01-01.
  private static let epochOffset: Int64 = 946_684_800_000_000

  /// Nil where the server has no such time.
  package init?(unixMicroseconds: Int64) {
    let (value, overflow) = unixMicroseconds.subtractingReportingOverflow(Self.epochOffset)
    guard !overflow, value >= Self.earliest.microsecondsSince2000, value <= Self.latest.microsecondsSince2000 else {
      return nil
    }
    microsecondsSince2000 = value
  }

  /// Nil for the infinities, and for the last days of the year 294276, which do not fit.
  package var unixMicroseconds: Int64? {
    guard self != .infinity, self != .negativeInfinity else { return nil }
    let (value, overflow) = microsecondsSince2000.addingReportingOverflow(Self.epochOffset)
    return overflow ? nil : value
  }

  package static func < (left: Self, right: Self) -> Bool { left.microsecondsSince2000 < right.microsecondsSince2000 }
}
