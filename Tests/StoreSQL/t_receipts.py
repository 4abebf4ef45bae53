"""No receipt, no key: what must be true for a share to leave, and every way around that we could think of."""

import hashlib
import json
import random

import verify_chain
from cluster import Database
from pq import Connection, Lost, Refused
from suite import holds, promise, refused, same, wait_until
from world import KEY_ID, SCOPE, Mission, Side, add_grant, add_user, change, fail, open_receipts, redeem, share, shares, waiting

A, B = "user-a", "user-b"
G = {}


def prepare():
    database = Database("receipts")
    with database.superuser() as c:
        for user in (A, B):
            add_user(c, user)
            G[user] = add_grant(c, user, "m1", ["n1", "n2", "n3"])
        add_user(c, "user-zk", zero_knowledge=True)
        G["expired"] = add_grant(c, A, "expired", ["n1"], issued="-8 days", lasts="7 days")
        G["closed"] = add_grant(c, A, "closed", ["n1"])
        G["closed-expired"] = add_grant(c, A, "closed-expired", ["n1"])
        c.run("SELECT mana_ai.close_grants_of($1, 'closed', NULL, 'user')", A)
        c.run("SELECT mana_ai.close_grants_of($1, 'closed-expired', NULL, 'expired')", A)
    return database


def committed(database, mission):
    """The receipts of a batch that others can see."""
    with database.superuser() as c:
        return c.run("SELECT seq, status, reason, record_id, of_seq FROM mana_ai.decrypt_audit WHERE batch = $1 ORDER BY seq", mission.batch)


def opened(c, *missions):
    c.run("BEGIN")
    rows = open_receipts(c, *missions)
    c.run("COMMIT")
    return rows


@promise("A committed receipt releases exactly the shares it names, with wrap and claims")
def honest(database):
    m, other = Mission(A, "m1", G[A], ["n2", "n1"]), Mission(B, "m1", G[B], ["n3"])
    with database.resolver() as c:
        receipts = opened(c, other, m)  # not in the order of the users
        same([(r["batch"], r["status"], r["reason"]) for r in receipts],
             [(other.batch, "ok", None), (m.batch, "ok", None), (m.batch, "ok", None)], "the answers' order")
        rows = redeem(c, m, other)
        same({(r["batch"], r["table_name"], r["record_id"], r["share"]) for r in rows},
             {(m.batch, "notes", n, "\\x" + share(G[A], n).hex()) for n in ("n1", "n2")}
             | {(other.batch, "notes", "n3", "\\x" + share(G[B], "n3").hex())}, "the shares")
        same({(r["wrapped_key"], r["key_id"], r["reason"]) for r in rows}, {("\\x" + "5a" * 256, KEY_ID, None)}, "the wrap")
        holds(all(bytes.fromhex(r["claims"][2:]).startswith(b"\0\0\0\x10mandate/v2/grant") for r in rows), "the claims")
        same({r["seq"] for r in rows}, {r["seq"] for r in receipts}, "each share has its receipt")
    with database.superuser() as c:
        same(len(c.run("SELECT 1 FROM mana_ai.receipt_batches WHERE redeemed_at IS NOT NULL")), 2, "bookkeeping")


@promise("Rolling back after opening leaves nothing to redeem")
def rolled_back(database):
    m = Mission(A, "m1", G[A], ["n1"])
    with database.resolver() as c:
        c.run("BEGIN")
        same(open_receipts(c, m)[0]["status"], "ok", "opened")
        c.run("ROLLBACK")
        same(redeem(c, m), [], "redeemed after the rollback")
        c.run("BEGIN")
        same(redeem(c, m), [], "redeemed in a transaction")
        c.run("COMMIT")
    same(committed(database, m), [], "rows")


