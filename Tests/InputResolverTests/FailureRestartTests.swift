// The database goes away while everybody asks: stopped in order, stopped at once, killed; and for a while it takes no
// writes. The resolver says so, opens nothing, and comes back by itself.

import Contracts
import PostgresSupport
import StoreSupport
import Testing

@Suite("A database that goes away under load", .serialized)
struct FailureRestartTests {
  /// Short, so that whoever asks in vain is told soon.
  private static let patience = ["MANDATE_RESOLVE_MS": "2000"]

  @Test("Stopped, aborted and killed, it costs answers for a while, and nothing that was shown is off the log")
  func restarts() async throws {
    let server = try await Failure.server()
    try await World.with(on: server) { world in
      let requests = try await world.addReaders(6)
      let process = try await ResolverProcess(world.database, pems: Failure.keys, Self.patience)
      let caller = try Caller(try await process.address())
      let witness = Witness()
      let rounds = Rounds.of(1)
      try await Failure.underLoad {
        try await witness.ask(caller, requests)
      } while: {
        for round in 1...rounds {
          for ending in [TemporaryCluster.Order.stop, round % 2 == 1 ? .crash : .abort] {
            #expect(try await witness.isServed(caller, requests))
            try await server.order(ending)
            if round == 1, ending == .stop {
              try await process.line("A check is broken; this service is not ready.")
              #expect(try await caller.get("/ready").status == 503)
            }
            try await server.order(.start)
            #expect(try await witness.isServed(caller, requests), "after \(ending)")
          }
          Rounds.progress("restarts under load", round, of: rounds)
        }
      }
      #expect(try await process.isReadyAgain(caller))
      #expect(witness.shown > 0 && witness.lost > 0)
      print("restarts under load: \(2 * rounds) endings, \(witness.shown) shown, \(witness.lost) lost")
      #expect(try await process.stop() == 0)
      try await witness.reckon(world)
    }
  }

  @Test("A server that takes no writes opens nothing; the service is not ready, and serves again when it takes them")
  func readOnly() async throws {
    let server = try await Failure.server()
    try await World.with(on: server) { world in
      let requests = try await world.addReaders(3)
      let process = try await ResolverProcess(world.database, pems: Failure.keys, Self.patience)
      let caller = try Caller(try await process.address())
      let witness = Witness()
      #expect(try await witness.isServed(caller, requests))
      let before = try await world.texts("SELECT count(*)::text FROM mana_ai.decrypt_audit")
      // A server that is a standby for a while.
      try await server.order(.standby)
      for _ in 0..<10 { #expect(try await witness.ask(caller, requests) == false) }
      try await server.order(.promote)
      #expect(try await world.texts("SELECT count(*)::text FROM mana_ai.decrypt_audit") == before)
      #expect(try await witness.isServed(caller, requests))
      // And one that is set to be read-only, which every login from now on meets.
      let database = world.database.name
      try await world.run("ALTER ROLE mandate_resolver IN DATABASE \(database) SET default_transaction_read_only = on")
      _ = try await world.texts(Self.endingLogins)
      for _ in 0..<10 { #expect(try await witness.ask(caller, requests) == false) }
      #expect(witness.shown == 2 * requests.count, "nothing more was shown")
      let words = "the server refused: ERROR 25006"
      // The standby's start may have been met by a look that says so.
      while try await process.line("A check is broken; this service is not ready.", about: "audit")["detail"]?.text
        != words
      {}
      let ready = try await caller.get("/ready")
      #expect(ready.status == 503 && ready.body.contains(words))
      try await world.run("ALTER ROLE mandate_resolver IN DATABASE \(database) RESET default_transaction_read_only")
      _ = try await world.texts(Self.endingLogins)
      #expect(try await witness.isServed(caller, requests))
      #expect(try await process.isReadyAgain(caller))
      #expect(try await process.stop() == 0)
      try await witness.reckon(world)
    }
  }
  private static let endingLogins = """
    SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
    WHERE usename = 'mandate_resolver' AND datname = current_database()
    """
}
