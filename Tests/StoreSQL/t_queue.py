"""The queue of changes: whatever is written leaves its note, and whatever is noted is seen by a reader."""

import random
import threading

from cluster import Database
from pq import Refused
from suite import holds, promise, refused, same, wait_until
from world import SCOPE, Side, add_user, change, waiting

A, B = "user-a", "user-b"  # A has a vault, B has none
GRANTED = (("notes", "notes"), ("todo", "tasks"), ("calendar", "events"), ("journal", "journalEntries"),
           ("kontext", "kontextDoc"), ("profile", "userContext"), ("companion", "companionGoals"))


def prepare():
    database = Database("queue")
    with database.superuser() as c:
        add_user(c, A)
        add_user(c, B, vault=False)
        c.script("CREATE ROLE replayer LOGIN BYPASSRLS" if not c.run("SELECT 1 FROM pg_roles WHERE rolname = 'replayer'") else "SELECT 1")
        c.script("GRANT USAGE ON SCHEMA public TO replayer; GRANT INSERT ON public.sync_changes TO replayer")
    return database


def clear(database):
    with database.superuser() as s:
        s.script("DELETE FROM mana_ai.change_queue; DELETE FROM public.sync_changes")


def notes(c):
    return sorted((r["topic"], r["user_id"], r["app_id"], r["table_name"], r["record_id"]) for r in c.run("SELECT * FROM mana_ai.change_queue"))


INSERT = ("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) VALUES ('ai', 'aiMissions', 'm1', $1, 'insert', 'd'), "
          "('notes', 'notes', 'n1', $1, 'insert', 'd')")
WANTED = [("project", A, "ai", "aiMissions", "m1"), ("seal", A, "ai", "aiMissions", "m1"), ("seal", A, "notes", "notes", "n1")]


@promise("Every writer enqueues: with a scope, without one, in bulk, as superuser, as owner's table, as a replica")
def writers(database):
    with database.superuser() as s:
        with database.sync() as c:
            clear(database)
            c.run("BEGIN")
            c.run(SCOPE, A)
            c.run(INSERT, A)
            c.run("COMMIT")
            same(notes(s), WANTED, "the sync role, under a scope")
            refused("42501", lambda: c.run(INSERT, A), "the sync role without a scope is bound by the log's own policy")
        clear(database)
        with database.service("replayer") as c:
            c.run(INSERT, A)
            same(notes(s), WANTED, "a writer that bypasses row security, without a scope")
            clear(database)
            c.run("BEGIN")
            c.run(SCOPE, B)
            c.run(INSERT, A)
            c.run("COMMIT")
            same(notes(s), WANTED, "under another user's scope")
        clear(database)
        s.run(INSERT, A)
        same(notes(s), WANTED, "a superuser")
        clear(database)
        s.run("BEGIN")
        s.run("SET LOCAL session_replication_role = replica")
        s.run(INSERT, A)
        s.run("COMMIT")
        same(notes(s), WANTED, "a superuser that replicates")
        clear(database)
        s.copy_in("COPY public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) FROM STDIN",
                  ["ai\taiMissions\tm1\tuser-a\tinsert\td", "notes\tnotes\tn1\tuser-a\tinsert\td"])
        same(notes(s), WANTED, "COPY")
        clear(database)
        with database.runner() as c:
            c.run("BEGIN")
            c.run(SCOPE, A)
            c.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) VALUES ('ai', 'aiMissions', 'm1', $1, 'update', 'mana-ai-runner')", A)
            c.run("COMMIT")
            same(notes(s), WANTED[:2], "the runner")
        clear(database)
        s.run("BEGIN")
        s.run(INSERT, A)
        s.run("ROLLBACK")
        same(notes(s), [], "what is rolled back is not noted")


