// The time of day, passed in wherever it is needed: the system's in a process, a chosen one in tests.

import Glibc

package struct WallClock: Sendable {
  package let now: @Sendable () -> Moment

  package init(_ now: @escaping @Sendable () -> Moment) { self.now = now }

  package static let system = WallClock {
    var time = timespec()
    // CLOCK_REALTIME with a valid address cannot fail.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Moment(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }

  package static func stopped(at moment: Moment) -> WallClock { WallClock { moment } }
}

/// Microseconds since 1970, in UTC.
package struct Moment: Sendable, Equatable, Comparable {
  package let microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }

  package static func < (left: Moment, right: Moment) -> Bool { left.microseconds < right.microseconds }

  /// `2026-03-01T10:00:00.123456Z`: sorts as text as it does in time, for the years 0 to 9999.
  package var text: String {
    let (second, fraction) = split
    let parts = Self.calendar(second)
    let date = "\(Self.padded(parts.year, 4))-\(Self.padded(parts.month, 2))-\(Self.padded(parts.day, 2))"
    let time = "\(Self.padded(parts.hour, 2)):\(Self.padded(parts.minute, 2)):\(Self.padded(parts.second, 2))"
    return "\(date)T\(time).\(Self.padded(fraction, 6))Z"
  }

  /// `2026-03-01`
  package var date: String { String(text.prefix { $0 != "T" }) }

  private var split: (second: Int, fraction: Int) {
    let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return remainder < 0 ? (Int(quotient) - 1, Int(remainder) + 1_000_000) : (Int(quotient), Int(remainder))
  }

  private typealias Parts = (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int)

  private static func calendar(_ second: Int) -> Parts {
    var time = time_t(second)
    var parts = unsafe tm()
    // Fails only for years beyond an Int32, which 64-bit microseconds cannot reach.
    unsafe gmtime_r(&time, &parts)
    return unsafe (
      Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday), Int(parts.tm_hour), Int(parts.tm_min),
      Int(parts.tm_sec)
    )
  }

  private static func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
