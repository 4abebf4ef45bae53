// The server that the rows about the store run on: private, thrown away with the process, and durable, since what is
// measured is what a commit costs. Each row has databases of its own, filled when its first round asks for them.

import Contracts
import Postgres
import PostgresSupport
import Store

struct BenchDatabase: Sendable {
  let name: String
  private let cluster: TemporaryCluster

  /// Bootstrapped and migrated, then filled, once per name.
  static func named(
    _ name: String, fill: @escaping @Sendable (BenchDatabase) async throws -> Void
  ) async throws -> BenchDatabase {
    try await Databases.shared.get(name) {
      let cluster = try await Servers.shared.get("the server", start)
      let database = BenchDatabase(name: name, cluster: cluster)
      let postgres = PostgresPool(try cluster.configuration(), limits: PoolLimits(minimum: 0, maximum: 1))
      try await postgres.withSession { session throws(PostgresError) in
        try await session.script("CREATE DATABASE \(try quoteIdentifier(name))")
      }
      try await Bootstrap(try database.pool(nil, maximum: 1)).run(passwords: [:])
      _ = try await Migrator(try database.pool(.owner, maximum: 1)).run()
      try await fill(database)
      try await database.script("VACUUM ANALYZE")
      try await database.script("CHECKPOINT")
      return database
    }
  }

  /// The tests' cluster forgets in a crash; this one does not. Checkpoints stay out of the way of the rounds.
  private static func start() async throws -> TemporaryCluster {
    var options = TemporaryCluster.Options()
    options.settings = [
      "fsync = on", "synchronous_commit = on", "full_page_writes = on", "shared_buffers = 512MB", "max_wal_size = 8GB",
      "checkpoint_timeout = 1h", "log_min_messages = warning",
    ]
    return try await TemporaryCluster.start(options)
  }

  /// Pools of a row live as long as the process. Nil is a superuser.
  func pool(_ role: StoreRole?, maximum: Int) throws -> PostgresPool {
    PostgresPool(
      try cluster.configuration(database: name, user: role?.rawValue ?? "postgres"),
      limits: PoolLimits(minimum: 0, maximum: maximum))
  }

  func script(_ sql: String) async throws {
    let pool = try pool(nil, maximum: 1)
    try await pool.withSession(deadline: .after(Self.patience)) { session throws(PostgresError) in
      try await session.script(sql, deadline: .after(Self.patience))
    }
    _ = await pool.drain(deadline: .after(.seconds(5)))
  }

  /// The longest that filling a table takes: a million rows with their indexes.
  static let patience = Duration.seconds(900)

  /// What pgbench needs to connect as a role.
  func login(_ role: StoreRole) -> [String] {
    ["-h", cluster.socketFolder, "-p", "\(cluster.port)", "-U", role.rawValue, name]
  }

  /// For a service that is a process of its own.
  func url(_ role: StoreRole) -> String { cluster.url(database: name, user: role.rawValue) }

  var folder: String { cluster.folder }
}

/// Made once per name, however many ask.
actor Once<Value: Sendable> {
  private var making: [String: Task<Value, any Error>] = [:]

  func get(_ name: String, _ make: @escaping @Sendable () async throws -> Value) async throws -> Value {
    if let known = making[name] { return try await known.value }
    let task = Task { try await make() }
    making[name] = task
    return try await task.value
  }
}

private enum Databases { static let shared = Once<BenchDatabase>() }
private enum Servers { static let shared = Once<TemporaryCluster>() }
