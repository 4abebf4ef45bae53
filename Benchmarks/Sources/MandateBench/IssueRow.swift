// Row `issue`: grants for ten records each, asked of the issuer's own process over HTTP, sealed, wrapped and durable when
// they are answered; against pgbench doing the same inserts in one transaction: a grant, its ten shares, a line of the log.
// Both sides have sixteen connections.

import Contracts
import HTTPFetching
import Postgres
import Store
import Synchronization

enum IssueRow {
  static let row = Row(
    name: "issue", unit: "grants/s", mark: 0.5,
    whyMissed: "the vault's lock, the limit and a look for each record come first, a round trip more"
  ) {
    let database = try await BenchDatabase.named("issue", fill: fill)
    let issuer = try await issuers.get("issue") { try await makeIssuer(database) }
    // The limit is on one user's pace, and each round begins afresh.
    // The server plans a connection's foreign key checks once: those of the first round were planned for empty tables, and
    // would read all of each until autovacuum had looked.
    try await database.script(
      """
      UPDATE auth.encryption_vault_audit SET created_at = created_at - interval '2 hours'
        WHERE created_at > now() - interval '1 hour';
      ANALYZE mana_ai.grants, mana_ai.grant_keys, auth.encryption_vault_audit
      """)
    let ours = try await rate(issuer)
    let yardstick = try Subprocess.output(
      ["pgbench", "-n", "-M", "prepared", "-c", "\(clients)", "-j", "2", "-T", "\(Int(seconds))", "-f"]
        + [try script(database)] + database.login(.issuer))
    guard let theirs = ReceiptsRow.printedRate(yardstick) else {
      throw YardstickProblem(why: "pgbench did not print a rate")
    }
    Remarks.shared.say(
      "issuer",
      "ready after \(Table.fixed(issuer.service.millisecondsToReady, 0)) ms, "
        + "at most \(try issuer.service.memoryKiB().peak) KiB resident")
    return Row.Pair(ours: ours, yardstick: theirs)
  }

  private static let clients = 16
  private static let seconds = 3.0
  private static let users = 2_000
  private static let issuers = Once<BenchIssuer>()

  private static func makeIssuer(_ database: BenchDatabase) async throws -> BenchIssuer {
    let issuer = try BenchIssuer(database, users: (0..<users).map { "user-\($0)" }, connections: clients)
    try await withThrowingTaskGroup { group in
      for caller in 0..<clients {
        group.addTask {
          for user in stride(from: caller, to: users, by: clients) {
            try await issuer.post("/api/v1/me/encryption-vault/init", "", as: user)
          }
        }
      }
      try await group.waitForAll()
    }
    return issuer
  }

  private static let missions = Atomic(0)

  private static func rate(_ issuer: BenchIssuer) async throws -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    let grants = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<clients {
        group.addTask {
          var done = 0
          while Stopwatch.seconds(clock.now - start) < seconds {
            let number = missions.add(1, ordering: .relaxed).newValue
            let wish = "{\"missionId\":\"mission-\(number)\",\"tables\":[\"notes\"],\"recordIds\":[\(records)]}"
            try await issuer.post("/api/v1/me/ai-mission-grant", wish, as: number % users)
            done += 1
          }
          return done
        }
      }
      return try await group.reduce(0, +)
    }
    return Double(grants) / Stopwatch.seconds(clock.now - start)
  }

  private static let records = (1...10).map { "\"notes:n\($0)\"" }.joined(separator: ",")

  private static func script(_ database: BenchDatabase) throws -> String {
    let user = "('user-' || :n)"
    let mission = "('plain-' || :g)"
    let grant = "('00000000-0000-4000-8000-' || lpad((:g)::text, 12, '0'))"
    return try BenchFile.write(
      """
      \\set n random(0, \(users - 1))
      \\set g random(0, 999999999999)
      \\startpipeline
      BEGIN;
      SELECT set_config('app.current_user_id', \(user), true);
      INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at,
          expires_at, renewable_until, record_ids)
        SELECT \(grant), \(user), \(mission), 'v2', repeat('ab', 16), decode(repeat('5a', 256), 'hex'),
          mana_ai.grant_claims(\(grant), repeat('ab', 16), \(user), \(mission), t.issued, t.issued + interval '7 days',
            convert_to(repeat('0f', 32), 'UTF8')),
          t.issued, t.issued + interval '7 days', t.issued + interval '30 days',
          -- A colon would be a variable's to pgbench.
          ARRAY(SELECT 'notes' || chr(58) || 'n' || i FROM generate_series(1, 10) AS i)
        FROM (SELECT date_trunc('milliseconds', now()) AS issued) AS t;
      INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key)
        SELECT \(grant), \(user), 'notes', 'n' || i, decode(repeat('5a', 60), 'hex') FROM generate_series(1, 10) AS i;
      INSERT INTO auth.encryption_vault_audit (id, user_id, action, context, status, created_at)
        VALUES (substr(md5(random()::text), 1, 21), \(user), 'grant_issue', 'grant=' || \(grant), 200,
          clock_timestamp());
      COMMIT;
      \\endpipeline

      """, to: database.folder + "/issue.sql")
  }

  private static let fill: @Sendable (BenchDatabase) async throws -> Void = { database in
    try await database.script(
      """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
      SELECT 'notes', 'notes', 'n' || r, 'user-' || u, 'insert', '{}', 'device'
      FROM generate_series(0, \(users - 1)) AS u, generate_series(1, 10) AS r;
      """)
  }
}