@promise("Each table is noted for whom it concerns, and the database says of which tables in three places alike")
def topics(database):
    clear(database)
    with database.superuser() as s:
        for user in (A, B):
            for app, table in GRANTED + (("ai", "aiMissions"), ("ai", "agents"), ("ai", "other"), ("notes", "tasks"), ("x", "notes"), ("notes", "aiMissions")):
                change(s, user, app, table, "r")
        wanted = [("project", u, "ai", t, "r") for u in (A, B) for t in ("aiMissions", "agents")]
        wanted += [("seal", A, a, t, "r") for a, t in GRANTED + (("ai", "aiMissions"),)]
        same(notes(s), sorted(wanted), "notes")
        for app, table in GRANTED:
            same(s.one("SELECT mana_ai.module_app($1)", table), app, "module_app")
        same(s.one("SELECT count(*) FROM unnest($1::text[]) AS t WHERE mana_ai.module_app(t) IS NOT NULL", ["aiMissions", "agents", "other", "", "Notes"]), "0", "no other table")
        s.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) VALUES ('notes', 'notes', 'n', '', 'insert', 'd')")
        same(len(notes(s)), len(wanted), "a row of nobody is noted for nobody")
        refused("23514", lambda: s.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) VALUES ('notes', 'notes', 'n', 'u', 'upsert', 'd')"), "an unknown op")


@promise("A transaction may write a hundred thousand changes and twenty thousand missions")
def bulk(database):
    clear(database)
    with database.superuser() as s:
        s.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) SELECT 'notes', 'notes', 'n' || i, $1, 'insert', 'd' FROM generate_series(1, 80000) i", A)
        s.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) SELECT 'ai', 'aiMissions', 'm' || i, $1, 'insert', 'd' FROM generate_series(1, 20000) i", A)
        same(s.run("SELECT topic, count(*) FROM mana_ai.change_queue GROUP BY 1 ORDER BY 1"), [{"topic": "project", "count": "20000"}, {"topic": "seal", "count": "100000"}], "notes")
    with database.issuer() as c:
        taken = 0
        while rows := c.run("SELECT notes FROM mana_ai.take_seal_changes(1000)"):
            taken += sum(int(r["notes"]) for r in rows)
        same(taken, 100000, "taken")
    with database.runner() as c:
        taken = 0
        while rows := c.run("SELECT notes FROM mana_ai.take_project_changes(1000000)"):
            holds(len(rows) <= 1000, "at most 1,000 at once")
            taken += sum(int(r["notes"]) for r in rows)
        same(taken, 20000, "taken")


@promise("A change that commits late is seen late, and never missed")
def late(database):
    clear(database)
    with database.superuser() as early, database.superuser() as late_, database.runner() as c:
        early.run("BEGIN")
        change(early, A, "ai", "agents", "slow")  # the lower number, and the earlier created_at
        change(late_, A, "ai", "agents", "quick")
        same([r["record_id"] for r in c.run("SELECT * FROM mana_ai.take_project_changes(10)")], ["quick"], "what has committed")
        same(c.run("SELECT * FROM mana_ai.take_project_changes(10)"), [], "nothing else yet")
        early.run("COMMIT")
        same([r["record_id"] for r in c.run("SELECT * FROM mana_ai.take_project_changes(10)")], ["slow"], "the late one")


@promise("What one consumer has in its hands no other gets, record by record, and comes back if it fails")
def consumers(database):
    clear(database)
    with database.superuser() as s, database.runner() as c, database.runner() as d, database.issuer() as i:
        for record in ("x", "y", "x"):
            change(s, A, "ai", "aiMissions", record)
        c.run("BEGIN")
        rows = c.run("SELECT * FROM mana_ai.take_project_changes(1)")
        same([(r["record_id"], r["notes"]) for r in rows], [("x", "1")], "the first")
        # Another note of the same record stays where it is; its record is being worked on.
        same([r["record_id"] for r in d.run("SELECT * FROM mana_ai.take_project_changes(10)")], ["y"], "the second consumer")
        same({r["record_id"] for r in i.run("SELECT * FROM mana_ai.take_seal_changes(10)")}, {"x", "y"}, "another topic is another consumer's")
        c.run("ROLLBACK")
        same([(r["record_id"], r["notes"]) for r in d.run("SELECT * FROM mana_ai.take_project_changes(10)")], [("x", "2")], "all of it came back")
        same(notes(s), [], "the queue is empty")


