// Rows `resolve` and `resolve-latency`: what a tick waits for. The yardsticks are what can't be done without: the plain
// reads and inserts by pgbench, the same round trip by SQL alone, and one RSA operation per mission.

import Contracts
import Postgres
import ServiceRuntime
import Store

enum ResolveRows {
  /// Missions per second, in requests of 32, as many at once as keep both sides busy.
  static let throughput = Row(
    name: "resolve", unit: "missions/s", mark: 0.6,
    whyMissed: "chained receipts and two commits, HTTP and JSON of both sides, and a client on the same cores"
  ) {
    let fixture = try await ResolveFixture.shared()
    let before = try await fixture.resolver.metrics()
    let ours = try await rate(fixture)
    try await ResolveRemarks.shared.note(fixture.resolver, since: before)
    let (plain, rsa) = (try await ReceiptsRow.plainRate(), try UnwrapRows.opensslRate())
    return Row.Pair(ours: ours, yardstick: 1 / (1 / plain + 1 / rsa / Double(WorkerThreads.cores)))
  }

  static let latency = latencyRow("resolve-latency", share: 0.5, mark: 1.5)
  static let latencyAtWorst = latencyRow(
    "resolve-latency-p99", share: 0.99, mark: 4,
    whyMissed: "the worst of a hundred, against the median of SQL alone: on a busy machine the scheduler decides it")

  private static let callers = 4
  private static let seconds = 3.0

  private static func rate(_ fixture: ResolveFixture) async throws -> Double {
    let start = ContinuousClock.now
    let share = ResolveFixture.users / callers
    let missions = try await withThrowingTaskGroup(of: Int.self) { group in
      for caller in 0..<callers {
        group.addTask {
          let bodies = stride(from: 0, to: share, by: 32).map { first in
            fixture.body((0..<32).map { caller * share + first + $0 })
          }
          var done = 0
          while Stopwatch.seconds(ContinuousClock.now - start) < seconds {
            try await fixture.resolve(bodies[done / 32 % bodies.count], missions: 32)
            done += 32
          }
          return done
        }
      }
      return try await group.reduce(0, +)
    }
    return Double(missions) / Stopwatch.seconds(ContinuousClock.now - start)
  }

  // MARK: One mission at a time

  private static func latencyRow(
    _ name: String, share: Double, mark: Double, whyMissed: String? = nil
  ) -> Row {
    Row(name: name, unit: "ms", mark: .atMost(mark), whyMissed: whyMissed) {
      let fixture = try await ResolveFixture.shared()
      let bodies = (0..<asked).map { fixture.body([$0]) }
      let before = try await fixture.resolver.metrics()
      let receipts = Receipts(fixture.pool, makeBatch: ResolveFixture.newBatch)
      // In turns, call by call: the two sides then wait for the same disk on the same machine. Each has users of its own,
      // so that neither finds the other's rows at hand.
      var (ours, alone): ([Double], [Double]) = ([], [])
      for number in 0..<asked {
        ours.append(try await milliseconds { try await fixture.resolve(bodies[number], missions: 1) })
        let unit = try Self.unit(number + ResolveFixture.users / 2, fixture)
        alone.append(
          try await milliseconds {
            var released = await receipts.release(unit)
            guard let mission = released.next(), mission.failure == nil else {
              throw YardstickProblem(why: "the round trip by SQL alone failed")
            }
          })
      }
      try await ResolveRemarks.shared.noteSplit(of: ours, fixture.resolver, since: before)
      let rsa = 1_000 / (try UnwrapRows.opensslRate())
      return Row.Pair(ours: quantile(ours.sorted(), share), yardstick: quantile(alone.sorted(), 0.5) + rsa)
    }
  }

  private static func unit(_ number: Int, _ fixture: ResolveFixture) throws -> ReceiptUnit {
    let wishes = ResolveFixture.records.map {
      MissionOpening.Wish(
        RecordAddress(app: Identifier("notes"), table: Identifier("notes"), record: Identifier($0)))
    }
    let opening = MissionOpening(
      scope: try UserScope(Identifier(ResolveFixture.user(number))), mission: Identifier("m"),
      authority: .grant(Identifier(fixture.grants[number]["grantId"]?.text ?? "")), iteration: Identifier("i"),
      purpose: Identifier("mission-tick"), wishes: wishes)
    guard let unit = try ReceiptUnit.units(of: [opening]).first else { throw YardstickProblem(why: "no unit") }
    return unit
  }

  private static let asked = 300

  private static func milliseconds(_ body: () async throws -> Void) async throws -> Double {
    let start = ContinuousClock.now
    try await body()
    return Stopwatch.seconds(ContinuousClock.now - start) * 1_000
  }

  private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
  }
}
