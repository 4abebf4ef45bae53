"""A fresh database, or one that a former system leaves behind in any state, ends up the same and loses nothing."""

import threading

from cluster import STORE, Database
from pq import Refused
from suite import holds, promise, refused, same
from world import SCOPE, Mission, open_receipts

# The log as it was once: stamps under their older name, younger columns missing, row security on but not forced.
OLD_LOG = """
CREATE TABLE sync_changes (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), app_id text NOT NULL, table_name text NOT NULL, record_id text NOT NULL,
  user_id text NOT NULL, op text NOT NULL CHECK (op IN ('insert', 'update', 'delete')), data jsonb,
  field_timestamps jsonb DEFAULT '{}', client_id text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX idx_sync_changes_user_app ON sync_changes (user_id, app_id, created_at);
CREATE INDEX idx_sync_changes_table_record ON sync_changes (table_name, record_id, created_at);
ALTER TABLE sync_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY sync_changes_user_isolation ON sync_changes USING (user_id = current_setting('app.current_user_id', true));
INSERT INTO sync_changes (app_id, table_name, record_id, user_id, op, data, field_timestamps, client_id) VALUES
  ('ai', 'aiMissions', 'm1', 'u1', 'insert', '{"title": "t", "state": "active"}', '{}', 'd'),
  ('ai', 'aiMissions', 'm1', 'u1', 'update', '{"title": "x"}', '{"title": "2026-01-01T00:00:00.000Z"}', 'd'),
  ('ai', 'agents', 'g1', 'u1', 'insert', '{"name": "n"}', NULL, 'd'),
  ('notes', 'notes', 'n1', 'u1', 'insert', '{"content": "enc:1:a.b"}', '{}', 'd'),
  ('notes', 'notes', 'n2', 'u2', 'insert', '{}', '{}', 'd'), ('other', 'things', 'x', 'u1', 'insert', '{}', '{}', 'd'),
  ('ai', 'aiMissions', 'm2', '', 'insert', '{}', '{}', 'd');
"""
# The log of today's former system.
NEW_LOG = OLD_LOG.replace("field_timestamps", "field_meta") + """
ALTER TABLE sync_changes ADD COLUMN schema_version int NOT NULL DEFAULT 1, ADD COLUMN actor jsonb, ADD COLUMN origin text, ADD COLUMN space_id text;
CREATE INDEX idx_sync_changes_since ON sync_changes (user_id, app_id, table_name, created_at);
CREATE INDEX idx_sync_changes_user_space_app_since ON sync_changes (user_id, space_id, app_id, created_at) WHERE space_id IS NOT NULL;
ALTER TABLE sync_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY sync_changes_space_member_read ON sync_changes FOR SELECT
  USING (space_id IS NOT NULL AND space_id = ANY (string_to_array(coalesce(current_setting('app.current_user_space_ids', true), ''), ',')));
"""
RUNNER_TABLES = """
CREATE SCHEMA mana_ai;
CREATE TABLE mana_ai.decrypt_audit (
  id bigserial PRIMARY KEY, user_id text NOT NULL, mission_id text NOT NULL, iteration_id text, table_name text NOT NULL,
  record_id text NOT NULL, status text NOT NULL CHECK (status IN ('ok', 'failed', 'scope-violation')), reason text, ts timestamptz NOT NULL DEFAULT now());
CREATE INDEX idx_decrypt_audit_mission ON mana_ai.decrypt_audit (user_id, mission_id, ts DESC);
ALTER TABLE mana_ai.decrypt_audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY decrypt_audit_user_scope ON mana_ai.decrypt_audit USING (user_id = current_setting('app.current_user_id', true));
INSERT INTO mana_ai.decrypt_audit (user_id, mission_id, iteration_id, table_name, record_id, status, reason, ts) VALUES
  ('u1', 'm1', NULL, 'notes', 'n1', 'ok', NULL, '2026-01-01Z'), ('u1', 'm1', '', 'notes', 'n1', 'failed', '', '2026-01-02Z'),
  ('', '', NULL, '', '', 'scope-violation', 'x', '2026-01-03Z');
CREATE TABLE mana_ai.mission_snapshots (
  user_id text NOT NULL, mission_id text NOT NULL, record jsonb NOT NULL, last_applied_at timestamptz NOT NULL DEFAULT 'epoch',
  updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (user_id, mission_id));
CREATE INDEX idx_mission_snapshots_due ON mana_ai.mission_snapshots ((record->>'state'), (record->>'nextRunAt')) WHERE record->>'state' = 'active';
CREATE INDEX idx_mission_snapshots_user ON mana_ai.mission_snapshots (user_id, last_applied_at);
INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record) VALUES ('u1', 'm1', '{"state": "active", "nextRunAt": "2020-01-01T00:00:00.000Z"}'),
  ('deleted', 'orphan', '{"state": "active", "nextRunAt": "2020-01-01T00:00:00.000Z"}');
CREATE TABLE mana_ai.mission_research_jobs (
  user_id text NOT NULL, mission_id text NOT NULL, task_id text NOT NULL, provider_id text NOT NULL, submitted_at timestamptz NOT NULL DEFAULT now(),
  last_polled_at timestamptz, PRIMARY KEY (user_id, mission_id));
CREATE INDEX idx_mission_research_jobs_user ON mana_ai.mission_research_jobs (user_id, submitted_at DESC);
INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, task_id, provider_id) VALUES ('u1', 'm1', 't', 'p');
CREATE TABLE mana_ai.token_usage (
  id bigserial PRIMARY KEY, user_id text NOT NULL, agent_id text NOT NULL, mission_id text NOT NULL, tokens_used int NOT NULL, ts timestamptz NOT NULL DEFAULT now());
CREATE INDEX idx_token_usage_agent_window ON mana_ai.token_usage (user_id, agent_id, ts DESC);
INSERT INTO mana_ai.token_usage (user_id, agent_id, mission_id, tokens_used) VALUES ('u1', 'g1', 'm1', 7);
"""
AGENTS = """
CREATE TABLE mana_ai.agent_snapshots (
  user_id text NOT NULL, agent_id text NOT NULL, record jsonb NOT NULL, last_applied_at timestamptz NOT NULL DEFAULT 'epoch',
  updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (user_id, agent_id));
CREATE INDEX idx_agent_snapshots_user ON mana_ai.agent_snapshots (user_id, last_applied_at);
CREATE INDEX idx_agent_snapshots_state ON mana_ai.agent_snapshots ((record->>'state')) WHERE record->>'state' = 'active';
INSERT INTO mana_ai.agent_snapshots (user_id, agent_id, record) VALUES ('u1', 'g1', '{"state": "active"}');
"""
# The vault in the same database, as the former system's mapper alone makes it: no check, no row security, and its users with columns of theirs.
VAULT = """
CREATE SCHEMA auth;
CREATE TABLE auth.users (id text PRIMARY KEY, email text NOT NULL, created_at timestamp NOT NULL DEFAULT now());
INSERT INTO auth.users (id, email) VALUES ('u1', 'u1@example.org'), ('u2', 'u2@example.org');
CREATE TABLE auth.encryption_vaults (
  user_id text PRIMARY KEY, wrapped_mk text NOT NULL, wrap_iv text NOT NULL, format_version smallint NOT NULL DEFAULT 1, kek_id text NOT NULL DEFAULT 'env-v1',
  created_at timestamptz NOT NULL DEFAULT now(), rotated_at timestamptz,
  CONSTRAINT encryption_vaults_user_id_users_id_fk FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE);
CREATE INDEX encryption_vaults_user_id_idx ON auth.encryption_vaults (user_id);
CREATE TABLE auth.encryption_vault_audit (
  id text PRIMARY KEY, user_id text NOT NULL, action text NOT NULL, ip_address text, user_agent text, context text, status int NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX encryption_vault_audit_user_id_idx ON auth.encryption_vault_audit (user_id);
CREATE INDEX encryption_vault_audit_created_at_idx ON auth.encryption_vault_audit (created_at);
INSERT INTO auth.encryption_vaults (user_id, wrapped_mk, wrap_iv) VALUES ('u1', 'w', 'i');
INSERT INTO auth.encryption_vault_audit (id, user_id, action, status) VALUES ('a', 'u1', 'init', 201);
"""
TABLES = ("public.sync_changes", "mana_ai.decrypt_audit", "mana_ai.mission_snapshots", "mana_ai.agent_snapshots",
          "mana_ai.mission_research_jobs", "mana_ai.token_usage", "auth.encryption_vaults", "auth.encryption_vault_audit", "auth.users")


