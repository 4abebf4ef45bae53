// A point on the kernel's monotonic clock; every phase of a connection has one at which it ends.

// Whose headers the clock's type is found in depends on what else is built.
import CLibevent

#if canImport(Glibc)
  import Glibc
#endif

struct Moment: Comparable, Sendable {
  private let nanoseconds: Int64

  static var now: Moment {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Moment(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

  /// Durations here are limits, at most a day.
  func adding(_ duration: Duration) -> Moment {
    let (seconds, attoseconds) = duration.components
    return Moment(nanoseconds: nanoseconds + seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  func since(_ earlier: Moment) -> Duration { .nanoseconds(nanoseconds - earlier.nanoseconds) }
}
