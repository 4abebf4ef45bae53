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
    let ours = try await rate(fixture)
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
      let ours = try await times { number in try await fixture.resolve(fixture.body([number]), missions: 1) }
      let receipts = Receipts(fixture.pool, makeBatch: ResolveFixture.newBatch)
      let alone = try await times { number in
        var unit = await receipts.release(try Self.unit(number, fixture))
        guard let mission = unit.next(), mission.failure == nil else {
          throw YardstickProblem(why: "the round trip by SQL alone failed")
        }
      }
      let rsa = 1_000 / (try UnwrapRows.opensslRate())
      return Row.Pair(ours: quantile(ours, share), yardstick: quantile(alone, 0.5) + rsa)
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

  /// Milliseconds each, sorted.
  private static func times(_ body: (Int) async throws -> Void) async throws -> [Double] {
    var times: [Double] = []
    for number in 0..<300 {
      let start = ContinuousClock.now
      try await body(number % ResolveFixture.users)
      times.append(Stopwatch.seconds(ContinuousClock.now - start) * 1_000)
    }
    return times.sorted()
  }

  private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)]
  }
}