def prepare():
    return Database("fresh")


def state(database):
    with database.owner() as c:
        c.run("BEGIN")
        lines = [r["fact"] for r in c.script((STORE / "Proof" / "state.sql").read_text())]
        c.run("COMMIT")
    return lines


def contents(c):
    """Every row of the former system's tables, by the columns it had."""
    found = {}
    for table in TABLES:
        if c.one("SELECT to_regclass($1) IS NOT NULL", table) == "t":
            found[table] = sorted(r["j"] for r in c.run(f"SELECT to_jsonb(t) AS j FROM {table} t"))
    return found


def taken_over(name, prepare_sql):
    """Migrates what a former system left; answers its rows before and after, by the columns it had."""
    import json
    database = Database(name, prepare=prepare_sql, migrated=False)
    with database.superuser() as c:
        before = contents(c)
    database.bootstrap()
    database.migrate()
    with database.superuser() as c:
        after = contents(c)
    for table, rows in before.items():
        old, new = [json.loads(r) for r in rows], [json.loads(r) for r in after[table]]
        for row in old:
            if "field_timestamps" in row:
                stamps = row.pop("field_timestamps")
                row["field_meta"] = {**(stamps or {}), **(row.get("field_meta") or {})} if "field_meta" in row else stamps
        names = set(old[0]) if old else set()
        same(sorted(json.dumps(r, sort_keys=True) for r in old),
             sorted(json.dumps({k: v for k, v in r.items() if k in names}, sort_keys=True) for r in new), f"{name}: rows of {table}")
    return database


