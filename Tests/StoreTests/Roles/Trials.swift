// Trying statements out as a role, each alone: what matters is whether the server refuses it, and with what state.

import Postgres
import Store
import StoreSupport
import Testing

/// The roles that processes log in as, but for the owner, whom only migrations use.
let services: [StoreRole] = [.issuer, .resolver, .runner, .operator, .sync]

/// What the server answered to one statement.
enum Trial: Equatable, CustomStringConvertible {
  case accepted
  case refused(SQLState)

  var isForbidden: Bool { self == .refused(.insufficientPrivilege) }
  var description: String {
    switch self {
    case .accepted: "accepted"
    case .refused(let state): "refused with \(state)"
    }
  }
}

extension World {
  func pool(_ role: StoreRole) -> PostgresPool {
    switch role {
    case .owner: preconditionFailure("the owner has no pool here")
    case .issuer: issuer
    case .resolver: resolver
    case .runner: runner
    case .operator: `operator`
    case .sync: sync
    }
  }

  /// Each statement in a transaction of its own, under a scope where one is given, and with whatever it did undone.
  func tries(_ pool: PostgresPool, _ statements: [String], scope: String? = nil) async throws -> [Trial] {
    let scope = scope.map { [Self.setScope.bind(.text($0))] } ?? []
    return try await trials(
      pool, statements.map { scope + [Statement($0, reuse: .once).bind(), Self.undo] }, scope.count)
  }

  /// The same with a setting of the transaction before each.
  func tries(
    _ pool: PostgresPool, _ statements: [String], settings name: String, _ value: String
  ) async throws -> [Trial] {
    let setting = Statement("SELECT pg_catalog.set_config('\(name)', '\(value)', true)", reuse: .once).bind()
    return try await trials(pool, statements.map { [setting, Statement($0, reuse: .once).bind(), Self.undo] }, 1)
  }

  /// Each statement for itself and with nothing behind it: some can't be part of a longer transaction. For what must
  /// be refused.
  func triesAlone(_ pool: PostgresPool, _ statements: [String]) async throws -> [Trial] {
    try await trials(pool, statements.map { [Statement($0, reuse: .once).bind()] }, 0)
  }

  private func trials(_ pool: PostgresPool, _ units: [[BoundStatement]], _ place: Int) async throws -> [Trial] {
    var trials: [Trial] = []
    for start in stride(from: 0, to: units.count, by: 200) {
      let page = units[start..<min(start + 200, units.count)].map { PipelineUnit($0) }
      for outcome in try await pool.pipeline(page) {
        switch outcome {
        case .success: trials.append(.accepted)
        case .failure(.statement(let index, .server(let error))):
          trials.append(index > place && error.state == Self.undone ? .accepted : .refused(error.state))
        case .failure(let failure): throw failure
        }
      }
    }
    return trials
  }

  /// Rows that a statement touches or answers in a role's transaction, which is then rolled back.
  func touched(_ pool: PostgresPool, _ sql: String, scope: String?) async throws -> Int {
    struct Enough: Error { let count: Int }
    let opening = scope.map { [Self.setScope.bind(.text($0))] } ?? []
    do throws(TransactionError<any Error>) {
      return try await pool.withTransaction { transaction throws(any Error) -> Int in
        for statement in opening { _ = try await transaction.query(statement) }
        let rows = try await transaction.query(Statement(sql, reuse: .once).bind())
        throw Enough(count: max(rows.affected, rows.count))
      }
    } catch {
      if case .body(let enough as Enough) = error { return enough.count }
      throw error
    }
  }

  static let setScope = Statement("SELECT pg_catalog.set_config('app.current_user_id', $1, true)", .text)
  private static let undo = Statement("SELECT 1 / 0", reuse: .once).bind()
  private static let undone = SQLState("22012")

  /// Names of tables that are ours, or that we share, with their columns.
  func tables() async throws -> [(name: String, columns: [String])] {
    let rows = try await admin.query(Self.listing.bind())
    return try rows.map { (try $0.get(0), (try $0.get(1) as String).split(separator: ",").map(String.init)) }
  }

  private static let listing = Statement(
    """
    SELECT n.nspname || '.' || c.relname, string_agg(a.attname, ',' ORDER BY a.attnum)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
      AND (n.nspname IN ('mana_ai', 'auth') OR c.relname = 'sync_changes')
    GROUP BY 1 ORDER BY 1
    """)

  /// Users `user-a` and `user-b` with a row in every table that has users.
  func addRowsEverywhere() async throws {
    for user in ["user-a", "user-b"] {
      try await addUser(user)
      _ = try await addGrant(user, "m1", ["n1"])
      try await addNote(user, "n1", #"{"content":"enc:1:x.y"}"#)
      for (table, record) in [("aiMissions", "m1"), ("agents", "g1"), ("other", "o1")] {
        try await addNote(user, record, "{}", app: "ai", table: table)
      }
      try await script(Self.rows.replacing("$1", with: "'\(user)'"))
    }
  }

  private static let rows = """
    INSERT INTO auth.encryption_vault_audit (id, user_id, action, status) VALUES ($1, $1, 'init', 201);
    INSERT INTO mana_ai.sealed_records (user_id, app_id, table_name, record_id, fields)
    VALUES ($1, 'notes', 'notes', 'n1', '{}');
    INSERT INTO mana_ai.seal_origins VALUES ($1, sha256('x'), 'notes', 'notes', 'n1', 'content');
    INSERT INTO mana_ai.audit_heads VALUES ($1, 0, decode(repeat('00', 32), 'hex'), now());
    INSERT INTO mana_ai.audit_cuts VALUES ($1, 1, sha256('x'));
    INSERT INTO mana_ai.decrypt_audit (user_id, mission_id, table_name, record_id, status)
    VALUES ($1, 'm1', 'notes', 'n1', 'ok');
    INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record) VALUES ($1, 'm1', '{}');
    INSERT INTO mana_ai.agent_snapshots (user_id, agent_id, record) VALUES ($1, 'g1', '{}');
    INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, task_id, provider_id) VALUES ($1, 'm1', 't', 'p');
    INSERT INTO mana_ai.mission_runs (user_id, mission_id, due_at, outcome) VALUES ($1, 'm1', now(), 'planned');
    INSERT INTO mana_ai.token_usage (user_id, agent_id, mission_id, tokens_used) VALUES ($1, 'g1', 'm1', 1)
    """
}
