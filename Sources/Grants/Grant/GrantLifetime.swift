// How long a grant may live: the seeds' rule, to the millisecond.

package import Contracts

package enum GrantLifetime {
  package static let standard: Double = 604_800_000  // 7 days.
  package static let shortest: Double = 3_600_000  // 1 hour.
  package static let longest: Double = 2_592_000_000  // 30 days.

  /// `wanted` is what the caller asked for in milliseconds, any double; it is clamped, never refused.
  package static func expiry(issuedAt: Instant, wanted: Double?) -> Instant {
    let asked = wanted ?? standard
    let lifetime = asked.isNaN ? shortest : min(max(asked, shortest), longest)
    return Instant(milliseconds: Int64((Double(issuedAt.milliseconds) + lifetime).rounded(.down)))
  }
}
