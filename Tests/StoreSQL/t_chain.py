"""Sixteen writers at once: no gap, no duplicate, no deadlock, and every chain verifies."""

import random
import threading

import verify_chain
from cluster import Database
from pq import Refused
from suite import promise, same
from world import Mission, add_grant, fail, open_receipts, redeem, shares

WRITERS = 16
USERS = 10_000


def prepare():
    database = Database("chain")
    with database.superuser() as c:
        # Users of very different bytes, so that the order of a locale would not be theirs.
        c.run("INSERT INTO auth.users (id) SELECT (ARRAY['a', 'B', 'é', 'z', '_', '~', '0', '😀'])[1 + i % 8] || i FROM generate_series(1, $1) AS i", USERS)
        c.run("""
          INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at, expires_at, renewable_until)
          SELECT g.id, g.user_id, 'm', 'v2', repeat('ab', 16), decode(repeat('5a', 256), 'hex'), mana_ai.grant_claims(g.id, repeat('ab', 16), g.user_id, 'm',
            g.now, g.now + interval '7 days', convert_to(repeat('0f', 32), 'UTF8')), g.now, g.now + interval '7 days', g.now + interval '30 days'
          FROM (SELECT gen_random_uuid()::text AS id, u.id AS user_id, date_trunc('milliseconds', now()) AS now FROM auth.users u) AS g""")
        c.run("INSERT INTO mana_ai.grant_keys SELECT g.grant_id, g.user_id, 'notes', 'n' || i, decode(repeat('5a', 60), 'hex') FROM mana_ai.grants g, generate_series(1, 3) i")
    return database


def hammer(database, pick, units):
    """Every writer opens units, redeems them, and fails some of their receipts; answers what went wrong."""
    errors, counts, lock = [], {"opened": 0, "failed": 0, "rolled back": 0}, threading.Lock()
    start = threading.Barrier(WRITERS)

    def write(seed):
        r = random.Random(seed)
        try:
            with database.resolver() as c:
                start.wait()
                for _ in range(units):
                    missions = pick(r)
                    c.run("BEGIN")
                    rows = open_receipts(c, *missions)
                    if r.random() < 0.1:  # a number that was taken and given back leaves no gap
                        c.run("ROLLBACK")
                        with lock:
                            counts["rolled back"] += len(rows)
                        continue
                    c.run("COMMIT")
                    if len(shares(redeem(c, *missions))) != len(rows):
                        errors.append("a share is missing")
                    victim = r.choice(missions)
                    seqs = [int(x["seq"]) for x in rows if x["batch"] == victim.batch]
                    failed = fail(c, victim, seqs, ["decrypt-failed"] * len(seqs)) if r.random() < 0.3 else []
                    with lock:
                        counts["opened"] += len(rows)
                        counts["failed"] += len(failed)
        except Refused as error:
            errors.append(str(error))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(WRITERS)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return errors, counts


def verify(database, opened):
    with database.operator() as c:
        chains, rows, problems = verify_chain.of_database(c)
    same(problems, [], "chains")
    same(rows, opened, "rows on the log")
    return f"{chains} chains and {rows} rows verified"


def clear(database):
    with database.superuser() as s:
        s.script("ALTER TABLE mana_ai.decrypt_audit DISABLE TRIGGER USER; DELETE FROM mana_ai.decrypt_audit; DELETE FROM mana_ai.audit_heads; "
                 "DELETE FROM mana_ai.receipt_batches; ALTER TABLE mana_ai.decrypt_audit ENABLE ALWAYS TRIGGER decrypt_audit_guard")


@promise("Sixteen writers on one user leave one chain without gap or duplicate")
def one_user(database):
    clear(database)
    with database.superuser() as s:
        grant = s.run("SELECT grant_id, user_id FROM mana_ai.grants LIMIT 1")[0]

    def pick(r):
        return [Mission(grant["user_id"], "m", grant["grant_id"], [f"n{i}" for i in range(1, r.randrange(2, 5))]) for _ in range(r.randrange(1, 4))]
    errors, counts = hammer(database, pick, 40)
    same(errors, [], "errors")
    return verify(database, counts["opened"] + counts["failed"]) + f", {counts}"


@promise("Sixteen writers with units of up to 32 among a few users, in any order, never meet head-on")
def few_users(database):
    clear(database)
    with database.superuser() as s:
        grants = s.run("SELECT grant_id, user_id FROM mana_ai.grants LIMIT 40")

    def pick(r):
        return [Mission(g["user_id"], "m", g["grant_id"], ["n1", "n2"]) for g in r.sample(grants, r.randrange(1, 33))]
    errors, counts = hammer(database, pick, 25)
    same(errors, [], "errors")
    return verify(database, counts["opened"] + counts["failed"]) + f", {counts}"


@promise("Sixteen writers among ten thousand users, new chains begun by several at once")
def many_users(database):
    clear(database)
    with database.superuser() as s:
        grants = s.run("SELECT grant_id, user_id FROM mana_ai.grants")
    same(len(grants), USERS, "users")

    def pick(r):
        return [Mission(g["user_id"], "m", g["grant_id"], ["n1", "n2", "n3"]) for g in r.sample(grants, 32)]
    errors, counts = hammer(database, pick, 30)
    same(errors, [], "errors")
    # Both ends of the order meet in every unit: users that no chain was begun for, wanted by all at once.
    fresh = [{"user_id": f"fresh-{i}", "grant_id": None} for i in range(64)]
    with database.superuser() as s:
        s.run("DELETE FROM mana_ai.audit_heads WHERE user_id LIKE 'fresh-%'")

    def pick_fresh(r):
        return [Mission(g["user_id"], "m", None, ["n1"], statuses=["failed"], reasons=["not-granted"]) for g in r.sample(fresh, 32)]
    errors2, more = [], 0

    def begin(seed):
        nonlocal more
        r = random.Random(seed)
        try:
            with database.resolver() as c:
                for _ in range(6):
                    rows = open_receipts(c, *pick_fresh(r))
                    with lock:
                        more += len(rows)
        except Refused as error:
            errors2.append(str(error))
    lock = threading.Lock()
    threads = [threading.Thread(target=begin, args=(i,)) for i in range(WRITERS)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    same(errors2, [], "errors where chains begin")
    return verify(database, counts["opened"] + counts["failed"] + more) + f", {counts}"


@promise("Time never runs backwards along a chain, even when the clock does")
def time_(database):
    with database.superuser() as s, database.resolver() as c:
        grant = s.run("SELECT grant_id, user_id FROM mana_ai.grants LIMIT 1")[0]
        open_receipts(c, Mission(grant["user_id"], "m", grant["grant_id"], ["n1"]))
        s.run("UPDATE mana_ai.audit_heads SET ts = ts + interval '1 hour' WHERE user_id = $1", grant["user_id"])
        open_receipts(c, Mission(grant["user_id"], "m", grant["grant_id"], ["n1"]))
        rows = s.run("SELECT ts >= lag(ts) OVER (ORDER BY seq) AS forward, ts > clock_timestamp() AS ahead FROM mana_ai.decrypt_audit WHERE user_id = $1 ORDER BY seq", grant["user_id"])
        same({r["forward"] for r in rows}, {None, "t"}, "order")
        same(rows[-1]["ahead"], "t", "the head's time is kept")
        same(verify_chain.of_database(s)[2], [], "chains")
