"""How rows end: pruned chains still verify, purged accounts leave a digest."""

import hashlib
import json

import verify_chain
from cluster import Database
from suite import holds, promise, refused, same, wait_until
from world import Mission, Side, add_grant, add_user, change, fail, open_receipts, redeem, shares, waiting

A, B = "user-a", "Bär"
G = {}


def prepare():
    database = Database("retention")
    with database.superuser() as c:
        for user in (A, B, "idle"):
            add_user(c, user)
            G[user] = add_grant(c, user, "m1", [f"n{i}" for i in range(1, 6)])
        for user in (A, "former"):
            c.run("INSERT INTO mana_ai.decrypt_audit (user_id, mission_id, table_name, record_id, status, ts) VALUES ($1, 'm', 't', 'r', 'ok', now() - interval '100 days'), ($1, 'm', 't', 'r', 'ok', now())", user)
    with database.resolver() as c:
        for user in (A, B):
            for _ in range(4):
                m = Mission(user, "m1", G[user], [f"n{i}" for i in range(1, 6)])
                rows = open_receipts(c, m)
                fail(c, m, [int(rows[1]["seq"])], ["decrypt-failed"])
    return database


def unguarded(s, sql, *values):
    s.run("ALTER TABLE mana_ai.decrypt_audit DISABLE TRIGGER decrypt_audit_guard")
    s.run(sql, *values)
    s.run("ALTER TABLE mana_ai.decrypt_audit ENABLE ALWAYS TRIGGER decrypt_audit_guard")


def age(s, user, until, days):
    """Makes the first rows of a chain old, with hashes that fit: as time would."""
    rows = s.run("SELECT * FROM mana_ai.decrypt_audit WHERE user_id = $1 AND seq IS NOT NULL ORDER BY seq", user)
    first = s.run("SELECT seq, hash FROM mana_ai.audit_cuts WHERE user_id = $1", user)
    previous = bytes.fromhex(first[0]["hash"][2:]) if first else bytes(32)
    for row in rows:
        if int(row["seq"]) <= until:
            unguarded(s, "UPDATE mana_ai.decrypt_audit SET ts = ts - $2 * interval '1 day' WHERE id = $1", row["id"], days)
        unguarded(s, "UPDATE mana_ai.decrypt_audit a SET hash = mana_ai.audit_hash($2, user_id, seq, ts, mission_id, grant_id, iteration_id, table_name, record_id, status, reason, purpose, batch, of_seq) WHERE id = $1", row["id"], previous)
        previous = bytes.fromhex(s.one("SELECT hash FROM mana_ai.decrypt_audit WHERE id = $1", row["id"])[2:])
    s.run("UPDATE mana_ai.audit_heads SET hash = $2, ts = (SELECT max(ts) FROM mana_ai.decrypt_audit WHERE user_id = $1) WHERE user_id = $1", user, previous)
    s.run("UPDATE mana_ai.receipt_batches SET opened_at = opened_at - $3 * interval '1 day' WHERE user_id = $1 AND last_seq <= $2", user, until, days)


@promise("Pruning removes the oldest rows of each chain, leaves a cut, and the rest verifies from there")
def prune(database):
    with database.superuser() as s, database.operator() as c:
        age(s, A, 10, 100)
        age(s, B, 3, 100)
        same(verify_chain.of_database(c)[2], [], "before")
        rows = {r["user_id"]: (r["removed"], r["cut_seq"], r["broken"]) for r in c.run("SELECT * FROM mana_ai.prune_audit(now() - interval '90 days')")}
        same(rows, {A: ("11", "10", "f"), B: ("3", "3", "f"), "former": ("1", "0", "f")}, "what went, rows from before the chain too")
        same(s.one("SELECT min(seq) FROM mana_ai.decrypt_audit WHERE user_id = $1", A), "11", "the first that stays")
        chains, count, problems = verify_chain.of_database(c)
        same((problems, count), ([], 24 + 24 - 13), "after")
        same(s.one("SELECT count(*) FROM mana_ai.receipt_batches WHERE user_id = $1", A), "3", "batches that still have rows")
        again = c.run("SELECT sum(removed) AS n FROM mana_ai.prune_audit(now() - interval '90 days')")
        same(again, [{"n": "0"}], "once more")
    with database.resolver() as c:
        same(open_receipts(c, Mission(A, "m1", G[A], ["n1"]))[0]["seq"], "25", "the chain goes on")


