"""How grants end: closing, draining, expiry, and what is deleted with them."""

from cluster import Database
from suite import promise, refused, same, wait_until
from world import SCOPE, Mission, Side, add_grant, add_user, change, open_receipts, redeem, waiting

A, B = "user-a", "user-b"


def prepare():
    database = Database("closing")
    with database.superuser() as c:
        for user in (A, B):
            add_user(c, user)
    return database


def fresh(database):
    with database.superuser() as s:
        s.script("DELETE FROM mana_ai.grant_keys; DELETE FROM mana_ai.grants; DELETE FROM mana_ai.sealed_records")


def seal(c, user, *records):
    for record in records:
        c.run("INSERT INTO mana_ai.sealed_records (user_id, app_id, table_name, record_id, fields) VALUES ($1, 'notes', 'notes', $2, '{}') ON CONFLICT DO NOTHING", user, record)


def sealed(c):
    return {(r["user_id"], r["record_id"]) for r in c.run("SELECT user_id, record_id FROM mana_ai.sealed_records")}


@promise("Closing deletes the shares, and just the sealed copies that no other open grant needs")
def deletes(database):
    fresh(database)
    with database.superuser() as s, database.issuer() as c:
        one, two = add_grant(s, A, "m1", ["n1", "n2"]), add_grant(s, A, "m2", ["n2", "n3"])
        add_grant(s, B, "m1", ["n1"])
        seal(s, A, "n1", "n2", "n3", "n4"), seal(s, B, "n1")
        rows = c.run("SELECT * FROM mana_ai.close_grants($1, 'm1', NULL, 'user')", A)
        same([(r["grant_id"], r["mission_id"]) for r in rows], [(one, "m1")], "closed")
        same(sealed(s), {(A, "n2"), (A, "n3"), (A, "n4"), (B, "n1")}, "sealed copies")
        same({(r["user_id"], r["grant_id"]) for r in s.run("SELECT DISTINCT user_id, grant_id FROM mana_ai.grant_keys")} >= {(A, two)}, True, "shares of others")
        same(s.run("SELECT 1 FROM mana_ai.grant_keys WHERE grant_id = $1", one), [], "shares")
        same(c.run("SELECT * FROM mana_ai.close_grants($1, 'm1', NULL, 'user')", A), [], "once more: nothing")
        same(s.one("SELECT closed_reason FROM mana_ai.grants WHERE grant_id = $1", one), "user", "the first reason stays")
        c.run("SELECT * FROM mana_ai.close_grants($1, NULL, NULL, 'deleted')", A)
        same(sealed(s), {(A, "n4"), (B, "n1")}, "with the last grant that needed them")
        same(s.one("SELECT count(*) FROM mana_ai.grants WHERE closed_at IS NULL AND user_id = $1", B), "1", "another user's grant")
        same(c.run("SELECT * FROM mana_ai.close_grants($1, NULL, ARRAY[$2], 'user')", A, s.one("SELECT grant_id FROM mana_ai.grants WHERE user_id = $1", B)), [], "another user's grant by name")
        refused("23514", lambda: c.run("SELECT * FROM mana_ai.close_grants($1, NULL, NULL, 'because')", B), "an unknown reason")
        refused("MD003", lambda: c.run("SELECT * FROM mana_ai.close_grants('', NULL, NULL, 'user')"), "nobody")


@promise("A mission has one open grant at most, and issuing anew closes the former")
def one_open(database):
    fresh(database)
    with database.superuser() as s:
        add_grant(s, A, "m1", ["n1"])
        refused("23505", lambda: add_grant(s, A, "m1", ["n1"]), "a second open one")
        s.run("SELECT mana_ai.close_grants_of($1, 'm1', NULL, 'superseded')", A)
        add_grant(s, A, "m1", ["n1"])
        add_grant(s, B, "m1", ["n1"])
        same(s.one("SELECT count(*) FROM mana_ai.grants WHERE closed_at IS NULL"), "2", "open")


@promise("The operator revokes by user, mission or grant, and drains in a second transaction")
def revoke(database):
    fresh(database)
    with database.superuser() as s, database.operator() as c:
        grants = [add_grant(s, A, f"m{i}", ["n1"]) for i in range(3)]
        same([r["grant_id"] for r in c.run("SELECT * FROM mana_ai.revoke($1, 'm0')", A)], [grants[0]], "one mission")
        same([r["grant_id"] for r in c.run("SELECT * FROM mana_ai.revoke($1, NULL, ARRAY[$2])", A, grants[1])], [grants[1]], "one grant")
        same([r["grant_id"] for r in c.run("SELECT * FROM mana_ai.revoke($1)", A)], [grants[2]], "all of a user")
        same({r["closed_reason"] for r in s.run("SELECT closed_reason FROM mana_ai.grants")}, {"operator"}, "reason")
        same({r["drained"] for r in c.run("SELECT * FROM mana_ai.drain_grants($1::text[])", grants)}, {"t"}, "drained")
        same(c.run("SELECT * FROM mana_ai.drain_grants('{}')"), [], "nothing to drain")