@promise("The transaction that opens redeems nothing, by savepoints, loops, subtransactions or cursors either")
def same_transaction(database):
    with database.resolver() as c:
        m = Mission(A, "m1", G[A], ["n1"])
        c.run("BEGIN")
        open_receipts(c, m)
        same(redeem(c, m), [], "at once")
        c.run("SAVEPOINT s")
        same(redeem(c, m), [], "behind a savepoint")
        c.run("ROLLBACK TO s")
        same(redeem(c, m), [], "behind a savepoint that was rolled back")
        c.run("ROLLBACK")

        m = Mission(A, "m1", G[A], ["n1"])
        c.run("BEGIN")
        c.run("SAVEPOINT s")
        open_receipts(c, m)
        c.run("RELEASE s")
        same(redeem(c, m), [], "opened in a released savepoint")
        c.run("SAVEPOINT t")
        open_receipts(c, late := Mission(A, "m1", G[A], ["n2"]))
        c.run("ROLLBACK TO t")
        same(redeem(c, late), [], "opened in a savepoint that was rolled back")
        c.run("COMMIT")
        same(redeem(c, late), [], "and after the commit")
        same(len(shares(redeem(c, m))), 1, "while what was released and committed counts")

        # One statement that does both, in either order of evaluation.
        m = Mission(A, "m1", G[A], ["n1"])
        row = c.run(
            "WITH o AS MATERIALIZED (SELECT * FROM mana_ai.open_receipts(ARRAY[$1::uuid], ARRAY[$2], ARRAY['m1'], ARRAY[$3], ARRAY[NULL], "
            "ARRAY['p'], ARRAY[false], ARRAY[1], ARRAY['notes'], ARRAY['n1'], ARRAY[NULL], ARRAY[NULL])) "
            "SELECT (SELECT count(*) FROM o) AS o, (SELECT count(*) FROM mana_ai.redeem_receipts(ARRAY[$1::uuid], ARRAY[$2])) AS r",
            m.batch, A, G[A])[0]
        same((row["o"], row["r"]), ("1", "0"), "one statement")

        # A block with an error caught is a subtransaction of its own.
        c.script("DO $$ BEGIN BEGIN PERFORM mana_ai.open_receipts(ARRAY['11111111-1111-4111-8111-111111111111'::uuid], ARRAY['user-a'], "
                 f"ARRAY['m1'], ARRAY['{G[A]}'], ARRAY[NULL], ARRAY['p'], ARRAY[false], ARRAY[1], ARRAY['notes'], ARRAY['n1'], ARRAY[NULL], ARRAY[NULL]); "
                 "EXCEPTION WHEN division_by_zero THEN NULL; END; "
                 "IF EXISTS (SELECT FROM mana_ai.redeem_receipts(ARRAY['11111111-1111-4111-8111-111111111111'::uuid], ARRAY['user-a'])) "
                 "THEN RAISE EXCEPTION 'released'; END IF; END $$")
        holds(True, "a block of code")


@promise("A batch id is used once, whoever used it before, and costs nothing when it is refused")
def reused(database):
    m = Mission(A, "m1", G[A], ["n1"])
    with database.resolver() as c, database.resolver() as d:
        opened(c, m)
        before = len(committed(database, m))
        for again in (m, Mission(A, "m1", G[A], ["n2"], batch=m.batch), Mission(B, "m1", G[B], ["n1"], batch=m.batch)):
            refused("MD002", lambda: open_receipts(c, again), "used again")
        refused("MD002", lambda: open_receipts(c, Mission(A, "m1", G[A], ["n1"], batch=(two := Mission(A, "m1", G[A], ["n1"])).batch), two),
                "used twice in one unit")
        same(len(committed(database, m)), before, "rows of the batch")
        same({r["record_id"] for r in redeem(c, m)}, {"n1"}, "what the batch releases")
        # Two at once: the second waits for the first, and is refused when that one commits.
        m = Mission(A, "m1", G[A], ["n1"])
        c.run("BEGIN")
        open_receipts(c, m)
        side = Side(lambda: open_receipts(d, Mission(B, "m1", G[B], ["n1"], batch=m.batch)))
        with database.superuser() as s:
            wait_until(lambda: waiting(s), "the second one waits")
        c.run("COMMIT")
        refused("MD002", side.finish, "the second of two at once")


@promise("Any isolation but READ COMMITTED is refused by all three, and by the queue and the claims")
def isolation(database):
    m = Mission(A, "m1", G[A], ["n1"])
    with database.resolver() as c:
        opened(c, m)
        for level in ("REPEATABLE READ", "SERIALIZABLE", "READ UNCOMMITTED"):
            for action in (lambda: open_receipts(c, Mission(A, "m1", G[A], ["n1"])), lambda: redeem(c, m),
                           lambda: fail(c, m, [1], ["decrypt-failed"])):
                c.run(f"BEGIN ISOLATION LEVEL {level}")
                refused("MD001", action, level)
                c.run("ROLLBACK")
    # A snapshot from before a closing must not redeem after it: that is why.
    for role, sql in (("mandate_runner", "SELECT * FROM mana_ai.take_project_changes(1)"),
                      ("mandate_runner", "SELECT * FROM mana_ai.claim_due('me', '1 minute', 1)"),
                      ("mandate_operator", "SELECT * FROM mana_ai.prune_audit(now() - interval '1 day')"),
                      ("mandate_operator", "SELECT * FROM mana_ai.purge_user('nobody')"),
                      ("mandate_operator", "SELECT * FROM mana_ai.revoke('nobody')"),
                      ("mandate_issuer", "SELECT * FROM mana_ai.close_grants('nobody', NULL, NULL, 'user')"),
                      ("mandate_issuer", "SELECT mana_ai.attach_grant('nobody', 'm', '{}')"),
                      ("mandate_runner", "SELECT mana_ai.lock_mission('nobody', 'm')")):
        with database.service(role) as c:
            c.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
            refused("MD001", lambda: c.run(sql), sql)
            c.run("ROLLBACK")