@promise("Pruning goes user by user, in bites, and keeps its hands off the last hour")
def bites(database):
    with database.operator() as c:
        seen, after = [], ""
        while rows := c.run("SELECT * FROM mana_ai.prune_audit(now() - interval '90 days', $1, 1)", after):
            seen += [r["user_id"] for r in rows]
            after = seen[-1]
        same(seen, [B, A], "by the bytes of their ids")
        for before in ("now()", "now() - interval '59 minutes'", "NULL", "'infinity'"):
            refused("MD003", lambda: c.run(f"SELECT * FROM mana_ai.prune_audit({before})"), before)


@promise("A whole chain may go, and is then its head and its cut")
def whole(database):
    with database.superuser() as s, database.operator() as c:
        age(s, B, 10 ** 6, 100)
        rows = {r["user_id"]: r["cut_seq"] for r in c.run("SELECT * FROM mana_ai.prune_audit(now() - interval '90 days')")}
        same(rows[B], "24", "cut at the end")
        same(s.one("SELECT count(*) FROM mana_ai.decrypt_audit WHERE user_id = $1", B), "0", "rows")
        same(verify_chain.of_database(c)[2], [], "chains")
    with database.resolver() as c:
        same(open_receipts(c, Mission(B, "m1", G[B], ["n1"]))[0]["seq"], "25", "the chain goes on")
    with database.operator() as c:
        same(verify_chain.of_database(c)[2], [], "chains")


@promise("A chain that does not verify is not pruned but named: its rows are the evidence")
def evidence(database):
    tampers = ("UPDATE mana_ai.decrypt_audit SET record_id = 'forged' WHERE user_id = 'user-a' AND seq = 12",
               "UPDATE mana_ai.decrypt_audit SET status = 'ok', reason = NULL WHERE user_id = 'user-a' AND seq = 18",
               "DELETE FROM mana_ai.decrypt_audit WHERE user_id = 'user-a' AND seq = 15",
               "DELETE FROM mana_ai.decrypt_audit WHERE user_id = 'user-a' AND seq = 11",
               "UPDATE mana_ai.decrypt_audit SET seq = seq + 100 WHERE user_id = 'user-a' AND seq = 20")
    with database.superuser() as s, database.operator() as c:
        age(s, A, 20, 100)
        for tamper in tampers:
            s.run("BEGIN")
            unguarded(s, tamper)
            before = s.one("SELECT count(*) FROM mana_ai.decrypt_audit WHERE user_id = $1", A)
            rows = {r["user_id"]: (r["removed"], r["broken"]) for r in s.run("SELECT * FROM mana_ai.prune_audit(now() - interval '90 days')")}
            same(rows[A], ("0", "t"), tamper)
            same(s.one("SELECT count(*) FROM mana_ai.decrypt_audit WHERE user_id = $1", A), before, "left whole")
            s.run("ROLLBACK")
        same([(r["user_id"], r["broken"]) for r in c.run("SELECT * FROM mana_ai.prune_audit(now() - interval '90 days') WHERE removed > 0")], [(A, "f")], "untampered")
        same(verify_chain.of_database(c)[2], [], "chains")


@promise("Pruning and opening the same chain take turns")
def turns(database):
    with database.superuser() as s, database.resolver() as c, database.operator() as d:
        c.run("BEGIN")
        open_receipts(c, Mission(A, "m1", G[A], ["n1"]))
        side = Side(lambda: d.run("SELECT * FROM mana_ai.prune_audit(now() - interval '90 days')"))
        wait_until(lambda: waiting(s), "pruning waits")
        c.run("COMMIT")
        side.finish()
        same(verify_chain.of_database(s)[2], [], "chains")


