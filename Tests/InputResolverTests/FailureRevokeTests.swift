// Two built resolvers at once on the same users, while grants are revoked and given anew, and while the keys of one are
// read again: no share after a revoke has returned, no chain with a gap, no answer lost.

import Contracts
import Foundation
import Grants
import StoreSupport
import Synchronization
import Testing

@Suite("Two resolvers at once", .serialized)
struct FailureRevokeTests {
  /// What is granted now, and whose revoke has returned. Missions have new names in each round.
  private final class Board: Sendable {
    struct State: Sendable {
      var requests: [ResolveCall.Request] = []
      var revoked: Set<String> = []
    }

    private let state = Mutex(State())
    var now: State { state.withLock { $0 } }
    func begin(_ requests: [ResolveCall.Request]) { state.withLock { $0 = State(requests: requests) } }
    func note(_ user: String) { state.withLock { _ = $0.revoked.insert(user) } }
  }

  @Test("After a revoke has returned neither shows anything of that grant, and neither loses an answer")
  func revokes() async throws {
    try await World.with(durable: true) { world in
      let users = (0..<6).map { "u\($0)" }
      for user in users {
        try await world.addUser(user)
        try await world.addNote(user, "n1", title: "T", content: "C")
      }
      let processes = [
        try await ResolverProcess(world.database, pems: Failure.keys),
        try await ResolverProcess(world.database, pems: Failure.keys),
      ]
      var callers: [Caller] = []
      for process in processes { callers.append(try Caller(try await process.address())) }
      let (board, witness, refused) = (Board(), Witness(), Counter())
      func begin(_ round: Int) async throws {
        var requests: [ResolveCall.Request] = []
        for user in users {
          let grant = try await world.addGrant(user, "m\(round)", ["notes:n1"])
          requests.append(request(user, "m\(round)", grant.json, notes("n1")))
        }
        board.begin(requests)
      }
      try await begin(0)
      let rounds = Rounds.of(6)
      let turn = Counter()
      try await Failure.underLoad(4) { [callers] in
        let before = board.now
        // Each in an order of its own: no two units may meet head-on.
        let requests = before.requests.shuffled()
        let caller = callers[turn.next() % callers.count]
        let answers = try await witness.answers(caller, requests)
        for (request, answer) in zip(requests, answers) {
          #expect(answer.outage == nil && answer.inputs.count == 1, "\(answer)")
          if before.revoked.contains(request.user) {
            #expect(answer.inputs == ["n1: revoked"], "\(request.user) was revoked before")
            _ = refused.next()
          } else {
            #expect(["n1: T | C", "n1: revoked"].contains(answer.inputs.first))
          }
        }
      } while: {
        for round in 1...rounds {
          let mission = "m\(round - 1)"
          for user in users.shuffled().prefix(4) {
            try await world.close(user, mission)
            board.note(user)
            // Whoever asks from now on, asks for something that is closed.
            let late = board.now.requests.filter { $0.user == user }
            for caller in callers {
              #expect(try await witness.answers(caller, late).map(\.inputs) == [["n1: revoked"]])
            }
          }
          try await begin(round)
          Rounds.progress("two resolvers", round, of: rounds)
        }
      }
      #expect(witness.shown > 0 && refused.value > 0)
      print("two resolvers: \(rounds) rounds, \(witness.shown) shown, \(refused.value) refused under load")
      #expect(
        try await world.texts("SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()")
          == ["0"])
      for process in processes { #expect(try await process.stop() == 0) }
      try await witness.reckon(world)
    }
  }

  @Test("Keys are exchanged under load, with a broken file in the folder now and then, and no request fails")
  func keys() async throws {
    try await World.with(durable: true) { world in
      let requests = try await world.addReaders(3)
      let process = try await ResolverProcess(
        world.database, pems: ["2026-01-01.own.pem": Pair.own.pem, "2026-01-02.other.pem": Pair.other.pem])
      let caller = try Caller(try await process.address())
      let (witness, calls) = (Witness(), Counter())
      let known = try await caller.get("/health").body
      let rounds = Rounds.of(6)
      try await Failure.underLoad {
        let isWhole = try await witness.ask(caller, requests)
        #expect(isWhole)
        _ = calls.next()
      } while: {
        for round in 1...rounds {
          for broken in ["no key", "", String(decoding: Pair.own.pem.dropLast(60), as: UTF8.self)] {
            try process.write(Array(broken.utf8), "2026-03-01.bad.pem")
            process.signal(SIGHUP)
            try await process.line("Could not be reloaded; what was there stays.")
            #expect(try await caller.get("/health").body == known)
          }
          try FileManager.default.removeItem(at: process.keys.appending(path: "2026-03-01.bad.pem"))
          // The newest by name is the current one; the other stays good for what was sealed under it.
          let (gone, come) = round % 2 == 1 ? ("2026-01-02", "2026-04-01") : ("2026-04-01", "2026-01-02")
          try process.write(Pair.other.pem, "\(come).other.pem")
          try FileManager.default.removeItem(at: process.keys.appending(path: "\(gone).other.pem"))
          process.signal(SIGHUP)
          try await process.line("Reloaded.")
          #expect(try await caller.get("/health").body == known, "the same two keys by other names")
          Rounds.progress("keys under load", round, of: rounds)
        }
      }
      #expect(witness.lost == 0 && witness.shown == 3 * calls.value && calls.value > 0)
      print("keys under load: \(4 * rounds) reloads, \(calls.value) calls")
      #expect(try await process.stop() == 0)
      try await witness.reckon(world)
    }
  }
}

private final class Counter: Sendable {
  private let count = Atomic(0)
  var value: Int { count.load(ordering: .relaxed) }
  func next() -> Int { count.add(1, ordering: .relaxed).oldValue }
}
