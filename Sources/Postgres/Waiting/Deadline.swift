// A point in time after which nobody waits any more. Every call at this door has one.

#if canImport(Glibc)
  import Glibc
#endif

/// Nanoseconds on the kernel's monotonic clock, the one that epoll's timeouts follow.
package struct Deadline: Sendable, Comparable {
  let nanoseconds: Int64

  /// For waits that something else ends for certain.
  static let never = Deadline(nanoseconds: .max)

  package static var now: Deadline {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Deadline(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  package static func after(_ duration: Duration) -> Deadline { now.adding(duration) }

  package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

  package var hasPassed: Bool { self <= .now }

  package func earlier(of other: Deadline) -> Deadline { min(self, other) }

  /// What is left from now on; zero when it has passed.
  package var remaining: Duration { .nanoseconds(max(0, nanoseconds - Deadline.now.nanoseconds)) }

  func adding(_ duration: Duration) -> Deadline {
    let (seconds, attoseconds) = duration.components
    let (whole, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (span, spanTooLarge) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
    let (sum, sumTooLarge) = nanoseconds.addingReportingOverflow(span)
    return tooLarge || spanTooLarge || sumTooLarge ? .never : Deadline(nanoseconds: sum)
  }

  /// Milliseconds for poll and epoll, rounded up so that a wait never ends just before its time; -1 is for ever.
  func milliseconds(from now: Deadline) -> Int32 {
    guard self != .never else { return -1 }
    let rest = nanoseconds - now.nanoseconds
    guard rest > 0 else { return 0 }
    return Int32(clamping: (rest - 1) / 1_000_000 + 1)
  }
}