@promise("A batch of another user, or under another user's name, releases nothing")
def foreign_batch(database):
    m, n = Mission(A, "m1", G[A], ["n1"]), Mission(B, "m1", G[B], ["n1"])
    with database.resolver() as c:
        opened(c, m, n)
        same(c.run("SELECT * FROM mana_ai.redeem_receipts($1::uuid[], $2::text[])", [m.batch, n.batch], [B, A]), [], "names exchanged")
        same(c.run("SELECT * FROM mana_ai.redeem_receipts($1::uuid[], $2::text[])", [m.batch], [""]), [], "no name")
        same(c.run("SELECT * FROM mana_ai.redeem_receipts($1::uuid[], $2::text[])", [m.batch], [None]), [], "NULL")
        same(len(shares(redeem(c, m, n))), 2, "the right names")
        same(len(shares(c.run("SELECT * FROM mana_ai.redeem_receipts($1::uuid[], $2::text[])", [m.batch] * 3, [A] * 3))), 1, "asked thrice at once")


@promise("A receipt for one record opens no other, and one of one mission none of another's")
def exactly(database):
    with database.superuser() as s:
        other = add_grant(s, A, "m2", ["n1", "z"])
    m = Mission(A, "m1", G[A], ["n1", "z", "n9"])
    with database.resolver() as c:
        rows = opened(c, m)
        same([(r["status"], r["reason"]) for r in rows],
             [("ok", None)] + [("scope-violation", "record-not-in-grant-allowlist")] * 2, "decisions")
        same([r["record_id"] for r in shares(redeem(c, m))], ["n1"], "shares")
        wrong_table = Mission(A, "m1", G[A], ["n1"], table="tasks")
        same(opened(c, wrong_table)[0]["status"], "scope-violation", "the same id in another table")
        same(redeem(c, wrong_table), [], "its shares")
        for mission, grant in (("m1", other), ("m2", G[A]), ("m1", G[B]), ("nowhere", G[A])):
            n = Mission(A, mission, grant, ["n1"])
            same([(r["status"], r["reason"]) for r in opened(c, n)], [("failed", "unknown-grant")], f"{mission} with {grant}")
            same(redeem(c, n), [], "its shares")


@promise("Unknown, foreign, closed and expired grants become rows with a reason, and cost their neighbours nothing")
def refusals(database):
    good = Mission(B, "m1", G[B], ["n1"])
    cases = [
        (Mission(A, "m1", "00000000-0000-4000-8000-000000000000", ["n1"]), "unknown-grant"),
        (Mission(A, "m1", "not a uuid; '\"", ["n1"]), "unknown-grant"),
        (Mission(A, "m1", G[B], ["n1"]), "unknown-grant"),
        (Mission(A, "m1", G[A].upper(), ["n1"]), "unknown-grant"),
        (Mission(A, "m1", "", ["n1"]), "unknown-grant"),
        (Mission(A, "m1", "g" * 257, ["n1"]), "unknown-grant"),
        (Mission(A, "m1", "\u00e9" * 129, ["n1"]), "unknown-grant"),
        (Mission(A, "closed", G["closed"], ["n1"]), "revoked"),
        (Mission(A, "closed-expired", G["closed-expired"], ["n1"]), "expired"),
        (Mission(A, "expired", G["expired"], ["n1"]), "expired"),
    ]
    with database.resolver() as c:
        rows = opened(c, *(m for m, _ in cases), good)
        same([(r["status"], r["reason"]) for r in rows], [("failed", reason) for _, reason in cases] + [("ok", None)], "reasons")
        same([(r["batch"], r["record_id"]) for r in redeem(c, *(m for m, _ in cases), good)], [(good.batch, "n1")], "shares")
        for m, reason in cases:
            same([(r["status"], r["reason"]) for r in committed(database, m)], [("failed", reason)], "on the log")


