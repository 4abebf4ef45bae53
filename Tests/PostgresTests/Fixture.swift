// What the suites of this target share: the two ways to the server, and a database per suite.

import Postgres
import PostgresSupport
import Testing

/// The core suites run over both: straight to the server, and through PgBouncer in transaction mode.
enum Route: String, CaseIterable, Sendable {
  case direct
  case pooler

  func configuration(database: String) async throws -> ConnectionConfiguration {
    switch self {
    case .direct: try await TemporaryCluster.shared().configuration(database: database)
    case .pooler: try await TemporaryPooler.shared().configuration(database: database)
    }
  }
}

/// One database per suite, made when its first test asks for it.
actor SuiteDatabases {
  static let shared = SuiteDatabases()
  private var tasks: [String: Task<String, any Error>] = [:]

  func name(for suite: String) async throws -> String {
    if let known = tasks[suite] { return try await known.value }
    let task = Task { try await TemporaryCluster.shared().makeDatabase() }
    tasks[suite] = task
    return try await task.value
  }
}

/// A pool for one test. When the test is over, every connection must have come home.
func withPool<Value>(
  _ route: Route, suite: String, limits: PoolLimits = PoolLimits(minimum: 0, maximum: 4),
  _ body: (PostgresPool) async throws -> Value
) async throws -> Value {
  let database = try await SuiteDatabases.shared.name(for: suite)
  let pool = PostgresPool(try await route.configuration(database: database), limits: limits)
  let value = try await body(pool)
  #expect(await pool.drain(deadline: .after(.seconds(20))), "a connection did not come home")
  return value
}

/// The error that the closure throws, which is what the test is about.
func failure<Failure: Error>(_ body: () async throws(Failure) -> Void) async throws -> Failure {
  do throws(Failure) { try await body() } catch { return error }
  throw NothingThrown()
}

struct NothingThrown: Error {}
