// What the suites of this target fill a database with, and a pool per role on the road that the test takes: straight
// to the server, or through PgBouncer in transaction mode.

import Contracts
import Foundation
import Postgres
import PostgresSupport
import Store
import StoreSupport
import Testing

/// A database of its own and a pool per role, for the length of a test.
struct World: Sendable {
  let database: PreparedDatabase
  let road: Road
  let admin: PostgresPool
  let issuer: PostgresPool
  let resolver: PostgresPool
  let runner: PostgresPool
  let `operator`: PostgresPool
  let sync: PostgresPool

  private var pools: [PostgresPool] { [admin, issuer, resolver, runner, `operator`, sync] }

  static func with<Value>(
    _ road: Road, connections: Int = 4, in cluster: TemporaryCluster? = nil, _ body: (World) async throws -> Value
  ) async throws -> Value {
    let database = try await PreparedDatabase.make(road: road, in: cluster)
    func pool(_ role: StoreRole) async throws -> PostgresPool {
      PostgresPool(try await database.configuration(role), limits: PoolLimits(minimum: 0, maximum: connections))
    }
    let world = World(
      database: database, road: road,
      admin: PostgresPool(try await database.login("postgres", .direct), limits: PoolLimits(minimum: 0, maximum: 4)),
      issuer: try await pool(.issuer), resolver: try await pool(.resolver), runner: try await pool(.runner),
      operator: try await pool(.operator), sync: try await pool(.sync))
    let result: Result<Value, any Error>
    do { result = .success(try await body(world)) } catch { result = .failure(error) }
    for pool in world.pools {
      let isHome = await pool.drain(deadline: .after(.seconds(30)))
      #expect(isHome, "a connection did not come home")
    }
    return try result.get()
  }

  var receipts: Receipts { Receipts(resolver, makeBatch: newID) }

  func script(_ sql: String) async throws {
    try await admin.withSession { session throws(PostgresError) in try await session.script(sql) }
  }

  func number(_ sql: String) async throws -> Int64 {
    try await admin.query(Statement(sql, reuse: .once).bind()).only().get(0)
  }

  /// Asks until the count is not zero; false when that has not happened after very many answers.
  func becomesTrue(_ sql: String) async throws -> Bool {
    for _ in 0..<100_000 where try await number(sql) > 0 { return true }
    return false
  }

  // MARK: People and grants

  func addUser(_ user: String, zeroKnowledge: Bool = false) async throws {
    _ = try await admin.query(Self.addingUser.bind(.text(user)))
    _ = try await admin.query(Self.addingVault.bind(.text(user), .bool(zeroKnowledge)))
  }

  /// An open grant with a share for each record; answers its id.
  func addGrant(
    _ user: String, _ mission: String, _ records: [String], issued: String = "-1 minute", lasts: String = "7 days"
  ) async throws -> String {
    let grant = newID()
    _ = try await admin.query(
      Self.addingGrant.bind(.text(grant), .text(user), .text(mission), .text(issued), .text(lasts)))
    for record in records {
      _ = try await admin.query(
        Self.addingShare.bind(.text(grant), .text(user), .text(record), .bytes(share(grant, record))))
    }
    return grant
  }

  func addNote(_ user: String, _ record: String, _ data: String, app: String = "notes", table: String = "notes")
    async throws
  {
    _ = try await admin.query(
      Self.addingChange.bind(.text(user), .text(app), .text(table), .text(record), .json(data)))
  }

  /// The rows of a batch that others can see.
  func committed(_ batch: String) async throws -> [String] {
    try await admin.query(Self.readingBatch.bind(.uuid(batch))).map { try $0.get(0) }
  }

  private static let addingUser = Statement("INSERT INTO auth.users (id) VALUES ($1) ON CONFLICT DO NOTHING", .text)
  private static let addingVault = Statement(
    """
    INSERT INTO auth.encryption_vaults (user_id, wrapped_mk, wrap_iv, recovery_wrapped_mk, recovery_iv, zero_knowledge)
    VALUES ($1, CASE WHEN NOT $2 THEN 'w' END, CASE WHEN NOT $2 THEN 'i' END, 'r', 'r', $2)
    """, .text, .bool)
  private static let addingGrant = Statement(
    """
    WITH d AS (SELECT date_trunc('milliseconds', now() + $4::interval) AS issued)
    INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at,
      expires_at, renewable_until)
    SELECT $1, $2, $3, 'v2', repeat('ab', 16), decode(repeat('5a', 256), 'hex'),
      mana_ai.grant_claims($1, repeat('ab', 16), $2, $3, d.issued, d.issued + $5::interval,
        convert_to(repeat('0f', 32), 'UTF8')),
      d.issued, d.issued + $5::interval, d.issued + interval '30 days' FROM d
    """, .text, .text, .text, .text, .text)
  private static let addingShare = Statement(
    """
    INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key)
    VALUES ($1, $2, 'notes', $3, $4)
    """, .text, .text, .text, .bytea)
  private static let addingChange = Statement(
    """
    INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id, created_at)
    VALUES ($2, $3, $4, $1, 'update', $5, 'device', clock_timestamp())
    """, .text, .text, .text, .text, .jsonb)
  private static let readingBatch = Statement(
    """
    SELECT a.record_id || ' ' || a.status || coalesce(' ' || a.reason, '') FROM mana_ai.decrypt_audit AS a
    WHERE a.batch = $1 ORDER BY a.seq
    """, .uuid)
}

@Sendable func newID() -> String { UUID().uuidString.lowercased() }

/// 60 bytes that tell which share they are.
func share(_ grant: String, _ record: String) -> [UInt8] {
  Array((Array("\(grant.prefix(30))|\(record)".utf8) + [UInt8](repeating: 0x2E, count: 60)).prefix(60))
}

func scope(_ user: String) throws -> UserScope { try UserScope(Identifier(user)) }

func note(_ record: String, table: String = "notes") -> RecordAddress {
  RecordAddress(app: Identifier("notes"), table: Identifier(table), record: Identifier(record))
}

func opening(_ user: String, _ mission: String, _ grant: String, _ records: [String]) throws -> MissionOpening {
  MissionOpening(
    scope: try scope(user), mission: Identifier(mission), authority: .grant(Identifier(grant)),
    iteration: Identifier("i"), purpose: Identifier("mission-tick"),
    wishes: records.map { MissionOpening.Wish(note($0)) })
}

/// The error that the closure throws, which is what the test is about.
func failure<Failure: Error>(
  _ type: Failure.Type = Failure.self, _ body: () async throws(Failure) -> Void
) async throws -> Failure {
  do throws(Failure) { try await body() } catch { return error }
  throw SupportError.failed("nothing was thrown")
}

extension PostgresError {
  var state: SQLState? { if case .server(let error) = self { error.state } else { nil } }
}
