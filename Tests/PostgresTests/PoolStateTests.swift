// The pool's decisions, without a database: numbers stand for connections.

import Testing

@testable import Postgres

@Suite struct PoolStateTests {
  private final class Waiter: Sendable {}
  private typealias State = PoolState<Int, Waiter>

  private let start = Deadline(nanoseconds: 1_000_000_000)

  private func after(_ duration: Duration) -> Deadline { start.adding(duration) }

  private func state(_ maximum: Int, minimum: Int = 0, waiters: Int = 10) -> State {
    State(limits: PoolLimits(minimum: minimum, maximum: maximum, waiters: waiters))
  }

  /// Opens a connection the way a caller does.
  private func open(_ state: inout State, _ connection: Int) {
    guard case .open = state.enter({ Waiter() }), case (.granted(connection), _) = state.didOpen(connection) else {
      Issue.record("no permit for \(connection)")
      return
    }
  }

  private func isWait(_ step: State.Step) -> Waiter? { if case .wait(let waiter) = step { waiter } else { nil } }

  @Test("The last connection that came home is the first to go out again, so that the others may end")
  func lastInFirstOut() {
    var state = state(3)
    for connection in 1...3 { open(&state, connection) }
    for connection in 1...3 { _ = state.release(connection, reusable: true, now: start) }
    guard case .rested(3) = state.enter({ Waiter() }) else {
      Issue.record("not the last")
      return
    }
    #expect(state.statistics.idle == 2 && state.statistics.inUse == 1)
  }

  @Test("No more connections than the maximum, however many ask")
  func maximum() {
    var state = state(2)
    open(&state, 1)
    guard case .open = state.enter({ Waiter() }) else {
      Issue.record("no second permit")
      return
    }
    #expect(isWait(state.enter { Waiter() }) != nil, "a third permit, with one open and one opening")
    #expect(state.statistics.waiting == 1)
  }

  @Test("Those who wait are served in the order in which they came, and nobody passes them")
  func fairness() throws {
    var state = state(1)
    open(&state, 1)
    let first = try #require(isWait(state.enter { Waiter() }))
    let second = try #require(isWait(state.enter { Waiter() }))
    let handout = state.release(1, reusable: true, now: start)
    #expect(handout.steps.count == 1 && handout.steps[0].0 === first)
    // One comes now, while the second still waits: it gets in line, also when a connection is free for a moment.
    let third = try #require(isWait(state.enter { Waiter() }))
    #expect(state.release(1, reusable: true, now: start).steps.map { $0.0 === second } == [true])
    #expect(state.release(1, reusable: true, now: start).steps.map { $0.0 === third } == [true])
    #expect(state.release(1, reusable: true, now: start).steps.isEmpty)
    #expect(state.statistics.idle == 1)
  }

  @Test("A full queue refuses at once")
  func queueLimit() {
    var state = state(1, waiters: 1)
    open(&state, 1)
    #expect(isWait(state.enter { Waiter() }) != nil)
    guard case .refuse(.poolExhausted(.queueFull)) = state.enter({ Waiter() }) else {
      Issue.record("not refused")
      return
    }
  }

  @Test("One who leaves the queue is not served; one who was served cannot leave")
  func withdrawal() throws {
    var state = state(1)
    open(&state, 1)
    let first = try #require(isWait(state.enter { Waiter() }))
    let second = try #require(isWait(state.enter { Waiter() }))
    #expect(state.withdraw(first) == true)
    #expect(state.withdraw(first) == false)
    #expect(state.release(1, reusable: true, now: start).steps.map { $0.0 === second } == [true])
    #expect(state.withdraw(second) == false)
  }

  @Test("A broken connection is not lent again; who waits may open its successor")
  func broken() throws {
    var state = state(1)
    open(&state, 1)
    let waiter = try #require(isWait(state.enter { Waiter() }))
    let handout = state.release(1, reusable: false, now: start)
    #expect(handout.toClose == [1])
    guard handout.steps.count == 1, handout.steps[0].0 === waiter, case .open = handout.steps[0].1 else {
      Issue.record("no permit for the one who waits")
      return
    }
    #expect(state.statistics.closed == 1 && state.statistics.opening == 1)
  }

