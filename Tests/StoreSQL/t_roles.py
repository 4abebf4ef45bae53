"""Each role through each forbidden thing."""

from cluster import SERVICES, Database
from pq import Refused
from suite import holds, promise, refused, same
from world import SCOPE, add_grant, add_user, change

# What each role may do to each table, by privilege, and by column where only columns are granted. All else is forbidden.
ALL = "*"
MAY = {
    "mandate_issuer": {
        "auth.encryption_vaults": {"SELECT": ALL, "INSERT": ALL, "UPDATE": ALL},
        "auth.encryption_vault_audit": {"SELECT": ALL, "INSERT": ALL},
        "auth.users": {"SELECT": {"id"}, "INSERT": {"id"}},
        "mana_ai.grants": {"SELECT": ALL, "INSERT": ALL, "UPDATE": {
            "key_id", "wrapped_key", "claims", "issued_at", "expires_at", "renewable_until", "closed_at", "closed_reason"}},
        "mana_ai.grant_keys": {"SELECT": ALL, "INSERT": ALL, "DELETE": ALL},
        "mana_ai.sealed_records": {"SELECT": ALL, "INSERT": ALL, "UPDATE": ALL, "DELETE": ALL},
        "mana_ai.seal_origins": {"SELECT": ALL, "INSERT": ALL},
        "public.sync_changes": {"SELECT": ALL},
        "mana_ai.decrypt_audit": {"SELECT": ALL}, "mana_ai.audit_heads": {"SELECT": ALL},
        "mana_ai.audit_cuts": {"SELECT": ALL},
        "mana_ai.audit_probe": {"UPDATE": {"touched_at"}}, "mana_ai.rls_canary": {"SELECT": ALL},
        "mana_ai.schema_migrations": {"SELECT": ALL},
    },
    "mandate_resolver": {
        "public.sync_changes": {"SELECT": ALL}, "mana_ai.sealed_records": {"SELECT": ALL},
        "mana_ai.audit_probe": {"UPDATE": {"touched_at"}}, "mana_ai.rls_canary": {"SELECT": ALL},
        "mana_ai.schema_migrations": {"SELECT": ALL},
    },
    "mandate_runner": {
        "public.sync_changes": {"SELECT": ALL, "INSERT": ALL},
        "mana_ai.mission_snapshots": {"SELECT": ALL, "INSERT": ALL, "UPDATE": ALL, "DELETE": ALL},
        "mana_ai.agent_snapshots": {"SELECT": ALL, "INSERT": ALL, "UPDATE": ALL, "DELETE": ALL},
        "mana_ai.mission_research_jobs": {"SELECT": ALL, "INSERT": ALL, "UPDATE": ALL, "DELETE": ALL},
        "mana_ai.mission_runs": {"SELECT": ALL, "INSERT": ALL}, "mana_ai.token_usage": {"SELECT": ALL, "INSERT": ALL},
        "mana_ai.audit_probe": {"UPDATE": {"touched_at"}}, "mana_ai.rls_canary": {"SELECT": ALL},
        "mana_ai.schema_migrations": {"SELECT": ALL},
    },
    "mandate_operator": {
        "mana_ai.grants": {"SELECT": {"grant_id", "user_id", "mission_id", "version", "key_id", "issued_at", "expires_at",
                                      "renewable_until", "closed_at", "closed_reason"}},
        "mana_ai.decrypt_audit": {"SELECT": ALL}, "mana_ai.audit_heads": {"SELECT": ALL},
        "mana_ai.audit_cuts": {"SELECT": ALL}, "mana_ai.schema_migrations": {"SELECT": ALL},
    },
    "mandate_sync": {"public.sync_changes": {"SELECT": ALL, "INSERT": ALL}},
}
EXECUTES = {
    "mandate_issuer": {"take_seal_changes", "close_expired", "due_renewals", "vaults_by_kek", "gauges", "purge_user",
                       "attach_grant", "close_grants", "drain_grants", "frame", "instant_micros", "instant_millis",
                       "audit_hash", "grant_claims"},
    "mandate_resolver": {"open_receipts", "redeem_receipts", "fail_receipts", "rewrap_list", "rewrap_grant", "gauges"},
    "mandate_runner": {"take_project_changes", "claim_due", "prune_usage", "gauges", "lock_mission", "mission_lock"},
    "mandate_operator": {"prune_audit", "purge_user", "revoke", "drain_grants", "frame", "instant_micros",
                         "instant_millis", "audit_hash"},
    "mandate_sync": set(),
}
A, B = "user-a", "user-b"


