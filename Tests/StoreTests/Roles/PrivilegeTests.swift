// Every role at every column of every table and at every function, and at whatever would make it more than it is.

import Postgres
import Store
import StoreSupport
import Testing

@Suite struct PrivilegeTests {
  @Test("A role does to tables and columns what it may, and nothing else", arguments: Road.allCases)
  func tables(road: Road) async throws {
    try await World.with(road) { world in
      let tables = try await world.tables()
      #expect(tables.count >= 22)
      var (allowed, forbidden) = (0, 0)
      for role in services {
        var tries: [(sql: String, may: Bool)] = []
        for (table, columns) in tables {
          let mayDelete = Privileges.columns(role, table, .delete).hold("any")
          tries += [("DELETE FROM \(table) WHERE false", mayDelete), ("TRUNCATE \(table)", false)]
          for column in columns {
            func may(_ privilege: Privilege) -> Bool { Privileges.columns(role, table, privilege).hold(column) }
            tries.append(("SELECT \"\(column)\" FROM \(table) LIMIT 0", may(.select)))
            // An identity is refused before privileges are looked at.
            if (table, column) == ("mana_ai.change_queue", "seq") { continue }
            tries.append(("INSERT INTO \(table) (\"\(column)\") SELECT NULL WHERE false", may(.insert)))
            tries.append(("UPDATE \(table) SET \"\(column)\" = NULL WHERE false", may(.update)))
          }
        }
        for (one, trial) in zip(tries, try await world.tries(world.pool(role), tries.map(\.sql))) {
          #expect(trial == (one.may ? .accepted : .refused(.insufficientPrivilege)), "\(role.rawValue): \(one.sql)")
          if one.may { allowed += 1 } else { forbidden += 1 }
        }
      }
      print("tables and columns, \(road): \(forbidden) forbidden, \(allowed) allowed")
      #expect(forbidden > 1_500 && allowed > 100)
    }
  }

  @Test("A role executes the functions that it may, and no other", arguments: Road.allCases)
  func functions(road: Road) async throws {
    try await World.with(road) { world in
      let functions = try await world.admin.query(Self.listing.bind()).map {
        (name: try $0.get(0, as: String.self), call: try $0.get(1, as: String.self))
      }
      #expect(Set(functions.map(\.name)).isSuperset(of: Privileges.functions.values.reduce([]) { $0.union($1) }))
      var (allowed, forbidden) = (0, 0)
      for role in services {
        let trials = try await world.tries(world.pool(role), functions.map(\.call))
        for (function, trial) in zip(functions, trials) {
          if Privileges.functions[role]?.contains(function.name) == true {
            // It may well refuse what it was called with, which was nothing.
            #expect(Self.isAnswer(trial), "\(role.rawValue): \(function.call): \(trial)")
            allowed += 1
          } else {
            #expect(trial.isForbidden, "\(role.rawValue): \(function.call): \(trial)")
            forbidden += 1
          }
        }
      }
      print("functions, \(road): \(forbidden) forbidden, \(allowed) allowed")
      #expect(forbidden > 100 && allowed > 20)
    }
  }

  private static func isAnswer(_ trial: Trial) -> Bool {
    switch trial {
    case .accepted: true
    case .refused(let state): state.code.hasPrefix("MD") || ["22004", "22023", "55P03"].contains(state.code)
    }
  }

  /// Each with nulls of the right types.
  private static let listing = Statement(
    """
    SELECT p.proname::text, format('SELECT mana_ai.%I(%s%s)', p.proname, CASE WHEN p.provariadic <> 0 THEN 'VARIADIC ' END,
      array_to_string(ARRAY(SELECT 'NULL::' || format_type(u.t, NULL)
        FROM unnest(p.proargtypes) WITH ORDINALITY AS u (t, o) ORDER BY u.o), ', '))
    FROM pg_proc AS p WHERE p.pronamespace = 'mana_ai'::regnamespace AND p.prorettype <> 'trigger'::regtype
    ORDER BY p.oid
    """)

  // MARK: Becoming more

  @Test("No role becomes another, makes an object, or gets around the database", arguments: Road.allCases)
  func escapes(road: Road) async throws {
    try await World.with(road) { world in
      var tried = 0
      for role in services {
        let sqls = Self.escapes(of: role.rawValue, database: world.database.name)
        for (sql, trial) in zip(sqls, try await world.triesAlone(world.pool(role), sqls)) {
          let isRefused = trial.isForbidden || Self.otherRefusals.contains(trial)
          #expect(isRefused, "\(role.rawValue): \(sql): \(trial)")
          tried += 1
        }
      }
      print("escapes, \(road): \(tried) forbidden")
      #expect(tried > 400)
    }
  }

