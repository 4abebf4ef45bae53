// kill -9 and cut connections, at every message between the resolver and its database. A receipt then stands or does not;
// what was shown has its row; and the next process serves.

import Contracts
import Foundation
import HTTPFetching
import PostgresSupport
import Store
import StoreSupport
import Testing

@Suite("Killed and cut between receipt and answer", .serialized)
struct FailureKillTests {
  /// A resolver with one connection, which leads through an interposer, and a mission whose batch needs all three
  /// transactions: one record is shown, the other one is not there and is failed.
  private struct Scene: Sendable {
    static let mission = "mission-that-is-struck"
    let world: World
    let between: Interposer
    let batch: [ResolveCall.Request]
    let others: [ResolveCall.Request]
    let witness = Witness()

    static func with(_ body: (Scene) async throws -> Void) async throws {
      let cluster = try await TemporaryCluster.durable()
      try await World.with(durable: true) { world in
        let others = try await world.addReaders(4)
        let grant = try await world.addGrant("u0", mission, ["notes:n1", "notes:absent"])
        let scene = Scene(
          world: world,
          between: try Interposer(before: "\(cluster.socketFolder)/.s.PGSQL.\(TemporaryCluster.socketPort)"),
          batch: [request("u0", mission, grant.json, notes("n1", "absent"))], others: others)
        let result: Result<Void, any Error>
        do { result = .success(try await body(scene)) } catch { result = .failure(error) }
        scene.between.end()
        try result.get()
      }
    }

    func start(connections: Int = 1) async throws -> (ResolverProcess, Caller) {
      let url = between.url(database: world.database.name, user: StoreRole.resolver.rawValue)
      let process = try await ResolverProcess(
        world.database, pems: Failure.keys,
        [
          "MANDATE_DATABASE_URL": url, "MANDATE_DATABASE_CONNECTIONS": "\(connections)", "MANDATE_RESOLVE_MS": "5000",
        ])
      return (process, try Caller(try await process.address()))
    }

    func arm(_ point: Interposer.Point, _ strike: @escaping @Sendable () -> Void = {}) {
      between.arm(Array(Self.mission.utf8), point, strike)
    }

    /// Every boundary of a batch, on a connection that is new or has prepared all its statements before.
    func boundaries(isNew: Bool) async throws -> [Interposer.Point] {
      let (process, caller) = try await start()
      if !isNew { #expect(try await witness.isServed(caller, batch)) }
      arm(.never)
      let answers = try await caller.answers(batch)
      #expect(answers.map(\.inputs) == [["n1: T | C", "absent: record-missing"]])
      let sight = between.sight
      #expect(try await process.stop() == 0)
      return (0..<sight.requests).map { .request($0) } + (0..<sight.answers).map { .answer($0) }
    }

    func rows() async throws -> Int {
      let count = try await world.texts(
        "SELECT count(*)::text FROM mana_ai.decrypt_audit WHERE mission_id = '\(Self.mission)'")
      return count.first.flatMap { Int($0) } ?? -1
    }
  }