def prepare():
    database = Database("roles")
    with database.superuser() as c:
        for user in (A, B):
            add_user(c, user)
            add_grant(c, user, "m1", ["n1"])
            change(c, user, "notes", "notes", "n1", "insert", '{"content": "enc:1:x.y"}')
            change(c, user, "ai", "aiMissions", "m1", "insert", '{"title": "t"}')
            change(c, user, "ai", "agents", "g1", "insert", '{"name": "t"}')
            change(c, user, "ai", "other", "o1", "insert", '{"name": "t"}')
            c.run("INSERT INTO auth.encryption_vault_audit (id, user_id, action, status) VALUES ($1, $1, 'init', 201)", user)
            c.run("INSERT INTO mana_ai.sealed_records (user_id, app_id, table_name, record_id, fields) VALUES ($1, 'notes', 'notes', 'n1', '{}')", user)
            c.run("INSERT INTO mana_ai.seal_origins VALUES ($1, sha256('x'), 'notes', 'notes', 'n1', 'content')", user)
            c.run("INSERT INTO mana_ai.audit_heads VALUES ($1, 0, decode(repeat('00', 32), 'hex'), now())", user)
            c.run("INSERT INTO mana_ai.audit_cuts VALUES ($1, 1, sha256('x'))", user)
            c.run("INSERT INTO mana_ai.decrypt_audit (user_id, mission_id, table_name, record_id, status) VALUES ($1, 'm1', 'notes', 'n1', 'ok')", user)
            c.run("INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record) VALUES ($1, 'm1', '{}')", user)
            c.run("INSERT INTO mana_ai.agent_snapshots (user_id, agent_id, record) VALUES ($1, 'g1', '{}')", user)
            c.run("INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, task_id, provider_id) VALUES ($1, 'm1', 't', 'p')", user)
            c.run("INSERT INTO mana_ai.mission_runs (user_id, mission_id, due_at, outcome) VALUES ($1, 'm1', now(), 'planned')", user)
            c.run("INSERT INTO mana_ai.token_usage (user_id, agent_id, mission_id, tokens_used) VALUES ($1, 'g1', 'm1', 1)", user)
    return database


def tables(c):
    found = {}
    for row in c.run("""
        SELECT n.nspname || '.' || c.relname AS name, a.attname AS column
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
          AND (n.nspname IN ('mana_ai', 'auth') OR c.relname = 'sync_changes')"""):
        found.setdefault(row["name"], []).append(row["column"])
    return found


def may(role, table, privilege, column=None):
    columns = MAY[role].get(table, {}).get(privilege, set())
    return columns == ALL or (bool(columns) if column is None else column in columns)


@promise("A role does to tables and columns what it may, and nothing else")
def table_matrix(database):
    forbidden = allowed = 0
    with database.superuser() as s:
        every = tables(s)
    same(len(every), 22, "tables, all of them tried")
    for role in SERVICES:
        with database.service(role) as c:
            for table, columns in every.items():
                tries = [("DELETE", None, f"DELETE FROM {table} WHERE false"), ("TRUNCATE", None, f"TRUNCATE {table}")]
                for column in columns:
                    tries.append(("SELECT", column, f'SELECT "{column}" FROM {table} LIMIT 0'))
                    tries.append(("INSERT", column, f'INSERT INTO {table} ("{column}") SELECT NULL WHERE false'))
                    tries.append(("UPDATE", column, f'UPDATE {table} SET "{column}" = NULL WHERE false'))
                for privilege, column, sql in tries:
                    if (table, column) == ("mana_ai.change_queue", "seq") and privilege != "SELECT":
                        continue  # an identity: refused before privileges are looked at
                    # UPDATE ... WHERE reads nothing here, so it needs no SELECT.
                    if may(role, table, privilege, column):
                        c.run(sql)
                        allowed += 1
                    else:
                        refused("42501", lambda sql=sql: c.run(sql), f"{role}: {sql}")
                        forbidden += 1
    return f"{forbidden} forbidden, {allowed} allowed"