@promise("Purging an account removes every row of it and of nobody else, and keeps a digest with the end of its chain")
def purge(database):
    with database.superuser() as s:
        for user in (A, B):
            change(s, user, "ai", "aiMissions", "m1"), change(s, user, "notes", "notes", "n1")
            for sql in ("INSERT INTO auth.encryption_vault_audit (id, user_id, action, status) VALUES ($1, $1, 'init', 201)",
                        "INSERT INTO mana_ai.sealed_records (user_id, app_id, table_name, record_id, fields) VALUES ($1, 'notes', 'notes', 'n1', '{}')",
                        "INSERT INTO mana_ai.seal_origins VALUES ($1, sha256('x'), 'notes', 'notes', 'n1', 'content')",
                        "INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record) VALUES ($1, 'm1', '{}')",
                        "INSERT INTO mana_ai.agent_snapshots (user_id, agent_id, record) VALUES ($1, 'g1', '{}')",
                        "INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, task_id, provider_id) VALUES ($1, 'm1', 't', 'p')",
                        "INSERT INTO mana_ai.mission_runs (user_id, mission_id, due_at, outcome) VALUES ($1, 'm1', now(), 'planned')",
                        "INSERT INTO mana_ai.token_usage (user_id, agent_id, mission_id, tokens_used) VALUES ($1, 'g1', 'm1', 1)"):
                s.run(sql, user)
        tables = [r["name"] for r in s.run("""
            SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relkind = 'r' AND a.attname = 'user_id' AND (n.nspname IN ('mana_ai', 'auth') OR c.relname = 'sync_changes') AND c.relname <> 'rls_canary'""")]

        def count(user):
            return {t: int(s.one(f"SELECT count(*) FROM {t} WHERE user_id = $1", user)) for t in tables}
        same([t for t, n in count(A).items() if n == 0], [], "the account has rows everywhere")
        others, mine = count(B), sum(count(A).values())
        head = s.run("SELECT seq, hash FROM mana_ai.audit_heads WHERE user_id = $1", A)[0]
        with database.issuer() as c:
            row = c.run("SELECT * FROM mana_ai.purge_user($1)", A)[0]
            same((row["last_seq"], row["last_hash"], row["grants"], int(row["removed"])), (head["seq"], head["hash"], f"{{{G[A]}}}", mine + 1), "the answer")
            same([r["drained"] for r in c.run("SELECT * FROM mana_ai.drain_grants($1::text[])", [G[A]])], ["t"], "drained")
        same(set(count(A).values()), {0}, "nothing is left")
        same(s.run("SELECT 1 FROM auth.users WHERE id = $1", A), [], "nor the user")
        same(count(B), others, "another account")
        same(s.run("SELECT encode(digest, 'hex') AS d, last_seq, last_hash FROM mana_ai.purged_users"),
             [{"d": hashlib.sha256(A.encode()).hexdigest(), "last_seq": head["seq"], "last_hash": head["hash"]}], "the digest")
        with database.resolver() as c:
            m = Mission(A, "m1", G[A], ["n1"])
            row = open_receipts(c, m)[0]
            same((row["seq"], row["reason"], redeem(c, m)), (str(int(head["seq"]) + 1), "unknown-grant", []), "an opening that comes late goes on from there")
        same(verify_chain.of_database(s)[2], [], "and verifies, behind a cut")
        with database.operator() as c:
            row = c.run("SELECT * FROM mana_ai.purge_user($1)", A)[0]
            same((row["last_seq"], row["grants"]), (str(int(head["seq"]) + 1), "{}"), "purged again")
            same(c.run("SELECT last_seq, removed FROM mana_ai.purge_user('never seen')"), [{"last_seq": "0", "removed": "1"}], "somebody unknown")
            refused("MD003", lambda: c.run("SELECT * FROM mana_ai.purge_user('')"), "nobody")
        same(s.one("SELECT last_seq FROM mana_ai.purged_users WHERE digest = sha256(convert_to($1, 'UTF8'))", A), str(int(head["seq"]) + 1), "the later end")
    return f"{len(tables)} tables"


@promise("Purging waits for an opening in flight, releases nothing after it, and does not wait for the queue")
def purge_races(database):
    with database.superuser() as s, database.resolver() as c, database.resolver() as d, database.issuer() as i, database.issuer() as q:
        add_user(s, "racer")
        grant = add_grant(s, "racer", "m1", ["n1"])
        change(s, "racer", "notes", "notes", "n1")
        q.run("BEGIN")  # a consumer has the account's note in its hands, and will want the vault's row next
        same(len([r for r in q.run("SELECT * FROM mana_ai.take_seal_changes(1000)") if r["user_id"] == "racer"]), 1, "taken")
        m, n = Mission("racer", "m1", grant, ["n1"]), Mission("racer", "m1", grant, ["n1"])
        open_receipts(c, m)
        c.run("BEGIN")
        open_receipts(c, n)
        side = Side(lambda: i.run("SELECT * FROM mana_ai.purge_user('racer')"))
        wait_until(lambda: waiting(s), "the purge waits for the opening")
        same(len(shares(redeem(d, m))), 1, "before the purge commits")
        c.run("COMMIT")
        same(side.finish()[0]["last_seq"], "2", "the end of its chain")
        same(redeem(d, m) + redeem(d, n), [], "after it")
        q.run("ROLLBACK")
        same({r["user_id"] for r in q.run("SELECT * FROM mana_ai.take_seal_changes(1000)")} >= {"racer"}, True, "the note is about nothing, and goes")
