// Whose rows a role sees and writes: its user's, under that user's scope, in the tables that it needs.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct RowTests {
  private static func key(_ table: String, _ columns: [String]) -> String? {
    columns.contains("user_id") ? "user_id" : table == "auth.users" ? "id" : nil
  }

  @Test("Rows of another user, of no scope and of an empty one are invisible and untouchable", arguments: Road.allCases)
  func foreignRows(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addRowsEverywhere()
      var looked = 0
      for role in services {
        for (table, columns) in try await world.tables() {
          guard let key = Self.key(table, columns), Privileges.columns(role, table, .select).hold(key) else { continue }
          for scope in [nil, "", "user-c", "user-a", "user-b"] {
            let own = scope.map { ["user-a", "user-b"].contains($0) } ?? false
            // The operator reads the census and all chains by policies of its own; the canary is nobody's.
            let wanted = role == .operator ? 2 : own && table != "mana_ai.rls_canary" ? 1 : 0
            let found = try await world.touched(
              world.pool(role), "SELECT DISTINCT \(key) FROM \(table)", scope: scope)
            #expect(found == wanted, "\(role.rawValue) reads \(table) under \(scope ?? "no scope")")
            let other = "\(key) IS DISTINCT FROM \(scope.map { "'\($0)'" } ?? "NULL")"
            var writes: [String] = []
            if Privileges.columns(role, table, .update).hold(key) {
              writes.append("UPDATE \(table) SET \(key) = \(key)")
            }
            if Privileges.columns(role, table, .delete).hold(key) { writes.append("DELETE FROM \(table)") }
            for write in writes {
              let count = try await world.touched(world.pool(role), "\(write) WHERE \(other)", scope: scope)
              #expect(count == 0, "\(role.rawValue): \(write) under \(scope ?? "no scope")")
              looked += 1
            }
            looked += 1
          }
          // Row security can be refused, not switched off.
          let off = try await world.tries(
            world.pool(role), ["SELECT \(key) FROM \(table)"], settings: "row_security", "off")
          #expect(off == [.refused(.insufficientPrivilege)], "\(role.rawValue) reads \(table) without row security")
        }
      }
      print("foreign rows, \(road): \(looked) looked at")
      #expect(looked > 150)
    }
  }

  private static let writes: [StoreRole: [String]] = [
    .issuer: [
      "INSERT INTO auth.encryption_vault_audit (id, user_id, action, status) VALUES (gen_random_uuid()::text, $1, 'init', 1)",
      "INSERT INTO mana_ai.seal_origins VALUES ($1, sha256(gen_random_uuid()::text::bytea), 'a', 'b', 'c', 'd')",
      "INSERT INTO mana_ai.sealed_records (user_id, app_id, table_name, record_id, fields) VALUES ($1, 'a', 'b', 'c', '{}')",
    ],
    .runner: [
      "INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record) VALUES ($1, 'new', '{}')",
      "INSERT INTO mana_ai.agent_snapshots (user_id, agent_id, record) VALUES ($1, 'new', '{}')",
      "INSERT INTO mana_ai.mission_runs (user_id, mission_id, due_at, outcome) VALUES ($1, 'new', now(), 'failed')",
      "INSERT INTO mana_ai.token_usage (user_id, agent_id, mission_id, tokens_used) VALUES ($1, 'g', 'm', 1)",
      "INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, provider_id, task_id) VALUES ($1, 'new', 'p', 't')",
      """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id)
      VALUES ('ai', 'aiMissions', 'm9', $1, 'update', 'mana-ai-runner')
      """,
    ],
    .sync: [
      """
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id)
      VALUES ('notes', 'notes', 'm9', $1, 'insert', 'device')
      """
    ],
  ]

  @Test("A row for another user, for none, or under no scope is not written", arguments: Road.allCases)
  func foreignWrites(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addRowsEverywhere()
      var tried = 0
      for (role, statements) in Self.writes {
        let cases: [(scope: String?, user: String)] = [
          ("user-a", "user-b"), (nil, "user-a"), ("", ""), (nil, ""), ("user-a", ""),
        ]
        for (scope, user) in cases {
          let sqls = statements.map { $0.replacing("$1", with: "'\(user)'") }
          for (sql, trial) in zip(sqls, try await world.tries(world.pool(role), sqls, scope: scope)) {
            #expect(trial.isForbidden, "\(role.rawValue) under \(scope ?? "no scope"): \(sql): \(trial)")
            tried += 1
          }
        }
        let own = statements.map { $0.replacing("$1", with: "'user-a'") }
        let trials = try await world.tries(world.pool(role), own, scope: "user-a")
        #expect(trials == own.map { _ in .accepted }, "\(role.rawValue) under its user's scope")
      }
      print("foreign writes, \(road): \(tried) refused")
      #expect(tried == 50)
    }
  }

  private static let granted = [
    ("notes", "notes"), ("todo", "tasks"), ("calendar", "events"), ("journal", "journalEntries"),
    ("kontext", "kontextDoc"), ("profile", "userContext"), ("companion", "companionGoals"),
  ]

  /// The pairs of app and table that a role sees of a user.
  private func pairs(_ world: World, _ role: StoreRole, spaces: String) async throws -> Set<String> {
    let rows = try await world.pool(role).transact([
      World.setScope.bind(.text("user-a")), Self.setSpaces.bind(.text(spaces)), Self.readPairs.bind(),
    ])
    return Set(try rows[2].map { try $0.get(0, as: String.self) })
  }

  private static let setSpaces = Statement(
    "SELECT pg_catalog.set_config('app.current_user_space_ids', $1, true)", .text)
  private static let readPairs = Statement(
    "SELECT DISTINCT c.app_id || '/' || c.table_name FROM public.sync_changes AS c")

  @Test(
    "The runner neither reads nor writes a record that a grant can name, so no ciphertext can be planted by it",
    arguments: Road.allCases)
  func runner(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addRowsEverywhere()
      for (app, table) in Self.granted {
        try await world.addNote("user-a", "x", #"{"t":"enc:1:a.b"}"#, app: app, table: table)
      }
      for spaces in ["", "space-1,space-2"] {
        #expect(try await pairs(world, .runner, spaces: spaces) == ["ai/aiMissions", "ai/agents"])
      }
      func insert(_ app: String, _ table: String, _ op: String, _ client: String) -> String {
        """
        INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
        VALUES ('\(app)', '\(table)', 'x', 'user-a', '\(op)', '{"content":"enc:1:stolen.copy"}', '\(client)')
        """
      }
      let others = [("ai", "agents"), ("ai", "other"), ("notes", "aiMissions"), ("ai", "notes")]
      var plants = (Self.granted + others).flatMap { app, table in
        ["insert", "update", "delete"].map { insert(app, table, $0, "mana-ai-runner") }
      }
      plants += [("insert", "mana-ai-runner"), ("delete", "mana-ai-runner"), ("update", "device"), ("update", "")].map {
        insert("ai", "aiMissions", $0, $1)
      }
      // Nor by changing what is there, or in bulk out of what it may read.
      plants += [
        "UPDATE public.sync_changes SET data = '{}'", "DELETE FROM public.sync_changes",

        """
        INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
        SELECT 'notes', 'notes', record_id, user_id, 'update', data, 'mana-ai-runner' FROM public.sync_changes
        """,
      ]
      let trials = try await world.tries(world.runner, plants, scope: "user-a")
      for (sql, trial) in zip(plants, trials) { #expect(trial.isForbidden, "\(sql): \(trial)") }
      let own = insert("ai", "aiMissions", "update", "mana-ai-runner")
      #expect(try await world.tries(world.runner, [own], scope: "user-a") == [.accepted])
      print("planted by the runner, \(road): \(plants.count) refused")
    }
  }

  @Test("The resolver reads the tables that a grant can name, and no mission", arguments: Road.allCases)
  func resolver(road: Road) async throws {
    try await World.with(road) { world in
      try await world.addRowsEverywhere()
      for (app, table) in Self.granted + [("notes", "tasks"), ("x", "notes")] {
        try await world.addNote("user-a", "r", "{}", app: app, table: table)
      }
      #expect(try await pairs(world, .resolver, spaces: "") == Set(Self.granted.map { "\($0.0)/\($0.1)" }))
    }
  }

  @Test("A shared space is seen by the sync role and by none of the services", arguments: Road.allCases)
  func spaces(road: Road) async throws {
    try await World.with(road) { world in
      try await world.script(
        """
        INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id, space_id) VALUES
          ('notes', 'notes', 'shared', 'user-b', 'insert', 'device', 'space-1'),
          ('ai', 'agents', 'shared', 'user-b', 'insert', 'device', 'space-1')
        """)
      for (role, wanted) in [(StoreRole.sync, 2), (.issuer, 0), (.resolver, 0), (.runner, 0)] {
        #expect(try await pairs(world, role, spaces: "space-0,space-1").count == wanted, "\(role.rawValue)")
      }
    }
  }
}