@promise("A role executes the functions it may, and no other")
def function_matrix(database):
    forbidden = allowed = 0
    with database.superuser() as s:
        functions = s.run("""
            SELECT p.proname AS name, p.oid::regprocedure AS signature,
              array_to_string(ARRAY(SELECT 'NULL::' || format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY u(t, o) ORDER BY o), ', ') AS nulls,
              p.provariadic <> 0 AS variadic, p.prorettype = 'trigger'::regtype AS fires
            FROM pg_proc p WHERE p.pronamespace = 'mana_ai'::regnamespace""")
    same({f["name"] for f in functions} >= set().union(*EXECUTES.values()), True, "functions, all of them tried")
    for role in SERVICES:
        with database.service(role) as c:
            for f in functions:
                call = f"SELECT mana_ai.{f['name']}({'VARIADIC ' if f['variadic'] == 't' else ''}{f['nulls']})"
                if f["name"] in EXECUTES[role]:
                    c.run("BEGIN")
                    try:
                        c.run(call)
                    except Refused as error:
                        holds(error.state != "42501" or "schema" not in error.message, f"{role}: {call}: {error}")
                        holds(error.state.startswith("MD") or error.state in ("22004", "22023", "55P03"), f"{role}: {call}: {error}")
                    c.run("ROLLBACK")
                    allowed += 1
                else:
                    refused("42501", lambda: c.run(call), f"{role}: {call}")
                    forbidden += 1
    return f"{forbidden} forbidden, {allowed} allowed"


