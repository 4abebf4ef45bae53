// The time between attempts, passed in: the system's in a process, a chosen one in tests. What happens inside one
// attempt is timed by libcurl on the kernel's clock.

package struct HTTPTime: Sendable {
  package let now: @Sendable () -> ContinuousClock.Instant
  /// Throws when the task is cancelled, and only then.
  package let sleep: @Sendable (Duration) async throws -> Void
  /// Something between zero and the given duration.
  package let jitter: @Sendable (Duration) -> Duration

  package init(
    now: @escaping @Sendable () -> ContinuousClock.Instant, sleep: @escaping @Sendable (Duration) async throws -> Void,
    jitter: @escaping @Sendable (Duration) -> Duration
  ) {
    self.now = now
    self.sleep = sleep
    self.jitter = jitter
  }

  package static let system = HTTPTime(
    now: { ContinuousClock.now }, sleep: { try await Task.sleep(for: $0, clock: .continuous) },
    jitter: { .milliseconds(Int64.random(in: 0...max(0, $0.milliseconds))) })
}

extension Duration {
  /// Rounded up, because zero means "for ever" to libcurl; at most what 32 bits hold, 24 days.
  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    guard seconds < 2_000_000 else { return 2_000_000_000 }
    return max(0, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
