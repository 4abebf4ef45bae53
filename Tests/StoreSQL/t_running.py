"""What is due is handed out once; what was spent and what came of it is kept."""

import threading

from cluster import Database
from suite import holds, promise, refused, same
from world import SCOPE, add_user

A = "user-a"


def prepare():
    database = Database("running")
    with database.superuser() as c:
        add_user(c, A)
    return database


def missions(c, count, due="-1 minute", state="active", user=A, prefix="m"):
    c.run("INSERT INTO mana_ai.mission_snapshots (user_id, mission_id, record, state, next_run_at) "
          "SELECT $1, $2 || i, jsonb_build_object('id', $2 || i), $3, now() + $4::interval + i * interval '1 millisecond' FROM generate_series(1, $5::int) i",
          user, prefix, state, due, count)


def clear(database):
    with database.superuser() as s:
        s.script("DELETE FROM mana_ai.mission_snapshots; DELETE FROM mana_ai.mission_runs; DELETE FROM mana_ai.token_usage")


CLAIM = "SELECT * FROM mana_ai.claim_due($1, '1 minute', $2)"


@promise("Several claimers get every due mission exactly once")
def once(database):
    clear(database)
    with database.superuser() as s:
        for user in ("u1", "u2", "é", "B"):
            missions(s, 250, user=user)
    claimed, errors, lock = [], [], threading.Lock()
    start = threading.Barrier(12)

    def claim(name):
        try:
            with database.runner() as c:
                start.wait()
                while rows := c.run(CLAIM, name, 7):
                    with lock:
                        claimed.extend((r["user_id"], r["mission_id"]) for r in rows)
        except Exception as error:  # noqa: BLE001 - handed to the test
            errors.append(error)
    threads = [threading.Thread(target=claim, args=(f"runner-{i}",)) for i in range(12)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    same(errors, [], "errors")
    same(len(claimed), 1000, "claims")
    same(len(set(claimed)), 1000, "missions")
    return f"{len(claimed)} missions, 12 claimers"


@promise("Due is what is active, not parked, past its time and without an outcome, the oldest first")
def due(database):
    clear(database)
    with database.superuser() as s, database.runner() as c:
        missions(s, 3)
        missions(s, 2, due="1 hour", prefix="later")
        for state in ("paused", "done", "archived", None):
            missions(s, 1, state=state, prefix=f"{state}-")
        s.run("UPDATE mana_ai.mission_snapshots SET parked_reason = 'too-many-failures' WHERE mission_id = 'm2'")
        s.run("INSERT INTO mana_ai.mission_runs (user_id, mission_id, due_at, outcome) SELECT user_id, mission_id, next_run_at, 'planned' FROM mana_ai.mission_snapshots WHERE mission_id = 'm1'")
        missions(s, 1, due="-1 hour", prefix="old")
        rows = c.run(CLAIM, "me", 10)
        same([r["mission_id"] for r in rows], ["old1", "m3"], "what is due")
        same([(r["attempts"], r["record"]) for r in rows], [("1", '{"id": "old1"}'), ("1", '{"id": "m3"}')], "what is handed out")
        s.run("UPDATE mana_ai.mission_snapshots SET next_run_at = next_run_at + interval '1 second' WHERE mission_id = 'm1'")
        same([r["mission_id"] for r in c.run(CLAIM, "me", 10)], ["m1"], "another due time is another run")
        for wrong in (("", "1 minute"), (None, "1 minute"), ("me", "0 seconds"), ("me", "-1 minute"), ("me", "2 days"), ("me", None)):
            refused("MD003", lambda: c.run("SELECT * FROM mana_ai.claim_due($1, $2::interval, 1)", *wrong), f"{wrong}")


@promise("A lease that ran out is handed out again, and its former holder can tell")
def leases(database):
    clear(database)
    with database.superuser() as s, database.runner() as c:
        missions(s, 1)
        same(c.run(CLAIM, "one", 1)[0]["attempts"], "1", "first claim")
        same(c.run(CLAIM, "two", 1), [], "while the lease lasts")
        s.run("UPDATE mana_ai.mission_snapshots SET leased_until = now() - interval '1 second'")
        same(c.run(CLAIM, "two", 1)[0]["attempts"], "2", "after it ran out")
        release = ("UPDATE mana_ai.mission_snapshots SET leased_until = NULL, lease_owner = NULL WHERE user_id = $1 AND mission_id = 'm1' "
                   "AND lease_owner = $2 AND attempts = $3")
        c.run("BEGIN")
        c.run(SCOPE, A)
        c.run(release, A, "one", 1)
        same(c.touched, 0, "the former holder")
        c.run(release, A, "two", 2)
        same(c.touched, 1, "the present one")
        c.run("COMMIT")
        refused("23514", lambda: s.run("UPDATE mana_ai.mission_snapshots SET lease_owner = 'x', leased_until = NULL"), "half a lease")


@promise("A due time has one outcome, which stays, however often the run is tried")
def outcomes(database):
    clear(database)
    with database.runner() as c:
        c.run("BEGIN")
        c.run(SCOPE, A)
        insert = "INSERT INTO mana_ai.mission_runs (user_id, mission_id, due_at, outcome) VALUES ($1, 'm1', '2026-11-20 07:00Z', $2) ON CONFLICT DO NOTHING"
        c.run(insert, A, "planned")
        same(c.touched, 1, "the first outcome")
        c.run(insert, A, "failed")
        same(c.touched, 0, "a second one")
        same(c.one("SELECT outcome FROM mana_ai.mission_runs"), "planned", "what is kept")
        for word in ("", "Planned", "two words", "x" * 65, "-x", "x-"):
            c.run("SAVEPOINT s")
            refused("23514", lambda: c.run("INSERT INTO mana_ai.mission_runs (user_id, mission_id, due_at, outcome) VALUES ($1, 'm2', now(), $2)", A, word), word)
            c.run("ROLLBACK TO s")
        refused("42501", lambda: c.run("UPDATE mana_ai.mission_runs SET outcome = 'failed'"), "changed")
        c.run("ROLLBACK")


@promise("A research job has its intent before its task, its task before its result")
def research(database):
    with database.runner() as c:
        c.run("BEGIN")
        c.run(SCOPE, A)
        c.run("INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, provider_id, state, due_at) VALUES ($1, 'm1', 'p', 'intended', now())", A)
        for wrong in ("state = 'submitted'", "state = 'completed', task_id = 't'", "state = 'lost'"):
            c.run("SAVEPOINT s")
            refused("23514", lambda: c.run(f"UPDATE mana_ai.mission_research_jobs SET {wrong}"), wrong)
            c.run("ROLLBACK TO s")
        for right in ("state = 'submitted', task_id = 't'", "state = 'completed', result = '{}'", "state = 'failed'"):
            c.run(f"UPDATE mana_ai.mission_research_jobs SET {right}")
            same(c.touched, 1, right)
        refused("23505", lambda: c.run("INSERT INTO mana_ai.mission_research_jobs (user_id, mission_id, provider_id, task_id) VALUES ($1, 'm1', 'p', 't')", A), "a second job of a mission")
        c.run("ROLLBACK")


@promise("Usage is kept for two days and deleted in bites")
def usage(database):
    clear(database)
    with database.superuser() as s, database.runner() as c:
        s.run("INSERT INTO mana_ai.token_usage (user_id, agent_id, mission_id, tokens_used, ts) SELECT 'u' || i, 'g', 'm', 1, now() - i * interval '1 hour' FROM generate_series(1, 100) i")
        same([c.one("SELECT mana_ai.prune_usage(30)") for _ in range(3)], ["30", "23", "0"], "bites")
        same(s.one("SELECT count(*) FROM mana_ai.token_usage"), "47", "kept")


@promise("The gauges say what waits, and cost no more where much waits")
def gauges(database):
    clear(database)
    with database.superuser() as s:
        missions(s, 2, due="-1 hour")
        s.run("INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id, enqueued_at) SELECT 'seal', 'u', 'a', 't', 'r', now() - interval '10 minutes' FROM generate_series(1, 100050)")
    for role in ("issuer", "resolver", "runner"):
        with database.service(f"mandate_{role}") as c:
            found = {(r["name"], r["label"]): float(r["value"]) for r in c.run("SELECT * FROM mana_ai.gauges()")}
            same(found[("queue_depth", "seal")], 100000.0, "counted no further")
            same((found[("queue_depth", "project")], found[("queue_lag_seconds", "project")], found[("open_grants", "")]), (0.0, 0.0, 0.0), "nothing there")
            holds(600 <= found[("queue_lag_seconds", "seal")] < 900, "lag")
            holds(3500 < found[("oldest_due_mission_seconds", "")] < 3900, "oldest due")
