// `db verify` and the house proof: a good database passes, and each thing that somebody breaks is named.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct VerificationTests {
  private func verify(_ database: PreparedDatabase) async throws -> SchemaVerification.Result {
    try await database.withPool(as: .owner) { try await SchemaVerification($0).run() }
  }

  private func problems(_ database: PreparedDatabase, as role: StoreRole) async throws -> [String] {
    try await database.withPool(as: role) { try await HouseProof($0).run() }.map(\.description)
  }

  @Test("A fresh database is as expected, and that was looked at in hundreds of facts", arguments: Road.allCases)
  func fresh(road: Road) async throws {
    let result = try await verify(try await PreparedDatabase.of("verification", road: road))
    #expect(result.findings == [])
    #expect(result.facts > 500)
  }

  @Test(
    "What somebody changes is named",
    arguments: [
      (
        "DROP POLICY grants_gate ON mana_ai.grants", SchemaVerification.Finding.Kind.missing,
        "policy mana_ai.grants grants_gate:"
      ),
      (
        "GRANT SELECT ON mana_ai.grants TO mandate_runner", .unexpected, "acl mana_ai.grants: mandate_runner may SELECT"
      ),
      (
        "GRANT SELECT (claims) ON mana_ai.grants TO mandate_resolver", .unexpected,
        "acl mana_ai.grants.claims: mandate_resolver"
      ),
      (
        "ALTER TABLE mana_ai.grant_keys OWNER TO postgres", .unexpected,
        "relation mana_ai.grant_keys: kind=r owner=postgres"
      ),
      (
        "ALTER TABLE mana_ai.decrypt_audit NO FORCE ROW LEVEL SECURITY", .unexpected,
        "relation mana_ai.decrypt_audit: kind=r owner=mandate_owner persistence=p rls=t forced=f"
      ),
      ("ALTER TABLE public.sync_changes DISABLE TRIGGER ALL", .unexpected, "trigger public.sync_changes: enabled=D"),
      ("ALTER FUNCTION mana_ai.gauges() SET search_path = public", .unexpected, "function mana_ai.gauges()"),
      (
        "GRANT EXECUTE ON FUNCTION mana_ai.gauges() TO PUBLIC", .unexpected,
        "acl function mana_ai.gauges(): PUBLIC may EXECUTE"
      ),
      (
        "CREATE VIEW public.peek AS SELECT * FROM mana_ai.grants", .unexpected,
        "rule _RETURN on public.peek reads mana_ai.grants"
      ),
      (
        "UPDATE mana_ai.schema_migrations SET checksum = sha256('x') WHERE number = 3", .unexpected,
        "migration m0003_vault:"
      ),
    ] as [(String, SchemaVerification.Finding.Kind, String)], Road.allCases)
  func changes(_ what: (sql: String, kind: SchemaVerification.Finding.Kind, fact: String), road: Road) async throws {
    let database = try await PreparedDatabase.make(road: road)
    try await database.script(what.sql)
    let findings = try await verify(database).findings
    #expect(findings.contains { $0.kind == what.kind && $0.fact.hasPrefix(what.fact) }, "\(findings)")
  }

  @Test("A database without migrations is told so", arguments: [true, false], Road.allCases)
  func nothingThere(bootstrapped: Bool, road: Road) async throws {
    let database =
      bootstrapped
      ? try await PreparedDatabase.make(migrated: false, road: road) : try await PreparedDatabase.empty(road: road)
    await #expect(throws: PreparationError.notBootstrapped) { try await verify(database) }
  }

  // MARK: The house proof

  @Test(
    "Every service can prove that the database binds it", arguments: [StoreRole.issuer, .resolver, .runner],
    Road.allCases)
  func proven(role: StoreRole, road: Road) async throws {
    // The tests' cluster need not survive a crash, which a service's proof is right to refuse.
    #expect(
      try await problems(try await PreparedDatabase.of("verification", road: road), as: role) == [
        "setting fsync is off", "setting synchronous_commit is off",
      ])
  }

  @Test(
    "What no longer binds a service is named by its proof",
    arguments: [
      ("ALTER TABLE mana_ai.grants NO FORCE ROW LEVEL SECURITY", "mana_ai.grants does not force row security"),
      ("ALTER TABLE mana_ai.rls_canary DISABLE ROW LEVEL SECURITY", "mana_ai.rls_canary shows a row without a scope"),
      ("DELETE FROM mana_ai.rls_canary", "mana_ai.rls_canary does not show its row under its own scope"),
      ("CREATE POLICY mine ON mana_ai.grants USING (true)", "mana_ai.grants has a policy that is not ours: mine"),
      ("ALTER TABLE mana_ai.grants OWNER TO mandate_resolver", "mana_ai.grants is not owned by mandate_owner"),
    ], Road.allCases)
  func unproven(what: (change: String, problem: String), road: Road) async throws {
    let database = try await PreparedDatabase.make(road: road)
    try await database.script(what.change)
    #expect(try await problems(database, as: .resolver).contains(what.problem))
  }

  @Test("A superuser is never bound, and the proof says so", arguments: Road.allCases)
  func superuser(road: Road) async throws {
    let database = try await PreparedDatabase.of("verification", road: road)
    let found = try await database.withPool(try await database.superuser()) { try await HouseProof($0).run() }
    #expect(found.contains(HouseProof.Problem(object: "postgres", problem: "is a superuser")))
  }
}