@promise("The caller may refuse what it knows to be refused, and may never say ok where a grant decides")
def decisions(database):
    with database.resolver() as c:
        m = Mission(A, "m1", G[A], ["n1", "n2", "n3"], statuses=[None, "failed", "scope-violation"],
                    reasons=[None, "unknown-module", "record-not-in-grant-allowlist"])
        same([r["status"] for r in opened(c, m)], ["ok", "failed", "scope-violation"], "decisions")
        same([r["record_id"] for r in shares(redeem(c, m))], ["n1"], "shares")
        bad = [
            Mission(A, "m1", G[A], ["n1"], statuses=["ok"]),  # a grant decides
            Mission(A, "m1", None, ["n1"]),  # nobody decides
            Mission(A, "m1", None, ["n1"], statuses=["failed"]),  # without a reason
            Mission(A, "m1", None, ["n1"], statuses=["failed"], reasons=["because"]),
            Mission(A, "m1", None, ["n1"], statuses=["fine"], reasons=["expired"]),
            Mission("", "m1", G[A], ["n1"]), Mission(A, "", G[A], ["n1"]), Mission(A, "m1", G[A], [""]),
            Mission(A, "m1", G[A], ["n1"], table=""), Mission(None, "m1", G[A], ["n1"]), Mission(A, "m1", G[A], [None]),
            Mission(A, "m1", G[A], ["x" * 257]), Mission("u" * 257, "m1", G[A], ["n1"]), Mission(A, "m" * 257, G[A], ["n1"]),
            Mission(A, "m1", G[A], ["n1"], iteration="i" * 257),
            Mission(A, "m1", G[A], ["n1"], purpose="p" * 257), Mission(A, "m1", G[A], []),
            Mission(A, "m1", G[A], ["n1"] * 1001),
        ]
        for m in bad:
            refused({"MD003", "23514"}, lambda: open_receipts(c, m), f"{m.__dict__}")
            same(committed(database, m), [], "nothing is left")
        refused("MD003", lambda: open_receipts(c, *(Mission(A, "m1", G[A], ["n1"]) for _ in range(33))), "33 missions")
        with_nothing = [Mission(A, "m1", G[A], ["n1"]) for _ in range(32)]
        same(len(opened(c, *with_nothing)), 32, "32 missions of one user in one unit")
        same(len(shares(redeem(c, *with_nothing))), 32, "and their shares")
        big = Mission(A, "m1", G[A], [f"r{i}" for i in range(1000)])
        same(len(opened(c, big)), 1000, "1,000 records of one mission")


@promise("Without a grant the caller's decision is logged, and there is nothing to redeem")
def without_grant(database):
    m = Mission(A, "goals", None, ["g1", "g2"], table="companionGoals", statuses=["ok", "failed"], reasons=[None, "record-missing"])
    with database.resolver() as c:
        same([(r["status"], r["reason"]) for r in opened(c, m)], [("ok", None), ("failed", "record-missing")], "decisions")
        same(redeem(c, m), [], "shares")
        row = committed(database, m)[0]
        same(len(fail(c, m, [row["seq"]], ["decrypt-failed"])), 1, "such a receipt can fail as well")


@promise("A v1 decision is refused for a mission that ever had a grant of ours and in zero-knowledge mode")
def v1(database):
    with database.resolver() as c:
        for user, mission, wanted in ((A, "m1", ("failed", "revoked")), (A, "closed", ("failed", "revoked")),
                                      ("user-zk", "old", ("failed", "revoked")), (A, "only-v1", ("ok", None)), (B, "only-v1", ("ok", None))):
            m = Mission(user, mission, None, ["n1"], statuses=["ok"], v1=True)
            row = opened(c, m)[0]
            same((row["status"], row["reason"]), wanted, f"{user} {mission}")
            same(redeem(c, m), [], "there is nothing to redeem")
        m = Mission(A, "m1", None, ["n1"], statuses=["ok"])
        same(opened(c, m)[0]["status"], "ok", "a record that needs no grant is no v1 decision")


@promise("A receipt is good for 60 seconds, and a failure for ten minutes")
def old(database):
    with database.resolver() as c, database.superuser() as s:
        for seconds, redeemed, failed in ((58, 1, 1), (61, 0, 1), (598, 0, 1), (601, 0, 0), (3600, 0, 0)):
            m = Mission(B, "m1", G[B], ["n1"])
            seq = opened(c, m)[0]["seq"]
            # Only a superuser who switches the guard off can age a row.
            s.run("ALTER TABLE mana_ai.decrypt_audit DISABLE TRIGGER decrypt_audit_guard")
            s.run("UPDATE mana_ai.decrypt_audit SET ts = ts - $2 * interval '1 second' WHERE batch = $1", m.batch, seconds)
            s.run("ALTER TABLE mana_ai.decrypt_audit ENABLE ALWAYS TRIGGER decrypt_audit_guard")
            same(len(shares(redeem(c, m))), redeemed, f"shares after {seconds} s")
            same(len(fail(c, m, [seq], ["decrypt-failed"])), failed, f"failures after {seconds} s")
            s.run("ALTER TABLE mana_ai.decrypt_audit DISABLE TRIGGER decrypt_audit_guard")
            s.run("UPDATE mana_ai.decrypt_audit SET ts = ts + $2 * interval '1 second' WHERE batch = $1 AND of_seq IS NULL", m.batch, seconds)
            s.run("ALTER TABLE mana_ai.decrypt_audit ENABLE ALWAYS TRIGGER decrypt_audit_guard")