@promise("Consumers that read after they took end up with the last state of every record, whoever writes meanwhile")
def convergence(database):
    clear(database)
    writers_, readers, records, rounds = 8, 4, 12, 60
    seen, lock, errors, done = {}, threading.Lock(), [], threading.Event()

    def write(seed):
        r = random.Random(seed)
        try:
            with database.superuser() as c:
                for _ in range(rounds):
                    c.run("BEGIN")
                    for _ in range(r.randrange(1, 4)):
                        # One writer per record at a time, so that its versions grow in the order of commits.
                        record = f"g{r.randrange(records)}"
                        if c.one("SELECT pg_try_advisory_xact_lock(99, $1)", int(record[1:])) == "f":
                            continue
                        c.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id, data) "
                              "SELECT 'ai', 'agents', $1, $2, 'update', 'd', jsonb_build_object('v', coalesce(max((data ->> 'v')::int), 0) + 1) "
                              "FROM public.sync_changes WHERE record_id = $1", record, A)
                        if r.random() < 0.3:
                            c.run("SELECT pg_sleep(0.003)")
                    c.run("ROLLBACK" if r.random() < 0.15 else "COMMIT")
        except Refused as error:
            errors.append(str(error))

    def read():
        try:
            with database.runner() as c:
                while True:
                    last = done.is_set()
                    c.run("BEGIN")
                    rows = c.run("SELECT * FROM mana_ai.take_project_changes(7)")
                    c.run(SCOPE, A)
                    for row in rows:
                        v = c.one("SELECT coalesce(max((data ->> 'v')::int), 0) FROM public.sync_changes WHERE user_id = $1 AND app_id = 'ai' AND table_name = 'agents' AND record_id = $2", A, row["record_id"])
                        with lock:
                            seen[row["record_id"]] = int(v)
                    c.run("COMMIT")
                    if last and not rows:
                        return
        except Refused as error:
            errors.append(str(error))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(writers_)]
    consumers_ = [threading.Thread(target=read) for _ in range(readers)]
    [t.start() for t in threads + consumers_]
    [t.join() for t in threads]
    done.set()
    [t.join() for t in consumers_]
    same(errors, [], "errors")
    with database.superuser() as s:
        final = {r["record_id"]: int(r["v"]) for r in s.run("SELECT record_id, max((data ->> 'v')::int) AS v FROM public.sync_changes GROUP BY 1")}
        same(seen, final, "last versions")
        same(notes(s), [], "the queue is empty")
    return f"{sum(final.values())} changes of {len(final)} records"


@promise("The runner's write-back waits for a client's edit in flight, and a client's edit for the write-back")
def write_back(database):
    clear(database)
    with database.superuser() as s, database.superuser() as client, database.runner() as c:
        client.run("BEGIN")
        change(client, A, "ai", "aiMissions", "m1", data='{"note": "edit"}')
        c.run("BEGIN")
        side = Side(lambda: c.run("SELECT mana_ai.lock_mission($1, 'm1')", A))
        wait_until(lambda: waiting(s), "the write-back waits")
        client.run("COMMIT")
        side.finish()
        c.run(SCOPE, A)
        same(c.one("SELECT count(*) FROM public.sync_changes WHERE user_id = $1 AND record_id = 'm1'", A), "1", "the edit is seen")
        # And the other way round: an edit that begins now comes after what is written back.
        side = Side(lambda: change(client, A, "ai", "aiMissions", "m1", data='{"note": "later"}'))
        wait_until(lambda: waiting(s), "the edit waits")
        c.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, client_id) VALUES ('ai', 'aiMissions', 'm1', $1, 'update', 'mana-ai-runner')", A)
        c.run("COMMIT")
        side.finish()
        # A writer that never ends is not waited for for ever.
        client.run("BEGIN")
        change(client, A, "ai", "aiMissions", "m1")
        change(client, A, "ai", "agents", "g1")
        refused("55P03", lambda: c.run("SELECT mana_ai.lock_mission($1, 'm1')", A), "five seconds are enough")
        client.run("ROLLBACK")
