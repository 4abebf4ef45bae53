"""How rows end: pruned chains still verify."""

import verify_chain
from cluster import Database
from suite import promise, refused, same, wait_until
from world import Mission, Side, add_grant, add_user, fail, open_receipts, waiting

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
