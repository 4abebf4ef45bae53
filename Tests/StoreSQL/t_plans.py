"""Plans that a connection made while the tables were empty stay good when they are full, and idle work stays idle."""

from cluster import Database
from suite import holds, promise, same
from world import SCOPE, Mission, fail, open_receipts, redeem

USERS = 20_000
G = "00000000-0000-4000-8000-"


def prepare():
    return Database("plans")


def fill(s):
    s.script(f"""
      INSERT INTO auth.users (id) SELECT 'user-' || i FROM generate_series(1, {USERS}) i;
      INSERT INTO auth.encryption_vaults (user_id, wrapped_mk, wrap_iv) SELECT id, 'w', 'i' FROM auth.users;
      INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at, expires_at, renewable_until)
      SELECT g.id, g.user_id, 'm', 'v2', repeat('ab', 16), decode(repeat('5a', 256), 'hex'),
        mana_ai.grant_claims(g.id, repeat('ab', 16), g.user_id, 'm', g.now, g.now + interval '7 days', convert_to(repeat('0f', 32), 'UTF8')), g.now, g.now + interval '7 days', g.now + interval '30 days'
      FROM (SELECT '{G}' || lpad(to_hex(i), 12, '0') AS id, 'user-' || i AS user_id, date_trunc('milliseconds', now()) AS now FROM generate_series(1, {USERS}) i) AS g;
      INSERT INTO mana_ai.grant_keys SELECT grant_id, user_id, 'notes', 'n' || i, decode(repeat('5a', 60), 'hex') FROM mana_ai.grants, generate_series(1, 5) i;
      INSERT INTO mana_ai.audit_heads SELECT id, 0, decode(repeat('00', 32), 'hex'), now() FROM auth.users;
      INSERT INTO mana_ai.purged_users SELECT sha256(i::text::bytea), 1, sha256('x'), now() FROM generate_series(1, {USERS}) i;
      INSERT INTO mana_ai.receipt_batches SELECT gen_random_uuid(), id, NULL, 1, 1, '1', now() FROM auth.users;
      INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) SELECT 'other', 'x', 'r' || i, 'user-' || (i % {USERS}), 'insert', 'd' FROM generate_series(1, {USERS * 2}) i;
    """)


def touched(s, workers, work):
    """How many rows of ours the work of these connections read, by any scan of a table or an index."""
    sql = ("SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0) + "
           "(SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes) FROM pg_stat_user_tables")
    before = counted(s, workers, sql)
    work()
    return counted(s, workers, sql) - before


def counted(s, workers, sql):
    """The counters once every connection has sent its own, which each does at the end of a transaction if it is told to."""
    for c in [*workers, s]:
        c.run("SELECT pg_stat_force_next_flush()")
        c.run("SELECT 1")
    s.run("SELECT pg_stat_clear_snapshot()")
    return int(float(s.one(sql)))


@promise("A connection that worked on an empty database looks rows up one by one on a full one")
def stale_plans(database):
    with database.superuser() as s, database.resolver() as c:
        for i in range(8):  # enough for every statement's plan to be kept
            m = Mission(f"user-{i}", "m", f"{G}{i:012x}", ["n1", "n2"])
            rows = open_receipts(c, m)
            redeem(c, m)
            fail(c, m, [int(r["seq"]) for r in rows], ["decrypt-failed"] * 2)
        s.script("DELETE FROM mana_ai.audit_heads")
        s.run("ALTER TABLE mana_ai.decrypt_audit DISABLE TRIGGER decrypt_audit_guard")
        s.run("DELETE FROM mana_ai.decrypt_audit")
        s.run("ALTER TABLE mana_ai.decrypt_audit ENABLE ALWAYS TRIGGER decrypt_audit_guard")
        s.script("SET session_replication_role = origin")
        fill(s)

        def work():
            missions = [Mission(f"user-{i}", "m", f"{G}{i:012x}", ["n1", "n2", "n3"]) for i in range(100, 132)]
            rows = open_receipts(c, *missions)
            same({r["status"] for r in rows}, {"ok"}, "opened")
            same(len(redeem(c, *missions)), 96, "redeemed")
            same(len(fail(c, missions[0], [int(r["seq"]) for r in rows if r["batch"] == missions[0].batch], ["decrypt-failed"] * 3)), 3, "failed")
            new = [Mission(f"new-{i}", "m", None, ["n1"], statuses=["ok"], v1=True) for i in range(32)]
            same({r["status"] for r in open_receipts(c, *new)}, {"ok"}, "begun")
        read = touched(s, [c], work)
        # 32 missions of three records and 32 new chains, a handful of lookups for each; not tables of 20,000 rows.
        holds(read < 6000, f"{read} rows read")
    return f"{read} rows read for 64 missions beside {USERS} users"


@promise("A tick with nothing due and a queue with nothing in it read nothing, however many missions there are")
def idle(database):
    with database.superuser() as s, database.runner() as c, database.issuer() as i:
        s.run("INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record, state, next_run_at) SELECT 'user-' || (i % 1000), 'm' || i, '{}', "
              "CASE i % 3 WHEN 0 THEN 'active' WHEN 1 THEN 'paused' END, now() + interval '1 hour' FROM generate_series(1, 100000) i")
        s.run("INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id) SELECT 'seal', 'u', 'notes', 'notes', 'n' || i FROM generate_series(1, 20000) i")

        def work():
            same(c.run("SELECT * FROM mana_ai.claim_due('me', '1 minute', 100)"), [], "due")
            same(c.run("SELECT * FROM mana_ai.take_project_changes(100)"), [], "changes")
            same(i.run("SELECT * FROM mana_ai.close_expired()"), [], "expired")
            same(c.one("SELECT mana_ai.prune_usage()"), "0", "usage")
        work()
        read = touched(s, [c, i], work)
        holds(read < 200, f"{read} rows read")
        s.run("UPDATE mana_ai.mission_snapshots SET next_run_at = now() - interval '1 minute' WHERE mission_id IN ('m3', 'm6')")
        same(len(c.run("SELECT * FROM mana_ai.claim_due('me', '1 minute', 100)")), 2, "and then two are")
    return f"{read} rows read beside 100,000 missions and 20,000 notes of another topic"


@promise("The history of one record is read by one index, beside everybody's record of the same id")
def history(database):
    with database.superuser() as s, database.resolver() as c:
        s.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) SELECT 'kontext', 'kontextDoc', 'singleton', 'user-' || i, 'insert', 'd' FROM generate_series(1, 20000) i, generate_series(1, 2)")

        def work():
            c.run("BEGIN")
            c.run(SCOPE, "user-77")
            rows = c.run("SELECT op, data, field_meta, created_at FROM public.sync_changes WHERE user_id = $1 AND app_id = 'kontext' AND table_name = 'kontextDoc' "
                         "AND record_id = ANY ($2::text[]) ORDER BY record_id COLLATE \"C\", created_at, id", "user-77", ["singleton"])
            c.run("COMMIT")
            same(len(rows), 2, "rows")
        work()
        read = touched(s, [c], work)
        holds(read < 60, f"{read} rows read")
    return f"{read} rows read"
