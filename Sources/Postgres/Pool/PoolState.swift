// The pool's decisions, as plain functions from state to next step: who gets a connection, who may open one, who
// waits. It knows no socket, no clock and no thread; `PostgresPool` holds it behind a lock and does what it says.

/// `Connection` is `Wire`, and a number in the tests; a `Waiter` is whoever can be told.
struct PoolState<Connection: Sendable, Waiter: AnyObject & Sendable>: Sendable {
  /// What a caller does next.
  enum Step: Sendable {
    /// Use this one; it comes straight from another caller.
    case granted(Connection)
    /// Use this one, but look whether it has died while it lay idle.
    case rested(Connection)
    /// Open one yourself, not before that time, and report it with `didOpen` or `didNotOpen`.
    case open(notBefore: Deadline)
    /// Wait until somebody hands this waiter a step.
    case wait(Waiter)
    case refuse(PostgresError)
  }

  /// Steps for others, to be told once the lock is open, and connections to be closed then.
  struct Handout: Sendable {
    var steps: [(Waiter, Step)] = []
    var toClose: [Connection] = []
  }

  private struct Rested {
    let connection: Connection
    let since: Deadline
  }

  let limits: PoolLimits
  private var idle: [Rested] = []
  private var waiters: [Waiter] = []
  private var inUse = 0
  private var opening = 0
  private var isClosed = false
  private var failures = 0
  /// Why the last attempt to connect failed, until one succeeds.
  private(set) var trouble: PostgresError?
  private var notBefore = Deadline(nanoseconds: 0)
  private var opened = 0
  private var failedToOpen = 0
  private var closed = 0

  init(limits: PoolLimits) { self.limits = limits }

  var statistics: PoolStatistics {
    PoolStatistics(
      inUse: inUse, idle: idle.count, opening: opening, waiting: waiters.count, opened: opened,
      failedToOpen: failedToOpen, closed: closed)
  }

  var isEmpty: Bool { inUse == 0 && opening == 0 && idle.isEmpty }

  /// While the server can't be reached, one attempt at a time is enough.
  private var mayOpen: Bool {
    !isClosed && inUse + idle.count + opening < limits.maximum && (failures == 0 || opening == 0)
  }

  // MARK: Callers

  /// Whoever comes first is served first: nobody passes those who wait.
  mutating func enter(_ makeWaiter: () -> Waiter) -> Step {
    if isClosed { return .refuse(.poolClosed) }
    if waiters.isEmpty {
      if let rested = idle.popLast() {
        inUse += 1
        return .rested(rested.connection)
      }
      if mayOpen {
        opening += 1
        return .open(notBefore: notBefore)
      }
    }
    guard waiters.count < limits.waiters else { return .refuse(.poolExhausted(.queueFull)) }
    let waiter = makeWaiter()
    waiters.append(waiter)
    return .wait(waiter)
  }

  /// Takes a waiter out of the queue; false when it has been given its step already.
  mutating func withdraw(_ waiter: Waiter) -> Bool {
    guard let index = waiters.firstIndex(where: { $0 === waiter }) else { return false }
    waiters.remove(at: index)
    return true
  }

  /// A connection comes home: to whoever waits longest, to rest, or to be closed.
  mutating func release(_ connection: Connection, reusable: Bool, now: Deadline) -> Handout {
    inUse -= 1
    guard reusable, !isClosed else {
      closed += 1
      var handout = permits()
      handout.toClose = [connection]
      return handout
    }
    if let waiter = nextWaiter() {
      inUse += 1
      return Handout(steps: [(waiter, .granted(connection))])
    }
    idle.append(Rested(connection: connection, since: now))
    return Handout()
  }

  // MARK: Those who open

  /// What the opener does next: use it, unless the pool was closed meanwhile.
  mutating func didOpen(_ connection: Connection) -> (Step, Handout) {
    opening -= 1
    opened += 1
    failures = 0
    trouble = nil
    notBefore = Deadline(nanoseconds: 0)
    guard !isClosed else {
      closed += 1
      return (.refuse(.poolClosed), Handout(toClose: [connection]))
    }
    inUse += 1
    return (.granted(connection), permits())
  }

  /// What the opener does next. A `lasting` trouble is not tried again, nor is any that would be tried again only
  /// after the deadline; the permit is given up then.
  mutating func didNotOpen(
    _ error: PostgresError, lasting: Bool, now: Deadline, deadline: Deadline, _ makeWaiter: () -> Waiter
  ) -> (Step, Handout) {
    failedToOpen += 1
    if case .unreachable = error { trouble = error }
    guard !lasting else { return giveUp(error) }
    failures += 1
    notBefore = now.adding(backoff)
    if isClosed { return giveUp(.poolClosed) }
    guard notBefore < deadline else { return giveUp(error) }
    if let rested = idle.popLast() {
      // Meanwhile another came home.
      opening -= 1
      inUse += 1
      return (.rested(rested.connection), Handout())
    }
    guard opening > 1 else { return (.open(notBefore: notBefore), Handout()) }
    // Another is trying already; its success will reach this one first.
    opening -= 1
    let waiter = makeWaiter()
    waiters.insert(waiter, at: 0)
    return (.wait(waiter), Handout())
  }

  /// The permit goes to the next in the queue.
  private mutating func giveUp(_ error: PostgresError) -> (Step, Handout) {
    opening -= 1
    return (.refuse(error), permits())
  }

  private var backoff: Duration {
    min(limits.firstBackoff * (1 << min(failures - 1, 20)), limits.longestBackoff)
  }

  private mutating func nextWaiter() -> Waiter? { waiters.isEmpty ? nil : waiters.removeFirst() }

  /// Where there is room, those who wait may open connections.
  private mutating func permits() -> Handout {
    var handout = Handout()
    while mayOpen, let waiter = nextWaiter() {
      opening += 1
      handout.steps.append((waiter, .open(notBefore: notBefore)))
    }
    return handout
  }

  // MARK: Housekeeping

  /// Idle connections that nobody used for long, the oldest first, down to the minimum.
  mutating func reap(now: Deadline) -> Handout {
    var handout = Handout()
    while let oldest = idle.first, oldest.since.adding(limits.idleTime) <= now,
      inUse + idle.count + opening > limits.minimum
    {
      handout.toClose.append(idle.removeFirst().connection)
    }
    closed += handout.toClose.count
    return handout
  }

  /// True when one more is needed for the minimum; the caller then opens it, as any other does.
  mutating func claimRefill(now: Deadline) -> Bool {
    guard mayOpen, notBefore <= now, inUse + idle.count + opening < limits.minimum else { return false }
    opening += 1
    return true
  }

  /// Nobody gets in any more; those who wait are told, and what lies idle is closed. False when it was closed before.
  mutating func close() -> (Bool, Handout) {
    guard !isClosed else { return (false, Handout()) }
    isClosed = true
    let handout = Handout(steps: waiters.map { ($0, .refuse(.poolClosed)) }, toClose: idle.map(\.connection))
    closed += idle.count
    waiters = []
    idle = []
    return (true, handout)
  }
}
