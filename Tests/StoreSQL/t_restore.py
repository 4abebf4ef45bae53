"""A dump restores into what it was, once the bootstrap has run for the new database."""

import subprocess

import verify_chain
from cluster import Connection, Database
from suite import promise, refused, same
from t_state import EXPECTED, proof, state
from world import Mission, add_grant, add_user, change, fail, open_receipts, redeem, shares

A = "user-a"


def prepare():
    return Database("dumped")


@promise("A restored database has the expected state, its rows and verifying chains, and enqueues and guards as before")
def restore(database):
    with database.superuser() as s, database.resolver() as c:
        add_user(s, A)
        grant, closed = add_grant(s, A, "m1", ["n1", "n2"]), add_grant(s, A, "m2", ["n1"])
        change(s, A, "notes", "notes", "n1")
        m = Mission(A, "m1", grant, ["n1", "n2"])
        rows = open_receipts(c, m)
        fail(c, m, [int(rows[0]["seq"])], ["not-sealed-yet"])
        late = Mission(A, "m2", closed, ["n1"])
        open_receipts(c, late)
        counts = "SELECT json_object_agg(relname, (xpath('/row/c/text()', query_to_xml('SELECT count(*) AS c FROM ' || oid::regclass, false, true, '')))[1]::text ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND (relnamespace IN ('mana_ai'::regnamespace, 'auth'::regnamespace) OR relname = 'sync_changes')"
        before = s.one(counts)
        folder = database.cluster.home / "dump"
        run = [*database.cluster.as_user]
        subprocess.run([*run, str(database.cluster.bin / "pg_dump"), "-h", str(database.cluster.home), "-U", "postgres", "-Fc", "-f", str(folder), database.name],
                       check=True, cwd=database.cluster.home)
        # Closed after the dump was made: the dump does not know.
        s.run("SELECT mana_ai.close_grants_of($1, 'm2', NULL, 'user')", A)
    restored = Database("restored", migrated=False)
    subprocess.run([*run, str(database.cluster.bin / "pg_restore"), "-h", str(database.cluster.home), "-U", "postgres", "--exit-on-error", "-d", "restored", str(folder)],
                   check=True, cwd=database.cluster.home)
    restored.bootstrap()
    same(restored.migrate(), [], "nothing is left to migrate")
    same(set(state(restored)) ^ set(EXPECTED.read_text().splitlines()), set(), "the state")
    same(proof(restored), [], "the proof")
    with restored.superuser() as s, restored.resolver() as c:
        same(s.one(counts), before, "rows")
        same(verify_chain.of_database(s)[2], [], "chains")
        refused("MD005", lambda: s.run("DELETE FROM mana_ai.decrypt_audit"), "guarded")
        change(s, A, "notes", "notes", "n2")
        same(s.one("SELECT count(*) FROM mana_ai.change_queue WHERE record_id = 'n2'"), "1", "enqueued")
        # What a restore can't know must be told: a grant that was closed after the dump is open again.
        again = Mission(A, "m2", closed, ["n1"])
        same(open_receipts(c, again)[0]["status"], "ok", "open again")
        same(len(shares(redeem(c, again))), 1, "and released")
        with restored.operator() as o:
            o.run("SELECT * FROM mana_ai.revoke($1)", A)
        same([r["reason"] for r in redeem(c, again)], ["revoked"], "until it is closed again")
