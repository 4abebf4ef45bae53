// A database as `mandate db bootstrap` and `mandate db migrate` leave it, on the cluster that all suites of a test
// process share, and a pool per role. The cluster trusts its socket, so roles log in without a password. What is tested
// takes the road that was chosen; what a test breaks or looks at from outside goes straight to the server.

package import Postgres
package import PostgresSupport
package import Store

package struct PreparedDatabase: Sendable {
  package let name: String
  package let road: Road
  /// The cluster that all suites share, unless a test needs one of its own to spoil.
  private let cluster: TemporaryCluster

  /// One database per suite and road, made when its first test asks for it.
  package static func of(_ suite: String, road: Road = .direct) async throws -> PreparedDatabase {
    try await Databases.shared.of(suite, road)
  }

  /// A new one. `before` is run by a superuser first, for what a former system left.
  package static func make(
    before: String? = nil, migrated: Bool = true, road: Road = .direct, in own: TemporaryCluster? = nil
  ) async throws -> PreparedDatabase {
    let cluster = if let own { own } else { try await TemporaryCluster.shared() }
    // Migrating takes ten times as long as copying what was migrated; the suite about migrations does it each time.
    // Privileges on the database itself are not copied, which is why a bootstrap follows.
    if before == nil, migrated {
      let template = try await Templates.shared.name(on: cluster)
      let copy = PreparedDatabase(
        name: try await cluster.makeDatabase(from: template), road: road, cluster: cluster)
      try await copy.bootstrap()
      return copy
    }
    let database = PreparedDatabase(name: try await cluster.makeDatabase(), road: road, cluster: cluster)
    if let before { try await database.script(before) }
    try await database.bootstrap()
    if migrated { try await database.migrate() }
    return database
  }

  /// A new one that only the roles are ready for: they belong to the server.
  package static func empty(before: String? = nil, road: Road = .direct) async throws -> PreparedDatabase {
    _ = try await of("the roles")
    let cluster = try await TemporaryCluster.shared()
    let database = PreparedDatabase(name: try await cluster.makeDatabase(), road: road, cluster: cluster)
    if let before { try await database.script(before) }
    return database
  }

  /// A new one in which nothing was done yet, on a cluster that may not even have the roles.
  package static func bare(in cluster: TemporaryCluster, road: Road) async throws -> PreparedDatabase {
    PreparedDatabase(name: try await cluster.makeDatabase(), road: road, cluster: cluster)
  }

  package func bootstrap(as user: String = "postgres") async throws {
    try await withPool(login(user, road)) { try await Bootstrap($0).run(passwords: [:]) }
  }

  @discardableResult
  package func migrate(_ migrations: [Migration] = Migration.all) async throws -> [Migrator.Step] {
    try await withPool(configuration(.owner)) { try await Migrator($0, migrations: migrations).run() }
  }

  /// A login that is no superuser, may create roles, and owns nothing until a test gives it a database.
  package static let creator = "test_creator"

  // MARK: Logins

  package func superuser() async throws -> ConnectionConfiguration { try await login("postgres", road) }

  package func configuration(_ role: StoreRole) async throws -> ConnectionConfiguration {
    try await login(role.rawValue, road)
  }

  /// `user` must be known to the pooler where that is the road.
  package func login(_ user: String, _ road: Road) async throws -> ConnectionConfiguration {
    switch road {
    case .direct: try cluster.configuration(database: name, user: user)
    case .pooler: try await Poolers.shared.get(before: cluster).configuration(database: name, user: user)
    }
  }

  package func url(_ user: String, _ road: Road) async throws -> String {
    switch road {
    case .direct: cluster.url(database: name, user: user)
    case .pooler: try await Poolers.shared.get(before: cluster).url(database: name, user: user)
    }
  }

  /// What a superuser does to the database, for tests that need something broken or looked at from outside.
  package func script(_ sql: String) async throws {
    try await withPool(login("postgres", .direct)) { pool in
      try await pool.withSession { session throws(PostgresError) in try await session.script(sql) }
    }
  }

  /// One column of text, read by a superuser.
  package func texts(_ sql: String) async throws -> [String] {
    try await withPool(login("postgres", .direct)) { pool in
      try await pool.query(Statement(sql, reuse: .once).bind()).map { try $0.get(0) }
    }
  }

  /// A pool for the length of a closure.
  package func withPool<Value>(
    _ configuration: ConnectionConfiguration, maximum: Int = 4, _ body: (PostgresPool) async throws -> Value
  ) async throws -> Value {
    let pool = PostgresPool(configuration, limits: PoolLimits(minimum: 0, maximum: maximum))
    let result: Result<Value, any Error>
    do { result = .success(try await body(pool)) } catch { result = .failure(error) }
    guard await pool.drain(deadline: .after(.seconds(20))) else {
      throw SupportError.failed("a connection did not come home")
    }
    return try result.get()
  }

  package func withPool<Value>(
    as role: StoreRole, maximum: Int = 4, _ body: (PostgresPool) async throws -> Value
  ) async throws -> Value {
    try await withPool(try await configuration(role), maximum: maximum, body)
  }
}

/// One migrated database per cluster, which nobody uses but to copy it.
private actor Templates {
  static let shared = Templates()
  private var making: [String: Task<String, any Error>] = [:]

  func name(on cluster: TemporaryCluster) async throws -> String {
    if let known = making[cluster.folder] { return try await known.value }
    let task = Task {
      let database = try await PreparedDatabase.bare(in: cluster, road: .direct)
      try await database.bootstrap()
      try await database.migrate()
      return database.name
    }
    making[cluster.folder] = task
    return try await task.value
  }
}

private actor Databases {
  static let shared = Databases()
  private var tasks: [String: Task<PreparedDatabase, any Error>] = [:]

  func of(_ suite: String, _ road: Road) async throws -> PreparedDatabase {
    let key = "\(suite), \(road)"
    if let known = tasks[key] { return try await known.value }
    let task = Task { try await PreparedDatabase.make(road: road) }
    tasks[key] = task
    return try await task.value
  }
}

private actor Poolers {
  static let shared = Poolers()
  /// By the folder of the cluster that each stands before.
  private var starting: [String: Task<TemporaryPooler, any Error>] = [:]

  func get(before cluster: TemporaryCluster) async throws -> TemporaryPooler {
    if let known = starting[cluster.folder] { return try await known.value }
    let task = Task {
      try await TemporaryPooler.start(
        before: cluster,
        users: ["postgres", PreparedDatabase.creator] + StoreRole.allCases.map(\.rawValue))
    }
    starting[cluster.folder] = task
    return try await task.value
  }
}