@promise("A drain that an opening outlasts says so after five seconds in all, and closes no less")
def draining(database):
    fresh(database)
    with database.superuser() as s, database.issuer() as c, database.resolver() as d:
        slow, quick, idle = (add_grant(s, A, f"m{i}", ["n1"]) for i in range(3))
        m = Mission(A, "m0", slow, ["n1"])
        d.run("BEGIN")
        open_receipts(d, m, Mission(A, "m1", quick, ["n1"]))
        c.run("SELECT * FROM mana_ai.close_grants($1, NULL, NULL, 'user')", A)
        rows = {r["grant_id"]: r["drained"] for r in c.run("SELECT * FROM mana_ai.drain_grants($1::text[])", [slow, quick, idle])}
        same((rows[slow], rows[quick]), ("f", "f"), "not drained")
        d.run("COMMIT")
        same([r["reason"] for r in redeem(d, m)], ["revoked"], "closed all the same")
        same({r["drained"] for r in c.run("SELECT * FROM mana_ai.drain_grants($1::text[])", [slow, quick, idle])}, {"t"}, "asked again")
        same(c.one("SHOW lock_timeout"), "0", "the limit ends with the function")


@promise("Closing a grant that is opened all the time does not wait for its openings")
def hot(database):
    fresh(database)
    with database.superuser() as s, database.issuer() as c:
        grant = add_grant(s, A, "hot", ["n1"])
        openings = [database.resolver() for _ in range(8)]
        for d in openings:  # eight openings in flight; but for the chain, none waits for another
            d.run("BEGIN")
            d.run("SET LOCAL lock_timeout = '10s'")
        open_receipts(openings[0], Mission(A, "hot", grant, ["n1"]))
        closed = c.run("SELECT * FROM mana_ai.close_grants($1, 'hot', NULL, 'user')", A)  # would hang here if it waited
        same([r["grant_id"] for r in closed], [grant], "closed while an opening is in flight")
        drain = Side(lambda: c.run("SELECT * FROM mana_ai.drain_grants(ARRAY[$1])", grant))
        wait_until(lambda: waiting(s), "the drain waits")
        for d in openings:
            d.run("COMMIT")
            d.close()
        same(drain.finish()[0]["drained"], "t", "drained")


@promise("What has expired is closed, what was renewed meanwhile is not, and a user at work is left for later")
def expired(database):
    fresh(database)
    with database.superuser() as s, database.issuer() as c, database.issuer() as d:
        old = add_grant(s, A, "m1", ["n1"], issued="-8 days")
        other = add_grant(s, B, "m1", ["n1"], issued="-9 days")
        fresh_ = add_grant(s, B, "m2", ["n1"])
        seal(s, A, "n1"), seal(s, B, "n1")
        d.run("BEGIN")
        d.run(SCOPE, A)
        d.run("SELECT 1 FROM auth.encryption_vaults WHERE user_id = $1 FOR UPDATE", A)
        same([(r["user_id"], r["grant_id"], r["mission_id"]) for r in c.run("SELECT * FROM mana_ai.close_expired()")], [(B, other, "m1")], "closed")
        # The user's transaction renews, as the issuer does; then there is nothing left to close.
        d.run("""UPDATE mana_ai.grants SET expires_at = date_trunc('milliseconds', now() + interval '1 hour'),
                 claims = mana_ai.grant_claims(grant_id, key_id, user_id, mission_id, issued_at, date_trunc('milliseconds', now() + interval '1 hour'),
                   substring(claims FROM octet_length(claims) - 63)) WHERE grant_id = $1""", old)
        same(d.touched, 1, "renewed")
        d.run("COMMIT")
        same(c.run("SELECT * FROM mana_ai.close_expired()"), [], "renewed")
        same({r["grant_id"] for r in s.run("SELECT grant_id FROM mana_ai.grants WHERE closed_at IS NULL")}, {old, fresh_}, "open")
        same(s.one("SELECT closed_reason FROM mana_ai.grants WHERE grant_id = $1", other), "expired", "reason")
        same(sealed(s), {(A, "n1"), (B, "n1")}, "sealed copies that an open grant needs")
        # Users whose vault is gone (their account was deleted elsewhere) are closed as well.
        s.run("SELECT mana_ai.close_grants_of($1, NULL, NULL, 'user')", B)
        s.run("DELETE FROM auth.encryption_vaults WHERE user_id = $1", B)
        gone = add_grant(s, B, "m9", ["n1"], issued="-8 days")
        same([r["grant_id"] for r in c.run("SELECT * FROM mana_ai.close_expired(1)")], [gone], "without a vault")
        add_user(s, B)


