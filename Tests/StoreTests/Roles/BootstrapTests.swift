// Who may make the roles and schemas, and what a bootstrap refuses to build on.

import Postgres
import PostgresSupport
import Store
import StoreSupport
import Testing

@Suite struct BootstrapTests {
  @Test(
    "A login that may create roles and owns the database bootstraps it as a superuser would, and keeps nothing of it",
    arguments: Road.allCases)
  func creator(road: Road) async throws {
    let cluster = try await TemporaryCluster.start()
    let database = try await PreparedDatabase.bare(in: cluster, road: road)
    let creator = PreparedDatabase.creator
    try await database.script(
      "CREATE ROLE \(creator) LOGIN CREATEROLE; ALTER DATABASE \(database.name) OWNER TO \(creator)")
    // What the former system left belongs to this login.
    try await database.withPool(try await database.login(creator, road)) { pool in
      try await pool.withSession { session throws(PostgresError) in try await session.script(FormerSystem.early) }
    }
    for _ in 1...2 { try await database.bootstrap(as: creator) }
    try await database.migrate()
    try await database.bootstrap(as: creator)
    #expect(try await database.withPool(as: .owner) { try await SchemaVerification($0).run() }.findings == [])
    #expect(try await database.texts("SELECT count(*)::text FROM public.sync_changes") == ["4"])
    let memberships = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = '\(creator)'::regrole"
    #expect(try await database.texts(memberships) == [])
    try await database.withPool(try await database.login(creator, road)) { pool in
      for sql in ["SELECT 1 FROM public.sync_changes", "SELECT 1 FROM mana_ai.grants", "SET ROLE mandate_owner"] {
        let error = try await failure { () async throws(PostgresError) in
          _ = try await pool.query(Statement(sql, reuse: .once).bind())
        }
        #expect(error.state == .insufficientPrivilege, "\(sql)")
      }
    }
    try await cluster.end()
  }

  @Test("A login that can do less is refused, and nothing of the attempt remains", arguments: Road.allCases)
  func tooLittle(road: Road) async throws {
    let cluster = try await TemporaryCluster.start()
    let database = try await PreparedDatabase.bare(in: cluster, road: road)
    let creator = PreparedDatabase.creator
    try await database.script("CREATE ROLE \(creator) LOGIN")
    let roles = "SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'mandate%'"
    for grant in ["SELECT 1", "ALTER ROLE \(creator) CREATEROLE"] {
      try await database.script(grant)
      await #expect(throws: PreparationError.self) { try await database.bootstrap(as: creator) }
      #expect(try await database.texts(roles) == [])
    }
    try await cluster.end()
  }

  @Test("Roles that are more than they should be, or tied to others, stop a bootstrap", arguments: Road.allCases)
  func looseRoles(road: Road) async throws {
    let cluster = try await TemporaryCluster.start()
    let database = try await PreparedDatabase.make(road: road, in: cluster)
    let loosenings = [
      ("ALTER ROLE mandate_runner BYPASSRLS", "ALTER ROLE mandate_runner NOBYPASSRLS"),
      ("ALTER ROLE mandate_runner SUPERUSER", "ALTER ROLE mandate_runner NOSUPERUSER"),
      ("ALTER ROLE mandate_runner INHERIT", "ALTER ROLE mandate_runner NOINHERIT"),
      ("ALTER ROLE mandate_runner CREATEROLE", "ALTER ROLE mandate_runner NOCREATEROLE"),
      ("ALTER ROLE mandate_gate LOGIN", "ALTER ROLE mandate_gate NOLOGIN"),
      ("GRANT pg_read_all_data TO mandate_issuer", "REVOKE pg_read_all_data FROM mandate_issuer"),
      ("GRANT mandate_gate TO mandate_resolver", "REVOKE mandate_gate FROM mandate_resolver"),
      ("GRANT mandate_owner TO mandate_operator", "REVOKE mandate_owner FROM mandate_operator"),
      ("GRANT mandate_issuer TO postgres", "REVOKE mandate_issuer FROM postgres"),
    ]
    for (loosen, tighten) in loosenings {
      try await database.script(loosen)
      let error = try await failure(PreparationError.self) { () async throws(PreparationError) in
        do { try await database.bootstrap() } catch let error as PreparationError { throw error } catch {
          Issue.record("\(error)")
        }
      }
      guard case .step(_, .server(let refusal)) = error else {
        Issue.record("\(loosen): \(error)")
        continue
      }
      #expect(refusal.state == .raisedException, "\(loosen)")
      try await database.script(tighten)
    }
    try await database.bootstrap()
    try await cluster.end()
  }
}
