// What makes a service ready: each promise of the database that breaks makes it not, and is named.

import Postgres
import ServiceRuntime
import Store
import StoreSupport
import Testing

@Suite struct StoreChecksTests {
  private func look(
    _ pool: PostgresPool, clock: WallClock = .system
  ) async -> [ReadinessCheck.Name: Readiness.State] {
    let readiness = Readiness(
      StoreChecks.all(pool, clock: clock), log: Log(program: "mandate-test", to: -1),
      metrics: MetricRegistry(service: "mandate-test"))
    _ = await readiness.firstLook()
    return Dictionary(
      uniqueKeysWithValues: readiness.answer.checks.map { ($0.name, $0.state == Self.hasty ? .kept : $0.state) })
  }

  /// The cluster of the tests forgets what a crash interrupts, which no service would accept.
  private static let hasty = Readiness.State.broken("setting fsync is off; setting synchronous_commit is off")

  @Test("A prepared database makes each service ready", arguments: Road.allCases)
  func kept(road: Road) async throws {
    try await World.with(road) { world in
      for pool in [world.issuer, world.resolver, world.runner] {
        let states = await look(pool)
        #expect(states == [.audit: .kept, .isolation: .kept, .clock: .kept])
      }
    }
  }

  private static let breaks: [(sql: String, check: ReadinessCheck.Name, named: String)] = [
    ("DELETE FROM mana_ai.audit_probe", .audit, "mana_ai.audit_probe"),
    ("ALTER TABLE mana_ai.grants NO FORCE ROW LEVEL SECURITY", .isolation, "mana_ai.grants"),
    ("ALTER TABLE mana_ai.rls_canary DISABLE ROW LEVEL SECURITY", .isolation, "mana_ai.rls_canary"),
    ("DELETE FROM mana_ai.rls_canary", .isolation, "mana_ai.rls_canary"),
    ("ALTER ROLE mandate_resolver BYPASSRLS", .isolation, "mandate_resolver"),
  ]

  @Test(
    "A promise that is broken is named, and the others are still looked at", arguments: Road.allCases, breaks.indices)
  func broken(road: Road, index: Int) async throws {
    try await World.with(road) { world in
      let broken = Self.breaks[index]
      try await world.script(broken.sql)
      let states = await look(world.resolver)
      // Roles belong to the whole server.
      try await world.script("ALTER ROLE mandate_resolver NOBYPASSRLS")
      for (name, state) in states where name != broken.check { #expect(state == .kept, "\(name)") }
      guard case .broken(let problem) = states[broken.check] else {
        Issue.record("\(broken.sql) was not noticed")
        return
      }
      #expect(problem.contains(broken.named))
    }
  }

  @Test("A clock that is off makes a service not ready, whichever of the two it is", arguments: Road.allCases)
  func clock(road: Road) async throws {
    try await World.with(road) { world in
      for offset in [-6_000_000, 6_000_000] as [Int64] {
        let off = WallClock { Moment(microseconds: WallClock.system.now().microseconds + offset) }
        let states = await look(world.resolver, clock: off)
        #expect(states[.audit] == .kept && states[.clock] != .kept)
      }
    }
  }

  @Test("A database that lets nobody in breaks every check, and says so", arguments: Road.allCases)
  func away(road: Road) async throws {
    try await World.with(road) { world in
      try await world.script("REVOKE CONNECT ON DATABASE \"\(world.database.name)\" FROM PUBLIC, mandate_resolver")
      let states = await look(world.resolver)
      for name in [ReadinessCheck.Name.audit, .isolation, .clock] {
        guard case .broken = states[name] else {
          Issue.record("\(name) holds without a database")
          continue
        }
      }
    }
  }
}