@promise("A grant that closes or expires between opening and redeeming releases nothing, and says why")
def closed_between(database):
    with database.superuser() as s:
        for reason, wanted in (("user", "revoked"), ("operator", "revoked"), ("vault-rotated", "revoked"), ("expired", "expired")):
            grant = add_grant(s, A, "between", ["n1", "n2"])
            m = Mission(A, "between", grant, ["n1", "n2"])
            with database.resolver() as c:
                opened(c, m)
                s.run("SELECT mana_ai.close_grants_of($1, 'between', NULL, $2)", A, reason)
                rows = redeem(c, m)
                same([(r["reason"], r["share"], r["wrapped_key"], r["claims"], r["key_id"]) for r in rows], [(wanted, None, None, None, None)] * 2, reason)
        grant = add_grant(s, A, "between", ["n1"], lasts="62 seconds")
        m = Mission(A, "between", grant, ["n1"])
        with database.resolver() as c:
            same(opened(c, m)[0]["status"], "ok", "not yet expired")
            wait_until(lambda: s.one("SELECT clock_timestamp() >= expires_at FROM mana_ai.grants WHERE grant_id = $1", grant) == "t", "expiry")
            same([(r["reason"], r["share"]) for r in redeem(c, m)], [("expired", None)], "by the database's clock")
        s.run("SELECT mana_ai.close_grants_of($1, 'between', NULL, 'expired')", A)
        # A share that is gone though its grant is open.
        grant = add_grant(s, A, "between", ["n1"])
        m = Mission(A, "between", grant, ["n1"])
        with database.resolver() as c:
            opened(c, m)
            s.run("DELETE FROM mana_ai.grant_keys WHERE grant_id = $1", grant)
            same([(r["reason"], r["share"], r["wrapped_key"]) for r in redeem(c, m)], [("revoked", None, None)], "no share, no wrap")


@promise("Where the audit cannot be written no share is released: privilege gone, trigger failing, trigger swallowing, check failing")
def unwritable(database):
    breaks = {
        "no insert": ("REVOKE INSERT ON mana_ai.decrypt_audit FROM mandate_gate", "GRANT INSERT ON mana_ai.decrypt_audit TO mandate_gate", {"42501"}),
        "no sequence": ("REVOKE USAGE ON SEQUENCE mana_ai.decrypt_audit_id_seq FROM mandate_gate",
                        "GRANT USAGE ON SEQUENCE mana_ai.decrypt_audit_id_seq TO mandate_gate", {"42501"}),
        "no head": ("REVOKE UPDATE (seq, hash, ts) ON mana_ai.audit_heads FROM mandate_gate",
                    "GRANT UPDATE (seq, hash, ts) ON mana_ai.audit_heads TO mandate_gate", {"42501"}),
        "no batch": ("REVOKE INSERT ON mana_ai.receipt_batches FROM mandate_gate",
                     "GRANT INSERT ON mana_ai.receipt_batches TO mandate_gate", {"42501"}),
        "no policy": ("DROP POLICY decrypt_audit_gate ON mana_ai.decrypt_audit",
                      "CREATE POLICY decrypt_audit_gate ON mana_ai.decrypt_audit TO mandate_gate USING (true) WITH CHECK (true)", {"42501"}),
        "failing trigger": ("CREATE FUNCTION public.breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; "
                            "CREATE TRIGGER breaks BEFORE INSERT ON mana_ai.decrypt_audit FOR EACH ROW EXECUTE FUNCTION public.breaks()",
                            "DROP FUNCTION public.breaks() CASCADE", {"P0001"}),
        "failing at commit": ("CREATE FUNCTION public.breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; "
                              "CREATE CONSTRAINT TRIGGER breaks AFTER INSERT ON mana_ai.decrypt_audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.breaks()",
                              "DROP FUNCTION public.breaks() CASCADE", {"P0001"}),
        "swallowing trigger": ("CREATE FUNCTION public.breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; "
                               "CREATE TRIGGER breaks BEFORE INSERT ON mana_ai.decrypt_audit FOR EACH ROW EXECUTE FUNCTION public.breaks()",
                               "DROP FUNCTION public.breaks() CASCADE", set()),
        "failing check": ("ALTER TABLE mana_ai.decrypt_audit ADD CONSTRAINT breaks CHECK (false) NOT VALID",
                          "ALTER TABLE mana_ai.decrypt_audit DROP CONSTRAINT breaks", {"23514"}),
        "read-only": ("ALTER DATABASE receipts SET default_transaction_read_only = on",
                      "ALTER DATABASE receipts RESET default_transaction_read_only", {"25006"}),
        "nobody executes": ("REVOKE EXECUTE ON FUNCTION mana_ai.open_receipts(uuid[], text[], text[], text[], text[], text[], boolean[], integer[], text[], text[], text[], text[]) FROM mandate_resolver",
                            "GRANT EXECUTE ON FUNCTION mana_ai.open_receipts(uuid[], text[], text[], text[], text[], text[], boolean[], integer[], text[], text[], text[], text[]) TO mandate_resolver", {"42501"}),
    }
    for name, (breaking, mending, states) in breaks.items():
        with database.superuser() as s:
            heads = s.one("SELECT json_agg(h ORDER BY user_id) FROM mana_ai.audit_heads h")
            s.script(breaking)
            database.log_in_anew()
            try:
                with database.resolver() as c:
                    m = Mission(A, "m1", G[A], ["n1"])

                    def attempt():
                        c.run("BEGIN")
                        open_receipts(c, m)
                        c.run("COMMIT")
                    if states:
                        refused(states, attempt, name)
                        c.run("ROLLBACK")
                    else:
                        attempt()  # the rows are gone without an error, so there is nothing to redeem
                    try:
                        same(shares(redeem(c, m)), [], name)
                    except Refused as error:
                        holds(error.state in ("42501", "25006"), f"{name}: {error}")
                    same(committed(database, m), [], name)
                    if states:
                        same(s.one("SELECT json_agg(h ORDER BY user_id) FROM mana_ai.audit_heads h"), heads, f"{name}: the heads")
            finally:
                s.script("SET default_transaction_read_only = off; " + mending)
                if name == "swallowing trigger":  # the head went on without rows; put it back for the others
                    s.run("UPDATE mana_ai.audit_heads h SET (seq, hash) = (SELECT seq, hash FROM mana_ai.decrypt_audit a WHERE a.user_id = h.user_id AND a.seq IS NOT NULL ORDER BY a.seq DESC LIMIT 1)")
                database.log_in_anew()
    return f"{len(breaks)} ways"