@promise("No role becomes another, makes an object, or gets around the database")
def escapes(database):
    tried = 0
    everyone = SERVICES + ["mandate_owner", "mandate_gate", "postgres", "pg_read_all_data", "pg_write_all_data",
                           "pg_monitor", "pg_read_server_files", "pg_execute_server_program", "pg_database_owner"]
    for role in SERVICES:
        with database.service(role) as c:
            tries = [(f"SET ROLE {other}", "42501") for other in everyone if other != role]
            tries += [(f"SET SESSION AUTHORIZATION {other}", "42501") for other in everyone if other != role]
            tries += [(f"GRANT {other} TO {role}", ("42501", "0LP01")) for other in everyone if other != role]
            for schema in ("public", "mana_ai", "auth", "pg_catalog"):
                tries += [(f"CREATE TABLE {schema}.mine (a int)", "42501"),
                          (f"CREATE VIEW {schema}.mine AS SELECT 1", "42501"),
                          (f"CREATE FUNCTION {schema}.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "42501"),
                          (f"CREATE OPERATOR {schema}.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)", "42501")]
            tries += [(sql, ("42501", "0A000")) for sql in (
                "CREATE TEMP TABLE mine (a int)", "CREATE SCHEMA mine", "CREATE ROLE mine", "CREATE DATABASE mine",
                f"ALTER ROLE {role} SUPERUSER", f"ALTER ROLE {role} BYPASSRLS", f"ALTER ROLE {role} CREATEROLE",
                "ALTER ROLE mandate_owner PASSWORD 'x'", "ALTER ROLE mandate_gate LOGIN",
                "ALTER ROLE mandate_owner SET app.current_user_id = 'user-a'",
                f"ALTER DATABASE {database.name} SET app.current_user_id = 'user-a'", "ALTER SYSTEM SET fsync = off",
                "CREATE EXTENSION pgcrypto", "CREATE EXTENSION dblink", "CREATE LANGUAGE plpython3u", "LOAD 'auto_explain'",
                "SET session_replication_role = replica", "SET SESSION lo_compat_privileges = on",
                "COPY (SELECT 1) TO PROGRAM 'true'", "COPY (SELECT 1) TO '/dev/null'", "SELECT pg_read_file('PG_VERSION')",
                "SELECT pg_ls_dir('.')", "SELECT lo_import('/etc/hostname')", "SELECT * FROM pg_authid",
                "SELECT pg_reload_conf()", "SELECT pg_switch_wal()", "SELECT pg_read_binary_file('PG_VERSION')",
                "CREATE PUBLICATION mine FOR ALL TABLES", "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION mine()",
                "CHECKPOINT", "DROP OWNED BY mandate_owner", "REASSIGN OWNED BY mandate_owner TO CURRENT_USER",
                "DROP SCHEMA mana_ai CASCADE", "ALTER DEFAULT PRIVILEGES FOR ROLE mandate_gate GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
                "SELECT nextval('mana_ai.decrypt_audit_id_seq')", "SELECT setval('mana_ai.decrypt_audit_id_seq', 1)")]
            for sql, states in tries:
                refused(states if isinstance(states, tuple) else (states,), lambda sql=sql: c.run(sql), f"{role}: {sql}")
            tried += len(tries)
    return f"{tried} forbidden"


@promise("No role changes a table's shape, its policies, its triggers or its owner")
def shapes(database):
    tried = 0
    with database.superuser() as s:
        every = tables(s)
    for role in SERVICES:
        with database.service(role) as c:
            for table, columns in every.items():
                for sql in (f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
                            f"ALTER TABLE {table} DISABLE TRIGGER ALL", f"ALTER TABLE {table} OWNER TO {role}",
                            f"ALTER TABLE {table} ADD COLUMN mine int", f"DROP TABLE {table} CASCADE",
                            f"CREATE POLICY mine ON {table} USING (true)", f"CREATE INDEX ON {table} (({columns[0]}))",
                            f"CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
                            f"CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING", f"COMMENT ON TABLE {table} IS 'mine'"):
                    refused("42501", lambda sql=sql: c.run(sql), f"{role}: {sql}")
                    tried += 1
                # GRANT without the right to grant is an error or, where some privilege is held, nothing at all.
                try:
                    c.run(f"GRANT ALL ON {table} TO PUBLIC")
                except Refused as error:
                    same(error.state, "42501", f"{role}: GRANT on {table}")
                tried += 1
    with database.superuser() as s:
        same(s.run("SELECT 1 FROM pg_class c, aclexplode(c.relacl) a WHERE a.grantee = 0 AND c.relnamespace = 'mana_ai'::regnamespace"), [],
             "something was granted to PUBLIC")
    return f"{tried} forbidden"


@promise("Rows of another user, of no scope and of an empty one are invisible and untouchable")
def rows(database):
    looked = 0
    with database.superuser() as s:
        every = tables(s)
    for role in SERVICES:
        with database.service(role) as c:
            for table, columns in every.items():
                key = "user_id" if "user_id" in columns else "id" if table == "auth.users" else None
                if key is None or not may(role, table, "SELECT", key):
                    continue
                across = role == "mandate_operator"  # reads the census and all chains, by policies of its own
                for scope, wanted in ((None, {}), ("", {}), ("user-c", {}), (A, {A}), (B, {B})):
                    c.run("BEGIN")
                    if scope is not None:
                        c.run(SCOPE, scope)
                    found = {r["k"] for r in c.run(f"SELECT DISTINCT {key} AS k FROM {table}")}
                    wanted = set(wanted)
                    if table == "mana_ai.rls_canary":
                        wanted = set()
                    same(found, {A, B} if across else wanted, f"{role} reads {table} under {scope!r}")
                    for privilege, sql in (("UPDATE", f"UPDATE {table} SET {key} = {key}"), ("DELETE", f"DELETE FROM {table}")):
                        if may(role, table, privilege, key if privilege == "UPDATE" else None):
                            c.run("SAVEPOINT s")
                            c.run(f"{sql} WHERE {key} <> {'NULL' if scope is None else repr(scope)} OR {key} = '{'user-c'}'")
                            same(c.touched, 0, f"{role}: {sql} under {scope!r}")
                            c.run("ROLLBACK TO s")
                            looked += 1
                    c.run("ROLLBACK")
                    looked += 1
                # Row security can be refused, not switched off.
                c.run("BEGIN")
                c.run("SET LOCAL row_security = off")
                refused("42501", lambda: c.run(f"SELECT {key} FROM {table}"), f"{role} reads {table} with row_security off")
                c.run("ROLLBACK")
    return f"{looked} looked at"


@promise("A row for another user, for none, or under no scope is not written")
def foreign_writes(database):
    tried = 0
    writes = {
        "mandate_issuer": [
            "INSERT INTO auth.encryption_vault_audit (id, user_id, action, status) VALUES (gen_random_uuid()::text, $1, 'init', 1)",
            "INSERT INTO mana_ai.seal_origins VALUES ($1, sha256(gen_random_uuid()::text::bytea), 'a', 'b', 'c', 'd')",
            "INSERT INTO mana_ai.sealed_records (user_id, app_id, table_name, record_id, fields) VALUES ($1, 'a', 'b', gen_random_uuid()::text, '{}')",
            "INSERT INTO auth.users (id) VALUES ($1)"],
        "mandate_runner": [
            "INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record) VALUES ($1, gen_random_uuid()::text, '{}')",
            "INSERT INTO mana_ai.agent_snapshots (user_id, agent_id, record) VALUES ($1, gen_random_uuid()::text, '{}')",
            "INSERT INTO mana_ai.mission_runs (user_id, mission_id, due_at, outcome) VALUES ($1, gen_random_uuid()::text, now(), 'failed')",
            "INSERT INTO mana_ai.token_usage (user_id, agent_id, mission_id, tokens_used) VALUES ($1, 'g', 'm', 1)",
            "INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, provider_id, task_id) VALUES ($1, gen_random_uuid()::text, 'p', 't')",
            "INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) VALUES ('ai', 'aiMissions', 'm9', $1, 'update', 'mana-ai-runner')"],
        "mandate_sync": [
            "INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) VALUES ('notes', 'notes', 'm9', $1, 'insert', 'device')"],
    }
    for role, statements in writes.items():
        with database.service(role) as c:
            for sql in statements:
                for scope, user in ((A, B), (None, A), ("", ""), (None, ""), (A, "")):
                    c.run("BEGIN")
                    if scope is not None:
                        c.run(SCOPE, scope)
                    refused("42501", lambda: c.run(sql, user), f"{role} under {scope!r} for {user!r}: {sql}")
                    c.run("ROLLBACK")
                    tried += 1
                c.run("BEGIN")
                c.run(SCOPE, "user-d" if "auth.users" in sql else A)
                c.run(sql, "user-d" if "auth.users" in sql else A)
                same(c.touched, 1, f"{role} under its user's scope: {sql}")
                c.run("ROLLBACK")
    return f"{tried} refused"


@promise("The runner neither reads nor writes a record that a grant can name, whatever the scope")
def runner(database):
    insert = ("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id) "
              "VALUES ($1, $2, 'x', $3, $4, $5::jsonb, $6)")
    with database.runner() as c:
        for spaces in ("", "space-1,space-2"):
            c.run("BEGIN")
            c.run(SCOPE, A)
            c.run("SELECT set_config('app.current_user_space_ids', $1, true)", spaces)
            same({(r["app_id"], r["table_name"]) for r in c.run("SELECT DISTINCT app_id, table_name FROM public.sync_changes")},
                 {("ai", "aiMissions"), ("ai", "agents")}, "what the runner sees")
            for app, table in (("notes", "notes"), ("todo", "tasks"), ("calendar", "events"), ("journal", "journalEntries"),
                               ("kontext", "kontextDoc"), ("profile", "userContext"), ("companion", "companionGoals"),
                               ("ai", "agents"), ("ai", "other"), ("notes", "aiMissions"), ("ai", "notes")):
                for op in ("insert", "update", "delete"):
                    c.run("SAVEPOINT s")
                    refused("42501", lambda: c.run(insert, app, table, A, op, '{"content": "enc:1:stolen.copy"}', "mana-ai-runner"),
                            f"runner writes {op} {app}/{table}")
                    c.run("ROLLBACK TO s")
            for op, client in (("insert", "mana-ai-runner"), ("delete", "mana-ai-runner"), ("update", "device"), ("update", "")):
                c.run("SAVEPOINT s")
                refused("42501", lambda: c.run(insert, "ai", "aiMissions", A, op, "{}", client), f"runner writes {op} as {client}")
                c.run("ROLLBACK TO s")
            c.run(insert, "ai", "aiMissions", A, "update", '{"iterations": []}', "mana-ai-runner")
            same(c.touched, 1, "the runner's own update")
            c.run("ROLLBACK")


@promise("The resolver reads the tables that a grant can name, and no mission")
def resolver(database):
    with database.superuser() as s:
        for app, table in (("todo", "tasks"), ("calendar", "events"), ("journal", "journalEntries"), ("kontext", "kontextDoc"),
                           ("profile", "userContext"), ("companion", "companionGoals"), ("notes", "tasks"), ("x", "notes")):
            change(s, A, app, table, "r", "insert")
    with database.resolver() as c:
        c.run("BEGIN")
        c.run(SCOPE, A)
        same({(r["app_id"], r["table_name"]) for r in c.run("SELECT DISTINCT app_id, table_name FROM public.sync_changes")},
             {("notes", "notes"), ("todo", "tasks"), ("calendar", "events"), ("journal", "journalEntries"),
              ("kontext", "kontextDoc"), ("profile", "userContext"), ("companion", "companionGoals")}, "what the resolver sees")
        c.run("ROLLBACK")


@promise("A shared space is seen by the sync role and by none of the services")
def spaces(database):
    with database.superuser() as s:
        s.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id, space_id) "
              "VALUES ('notes', 'notes', 'shared', $1, 'insert', 'device', 'space-1'), ('ai', 'agents', 'shared', $1, 'insert', 'device', 'space-1')", B)
    for role, wanted in (("mandate_sync", 2), ("mandate_issuer", 0), ("mandate_resolver", 0), ("mandate_runner", 0)):
        with database.service(role) as c:
            c.run("BEGIN")
            c.run(SCOPE, A)
            c.run("SELECT set_config('app.current_user_space_ids', 'space-0,space-1', true)")
            same(int(c.one("SELECT count(*) FROM public.sync_changes WHERE record_id = 'shared'")), wanted, role)
            c.run("ROLLBACK")


