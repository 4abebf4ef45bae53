// Connections for all tasks of a process, lent for the length of a closure.
//
// A caller who finds no free connection opens one itself while there is room, else waits in line; so nothing has to
// run in the background for a call to succeed. `run` keeps the minimum open and closes what lies idle.

package final class PostgresPool: Sendable {
  package let configuration: ConnectionConfiguration
  package let limits: PoolLimits
  private let state: Guarded<PoolState<Wire, PoolWaiter>>
  /// Connections on loan, so that a drain that is out of patience can reach them.
  private let lent = Guarded<[ObjectIdentifier: Wire]>([:])
  /// Rung whenever something comes home to a closed pool.
  private let drained = Suspension()

  /// Limits that contradict one another are a mistake of the program that made them.
  package init(_ configuration: ConnectionConfiguration, limits: PoolLimits = PoolLimits()) {
    precondition(limits.problem == nil, "impossible pool limits: \(limits.problem ?? "")")
    self.configuration = configuration
    self.limits = limits
    state = Guarded(PoolState(limits: limits))
  }

  package var statistics: PoolStatistics { state.withLock { $0.statistics } }

  // MARK: Lending

  /// Lends a connection. `deadline` covers the wait for it and, unless they name an earlier one, the calls on it.
  nonisolated(nonsending)
    package func withSession<Value: ~Copyable, Failure: PostgresFailure>(
      deadline: Deadline? = nil,
      _ body: nonisolated(nonsending) (inout PostgresSession) async throws(Failure) -> Value
    ) async throws(Failure) -> Value
  {
    let deadline = deadline ?? .after(limits.callTime)
    let wire: Wire
    do throws(PostgresError) { wire = try await acquire(deadline: deadline) } catch { throw Failure(postgres: error) }
    defer { release(wire) }
    var session = PostgresSession(wire: wire, deadline: deadline)
    return try await body(&session)
  }

  nonisolated(nonsending)
    package func withTransaction<Value: ~Copyable, Failure: Error>(
      isolation: Isolation = .readCommitted, access: Access = .readWrite, opening: [BoundStatement] = [],
      deadline: Deadline? = nil,
      _ body: nonisolated(nonsending) (inout PostgresTransaction) async throws(Failure) -> Value
    ) async throws(TransactionError<Failure>) -> Value
  {
    try await withSession(deadline: deadline) { session throws(TransactionError<Failure>) in
      try await session.withTransaction(isolation: isolation, access: access, opening: opening, body)
    }
  }

  /// A whole transaction in one round trip, on whatever connection is free.
  nonisolated(nonsending)
    package func transact(
      _ statements: [BoundStatement], isolation: Isolation = .readCommitted, access: Access = .readWrite,
      deadline: Deadline? = nil
    ) async throws(TransactionError<PostgresError>) -> [Rows]
  {
    try await withSession(deadline: deadline) { session throws(TransactionError<PostgresError>) in
      try await session.transact(statements, isolation: isolation, access: access)
    }
  }

  /// One batch on whatever connection is free.
  nonisolated(nonsending)
    package func pipeline(
      _ units: [PipelineUnit], deadline: Deadline? = nil
    ) async throws(PostgresError) -> [UnitOutcome]
  {
    try await withSession(deadline: deadline) { session throws(PostgresError) in try await session.pipeline(units) }
  }

  /// One statement on whatever connection is free.
  nonisolated(nonsending)
    package func query(_ statement: BoundStatement, deadline: Deadline? = nil) async throws(PostgresError) -> Rows
  {
    try await withSession(deadline: deadline) { session throws(PostgresError) in try await session.query(statement) }
  }

  // MARK: In and out

  private typealias State = PoolState<Wire, PoolWaiter>

  nonisolated(nonsending)
    private func acquire(deadline: Deadline) async throws(PostgresError) -> Wire
  {
    guard !Task.isCancelled else { throw .cancelled }
    var step = enter()
    while true {
      switch step {
      case .granted(let wire): return lend(wire)
      case .rested(let wire):
        if wire.isAliveAfterRest(), !isTooOld(wire) { return lend(wire) }
        discard(wire)
        step = enter()
      case .open(let notBefore): step = await open(notBefore: notBefore, deadline: deadline, retryBefore: deadline)
      case .wait(let waiter): step = await wait(waiter, deadline: deadline)
      case .refuse(let error): throw explained(error)
      }
    }
  }

  /// Why there was no connection says more than that there was no time.
  private func explained(_ error: PostgresError) -> PostgresError {
    guard error == .deadline || error == .poolExhausted(.waitedTooLong) else { return error }
    return state.withLock { $0.trouble } ?? error
  }

  private func enter() -> State.Step { state.withLock { $0.enter { PoolWaiter() } } }

  /// Waits in line for the next step.
  nonisolated(nonsending)
    private func wait(_ waiter: PoolWaiter, deadline: Deadline) async -> State.Step
  {
    let wake = await waiter.sleep(until: deadline)
    if wake != .ready, state.withLock({ $0.withdraw(waiter) }) {
      return .refuse(wake == .cancelled ? .cancelled : .poolExhausted(.waitedTooLong))
    }
    // It has left the queue, so its step is certain; it may still be on its way. Whoever is given something just
    // after it was cancelled uses it up: a call on it ends at once.
    return await waiter.stepAfterQueue()
  }

  /// One attempt, with a permit that this caller holds.
  nonisolated(nonsending)
    private func open(notBefore: Deadline, deadline: Deadline, retryBefore: Deadline) async -> State.Step
  {
    let result: Result<Wire, PostgresError>
    do throws(PostgresError) {
      if !notBefore.hasPassed {
        let wake = await PoolWaiter().sleep(until: notBefore.earlier(of: deadline))
        if wake == .cancelled { throw .cancelled }
      }
      result = .success(try await Wire.open(configuration, deadline: deadline))
    } catch { result = .failure(error) }
    let (step, handout) = state.withLock { (state) -> (State.Step, State.Handout) in
      switch result {
      case .success(let wire): state.didOpen(wire)
      case .failure(let error):
        state.didNotOpen(error, lasting: error.isLasting, now: .now, deadline: retryBefore) { PoolWaiter() }
      }
    }
    carryOut(handout)
    return step
  }

  private func lend(_ wire: Wire) -> Wire {
    lent.withLock { $0[ObjectIdentifier(wire)] = wire }
    return wire
  }

  private func isTooOld(_ wire: Wire) -> Bool { wire.openedAt.adding(limits.lifetime).hasPassed }

  /// Only a connection that is up, outside any transaction and without an answer under way is lent again.
  private func release(_ wire: Wire) {
    lent.withLock { $0[ObjectIdentifier(wire)] = nil }
    let reusable = wire.isIdle && !wire.isCondemned && !isTooOld(wire)
    carryOut(state.withLock { $0.release(wire, reusable: reusable, now: .now) })
  }

  private func discard(_ wire: Wire) {
    carryOut(state.withLock { $0.release(wire, reusable: false, now: .now) })
  }

  /// Wakes those who have their turn. The connections to be closed end with the handout, outside the lock.
  private func carryOut(_ handout: State.Handout) {
    for (waiter, step) in handout.steps { waiter.give(step) }
    drained.ring()
  }

  // MARK: Keeping house

  /// Keeps the minimum open and closes what lies idle, until its task is cancelled.
  nonisolated(nonsending)
    package func run() async
  {
    while !Task.isCancelled {
      carryOut(state.withLock { $0.reap(now: .now) })
      while state.withLock({ $0.claimRefill(now: .now) }) {
        // In vain, it gives its permit up: callers meet the same trouble and say so, and the next round comes.
        let now = Deadline.now
        let step = await open(
          notBefore: now, deadline: now.adding(configuration.connectTimeout), retryBefore: now)
        guard case .granted(let wire) = step else { break }
        release(wire)
      }
      _ = await PoolWaiter().sleep(until: .after(limits.housekeeping))
    }
  }

  /// Lets nobody in any more and waits until all connections are home and closed. At the deadline those still at work
  /// are cancelled, on the server too, and closed when they come home. True when all came home in time.
  nonisolated(nonsending)
    package func drain(deadline: Deadline) async -> Bool
  {
    let (isFirst, handout) = state.withLock { $0.close() }
    carryOut(handout)
    guard isFirst else { return state.withLock { $0.isEmpty } }
    let token = Reactor.shared.add(drained)
    defer { Reactor.shared.remove(token) }
    while !state.withLock({ $0.isEmpty }) {
      guard await drained.sleep(until: deadline, heedingCancellation: false) == .ready else {
        for wire in lent.withLock({ Array($0.values) }) { wire.condemn() }
        return false
      }
    }
    return true
  }
}

extension PostgresError {
  /// True where another attempt to connect can't help: only a passing trouble of the network or the server is tried
  /// again, and neither a refused login nor the caller's own end of patience is one.
  fileprivate var isLasting: Bool {
    guard case .unreachable(let failure) = self else { return true }
    return failure.isPermanent
  }
}
