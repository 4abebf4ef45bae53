"""Verification finds every difference, the proof finds every loosening, and neither cries wolf."""

from cluster import SERVICES, STORE, Database
from pq import Refused
from suite import holds, promise, same

EXPECTED = STORE / "Proof" / "expected_state.txt"


def prepare():
    return Database("state")


def state(database):
    with database.owner() as c:
        c.run("BEGIN")
        lines = [r["fact"] for r in c.script((STORE / "Proof" / "state.sql").read_text())]
        c.run("COMMIT")
    return lines


def proof(database, role="mandate_resolver"):
    with database.service(role) as c:
        return [f"{r['object']} {r['problem']}" for r in c.run((STORE / "Proof" / "house_proof.sql").read_text())]


def canary(database, role):
    with database.service(role) as c:
        c.run("BEGIN")
        found = []
        for scope in ("mandate canary", "mandate stranger", ""):
            c.run("SELECT set_config('app.current_user_id', $1, true)", scope)
            found.append(c.one("SELECT count(*) FROM mana_ai.rls_canary"))
        c.run("ROLLBACK")
    return found


@promise("The state of a fresh database is the expected one, line by line")
def expected(database):
    found = state(database)
    wanted = EXPECTED.read_text().splitlines()
    same((sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))), ([], []), "differences; run state.py to make it anew")
    same(found, wanted, "order")
    holds(len(found) > 500, "it says enough")
    return f"{len(found)} facts"


@promise("Each service's proof holds on a healthy database, its canary too, and each can commit its readiness")
def healthy(database):
    for role in SERVICES:
        same(proof(database, role), [], role)
    for role in SERVICES[:3]:
        same(canary(database, role), ["1", "0", "0"], f"{role}'s canary")
        with database.service(role) as c:
            c.run("UPDATE mana_ai.audit_probe SET touched_at = clock_timestamp()")
            same(c.touched, 1, f"{role}'s probe")


