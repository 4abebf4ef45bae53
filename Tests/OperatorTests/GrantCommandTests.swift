// `mandate grants` and `mandate users` against a real database, with the operator's own role.

import Contracts
import FolderSupport
import Postgres
import Store
import StoreSupport
import Testing

@testable import Operator

@Suite struct GrantCommandTests {
  /// Two users with two open grants each and one that the first one's user closed.
  private func withGrants(_ body: (PreparedDatabase, PostgresPool) async throws -> Void) async throws {
    let database = try await PreparedDatabase.make()
    try await database.script(
      """
      INSERT INTO auth.users (id) VALUES ('a'), ('b');
      INSERT INTO auth.encryption_vaults (user_id, wrapped_mk, wrap_iv) VALUES ('a', 'w', 'i'), ('b', 'w', 'i');
      WITH d AS (SELECT date_trunc('milliseconds', now()) - interval '1 minute' AS at),
        g AS (
          SELECT g.id, g.u, g.m, g.ends FROM (VALUES
            ('00000000-0000-4000-8000-000000000001', 'a', 'm1', interval '7 days'),
            ('00000000-0000-4000-8000-000000000002', 'a', 'm2', interval '2 hours'),
            ('00000000-0000-4000-8000-000000000003', 'b', 'm1', interval '7 days'),
            ('00000000-0000-4000-8000-000000000004', 'b', 'm2', interval '30 seconds')) AS g (id, u, m, ends))
      INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at,
        expires_at, renewable_until, record_ids)
      SELECT g.id, g.u, g.m, 'v2', repeat('ab', 16), decode(repeat('5a', 256), 'hex'),
        mana_ai.grant_claims(g.id, repeat('ab', 16), g.u, g.m, d.at, d.at + g.ends, convert_to(repeat('0f', 32), 'UTF8')),
        d.at, d.at + g.ends, d.at + interval '30 days', ARRAY['notes:n1']
      FROM g, d;
      INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key)
      SELECT g.grant_id, g.user_id, 'notes', 'n1', decode(repeat('5a', 60), 'hex') FROM mana_ai.grants AS g;
      """)
    try await database.withPool(as: .operator) { pool in try await body(database, pool) }
  }

  private func scope(_ user: String) throws -> UserScope { try UserScope(Identifier(user)) }

  @Test("The census counts, names no one, and tells what is about to end from what should have")
  func census() async throws {
    try await withGrants { database, pool in
      _ = try await GrantsRevoke.revoke(pool, try scope("a"), mission: Identifier("m1"), grant: nil)
      let key = String(repeating: "ab", count: 16)
      let lines = try await GrantsCensus.count(pool)
      #expect(
        lines == [
          .init(keyId: key, state: "open", grants: 3, users: 2, endingWithinADay: 1, due: 1),
          .init(keyId: key, state: "operator", grants: 1, users: 1, endingWithinADay: 0, due: 0),
        ])
      #expect(GrantsCensus.text(lines).contains("open"))
      #expect(GrantsCensus.text([]) == "There are no grants.\n")
    }
  }

  @Test("Revoking ends the grants that were meant, with their shares, and no others")
  func revoke() async throws {
    try await withGrants { database, pool in
      func open() async throws -> [String] {
        try await database.texts(
          """
          SELECT g.user_id || g.mission_id || count(k) FROM mana_ai.grants AS g
          LEFT JOIN mana_ai.grant_keys AS k ON k.grant_id = g.grant_id
          WHERE g.closed_at IS NULL GROUP BY g.user_id, g.mission_id ORDER BY 1
          """)
      }
      let one = try await GrantsRevoke.revoke(
        pool, try scope("a"), mission: nil, grant: "00000000-0000-4000-8000-000000000002")
      #expect(one == .init(revoked: ["00000000-0000-4000-8000-000000000002"], draining: []))
      #expect(try await open() == ["am11", "bm11", "bm21"])
      let foreign = try await GrantsRevoke.revoke(
        pool, try scope("a"), mission: nil, grant: "00000000-0000-4000-8000-000000000003")
      #expect(foreign.revoked.isEmpty && GrantsRevoke.text(foreign) == "There was no open grant to revoke.\n")
      #expect(try await GrantsRevoke.revoke(pool, try scope("b"), mission: nil, grant: nil).revoked.count == 2)
      #expect(try await open() == ["am11"])
      #expect(
        try await database.texts("SELECT DISTINCT closed_reason FROM mana_ai.grants WHERE closed_at IS NOT NULL") == [
          "operator"
        ])
    }
  }

  @Test("Purging removes one user's rows and leaves the end of the chain")
  func purge() async throws {
    try await withGrants { database, pool in
      let answer = try await UsersPurge.purge(pool, try scope("a"))
      #expect(answer.removed >= 6 && answer.lastSeq == 0 && answer.draining.isEmpty)
      #expect(
        try await database.texts(
          "SELECT DISTINCT user_id FROM mana_ai.grants UNION SELECT user_id FROM auth.encryption_vaults")
          == ["b"])
      #expect(try await database.texts("SELECT count(*)::text FROM mana_ai.purged_users") == ["1"])
      let again = try await UsersPurge.purge(pool, try scope("a"))
      #expect(again.lastSeq == 0 && again.removed == 0, "it may be run again")
    }
  }

  @Test(
    "What cannot be undone needs the id twice, and an id that an account can have",
    arguments: [
      ["users", "purge", "a"], ["users", "purge", "a", "--confirm", "b"], ["users", "purge", "a", "--confirm", "A"],
      ["users", "purge"], ["users", "purge", "", "--confirm", ""], ["grants", "revoke"], ["grants", "revoke", ""],
      ["grants", "revoke", "a", "--grant", "x"], ["grants", "revoke", "a\nb"], ["grants", "census", "a"],
    ])
  func usage(arguments: [String]) throws {
    let place = try TemporaryFolder()
    #expect(try BuiltCommand.run(arguments, in: place).code == 2)
  }
}
