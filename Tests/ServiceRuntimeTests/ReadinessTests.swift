// Readiness: nobody is ready before the first look, after a broken one, with an old answer or while draining.

import Synchronization
import Testing

@testable import ServiceRuntime

@Suite struct ReadinessTests {
  /// A check whose finding the test chooses.
  private final class Choice: Sendable {
    private let finding: Mutex<ReadinessCheck.Finding>
    private let looks = Atomic(0)

    init(_ finding: ReadinessCheck.Finding) { self.finding = Mutex(finding) }

    func set(_ finding: ReadinessCheck.Finding) { self.finding.withLock { $0 = finding } }
    func take() -> ReadinessCheck.Finding {
      looks.add(1, ordering: .relaxed)
      return finding.withLock { $0 }
    }
    var count: Int { looks.load(ordering: .relaxed) }
  }

  private final class Hands: Sendable {
    private let time = Mutex(ContinuousClock.now)
    var now: ContinuousClock.Instant { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 += duration } }
  }

  private let metrics = MetricRegistry(service: "mandate-test")
  private let log = Log(program: "mandate-test", to: -1)

  @Test("Nobody is ready for having no checks: that is a mistake in the source, and ends the program")
  func nothingChecked() async {
    await #expect(processExitsWith: .failure) {
      _ = Readiness([], log: Log(program: "mandate-test", to: -1), metrics: MetricRegistry(service: "mandate-test"))
    }
  }

  @Test("Before the first look nobody is ready, after a good one he is")
  func first() async {
    let readiness = Readiness(
      [ReadinessCheck(.audit, every: .seconds(5)) { .kept }], log: log, metrics: metrics)
    #expect(!readiness.answer.isReady)
    #expect(readiness.answer.checks.map(\.state) == [.unknown])
    let problems = await readiness.firstLook()
    #expect(problems.isEmpty && readiness.answer.isReady)
    #expect(metrics.page().contains(#"mandate_ready{service="mandate-test",check="audit"} 1"#))
  }

  @Test(
    "One broken check is enough, and the answer names it and what is wrong", arguments: ReadinessCheck.Name.allCases)
  func broken(name: ReadinessCheck.Name) async {
    let readiness = Readiness(
      ReadinessCheck.Name.allCases.map { each in
        ReadinessCheck(each, every: .seconds(5)) { each == name ? .broken("mana_ai.grants is not forced") : .kept }
      }, log: log, metrics: metrics)
    let problems = await readiness.firstLook()
    #expect(problems.map(\.name) == [name] && problems.map(\.problem) == ["mana_ai.grants is not forced"])
    #expect(!readiness.answer.isReady)
    #expect(metrics.page().contains("check=\"\(name.rawValue)\"} 0"))
  }

  @Test("The checks go on in the background: what breaks is seen, and what is repaired too")
  func background() async {
    let choice = Choice(.kept)
    let readiness = Readiness(
      [ReadinessCheck(.isolation, every: .milliseconds(1)) { choice.take() }], log: log, metrics: metrics)
    await withDiscardingTaskGroup { group in
      group.addTask { await readiness.run() }
      while !readiness.answer.isReady { await Task.yield() }
      choice.set(.broken("x"))
      while readiness.answer.checks.first?.state != .broken("x") { await Task.yield() }
      choice.set(.kept)
      while !readiness.answer.isReady { await Task.yield() }
      group.cancelAll()
    }
    let count = choice.count
    #expect(count >= 3)
  }

  @Test("An answer that has grown old is no answer")
  func old() async {
    let hands = Hands()
    let check = ReadinessCheck(.audit, every: .seconds(10), within: .seconds(5)) { .kept }
    let readiness = Readiness([check], log: log, metrics: metrics, now: { hands.now })
    _ = await readiness.firstLook()
    hands.advance(.seconds(35))
    #expect(readiness.answer.isReady)
    hands.advance(.milliseconds(1))
    #expect(!readiness.answer.isReady && readiness.answer.checks.map(\.state) == [.unknown])
  }

  @Test("A look that does not end is cancelled at its deadline, and found nothing good")
  func hanging() async {
    let readiness = Readiness(
      [
        ReadinessCheck(.audit, every: .seconds(10), within: .milliseconds(1)) {
          // Ends by cancellation only.
          while !Task.isCancelled { await Task.yield() }
          return .kept
        }
      ], log: log, metrics: metrics)
    let problems = await readiness.firstLook()
    #expect(problems.map(\.problem) == ["no answer in time"])
  }

  @Test("Who drains is not ready, however good the checks are")
  func draining() async {
    let readiness = Readiness([ReadinessCheck(.keys, every: .seconds(10)) { .kept }], log: log, metrics: metrics)
    _ = await readiness.firstLook()
    readiness.beginDraining()
    #expect(!readiness.answer.isReady && readiness.answer.isDraining)
    #expect(readiness.answer.checks.map(\.state) == [.kept])
  }

  @Test(
    "A clock may be five seconds off the database's, and not a microsecond more",
    arguments: [
      (0, true), (5_000_000, true), (-5_000_000, true), (5_000_001, false), (-5_000_001, false),
      (Int64.max - 1_000_000_000, false), (Int64.min + 1_000_000_000, false),
    ])
  func clock(offset: Int64, isKept: Bool) async {
    let ours = Moment(microseconds: 1_000_000_000)
    let check = ReadinessCheck.clock(.stopped(at: ours), every: .seconds(1)) {
      Moment(microseconds: ours.microseconds &+ offset)
    }
    let finding = await check.look()
    #expect((finding == .kept) == isKept)
  }

  @Test("A database whose clock cannot be read is no database to be ready with")
  func noClock() async {
    let finding = await ReadinessCheck.clock(every: .seconds(1)) { nil }.look()
    #expect(finding == .broken("the database's clock cannot be read"))
  }
}
