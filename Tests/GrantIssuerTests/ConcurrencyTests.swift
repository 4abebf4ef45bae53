// Issuing, rotating, changing the mode, revoking and deleting at once, for the same users. Whatever the order was, what
// is left fits together.

import Contracts
import Postgres
import Secrets
import Store
import StoreSupport
import Testing

@testable import GrantIssuer

@Suite struct ConcurrencyTests {
  /// What must hold however many did whatever in whatever order.
  static let invariants = [
    (
      "one open grant for a mission",
      "SELECT count(*) - count(DISTINCT (user_id, mission_id)) FROM mana_ai.grants WHERE closed_at IS NULL"
    ),
    (
      "every record of an open grant has its share, and no closed one has any",
      """
      SELECT count(*) FROM mana_ai.grants AS g
      WHERE (CASE WHEN g.closed_at IS NULL THEN cardinality(g.record_ids) ELSE 0 END)
        <> (SELECT count(*) FROM mana_ai.grant_keys AS k WHERE k.grant_id = g.grant_id)
      """
    ),
    (
      "no share without its grant",
      "SELECT count(*) FROM mana_ai.grant_keys AS k WHERE NOT EXISTS (SELECT FROM mana_ai.grants AS g WHERE g.grant_id = k.grant_id)"
    ),
    (
      "no open grant in zero-knowledge mode, or without a vault",
      """
      SELECT count(*) FROM mana_ai.grants AS g WHERE g.closed_at IS NULL
        AND NOT EXISTS (SELECT FROM auth.encryption_vaults AS v WHERE v.user_id = g.user_id AND NOT v.zero_knowledge)
      """
    ),
    (
      "no open grant that is older than its user's key",
      """
      SELECT count(*) FROM mana_ai.grants AS g JOIN auth.encryption_vaults AS v ON v.user_id = g.user_id
      WHERE g.closed_at IS NULL AND v.rotated_at IS NOT NULL AND g.issued_at < date_trunc('milliseconds', v.rotated_at)
      """
    ),
    (
      "each grant has its line in the log",
      """
      SELECT count(*) FROM mana_ai.grants AS g WHERE NOT EXISTS (
        SELECT FROM auth.encryption_vault_audit AS a WHERE a.user_id = g.user_id AND a.action = 'grant_issue'
          AND a.context LIKE 'grant=' || g.grant_id || ' %')
      """
    ),
  ]

  @Test(
    "However issue, rotate, zero-knowledge, revoke and delete interleave, nothing contradicts itself afterwards",
    arguments: Road.allCases)
  func everythingAtOnce(road: Road) async throws {
    try await Office.with(road: road, connections: 12) { office in
      let users = ["anna", "bert", "cleo"]
      for user in users { _ = try await office.addUser(user) }
      let problems = try await withThrowingTaskGroup(of: IssuerProblem?.self) { group in
        for round in 0..<180 {
          let user = users[round % users.count]
          group.addTask { try await Self.act(round / users.count, user, office) }
        }
        return try await group.reduce(into: [IssuerProblem]()) { if let problem = $1 { $0.append(problem) } }
      }
      for problem in problems {
        #expect(problem.status < 500, "\(problem)")
      }
      for (name, sql) in Self.invariants { #expect(try await office.number(sql) == 0, "\(name)") }
      // Every open grant is sealed under the key that its user has now.
      var opened = 0
      for user in users {
        let caller = try caller(user)
        let reply = try json(await office.issuer.initVault(of: caller))
        guard reply["masterKey"] != nil else { continue }
        let key = try masterKey(reply)
        let grants = try await office.texts(
          "SELECT mission_id || ' ' || grant_id FROM mana_ai.grants WHERE closed_at IS NULL AND user_id = '\(user)'")
        for grant in grants.map({ $0.split(separator: " ").map(String.init) }) {
          #expect(try await office.openAll(user, grant[0], grant[1], ["n1"], under: key) == ["n1 opened"])
          opened += 1
        }
      }
      let issued = try await office.number("SELECT count(*) FROM mana_ai.grants")
      #expect(issued > 20 && opened > 0)
      print("everything at once: \(problems.count) refusals, \(issued) grants left, \(opened) open and opened")
    }
  }

  @Test("A vault that others make and delete between two looks is asked for again", arguments: Road.allCases)
  func comesAndGoes(road: Road) async throws {
    try await Office.with(road: road) { office in
      // For the issuer this is the same: there was no row to lock, and none could be inserted.
      try await office.script(
        """
        CREATE SEQUENCE auth.looks;
        CREATE FUNCTION auth.skip_some() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
          BEGIN
            IF NEW.user_id = 'never' OR nextval('auth.looks') % 3 <> 0 THEN RETURN NULL; END IF;
            RETURN NEW;
          END $$;
        CREATE TRIGGER skip_some BEFORE INSERT ON auth.encryption_vaults FOR EACH ROW EXECUTE FUNCTION auth.skip_some();
        """)
      #expect(problem(await office.issuer.initVault(of: try caller("dora"))) == nil)
      #expect(problem(await office.issuer.rotateKey(of: try caller("emil"))) == nil)
      #expect(try await office.number("SELECT count(*) FROM auth.encryption_vaults") == 2)
      let before = try await office.counts()
      #expect(problem(await office.issuer.initVault(of: try caller("never")))?.status == 500)
      #expect(try await office.counts() == before)
    }
  }

  private static func act(_ round: Int, _ user: String, _ office: Office) async throws -> IssuerProblem? {
    let caller = try caller(user)
    switch round % 12 {
    case 3: return problem(await office.issuer.rotateKey(of: caller))
    case 5:
      _ = await office.issuer.setRecovery(try .sample, by: caller)
      guard user == "bert", round > 36 else { return nil }
      return await office.issuer.changeZeroKnowledge(.enter, by: caller).problem
    case 6: return await office.issuer.revokeGrant(mission: "m0", by: caller).failure
    case 8: return problem(await office.issuer.initVault(of: caller))
    case 11 where user == "cleo":
      return await office.issuer.deleteUser(caller).problem
    default:
      return await office.issuer.issueGrant(
        try wish("m\(round % 3)", ["n1", "n2"], #","allowMissing":true"#), by: caller
      ).problem
    }
  }
}

extension Result where Failure == IssuerProblem {
  var failure: IssuerProblem? { if case .failure(let problem) = self { problem } else { nil } }
}
