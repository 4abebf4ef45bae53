// The knobs of a pool, each with its unit and the reason for its default.

package struct PoolLimits: Sendable, Equatable {
  /// Connections that `run` keeps open when nobody needs them, so that the first call after a pause is a quick one.
  package var minimum = 1
  /// Connections at most. Two per core of the database keep it busy; more only queue there instead of here.
  package var maximum = 8
  /// Callers that may wait for a connection. More would not be served before their deadlines; they are told at once.
  package var waiters = 1_024
  /// A connection that nobody used for so long is closed, down to the minimum.
  package var idleTime = Duration.seconds(60)
  /// A connection is replaced at this age, so that a new password, certificate or address takes effect, and what a
  /// server process gathers in its caches is let go.
  package var lifetime = Duration.seconds(3_600)
  /// What a call may take in all when its caller names no deadline.
  package var callTime = Duration.seconds(30)
  /// After a failed attempt to connect, the next waits so long, doubling up to the longest.
  package var firstBackoff = Duration.milliseconds(50)
  package var longestBackoff = Duration.seconds(5)
  /// How often `run` looks for idle connections to close and missing ones to open.
  package var housekeeping = Duration.seconds(5)

  package init() {}

  package init(minimum: Int = 1, maximum: Int, waiters: Int = 1_024) {
    self.minimum = minimum
    self.maximum = maximum
    self.waiters = waiters
  }

  /// The first relation that does not hold, named by its knob.
  package var problem: String? {
    if maximum < 1 || maximum > 1_000 { return "maximum" }
    if minimum < 0 || minimum > maximum { return "minimum" }
    if waiters < 0 || waiters > 1_000_000 { return "waiters" }
    if idleTime <= .zero { return "idleTime" }
    if lifetime <= .zero { return "lifetime" }
    if callTime <= .zero { return "callTime" }
    if firstBackoff <= .zero { return "firstBackoff" }
    if longestBackoff < firstBackoff { return "longestBackoff" }
    if housekeeping <= .zero { return "housekeeping" }
    return nil
  }
}

/// What a pool is doing now, for gauges, and what it has done since its start, for counters.
package struct PoolStatistics: Sendable, Equatable {
  package var inUse = 0
  package var idle = 0
  package var opening = 0
  package var waiting = 0
  package var opened = 0
  package var failedToOpen = 0
  package var closed = 0
}