@promise("The owner is bound by FORCE, inherits nothing of the gate, and is not the gate until it says so")
def owner(database):
    with database.owner() as c:
        for table in ("public.sync_changes", "mana_ai.grants", "mana_ai.change_queue", "mana_ai.decrypt_audit",
                      "auth.encryption_vaults", "mana_ai.purged_users", "mana_ai.receipt_batches"):
            same(int(c.one(f"SELECT count(*) FROM {table}")), 0, f"the owner reads {table}")
        for role in SERVICES + ["postgres"]:
            refused("42501", lambda: c.run(f"SET ROLE {role}"), role)
        refused("42501", lambda: c.run("SELECT * FROM mana_ai.purge_user('user-a')"), "a function of the gate's")
        c.run("SET ROLE mandate_gate")
        refused("42501", lambda: c.run("CREATE FUNCTION mana_ai.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'"), "outside of a migration")


@promise("What closing ends stays ended, and what a grant is about stays the same")
def grants_guard(database):
    with database.issuer() as c:
        c.run("BEGIN")
        c.run(SCOPE, A)
        c.run("SAVEPOINT s")
        for column, value in (("user_id", "'user-b'"), ("mission_id", "'m2'"), ("grant_id", "gen_random_uuid()::text")):
            refused("42501", lambda: c.run(f"UPDATE mana_ai.grants SET {column} = {value}"), column)
            c.run("ROLLBACK TO s")
        for claim in ("expires_at = expires_at + interval '1 day'", "key_id = repeat('cd', 16)", "issued_at = issued_at - interval '1 day'",
                      "claims = claims || 'x'", "claims = ''"):
            refused("23514", lambda: c.run(f"UPDATE mana_ai.grants SET {claim}"), f"columns and claims part: {claim}")
            c.run("ROLLBACK TO s")
        c.run("UPDATE mana_ai.grants SET closed_at = now(), closed_reason = 'user'")
        c.run("SAVEPOINT closed")
        for change_ in ("closed_at = NULL, closed_reason = NULL", "closed_reason = 'expired'", "wrapped_key = wrapped_key"):
            refused("MD004", lambda: c.run(f"UPDATE mana_ai.grants SET {change_}"), change_)
            c.run("ROLLBACK TO closed")
        c.run("ROLLBACK")
    with database.superuser() as s:
        refused("MD004", lambda: s.run("UPDATE mana_ai.grants SET mission_id = 'm2' WHERE user_id = 'user-a'"), "a superuser too")