@promise("A database that a former system leaves behind migrates in place, keeps every row and ends up like a fresh one")
def in_place(database):
    fresh = state(database)
    variants = {
        "old_log": (OLD_LOG, False),
        "new_log": (NEW_LOG, False),
        "unforced": (NEW_LOG + "ALTER TABLE sync_changes DISABLE ROW LEVEL SECURITY; DROP POLICY sync_changes_user_isolation ON sync_changes;", False),
        "with_runner": (OLD_LOG + RUNNER_TABLES, False),
        "with_agents": (NEW_LOG + RUNNER_TABLES + AGENTS, False),
        "with_vault": (NEW_LOG + RUNNER_TABLES + AGENTS + VAULT, True),
        "runner_only": (RUNNER_TABLES + AGENTS, False),
    }
    for name, (sql, foreign_users) in variants.items():
        migrated = taken_over(f"former_{name}", sql)
        found = state(migrated)
        expected = set(fresh)
        if foreign_users:
            expected = {line for line in fresh if " auth.users" not in line} | {"foreign auth.users"}
            found = [line for line in found if " auth.users:" not in line and " auth.users." not in line]
            expected |= {line for line in fresh if "REFERENCES auth.users" in line}
        same((sorted(expected - set(found)), sorted(set(found) - expected)), ([], []), name)
        with migrated.superuser() as c:
            same(c.one("SELECT count(*) FROM mana_ai.decrypt_audit WHERE seq IS NOT NULL"), "0", "nothing is chained that was not")
            same(c.run("SELECT 1 FROM mana_ai.mission_snapshots WHERE state IS NOT NULL OR next_run_at IS NOT NULL"), [], "nothing is due before it was folded")
            queue = {(r["topic"], r["user_id"], r["table_name"], r["record_id"]) for r in c.run("SELECT * FROM mana_ai.change_queue")}
            wanted = {("project", "u1", "aiMissions", "m1"), ("project", "u1", "agents", "g1")} if "log" in name or name != "runner_only" else set()
            if foreign_users:
                wanted |= {("seal", "u1", "aiMissions", "m1"), ("seal", "u1", "notes", "n1")}
            same(queue, wanted, f"{name}: the backlog")
            touched = c.one("SELECT string_agg(touched, '; ' ORDER BY number) FROM mana_ai.schema_migrations")
            holds(f"enqueued {2 if wanted else 0} project, {2 if foreign_users else 0} seal" in touched, touched)
            holds(("renamed" in touched) == ("field_timestamps" in sql), touched)
            # Rows from before the chain stay beside it.
            open_receipts(c, Mission("u1", "m1", None, ["n1"], statuses=["failed"], reasons=["not-granted"]))
            same(c.one("SELECT seq FROM mana_ai.decrypt_audit WHERE user_id = 'u1' AND seq IS NOT NULL"), "1", "the chain begins")
        with migrated.issuer() as c:
            c.run("BEGIN")
            c.run(SCOPE, "u1")
            same(len(c.run("SELECT 1 FROM public.sync_changes")), 0 if name == "runner_only" else 5, "the user's rows under the user's scope")
            c.run("ROLLBACK")
            c.run("BEGIN")
            c.run(SCOPE, "")
            same(c.run("SELECT 1 FROM public.sync_changes"), [], "rows of nobody under no scope")
            c.run("ROLLBACK")
    return f"{len(variants)} kinds"