@promise("A receipt fails once, for its own batch and user, with a reason we know; a miss of sealing goes back into the queue")
def failures(database):
    m, n = Mission(A, "m1", G[A], ["n1", "n2", "n3"]), Mission(B, "m1", G[B], ["n1"])
    with database.resolver() as c, database.superuser() as s:
        rows = opened(c, m, n)
        seqs = [int(r["seq"]) for r in rows]
        s.run("DELETE FROM mana_ai.change_queue")
        written = fail(c, m, [seqs[1], seqs[0]], ["not-sealed-yet", "record-not-in-grant-allowlist"])
        same([int(r["of_seq"]) for r in written], [seqs[1], seqs[0]], "the answers' order")
        same([(r["status"], r["reason"], r["of_seq"]) for r in committed(database, m)[3:]],
             [("failed", "not-sealed-yet", str(seqs[1])), ("scope-violation", "record-not-in-grant-allowlist", str(seqs[0]))], "rows")
        same(s.run("SELECT topic, user_id, app_id, table_name, record_id FROM mana_ai.change_queue"),
             [{"topic": "seal", "user_id": A, "app_id": "notes", "table_name": "notes", "record_id": "n2"}], "the queue")
        same(fail(c, m, [seqs[0], seqs[1]], ["decrypt-failed"] * 2), [], "a second time")
        same(len(fail(c, m, [seqs[2]] * 3, ["decrypt-failed"] * 3)), 1, "three times at once")
        same(fail(c, Mission(B, "m1", G[B], [], batch=m.batch), [seqs[3]], ["decrypt-failed"]), [], "of another user")
        same(fail(c, n, [seqs[0]], ["decrypt-failed"]), [], "of another batch")
        same(fail(c, n, [int(written[0]["seq"])], ["decrypt-failed"]), [], "of a failure")
        same(fail(c, n, [10 ** 9, 0, -1], ["decrypt-failed"] * 3), [], "of nothing")
        same(fail(c, Mission("nobody", "m1", None, []), [1], ["decrypt-failed"]), [], "of nobody")
        same(s.run("SELECT 1 FROM mana_ai.audit_heads WHERE user_id = 'nobody'"), [], "nobody's chain")
        refused("MD003", lambda: fail(c, n, [seqs[3]], ["because"]), "an unknown reason")
        refused("MD003", lambda: fail(c, n, [seqs[3]], [None]), "no reason")
        refused("MD003", lambda: fail(c, n, [], []), "nothing")
        s.run("DELETE FROM mana_ai.change_queue")
        for reason in ("not-configured", "expired", "malformed", "wrap-rejected", "revoked", "unknown-grant", "ciphertext-malformed",
                       "ciphertext-tampered-or-wrong-key", "decrypt-failed", "record-missing", "not-granted", "media-not-owned",
                       "moved-ciphertext", "unknown-module", "batch-too-large"):
            o = Mission(B, "m1", G[B], ["n1"])
            same(len(fail(c, o, [int(opened(c, o)[0]["seq"])], [reason])), 1, reason)
        same(s.run("SELECT 1 FROM mana_ai.change_queue"), [], "nothing else is put into the queue")
        same(len(shares(redeem(c, m))), 3, "a failure takes nothing back that its receipt released")