  @Test("Cut at any message: the answer is whole or an outage, and the next one is whole")
  func cuts() async throws {
    try await Scene.with { scene in
      let boundaries = try await scene.boundaries(isNew: false)
      #expect(boundaries.count > 30)
      let (process, caller) = try await scene.start()
      #expect(try await scene.witness.isServed(caller, scene.batch))
      var (unwritten, failed, answered) = (0, 0, 0)
      // Some of them, spread over all, where everything is checked; the store's own tests cut at each of its boundaries.
      let step = Rounds.isSoak ? 1 : 4
      let rounds = Rounds.of(1)
      var cuts = 0
      for round in 1...rounds {
        for point in stride(from: Int.random(in: 0..<step), to: boundaries.count, by: step).map({ boundaries[$0] }) {
          cuts += 1
          let before = try await scene.rows()
          scene.arm(point)
          let isWhole = try await scene.witness.ask(caller, scene.batch)
          #expect(scene.between.sight.hasStruck, "\(point)")
          if isWhole { answered += 1 }
          #expect(try await scene.witness.isServed(caller, scene.batch), "after \(point)")
          // A batch leaves two receipts or none, and at most one further row for each of them.
          let left = try await scene.rows() - before - 3
          #expect((0...4).contains(left) && left != 1, "\(point) left \(left) rows")
          if left == 0 { unwritten += 1 } else if left > 2 { failed += 1 }
        }
        Rounds.progress("cut connections", round, of: rounds)
      }
      print(
        "cut connections: \(cuts) of \(boundaries.count) boundaries, \(rounds) rounds; \(unwritten) without a row, \(failed) with failures "
          + "appended, \(answered) answered all the same")
      #expect(cuts > 10 && (!Rounds.isSoak || unwritten > 0) && failed > 0 && answered + unwritten < cuts)
      #expect(try await process.stop() == 0)
      try await scene.witness.reckon(scene.world)
    }
  }

  @Test(
    "Killed at any message between receipt and answer, it shows nothing that is off the log, and the next one serves")
  func kills() async throws {
    try await Scene.with { scene in
      let boundaries = try await scene.boundaries(isNew: true)
      // A few of them, spread over all, where everything is checked; all of them in a soak.
      let step = Rounds.isSoak ? 1 : max(1, boundaries.count / 6)
      var (standing, absent, late) = (0, 0, 0)
      let rounds = Rounds.isSoak ? max(1, Rounds.of(1) / 10) : 1
      for round in 1...rounds {
        for point in stride(from: Int.random(in: 0..<step), to: boundaries.count, by: step).map({ boundaries[$0] }) {
          let before = try await scene.rows()
          let (process, caller) = try await scene.start()
          scene.arm(point) { process.signal(SIGKILL) }
          var hasAnswered = false
          // The last messages of all come when the answer may be on its way already; everything before leaves none.
          do { hasAnswered = try await scene.witness.ask(caller, scene.batch) } catch is HTTPFailure {}
          #expect(try await process.end() == 128 + SIGKILL)
          try await scene.world.untilDeserted()
          let left = try await scene.rows() - before
          #expect(hasAnswered ? left == 3 : [0, 2, 3].contains(left), "\(point) left \(left) rows")
          if hasAnswered { late += 1 }
          if left == 0 { absent += 1 } else { standing += 1 }
        }
        Rounds.progress("killed between receipt and answer", round, of: rounds)
      }
      print("killed between receipt and answer: \(standing + absent) times; receipts stood at \(standing) boundaries")
      #expect(standing > late && late <= 2 * rounds)
      let (process, caller) = try await scene.start()
      #expect(try await scene.witness.isServed(caller, scene.batch))
      #expect(try await process.stop() == 0)
      try await scene.witness.reckon(scene.world)
    }
  }

  @Test("Killed at random points under load, whatever anybody was shown is on the log")
  func random() async throws {
    try await Scene.with { scene in
      let rounds = Rounds.of(3)
      for round in 1...rounds {
        let (process, caller) = try await scene.start(connections: 4)
        #expect(try await scene.witness.isServed(caller, scene.batch + scene.others))
        // Within one batch where the connection has all its statements prepared, or a few batches later.
        let number = Int.random(in: 0..<60)
        scene.arm(Bool.random() ? .request(number) : .answer(number)) { process.signal(SIGKILL) }
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<3 {
            group.addTask {
              // Ends when nobody answers any more.
              while (try? await scene.witness.ask(caller, scene.batch + scene.others)) != nil {}
            }
          }
        }
        #expect(try await process.end() == 128 + SIGKILL)
        try await scene.world.untilDeserted()
        Rounds.progress("killed under load", round, of: rounds)
      }
      try await scene.witness.reckon(scene.world)
    }
  }
}