@promise("Two columns of stamps are merged where they agree, and stop the migration where they contradict")
def stamps(database):
    both = OLD_LOG + """ALTER TABLE sync_changes ADD COLUMN field_meta jsonb DEFAULT '{}';
      UPDATE sync_changes SET field_timestamps = '{"a": "1", "b": "2"}', field_meta = '{"b": "2", "c": "3"}' WHERE record_id = 'n1';"""
    migrated = taken_over("stamps", both)
    with migrated.superuser() as c:
        same(c.one("SELECT field_meta FROM public.sync_changes WHERE record_id = 'n1'"), '{"a": "1", "b": "2", "c": "3"}', "merged")
        same(c.one("SELECT touched FROM mana_ai.schema_migrations WHERE number = 2"), "stamps merged in 2 rows", "counted")
        same(c.one("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'sync_changes'"), "t", "forced again")
    contradictory = Database("contradictory", prepare=both.replace('{"b": "2", "c"', '{"b": "9", "c"'), migrated=False)
    contradictory.bootstrap()
    error = refused("P0001", contradictory.migrate, "contradictory stamps")
    holds("contradict each other in 1 rows" in error.message, error.message)
    with contradictory.superuser() as c:
        same(c.one("SELECT max(number) FROM mana_ai.schema_migrations"), "1", "stopped before that migration")
        same(c.one("SELECT count(*) FROM sync_changes WHERE field_timestamps IS NOT NULL"), "6", "nothing was touched")


@promise("Two migrators at once take turns, and the work is done once")
def twice(database):
    for attempt in range(3):
        racing = Database("racing", migrated=False)
        racing.bootstrap()
        done, errors = [], []

        def migrate():
            try:
                done.extend(racing.migrate())
            except Refused as error:
                errors.append(error)
        threads = [threading.Thread(target=migrate) for _ in range(4)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        same(errors, [], "errors")
        same(sorted(done), sorted(f.stem for f in (STORE / "Migrations").glob("m*.sql")), "each migration once")
    same(racing.migrate(), [], "nothing is left to do")
    same(state(racing), state(database), "the same as migrated by one")


@promise("A migration that was changed after it was applied is an error, and one that fails leaves nothing behind")
def changed(database):
    broken = Database("broken", migrated=False)
    broken.bootstrap()
    broken.migrate(upto=4)
    with broken.superuser() as c:
        c.run("UPDATE mana_ai.schema_migrations SET checksum = sha256('x') WHERE number = 3")
        try:
            broken.migrate()
            holds(False, "a changed migration was not noticed")
        except AssertionError as error:
            holds("m0003" in str(error), str(error))
        c.run("DELETE FROM mana_ai.schema_migrations WHERE number = 3")
        refused(("42710", "42P07", "42701"), broken.migrate, "a migration that is already there")
        same(c.one("SELECT max(number) FROM mana_ai.schema_migrations"), "4", "the ledger")
        same(c.run("SELECT 1 FROM pg_class WHERE relname = 'change_queue'"), [], "no later table")


@promise("A vault that is imported later brings its backlog, once or twice")
def imported(database):
    later = taken_over("imported", NEW_LOG)
    with later.owner() as c, later.superuser() as s:
        c.run("BEGIN")
        c.script("ALTER TABLE auth.users NO FORCE ROW LEVEL SECURITY; ALTER TABLE auth.encryption_vaults NO FORCE ROW LEVEL SECURITY;"
                 "INSERT INTO auth.users (id) VALUES ('u1'); INSERT INTO auth.encryption_vaults (user_id, wrapped_mk, wrap_iv) VALUES ('u1', 'w', 'i');"
                 "ALTER TABLE auth.users FORCE ROW LEVEL SECURITY; ALTER TABLE auth.encryption_vaults FORCE ROW LEVEL SECURITY;")
        c.script((STORE / "Bootstrap" / "seal_backlog.sql").read_text())
        c.run("COMMIT")
        same({(r["topic"], r["record_id"]) for r in s.run("SELECT * FROM mana_ai.change_queue WHERE topic = 'seal'")}, {("seal", "m1"), ("seal", "n1")}, "the backlog")
        same(state(later), state(database), "forced again")


@promise("Every transaction of the migrations leaves row security forced")
def forced(database):
    step = Database("steps", migrated=False, prepare=NEW_LOG + RUNNER_TABLES + AGENTS)
    step.bootstrap()
    with step.superuser() as c:
        for number in range(1, len(list((STORE / "Migrations").glob("m*.sql"))) + 1):
            step.migrate(upto=number)
            loose = c.run("SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid WHERE c.relowner = 'mandate_owner'::regrole "
                          "AND NOT (c.relrowsecurity AND c.relforcerowsecurity) AND EXISTS (SELECT FROM pg_policy q WHERE q.polrelid = c.oid AND q.polname LIKE '%gate')")
            same(loose, [], f"after migration {number}")
            same(c.run("SELECT 1 FROM pg_namespace n WHERE has_schema_privilege('mandate_gate', n.oid, 'CREATE')"), [], f"the gate may create after migration {number}")
