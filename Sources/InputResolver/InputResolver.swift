// One batch: plan, open receipts and redeem, unwrap and open on threads of our own, append what failed, answer. No
// receipt, no key; and what was opened leaves in one answer or is wiped.

package import Contracts
package import Grants
package import Postgres
package import Secrets
package import ServiceRuntime
package import Store

package struct InputResolver: Sendable {
  private let receipts: Receipts
  private let unwrapper: @Sendable () -> any Unwrapper
  private let workers: WorkerThreads
  /// Whose turn it is to hold what was read apart.
  private let largeReads: BatchQueue
  private let rules: Rules
  private let clock: @Sendable () -> Instant
  let observer: ResolveObserver

  package struct Rules: Sendable {
    package var acceptsV1 = true
    /// For a whole batch: the audit may be slow, but not for ever.
    package var batchTime = Duration.seconds(20)
    package var mostReplyBytes = ResolveReply.mostBytes

    package init() {}
  }

  /// `unwrapper` is asked once per batch, so that a reload changes the keys between batches and never within one.
  package init(
    receipts: Receipts, unwrapper: @escaping @Sendable () -> any Unwrapper, workers: WorkerThreads, rules: Rules,
    clock: @escaping @Sendable () -> Instant, observer: ResolveObserver,
    largeReads: BatchQueue = BatchQueue(.oneAtATime)
  ) {
    (self.receipts, self.unwrapper, self.workers) = (receipts, unwrapper, workers)
    (self.rules, self.clock, self.observer) = (rules, clock, observer)
    self.largeReads = largeReads
  }

  /// The database could be asked for none of the missions.
  package enum Failure: Error, Equatable, Sendable { case unavailable }

  package func resolve(
    _ call: ResolveCall, from origin: ResolveOrigin = ResolveOrigin(), by deadline: Deadline? = nil
  ) async throws(Failure) -> Reply {
    let began = ContinuousClock.now
    defer { observer.noteBatch(ContinuousClock.now - began) }
    let (keys, now) = (unwrapper(), clock())
    let plan = BatchPlan(call, BatchPlan.Rules(hasKeys: !keys.isEmpty, acceptsV1: rules.acceptsV1, now: now))
    let deadline = deadline ?? .after(rules.batchTime)
    let opener = MissionOpener(unwrapper: keys, now: now, deadline: deadline)
    let shown = await open(plan, opener, deadline)
    let opened = ContinuousClock.now
    let isLost = !shown.isEmpty && shown.allSatisfy { $0.facts.outage == .unavailable }
    var assembly = ReplyAssembly(call, plan, shown, mostBytes: rules.mostReplyBytes)
    // Also when the batch's time is over: a log that says too much calls somebody.
    await append(&assembly, max(deadline, .after(Self.timeToAppend)))
    observer.note(assembly, shown)
    if isLost { throw .unavailable }
    ResolveLog(observer.log, origin).tell(
      call, assembly, took: began.duration(to: .now), opening: began.duration(to: opened))
    return Reply(assembly.reply())
  }

  /// The answer, in memory that is wiped when it has been sent.
  package final class Reply {
    private var bytes: WipedBytes?

    init(_ bytes: consuming WipedBytes) { self.bytes = consume bytes }

    package consuming func take() -> WipedBytes { bytes.take() ?? WipedBytes() }
  }

  // MARK: Opening

  private func open(_ plan: BatchPlan, _ opener: MissionOpener, _ deadline: Deadline) async -> [Shown] {
    let units: [ReceiptUnit]
    do throws(ReceiptUnit.Problem) { units = try ReceiptUnit.units(of: plan.openings.map(\.opening)) } catch {
      preconditionFailure("the plan keeps the limits of a unit: \(error)")
    }
    // Most calls of a quiet system have one unit with one mission, and each task costs a waking.
    if units.count == 1 { return await open(units[0], plan, opener, deadline) }
    return await withTaskGroup(of: [Shown].self) { group in
      for unit in units {
        group.addTask { await open(unit, plan, opener, deadline) }
      }
      var all: [Shown] = []
      for await part in group { all += part }
      return all
    }
  }

  private func open(
    _ unit: ReceiptUnit, _ plan: BatchPlan, _ opener: MissionOpener, _ deadline: Deadline
  ) async -> [Shown] {
    let began = ContinuousClock.now
    let released = await receipts.release(unit, deadline: deadline)
    observer.noteRoundTrip(ContinuousClock.now - began)
    let apart = released.apart
    var shown = await open(released, plan, opener)
    for mission in apart { shown.append(await open(mission, plan, opener, deadline)) }
    return shown
  }

  /// What has been read is forgotten when this returns.
  private func open(_ released: consuming ReleasedUnit, _ plan: BatchPlan, _ opener: MissionOpener) async -> [Shown] {
    let arrived = ContinuousClock.now
    let boxes = Self.boxes(released)
    // On this very thread, where it is one of the workers already.
    if boxes.count == 1 { return [await workers.runInPlace { open(boxes[0], plan, opener, since: arrived) }] }
    return await withTaskGroup(of: Shown.self) { group in
      for box in boxes {
        group.addTask { await workers.run { open(box, plan, opener, since: arrived) } }
      }
      var all: [Shown] = []
      for await shown in group { all.append(shown) }
      return all
    }
  }

  /// One whose records need more room than a unit's share: one of them is in memory at a time, whosever batch it is in,
  /// from before it is read until it has been opened.
  private func open(
    _ apart: ApartMission, _ plan: BatchPlan, _ opener: MissionOpener, _ deadline: Deadline
  ) async -> Shown {
    do throws(BatchQueue.Refusal) {
      return try await largeReads.run(0, turnBy: deadline) {
        let began = ContinuousClock.now
        let box = MissionBox(await receipts.release(apart, deadline: deadline))
        let arrived = ContinuousClock.now
        observer.noteRoundTrip(arrived - began)
        return await workers.runInPlace { open(box, plan, opener, since: arrived) }
      }
    } catch {
      let unread = MissionBox(apart.unread(error == .cancelled ? .cancelled : .deadline))
      return open(unread, plan, opener, since: .now)
    }
  }

  private static func boxes(_ released: consuming ReleasedUnit) -> [MissionBox] {
    var boxes: [MissionBox] = []
    while let mission = released.next() { boxes.append(MissionBox(mission)) }
    return boxes
  }

  /// On one of the workers: RSA would hold up whatever else a cooperative thread has to do.
  private func open(
    _ box: MissionBox, _ plan: BatchPlan, _ opener: MissionOpener, since arrived: ContinuousClock.Instant
  ) -> Shown {
    let began = ContinuousClock.now
    observer.noteWait(began - arrived)
    defer { observer.noteMission(ContinuousClock.now - began) }
    guard let mission = box.take() else { preconditionFailure("a mission is opened once") }
    let place = mission.place
    return opener.open(mission, plan.openings[place], at: place)
  }

  // MARK: Failures

  /// With the longest time that a batch may be given, this is still less than a handler has.
  private static let timeToAppend = Duration.seconds(3)

  /// What failed to open is appended before the answer leaves. Where that can't be written, the log says that more was
  /// read than was: it is never the other way round.
  private func append(_ assembly: inout ReplyAssembly, _ deadline: Deadline) async {
    let failures = assembly.failures
    guard !failures.isEmpty else { return }
    let report = await receipts.fail(failures, deadline: deadline)
    assembly.noteAppended(report.appended)
    if report.error != nil { observer.noteUnappended(report.unwritten) }
  }
}
