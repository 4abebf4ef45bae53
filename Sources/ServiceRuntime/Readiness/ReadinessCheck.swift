// One thing that must be true before a service may be sent work, looked at again and again.

package struct ReadinessCheck: Sendable {
  /// The closed set of things that are looked at; a label of the metrics and a member of the answer.
  package enum Name: String, CaseIterable, Sendable {
    /// An update of the probe row commits: whoever can't write can't audit.
    case audit
    /// The database binds this service: roles, policies, functions.
    case isolation
    /// The service's own keys open what they sealed.
    case keys
    /// This machine's clock agrees with the database's.
    case clock
  }

  package enum Finding: Sendable, Equatable {
    case kept
    /// What is wrong, for the operator. Names of objects of ours and words of the system; no data, no secret.
    case broken(String)
  }

  package let name: Name
  /// How often it is looked at.
  let period: Duration
  /// How long a look may take; a server that does not answer is no good answer.
  let deadline: Duration
  let look: @Sendable () async -> Finding

  package init(
    _ name: Name, every period: Duration, within deadline: Duration = .seconds(5),
    look: @escaping @Sendable () async -> Finding
  ) {
    precondition(period > .zero && deadline > .zero, "a check needs time")
    (self.name, self.period, self.deadline, self.look) = (name, period, deadline, look)
  }

  /// More than this many seconds off, an expiry would mean different things to the service and to the database.
  package static let largestClockOffset = Duration.seconds(5)

  /// Compares this machine's clock with the one that `database` reads. The answer was made at some time between the
  /// question and its arrival, so only what lies outside is an offset. Nil: it could not be read.
  package static func clock(
    _ clock: WallClock = .system, every period: Duration, within deadline: Duration = .seconds(5),
    database: @escaping @Sendable () async -> Moment?
  ) -> ReadinessCheck {
    ReadinessCheck(.clock, every: period, within: deadline) {
      let asked = clock.now()
      guard let theirs = await database() else { return .broken("the database's clock cannot be read") }
      let answered = clock.now()
      let limit = Int64(largestClockOffset.components.seconds) * 1_000_000
      let early = asked.microseconds.subtractingReportingOverflow(theirs.microseconds)
      let late = theirs.microseconds.subtractingReportingOverflow(answered.microseconds)
      let isNear = !early.overflow && !late.overflow && early.partialValue <= limit && late.partialValue <= limit
      return isNear ? .kept : .broken("this machine's clock is more than 5 s off the database's; synchronise both")
    }
  }
}