  @Test("While the server is away one caller tries, later and later; its success lets all others in")
  func backoff() throws {
    var state = state(3)
    let error = PostgresError.unreachable(ConnectFailure(reason: .network))
    guard case .open(let immediately) = state.enter({ Waiter() }), case .open = state.enter({ Waiter() }) else {
      Issue.record("no permits")
      return
    }
    #expect(immediately < start)
    // Both fail. The first to hear of it gets in line, since the other one is still trying.
    let (firstStep, _) = state.didNotOpen(error, lasting: false, now: start, deadline: after(.seconds(60))) { Waiter() }
    let queued = try #require(isWait(firstStep))
    var times: [Duration] = []
    var now = start
    for _ in 0..<9 {
      let (step, _) = state.didNotOpen(error, lasting: false, now: now, deadline: after(.seconds(60))) { Waiter() }
      guard case .open(let notBefore) = step else {
        Issue.record("no second chance")
        return
      }
      times.append(.nanoseconds(notBefore.nanoseconds - now.nanoseconds))
      now = notBefore
    }
    #expect(times == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000].map { .milliseconds($0) })
    #expect(state.statistics.opening == 1)
    let late = try #require(isWait(state.enter { Waiter() }), "a second attempt beside the first")
    let (step, handout) = state.didOpen(7)
    guard case .granted(7) = step else {
      Issue.record("not granted")
      return
    }
    #expect(handout.steps.map { $0.0 === queued || $0.0 === late } == [true, true])
    #expect(state.statistics.opening == 2 && state.statistics.inUse == 1)
  }

  @Test("Who cannot wait for the next attempt passes the permit on, with the time before which it is useless")
  func permitPasses() throws {
    var state = state(1)
    guard case .open = state.enter({ Waiter() }) else {
      Issue.record("no permit")
      return
    }
    let waiter = try #require(isWait(state.enter { Waiter() }))
    let error = PostgresError.unreachable(ConnectFailure(reason: .network))
    let (step, handout) = state.didNotOpen(error, lasting: false, now: start, deadline: start) { Waiter() }
    guard case .refuse(error) = step, handout.steps.count == 1, handout.steps[0].0 === waiter,
      case .open(let notBefore) = handout.steps[0].1
    else {
      Issue.record("the permit was lost")
      return
    }
    #expect(notBefore == after(.milliseconds(50)))
  }

  @Test("A refused login is not tried again, but the next caller may try")
  func lasting() {
    var state = state(1)
    guard case .open = state.enter({ Waiter() }) else {
      Issue.record("no permit")
      return
    }
    let (step, _) = state.didNotOpen(.cancelled, lasting: true, now: start, deadline: after(.seconds(60))) { Waiter() }
    guard case .refuse(.cancelled) = step, case .open(let notBefore) = state.enter({ Waiter() }) else {
      Issue.record("not refused, or the permit was kept")
      return
    }
    #expect(notBefore < start)
  }

  @Test("What lies idle for long is closed, the oldest first, down to the minimum")
  func reaping() {
    var state = state(4, minimum: 1)
    for connection in 1...4 { open(&state, connection) }
    for connection in 1...3 { _ = state.release(connection, reusable: true, now: after(.seconds(connection))) }
    #expect(state.reap(now: after(.seconds(60))).toClose.isEmpty)
    #expect(state.reap(now: after(.seconds(62))).toClose == [1, 2])
    _ = state.release(4, reusable: false, now: after(.seconds(62)))
    #expect(state.reap(now: after(.seconds(1_000))).toClose.isEmpty, "the minimum was not kept")
  }