@promise("A closing that races openings and redeems never loses: no share leaves after it has drained")
def races(database):
    rounds, released, refused_ = 40, 0, 0
    for i in range(rounds):
        with database.superuser() as s:
            grant = add_grant(s, A, f"race-{i}", ["n1", "n2"])
            with database.issuer() as issuer, database.resolver() as c, database.resolver() as d:
                before, after = Mission(A, f"race-{i}", grant, ["n1"]), Mission(A, f"race-{i}", grant, ["n2"])
                opened(c, before)
                stage = i % 4
                if stage == 0:  # a redeem in flight is seen out
                    c.run("BEGIN")
                    first = redeem(c, before)
                elif stage == 1:  # an opening in flight
                    c.run("BEGIN")
                    open_receipts(c, after)
                issuer.run("SELECT * FROM mana_ai.close_grants($1, NULL, ARRAY[$2], 'user')", A, grant)
                drain = Side(lambda: issuer.run("SELECT * FROM mana_ai.drain_grants(ARRAY[$1])", grant))
                if stage == 0:
                    same(len(shares(first)), 1, "a redeem before the commit")
                    released += 1
                    wait_until(lambda: waiting(s), "the drain waits for it")
                    late = Side(lambda: redeem(d, before))  # queues behind the drain
                    c.run("COMMIT")
                    same(drain.finish(), [{"grant_id": grant, "drained": "t"}], "drained")
                    same([r["reason"] for r in late.finish()], ["revoked"], "a redeem that began after the commit")
                elif stage == 1:
                    wait_until(lambda: waiting(s), "the drain waits for it")
                    c.run("COMMIT")
                    same(drain.finish(), [{"grant_id": grant, "drained": "t"}], "drained")
                    same([(r["reason"], r["share"]) for r in redeem(c, after)], [("revoked", None)], "opened before, redeemed after")
                else:
                    drain.finish()
                if stage == 2:
                    opened(c, after)
                    same([r["reason"] for r in committed(database, after)], ["revoked"], "opened after")
                same(shares(redeem(d, before)) + shares(redeem(d, after)), [], "after the drain")
                refused_ += 2
    return f"{rounds} rounds, {released} released before, {refused_} refused after"


@promise("Ids are bytes: case, composition, blanks and quotes make other users, missions and records")
def bytes_(database):
    pairs = [("\u00e9", "e\u0301"), ("User", "user"), ("a", "a "), ("\u00df", "ss"), ("I", "\u0131"), ("x'--", "x"), ('q"\\', "q"),
             ("\u202eab", "ab"), ("\U0001f600", "\U0001f601"), ("\u212b", "\u00c5"), ("NULL", "null"), ("{a,b}", "{a, b}")]
    with database.superuser() as s, database.resolver() as c:
        for one, other in pairs:
            for user in (one, other):
                add_user(s, user)
            grant = add_grant(s, one, one, [one])
            m = Mission(one, one, grant, [one, other])
            same([r["status"] for r in opened(c, m)], ["ok", "scope-violation"], f"{one!r} is not {other!r} as a record")
            same([r["record_id"] for r in shares(redeem(c, m))], [one], "its share")
            for n in (Mission(other, one, grant, [one]), Mission(one, other, grant, [one])):
                same(opened(c, n)[0]["reason"], "unknown-grant", f"{one!r} is not {other!r}")
        problems = verify_chain.of_database(s)
        holds(problems[0] > 10 and not problems[2], f"{problems}")