@promise("Nobody updates, deletes or truncates the audit, not even a superuser in passing")
def audit_guard(database):
    with database.superuser() as s:
        for sql in ("UPDATE mana_ai.decrypt_audit SET status = 'failed'", "DELETE FROM mana_ai.decrypt_audit",
                    "TRUNCATE mana_ai.decrypt_audit", "UPDATE mana_ai.decrypt_audit SET ts = now() WHERE false"):
            refused("MD005", lambda: s.run(sql), sql)
        s.run("SET session_replication_role = replica")
        refused("MD005", lambda: s.run("DELETE FROM mana_ai.decrypt_audit"), "as a replica")
    with database.owner() as c:
        c.run("BEGIN")
        c.run("SET LOCAL ROLE mandate_gate")
        refused("42501", lambda: c.run("UPDATE mana_ai.decrypt_audit SET status = 'failed'"), "the gate itself")
        c.run("ROLLBACK")


@promise("Functions of the gate leave no scope behind and follow none")
def no_scope(database):
    with database.issuer() as c:
        c.run("BEGIN")
        c.run(SCOPE, B)
        c.run("SELECT * FROM mana_ai.gauges()")
        c.run("SELECT * FROM mana_ai.take_seal_changes(1)")
        same(c.one("SELECT current_setting('app.current_user_id')"), B, "the scope after a function")
        c.run("ROLLBACK")
        same(c.one("SELECT coalesce(current_setting('app.current_user_id', true), '')"), "", "the scope after the transaction")


@promise("An object in another's schema never stands in for one of ours")
def search_path(database):
    with database.superuser() as s:
        s.script("CREATE SCHEMA evil; GRANT ALL ON SCHEMA evil TO PUBLIC;"
                 "CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2000-01-01'::timestamptz $$;"
                 "CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT 'x'::bytea $$;"
                 "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA evil TO PUBLIC")
    with database.issuer() as c:
        c.run("BEGIN")
        c.run("SET LOCAL search_path = evil, pg_catalog")
        wrong = c.one("SELECT encode(sha256('abc'), 'hex')")
        right = c.one("SELECT encode(mana_ai.audit_hash('', 'u', 1, '2026-01-01', 'm', NULL, NULL, 't', 'r', 'ok', NULL, NULL, NULL, NULL), 'hex')")
        same((wrong, len(right)), ("78", 64), "the function's own sha256")
        c.run("ROLLBACK")
    with database.superuser() as s:
        s.run("DROP SCHEMA evil CASCADE")