  /// A feature that is not there, and a grant that would go in a circle.
  private static let otherRefusals: [Trial] = [.refused(.featureNotSupported), .refused(SQLState("0LP01"))]

  private static let others =
    StoreRole.allCases.map(\.rawValue) + [
      "mandate_gate", "postgres", "pg_read_all_data", "pg_write_all_data", "pg_monitor", "pg_read_server_files",
      "pg_execute_server_program", "pg_database_owner",
    ]

  private static func escapes(of role: String, database: String) -> [String] {
    others.filter { $0 != role }.flatMap {
      ["SET ROLE \($0)", "SET SESSION AUTHORIZATION \($0)", "GRANT \($0) TO \(role)"]
    }
      + ["public", "mana_ai", "auth", "pg_catalog"].flatMap {
        [
          "CREATE TABLE \($0).mine (a int)", "CREATE VIEW \($0).mine AS SELECT 1",
          "CREATE FUNCTION \($0).mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
          "CREATE OPERATOR \($0).=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
        ]
      } + [
        "CREATE TEMP TABLE mine (a int)", "CREATE SCHEMA mine", "CREATE ROLE mine", "CREATE DATABASE mine",
        "ALTER ROLE \(role) SUPERUSER", "ALTER ROLE \(role) BYPASSRLS", "ALTER ROLE \(role) CREATEROLE",
        "ALTER ROLE mandate_owner PASSWORD 'x'", "ALTER ROLE mandate_gate LOGIN",
        "ALTER ROLE mandate_owner SET app.current_user_id = 'user-a'",
        "ALTER DATABASE \(database) SET app.current_user_id = 'user-a'", "ALTER SYSTEM SET fsync = off",
        "CREATE EXTENSION pgcrypto", "CREATE EXTENSION dblink", "CREATE LANGUAGE plpython3u", "LOAD 'auto_explain'",
        "SET session_replication_role = replica", "SET SESSION lo_compat_privileges = on",
        "COPY (SELECT 1) TO PROGRAM 'true'", "COPY (SELECT 1) TO '/dev/null'", "SELECT pg_read_file('PG_VERSION')",
        "SELECT pg_ls_dir('.')", "SELECT lo_import('/etc/hostname')", "SELECT * FROM pg_authid",
        "SELECT pg_reload_conf()", "SELECT pg_switch_wal()", "SELECT pg_read_binary_file('PG_VERSION')",
        "CREATE PUBLICATION mine FOR ALL TABLES",
        "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION mine()", "CHECKPOINT",
        "DROP OWNED BY mandate_owner", "REASSIGN OWNED BY mandate_owner TO CURRENT_USER", "DROP SCHEMA mana_ai CASCADE",
        "ALTER DEFAULT PRIVILEGES FOR ROLE mandate_gate GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
        "SELECT nextval('mana_ai.decrypt_audit_id_seq')", "SELECT setval('mana_ai.decrypt_audit_id_seq', 1)",
      ]
  }

  @Test("No role changes a table's shape, its policies, its triggers or its owner", arguments: Road.allCases)
  func shapes(road: Road) async throws {
    try await World.with(road) { world in
      var tried = 0
      for role in services {
        let sqls = try await world.tables().flatMap { table, columns in
          [
            "ALTER TABLE \(table) DISABLE ROW LEVEL SECURITY", "ALTER TABLE \(table) NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE \(table) DISABLE TRIGGER ALL", "ALTER TABLE \(table) OWNER TO \(role.rawValue)",
            "ALTER TABLE \(table) ADD COLUMN mine int", "DROP TABLE \(table) CASCADE",
            "CREATE POLICY mine ON \(table) USING (true)", "CREATE INDEX ON \(table) ((\(columns[0])))",
            "CREATE TRIGGER mine BEFORE INSERT ON \(table) EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "CREATE RULE mine AS ON INSERT TO \(table) DO INSTEAD NOTHING", "COMMENT ON TABLE \(table) IS 'mine'",
          ]
        }
        for (sql, trial) in zip(sqls, try await world.tries(world.pool(role), sqls)) {
          #expect(trial.isForbidden, "\(role.rawValue): \(sql): \(trial)")
          tried += 1
        }
        // Without the right to grant it is an error or, where some privilege is held, nothing at all.
        _ = try await world.triesAlone(world.pool(role), world.tables().map { "GRANT ALL ON \($0.name) TO PUBLIC" })
      }
      let given = """
        SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a
        WHERE a.grantee = 0 AND c.relnamespace = 'mana_ai'::regnamespace
        """
      #expect(try await world.number(given) == 0)
      print("shapes, \(road): \(tried) forbidden")
      #expect(tried > 1_000)
    }
  }
}