@promise("Renewals that are due come in order and page by page; closed, expired and exhausted grants are none")
def renewals(database):
    fresh(database)
    with database.superuser() as s, database.issuer() as c:
        due = [add_grant(s, A, f"m{i}", ["n1"], issued="-1 day", lasts=f"{25 + i} hours") for i in range(5)]
        add_grant(s, A, "late", ["n1"])
        add_grant(s, A, "over", ["n1"], issued="-8 days")
        add_grant(s, A, "exhausted", ["n1"], issued="-29 days 22 hours", lasts="30 days")
        add_grant(s, A, "shut", ["n1"], issued="-1 day", lasts="25 hours")
        s.run("SELECT mana_ai.close_grants_of($1, 'shut', NULL, 'user')", A)
        page = c.run("SELECT * FROM mana_ai.due_renewals('1 day', 3)")
        same([r["grant_id"] for r in page], due[:3], "first page")
        page = c.run("SELECT * FROM mana_ai.due_renewals('1 day', 3, $1, $2)", page[-1]["expires_at"], page[-1]["grant_id"])
        same([r["grant_id"] for r in page], due[3:], "second page")
        # A renewal may not outlast what was consented to.
        c.run("BEGIN")
        c.run(SCOPE, A)
        refused("23514", lambda: c.run("""UPDATE mana_ai.grants SET expires_at = renewable_until + interval '1 millisecond',
            claims = mana_ai.grant_claims(grant_id, key_id, user_id, mission_id, issued_at, renewable_until + interval '1 millisecond',
              substring(claims FROM octet_length(claims) - 63)) WHERE grant_id = $1""", due[0]), "beyond the last day")
        c.run("ROLLBACK")


@promise("A grant's blob is attached to its mission, wins the fold, and never names a grant that is not open")
def attach(database):
    fresh(database)
    with database.superuser() as s, database.issuer() as c:
        s.run("DELETE FROM public.sync_changes")
        grant = add_grant(s, A, "m1", ["n1"])
        blob = f'{{"grantId": "{grant}"}}'
        call = "SELECT mana_ai.attach_grant($1, $2, $3::jsonb)"
        same(c.one(call, A, "m1", blob), "no-mission", "without a mission")
        s.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, field_meta, client_id, space_id, created_at) VALUES "
              "('ai', 'aiMissions', 'm1', $1, 'insert', '{}', '{}', 'device', 'old', now() - interval '1 hour'), "
              "('ai', 'aiMissions', 'm1', $1, 'update', '{\"grant\": null}', '{\"grant\": \"2999-01-01T00:00:00.000Z\"}', 'device', 'space-1', now() - interval '1 minute'), "
              "('ai', 'aiMissions', 'm1', $1, 'update', '{\"grant\": null}', '{\"grant\": {\"at\": \"x\"}}', 'device', 'space-1', now() - interval '1 minute')", A)
        for user, mission, b in ((B, "m1", blob), (A, "m2", blob), (A, "m1", '{"grantId": "x"}'), (A, "m1", "{}"), (A, "m1", "[]"), (A, "m1", None)):
            same(c.one(call, user, mission, b), "no-grant", f"{user} {mission} {b}")
        s.run("DELETE FROM mana_ai.change_queue")
        same(c.one(call, A, "m1", blob), "attached", "attached")
        row = s.run("SELECT op, data, field_meta ->> 'grant' AS stamp, client_id, origin, space_id FROM public.sync_changes WHERE client_id = 'mandate-issuer'")
        same([(r["op"], r["data"], r["stamp"], r["space_id"]) for r in row], [("update", f'{{"grant": {blob}}}', "2999-01-01T00:00:00.000Z", "space-1")], "the row")
        same({(r["topic"], r["record_id"]) for r in s.run("SELECT * FROM mana_ai.change_queue")}, {("project", "m1"), ("seal", "m1")}, "the queue")
        change(s, A, "ai", "aiMissions", "m1", "delete")
        same(c.one(call, A, "m1", blob), "no-mission", "a deleted mission")
        s.run("SELECT mana_ai.close_grants_of($1, NULL, NULL, 'user')", A)
        same(c.one(call, A, "m1", blob), "no-grant", "a closed grant")


@promise("Vaults that are not under the target key come by the bytes of the user, without those that have no wrap to move")
def keks(database):
    with database.superuser() as s, database.issuer() as c:
        for user, kek in (("b", "env-v1"), ("B", "env-v1"), ("é", "v2:00000000"), ("z", "env-v1")):
            add_user(s, user)
            s.run("UPDATE auth.encryption_vaults SET kek_id = $2 WHERE user_id = $1", user, kek)
        add_user(s, "zk", zero_knowledge=True)
        found, after = [], ""
        while page := c.run("SELECT * FROM mana_ai.vaults_by_kek('v2:00000000', $1, 2)", after):
            found += [r["user_id"] for r in page]
            after = found[-1]
        same(found, ["B", "b", A, B, "z"], "users, page by page")
        same([r["user_id"] for r in c.run("SELECT * FROM mana_ai.vaults_by_kek('env-v1')")], ["é"], "those under another key")