@promise("The database's frame and hash are those of an implementation that shares no code with it")
def formula(database):
    r = random.Random(7)
    with database.superuser() as s:
        for _ in range(300):
            parts = [r.choice([None, "", "a", "é😀", "x" * r.randrange(300), "\t\n\"\\"]) for _ in range(r.randrange(1, 9))]
            same(s.one("SELECT encode(mana_ai.frame(VARIADIC $1::text[]), 'hex')", parts), verify_chain.frame(*parts).hex(), f"{parts}")
        # The spelling of time does not follow the session.
        for zone, style in (("UTC", "ISO"), ("Asia/Kathmandu", "German"), ("America/St_Johns", "SQL, DMY"), ("Europe/Berlin", "Postgres")):
            s.run("BEGIN")
            s.run(f"SET LOCAL TimeZone = '{zone}'")
            s.run(f"SET LOCAL DateStyle = '{style}'")
            for instant, micros, millis in (("2026-11-20 07:00:00.1+00", "2026-11-20T07:00:00.100000Z", "2026-11-20T07:00:00.100Z"),
                                            ("2026-01-01 00:30:00.000001+01", "2025-12-31T23:30:00.000001Z", "2025-12-31T23:30:00.000Z"),
                                            ("2024-02-29 23:59:59.999999Z", "2024-02-29T23:59:59.999999Z", "2024-02-29T23:59:59.999Z")):
                s.run("SAVEPOINT z")
                same(s.one("SELECT mana_ai.instant_micros(timestamptz '" + instant + "')") if style == "ISO" else
                     s.one("SELECT mana_ai.instant_micros(to_timestamp(extract(epoch FROM timestamptz '" + instant + "')))"), micros, zone)
            s.run("ROLLBACK")
        previous = hashlib.sha256(b"x").digest()
        found = s.one("SELECT encode(mana_ai.audit_hash($1, 'u', 7, '2026-11-20 07:00:00.1Z', 'm', NULL, 'i', 't', 'r', 'failed', 'expired', NULL, "
                      "'6f2c1c3e-0000-4000-8000-0000000000AB', 3), 'hex')", previous)
        same(found, hashlib.sha256(previous + verify_chain.frame(
            "mandate/v2/audit", "u", 7, "2026-11-20T07:00:00.100000Z", "m", "", "i", "t", "r", "failed", "expired", "",
            "6f2c1c3e-0000-4000-8000-0000000000ab", 3)).hexdigest(), "a row's hash")


@promise("Killed at any statement of open and redeem, a released share has its committed row")
def killed(database):
    steps = ["begin", "open", "commit", "begin again", "redeem", "commit again"]
    released = lost = 0
    for at in range(len(steps)):
        for when in ("before", "after"):
            m = Mission(A, "m1", G[A], ["n1", "n2"])
            got = []
            c = Connection(database._info("mandate_resolver"))  # the server process itself is killed, so no pooler
            pid = c.pid
            actions = [lambda: c.run("BEGIN"), lambda: open_receipts(c, m), lambda: c.run("COMMIT"), lambda: c.run("BEGIN"),
                       lambda: got.extend(shares(redeem(c, m))), lambda: c.run("COMMIT")]
            with database.superuser() as s:
                try:
                    for i, action in enumerate(actions):
                        if i == at and when == "before":
                            s.run("SELECT pg_terminate_backend($1)", pid)
                        action()
                        if i == at and when == "after":
                            s.run("SELECT pg_terminate_backend($1)", pid)
                    c.run("SELECT 1")
                except (Refused, Lost):
                    lost += 1
                c.close()
                rows = committed(database, m)
                same(len(rows) in (0, 2), True, f"killed {when} {steps[at]}: all rows or none")
                if got:
                    released += 1
                    same(len(rows), 2, f"killed {when} {steps[at]}: released")
                with database.resolver() as d:
                    same(len(shares(redeem(d, m))), len(rows), f"killed {when} {steps[at]}: what can be redeemed later")
    same(lost, 12, "boundaries at which the client was cut off")
    return f"{len(steps) * 2} boundaries, released at {released}"


@promise("Every chain verifies in the end, and the verifier finds what was changed, removed, inserted or reordered")
def verified(database):
    with database.operator() as c:
        chains, rows, problems = verify_chain.of_database(c)
        same(problems, [], "chains")
        objects = [json.loads(r["line"]) for r in c.run(verify_chain.EXPORT)]
    chain = sorted((o for o in objects if o.get("user") == A), key=lambda o: o["seq"])
    rest = [o for o in objects if o.get("user") != A]
    for column in ("ts", "mission", "grant", "iteration", "table", "record", "status", "reason", "purpose", "batch", "of_seq", "hash"):
        victim = dict(chain[5])
        victim[column] = "x" if column not in ("of_seq",) else 99
        same(len(verify_chain.verify(rest + chain[:5] + [victim] + chain[6:])[2]), 1, f"changed {column}")
    same(len(verify_chain.verify(rest + chain[:5] + chain[6:])[2]), 1, "removed")
    same(len(verify_chain.verify(rest + chain[:-1])[2]), 1, "removed at the end")
    same(len(verify_chain.verify(rest + chain + [dict(chain[5])])[2]), 1, "inserted")
    swapped = [dict(o) for o in chain]
    swapped[5]["seq"], swapped[6]["seq"] = swapped[6]["seq"], swapped[5]["seq"]
    same(len(verify_chain.verify(rest + swapped)[2]), 1, "reordered")
    same(len(verify_chain.verify([o for o in objects if "head" not in o])[2]) > 0, True, "no heads")
    return f"{chains} chains, {rows} rows"