  @Test("A refill is claimed only for the minimum, and not while the server is away")
  func refill() {
    var state = state(4, minimum: 2)
    #expect(state.claimRefill(now: start) == true)
    #expect(state.claimRefill(now: start) == true)
    #expect(state.claimRefill(now: start) == false)
    let error = PostgresError.unreachable(ConnectFailure(reason: .network))
    for _ in 0..<2 { _ = state.didNotOpen(error, lasting: false, now: start, deadline: start) { Waiter() } }
    #expect(state.claimRefill(now: start) == false)
    #expect(state.claimRefill(now: after(.seconds(1))) == true)
    #expect(state.claimRefill(now: after(.seconds(1))) == false, "two attempts at once at a server that is away")
  }

  @Test("A closed pool tells those who wait, closes what lies idle, and takes nothing back")
  func closing() throws {
    var state = state(2)
    open(&state, 1)
    open(&state, 2)
    let waiter = try #require(isWait(state.enter { Waiter() }))
    #expect(state.withdraw(waiter) == true)
    _ = state.release(1, reusable: true, now: start)
    let (first, handout) = state.close()
    #expect(first && handout.toClose == [1] && !state.isEmpty)
    guard case .refuse(.poolClosed) = state.enter({ Waiter() }) else {
      Issue.record("let in")
      return
    }
    #expect(state.release(2, reusable: true, now: start).toClose == [2])
    #expect(state.isEmpty)
    let (second, _) = state.close()
    #expect(!second)
  }

  @Test("A connection that comes up in a closed pool is closed, and its opener is told")
  func openedTooLate() throws {
    var state = state(2)
    guard case .open = state.enter({ Waiter() }) else {
      Issue.record("no permit")
      return
    }
    _ = state.close()
    let (step, handout) = state.didOpen(1)
    guard case .refuse(.poolClosed) = step else {
      Issue.record("not refused")
      return
    }
    #expect(handout.toClose == [1] && state.isEmpty)
  }

  /// Repeatable randomness (SplitMix64): a seed that fails once fails again.
  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }

  @Test("Whatever callers do in whatever order, no connection is lent twice, lost, or one too many")
  func invariants() {
    for seed in 0..<500 as Range<UInt64> {
      var generator = SplitMix(state: seed)
      var state = state(3, waiters: 3)
      var lent: Set<Int> = []
      var opening = 0
      var waiting: [Waiter] = []
      var next = 0
      func carryOut(_ handout: State.Handout) {
        for (waiter, step) in handout.steps {
          waiting.removeAll { $0 === waiter }
          follow(step)
        }
      }
      func follow(_ step: State.Step) {
        switch step {
        case .granted(let connection), .rested(let connection):
          #expect(lent.insert(connection).inserted, "lent twice")
        case .open: opening += 1
        case .wait(let waiter): waiting.append(waiter)
        case .refuse: break
        }
      }
      for _ in 0..<100 {
        switch Int.random(in: 0..<6, using: &generator) {
        case 0, 1: follow(state.enter { Waiter() })
        case 2:
          guard let connection = lent.randomElement(using: &generator) else { break }
          lent.remove(connection)
          carryOut(state.release(connection, reusable: Bool.random(using: &generator), now: start))
        case 3:
          guard opening > 0 else { break }
          opening -= 1
          next += 1
          let (step, handout) = state.didOpen(next)
          follow(step)
          carryOut(handout)
        case 4:
          guard opening > 0 else { break }
          opening -= 1
          let (step, handout) = state.didNotOpen(
            .deadline, lasting: Bool.random(using: &generator), now: start, deadline: after(.seconds(9))
          ) { Waiter() }
          follow(step)
          carryOut(handout)
        default:
          guard let waiter = waiting.randomElement(using: &generator) else { break }
          #expect(state.withdraw(waiter) == true)
          waiting.removeAll { $0 === waiter }
        }
        let statistics = state.statistics
        #expect(statistics.inUse == lent.count && statistics.opening == opening)
        #expect(statistics.waiting == waiting.count)
        #expect(statistics.inUse + statistics.idle + statistics.opening <= 3)
        // Nobody waits where a connection is free, or where there is room and nobody is opening.
        #expect(waiting.isEmpty || statistics.idle == 0)
        #expect(waiting.isEmpty || statistics.inUse + statistics.opening > 0)
      }
    }
  }
}