# What somebody with more rights than he should use may do: (how, back, the proof must see it, words that name it).
TAMPERS = [
    ("ALTER TABLE mana_ai.grants NO FORCE ROW LEVEL SECURITY", "ALTER TABLE mana_ai.grants FORCE ROW LEVEL SECURITY", True, "mana_ai.grants"),
    ("ALTER TABLE public.sync_changes DISABLE ROW LEVEL SECURITY", "ALTER TABLE public.sync_changes ENABLE ROW LEVEL SECURITY", True, "sync_changes"),
    ("ALTER TABLE mana_ai.decrypt_audit OWNER TO mandate_resolver", "ALTER TABLE mana_ai.decrypt_audit OWNER TO mandate_owner", True, "decrypt_audit"),
    ("ALTER TABLE mana_ai.decrypt_audit DISABLE TRIGGER decrypt_audit_guard", "ALTER TABLE mana_ai.decrypt_audit ENABLE ALWAYS TRIGGER decrypt_audit_guard", True, "decrypt_audit"),
    ("ALTER TABLE public.sync_changes ENABLE TRIGGER sync_changes_enqueue", "ALTER TABLE public.sync_changes ENABLE ALWAYS TRIGGER sync_changes_enqueue", True, "sync_changes"),
    ("ALTER TABLE mana_ai.receipt_batches SET UNLOGGED", "ALTER TABLE mana_ai.receipt_batches SET LOGGED", True, "receipt_batches"),
    ("ALTER TABLE mana_ai.grants RENAME TO grants_", "ALTER TABLE mana_ai.grants_ RENAME TO grants", True, "mana_ai.grants"),
    ("CREATE TABLE mana_ai.extra (user_id text)", "DROP TABLE mana_ai.extra", True, "extra"),
    ("CREATE TABLE public.part () INHERITS (public.sync_changes)", "DROP TABLE public.part", True, "part"),
    ("CREATE POLICY loose ON mana_ai.grants USING (true)", "DROP POLICY loose ON mana_ai.grants", True, "loose"),
    ("ALTER POLICY sync_changes_runner_read ON public.sync_changes USING (true)",
     "ALTER POLICY sync_changes_runner_read ON public.sync_changes USING (app_id = 'ai' AND table_name IN ('aiMissions', 'agents'))", False, "sync_changes_runner_read"),
    ("ALTER FUNCTION mana_ai.redeem_receipts(uuid[], text[]) OWNER TO postgres", "ALTER FUNCTION mana_ai.redeem_receipts(uuid[], text[]) OWNER TO mandate_gate", True, "redeem_receipts"),
    ("ALTER FUNCTION mana_ai.redeem_receipts(uuid[], text[]) RESET search_path",
     "ALTER FUNCTION mana_ai.redeem_receipts(uuid[], text[]) RESET ALL; ALTER FUNCTION mana_ai.redeem_receipts(uuid[], text[]) SET search_path = pg_catalog, pg_temp; "
     "ALTER FUNCTION mana_ai.redeem_receipts(uuid[], text[]) SET enable_seqscan = off; ALTER FUNCTION mana_ai.redeem_receipts(uuid[], text[]) SET plan_cache_mode = force_generic_plan", True, "redeem_receipts"),
    ("ALTER FUNCTION mana_ai.redeem_receipts(uuid[], text[]) SET row_security = off", "ALTER FUNCTION mana_ai.redeem_receipts(uuid[], text[]) RESET row_security", True, "redeem_receipts"),
    ("GRANT EXECUTE ON FUNCTION mana_ai.purge_user(text) TO PUBLIC", "REVOKE EXECUTE ON FUNCTION mana_ai.purge_user(text) FROM PUBLIC", True, "purge_user"),
    ("GRANT EXECUTE ON FUNCTION mana_ai.open_receipts(uuid[], text[], text[], text[], text[], text[], boolean[], integer[], text[], text[], text[], text[]) TO mandate_runner",
     "REVOKE EXECUTE ON FUNCTION mana_ai.open_receipts(uuid[], text[], text[], text[], text[], text[], boolean[], integer[], text[], text[], text[], text[]) FROM mandate_runner", True, "open_receipts"),
    ("CREATE FUNCTION public.helper() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; ALTER FUNCTION public.helper() OWNER TO mandate_gate", "DROP FUNCTION public.helper()", True, "helper"),
    ("GRANT mandate_gate TO mandate_resolver", "REVOKE mandate_gate FROM mandate_resolver", True, "mandate_resolver"),
    ("GRANT pg_read_all_data TO mandate_resolver", "REVOKE pg_read_all_data FROM mandate_resolver", True, "pg_read_all_data"),
    ("GRANT pg_read_all_data TO mandate_gate", "REVOKE pg_read_all_data FROM mandate_gate", True, "mandate_gate"),
    ("ALTER ROLE mandate_resolver BYPASSRLS", "ALTER ROLE mandate_resolver NOBYPASSRLS", True, "mandate_resolver"),
    ("ALTER ROLE mandate_resolver SUPERUSER", "ALTER ROLE mandate_resolver NOSUPERUSER", True, "mandate_resolver"),
    ("ALTER ROLE mandate_resolver CREATEROLE", "ALTER ROLE mandate_resolver NOCREATEROLE", True, "mandate_resolver"),
    ("ALTER ROLE mandate_gate LOGIN", "ALTER ROLE mandate_gate NOLOGIN", True, "mandate_gate"),
    ("ALTER ROLE mandate_gate BYPASSRLS", "ALTER ROLE mandate_gate NOBYPASSRLS", True, "mandate_gate"),
    ("ALTER ROLE mandate_resolver SET app.current_user_id = 'user-a'", "ALTER ROLE mandate_resolver RESET ALL", True, "app.current_user_id"),
    ("ALTER ROLE mandate_resolver SET synchronous_commit = off", "ALTER ROLE mandate_resolver RESET ALL", True, "synchronous_commit"),
    ("ALTER DATABASE state SET app.current_user_id = 'user-a'", "ALTER DATABASE state RESET ALL", True, "app.current_user_id"),
    ("ALTER DATABASE state SET session_replication_role = replica", "ALTER DATABASE state RESET ALL", True, "session_replication_role"),
    ("ALTER DATABASE state OWNER TO mandate_resolver", "ALTER DATABASE state OWNER TO postgres; GRANT CONNECT ON DATABASE state TO mandate_resolver", True, "database"),
    ("GRANT TEMPORARY ON DATABASE state TO PUBLIC", "REVOKE TEMPORARY ON DATABASE state FROM PUBLIC", True, "TEMPORARY"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE CREATE ON SCHEMA public FROM PUBLIC", True, "public"),
    ("GRANT CREATE ON SCHEMA mana_ai TO mandate_gate", "REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate", True, "mana_ai"),
    ("GRANT SELECT ON mana_ai.grants TO mandate_resolver", "REVOKE SELECT ON mana_ai.grants FROM mandate_resolver", False, "mana_ai.grants"),
    ("GRANT SELECT (wrapped_key) ON mana_ai.grants TO mandate_operator", "REVOKE SELECT (wrapped_key) ON mana_ai.grants FROM mandate_operator", False, "wrapped_key"),
    ("GRANT INSERT ON mana_ai.decrypt_audit TO mandate_resolver", "REVOKE INSERT ON mana_ai.decrypt_audit FROM mandate_resolver", False, "decrypt_audit"),
    ("ALTER TABLE mana_ai.grants DROP CONSTRAINT grants_claims", None, False, "mana_ai.grants"),
    ("DROP INDEX mana_ai.grants_one_open", None, False, "mana_ai.grants"),
    ("ALTER TABLE mana_ai.audit_heads ALTER COLUMN ts DROP NOT NULL", "ALTER TABLE mana_ai.audit_heads ALTER COLUMN ts SET NOT NULL", False, "audit_heads"),
    ("ALTER TABLE mana_ai.grants ADD COLUMN note text", "ALTER TABLE mana_ai.grants DROP COLUMN note", False, "note"),
    ("CREATE VIEW public.window_ AS SELECT * FROM mana_ai.grants", "DROP VIEW public.window_", False, "window_"),
    ("CREATE RULE hide AS ON INSERT TO mana_ai.seal_origins DO INSTEAD NOTHING", "DROP RULE hide ON mana_ai.seal_origins", False, "hide"),
    ("ALTER TABLE mana_ai.grant_keys DISABLE TRIGGER ALL", "ALTER TABLE mana_ai.grant_keys ENABLE TRIGGER ALL", False, "grant_keys"),
    ("ALTER DEFAULT PRIVILEGES FOR ROLE mandate_gate GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
     "ALTER DEFAULT PRIVILEGES FOR ROLE mandate_gate REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC", False, "default"),
    ("CREATE OR REPLACE FUNCTION mana_ai.module_app(p_table text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$ SELECT p_table $$", None, False, "module_app"),
]


@promise("Each way of loosening is named by verification, and by the proof of the service it concerns")
def tampers(_):
    database, seen = Database("state"), 0
    wanted = set(EXPECTED.read_text().splitlines())
    for how, back, proven, words in TAMPERS:
        if back is None:  # leaves no way back but a new database
            database = Database("state")
        with database.superuser() as s:
            s.script(how)
            try:
                found = set(state(database))
                differences = (wanted - found) | (found - wanted)
                # Who owns the database is not part of the state; that it is a service is what the proof sees.
                if "ALTER DATABASE state OWNER" not in how:
                    holds(any(words in d for d in differences), f"verification does not name {words} after: {how}: {sorted(differences)[:3]}")
                if proven:
                    database.log_in_anew()
                    problems = proof(database)
                    holds(any(words in p for p in problems), f"the proof does not name {words} after: {how}: {problems}")
                    seen += 1
            finally:
                s.script("SET session_replication_role = origin; " + (back or "SELECT 1"))
        if back is None:
            database = Database("state")
        same(set(state(database)) ^ wanted, set(), f"put back: {how}")
    same(proof(database), [], "the proof after all of it")
    return f"{len(TAMPERS)} tampers, {seen} of them in the proof"


@promise("The canary sees what catalogs would not: a policy that lets all through")
def canaries(database):
    database = Database("state")
    with database.superuser() as s:
        s.run("ALTER POLICY rls_canary_user_scope ON mana_ai.rls_canary USING (true)")
        same(canary(database, "mandate_runner"), ["1", "1", "1"], "a loose policy")
        s.run("ALTER POLICY rls_canary_user_scope ON mana_ai.rls_canary USING (false)")
        same(canary(database, "mandate_runner"), ["0", "0", "0"], "a tight policy fails its positive control")
