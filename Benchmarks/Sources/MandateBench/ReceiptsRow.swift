// Row `receipts`: missions of five records with four revisions each, opened, redeemed and read in sorted batches of 32,
// each batch one round trip of two transactions; against pgbench doing plain reads of the same records and five plain
// inserts into an audit of the same shape in one transaction.
//
// Both sides have sixteen connections. Our callers each have missions of their own, as runners with leases do.

import Contracts
import Postgres
import Store

enum ReceiptsRow {
  static let row = Row(
    name: "receipts", unit: "missions/s", mark: 0.6,
    whyMissed: "chained hashes, heads, batches and two commits are work that the plain inserts do not have"
  ) {
    let database = try await BenchDatabase.named("receipts", fill: fill)
    let pool = try await pools.get("receipts") { try database.pool(.resolver, maximum: clients) }
    let ours = try await rate(Receipts(pool) { Self.newBatch() })
    return Row.Pair(ours: ours, yardstick: try await plainRate())
  }

  private static let clients = 16
  private static let seconds = 3.0
  private static let users = 10_000
  private static let pools = Once<PostgresPool>()

  // MARK: Ours

  /// Missions per second of all callers together.
  private static func rate(_ receipts: Receipts) async throws -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    let missions = try await withThrowingTaskGroup(of: Int.self) { group in
      let share = users / clients
      for caller in 0..<clients {
        group.addTask {
          var done = 0
          var next = Int.random(in: 0..<share)
          while Stopwatch.seconds(clock.now - start) < seconds {
            let numbers = (0..<ReceiptUnit.mostMissions).map { caller * share + (next + $0) % share }
            next += numbers.count
            done += try await release(numbers, receipts)
          }
          return done
        }
      }
      return try await group.reduce(0, +)
    }
    return Double(missions) / Stopwatch.seconds(clock.now - start)
  }

  private static func release(_ numbers: [Int], _ receipts: Receipts) async throws -> Int {
    let openings = try numbers.map { number in
      MissionOpening(
        scope: try UserScope(Identifier(user(number))), mission: Identifier("mission-\(number)"),
        authority: .grant(Identifier(grant(number))), purpose: Identifier("mission-tick"), wishes: wishes)
    }
    var missions = 0
    for unit in try ReceiptUnit.units(of: openings) {
      var released = await receipts.release(unit)
      while var mission = released.next() {
        var records = 0
        while let record = mission.next() {
          guard case .released(let receipt, .rows(let rows), _) = record, receipt.share?.count == 60, rows.count == 4
          else { throw YardstickProblem(why: "a record of \(mission.place) was not released") }
          records += 1
        }
        guard records == wishes.count else {
          throw YardstickProblem(why: "a mission was not opened: \(mission.failure.map { "\($0)" } ?? "")")
        }
        missions += 1
      }
    }
    return missions
  }

  private static let wishes = (1...5).map { number in
    MissionOpening.Wish(
      RecordAddress(app: Identifier("notes"), table: Identifier("notes"), record: Identifier("n\(number)")))
  }

  private static func user(_ number: Int) -> String { "user-" + padded(number, 6) }
  private static func grant(_ number: Int) -> String { "00000000-0000-4000-8000-" + padded(number, 12) }
  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func newBatch() -> String { ChangeID(UInt128.random(in: .min ... .max)).text }

  // MARK: The yardstick

  /// Transactions per second of the plain reads and inserts; `resolve` measures itself against them too.
  static func plainRate() async throws -> Double {
    let database = try await BenchDatabase.named("receipts", fill: fill)
    let printed = try Subprocess.output(
      ["pgbench", "-n", "-M", "prepared", "-c", "\(clients)", "-j", "2", "-T", "\(Int(seconds))", "-f"]
        + [try script(database)] + database.login(.resolver))
    guard let rate = printedRate(printed) else { throw YardstickProblem(why: "pgbench did not print a rate") }
    return rate
  }

  private static func script(_ database: BenchDatabase) throws -> String {
    let user = "('user-' || lpad((:n)::text, 6, '0'))"
    let records = "'{n1,n2,n3,n4,n5}'"
    let inserts = (1...5).map { number in
      """
      INSERT INTO plain_audit (user_id, mission_id, table_name, record_id, status)
        VALUES (\(user), ('mission-' || :n), 'notes', 'n\(number)', 'ok');
      """
    }
    return try BenchFile.write(
      """
      \\set n random(0, \(users - 1))
      \\startpipeline
      BEGIN;
      SELECT set_config('app.current_user_id', \(user), true);
      SELECT record_id, op, data, field_meta, created_at FROM public.sync_changes WHERE user_id = \(user)
        AND app_id = 'notes' AND table_name = 'notes' AND record_id = ANY (\(records))
        ORDER BY record_id COLLATE "C", created_at, id;
      SELECT record_id, fields FROM mana_ai.sealed_records WHERE user_id = \(user) AND app_id = 'notes'
        AND table_name = 'notes' AND record_id = ANY (\(records));
      \(inserts.joined(separator: "\n"))
      COMMIT;
      \\endpipeline

      """, to: database.folder + "/plain.sql")
  }

  /// Nil also where a transaction of the yardstick's failed: what it has not done it is not slow at.
  static func printedRate(_ text: String) -> Double? {
    guard text.split(separator: "\n").contains(where: { $0.hasPrefix("number of failed transactions: 0 ") }) else {
      return nil
    }
    for line in text.split(separator: "\n") where line.hasPrefix("tps = ") {
      return Double(line.dropFirst(6).prefix { $0 != " " })
    }
    return nil
  }

  // MARK: The same data for both

  private static let fill: @Sendable (BenchDatabase) async throws -> Void = { database in
    try await database.script(
      """
      ALTER TABLE public.sync_changes DISABLE TRIGGER sync_changes_enqueue;
      INSERT INTO auth.users (id) SELECT 'user-' || lpad(i::text, 6, '0') FROM generate_series(0, \(users - 1)) AS i;
      INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at,
        expires_at, renewable_until)
      SELECT u.grant_id, u.user_id, u.mission_id, 'v2', repeat('ab', 16), decode(repeat('5a', 256), 'hex'),
        mana_ai.grant_claims(u.grant_id, repeat('ab', 16), u.user_id, u.mission_id, u.issued,
          u.issued + interval '7 days', convert_to(repeat('0f', 32), 'UTF8')),
        u.issued, u.issued + interval '7 days', u.issued + interval '30 days'
      FROM (SELECT '00000000-0000-4000-8000-' || lpad(i::text, 12, '0') AS grant_id,
          'user-' || lpad(i::text, 6, '0') AS user_id, 'mission-' || i AS mission_id,
          date_trunc('milliseconds', now()) AS issued
        FROM generate_series(0, \(users - 1)) AS i) AS u;
      INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key)
      SELECT '00000000-0000-4000-8000-' || lpad(i::text, 12, '0'), 'user-' || lpad(i::text, 6, '0'), 'notes', 'n' || r,
        decode(repeat('5a', 60), 'hex')
      FROM generate_series(0, \(users - 1)) AS i, generate_series(1, 5) AS r;
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at)
      SELECT 'notes', 'notes', 'n' || r, 'user-' || lpad(i::text, 6, '0'), CASE v WHEN 1 THEN 'insert' ELSE 'update' END,
        jsonb_build_object('title', 'enc:2:' || repeat('A', 16) || '.' || repeat('B', 64),
          'content', 'enc:2:' || repeat('A', 16) || '.' || repeat('B', 400)),
        jsonb_build_object('title', '2026-01-01T00:00:0' || v || '.000Z'), 'device',
        now() - interval '1 day' + v * interval '1 second'
      FROM generate_series(0, \(users - 1)) AS i, generate_series(1, 5) AS r, generate_series(1, 4) AS v;
      ALTER TABLE public.sync_changes ENABLE ALWAYS TRIGGER sync_changes_enqueue;
      CREATE TABLE public.plain_audit (LIKE mana_ai.decrypt_audit INCLUDING DEFAULTS);
      ALTER TABLE public.plain_audit ADD PRIMARY KEY (id);
      CREATE INDEX ON public.plain_audit (user_id, mission_id, ts DESC);
      GRANT USAGE ON SCHEMA public TO mandate_resolver;
      GRANT ALL ON public.plain_audit TO mandate_resolver;
      GRANT ALL ON SEQUENCE mana_ai.decrypt_audit_id_seq TO mandate_resolver;
      """)
  }
}
