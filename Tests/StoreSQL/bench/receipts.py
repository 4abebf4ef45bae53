"""Receipts against the same work without them, by pgbench: plain reads and five plain inserts in one transaction;
open, redeem and read one mission per round trip; sorted batches of 32 missions per round trip."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from cluster import Cluster, Database  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
USERS = int(os.environ.get("USERS", "10000"))
SECONDS = int(os.environ.get("SECONDS", "10"))
BATCH = 32

def pick(count):
    lines = [f"\\set n random(0, {USERS - count})"]
    return "\n".join(lines) + "\n"


def ids(i):
    """SQL expressions for the i-th mission of a batch that begins with number :n."""
    return {
        "user": f"('user-' || lpad((:n + {i})::text, 6, '0'))",
        "mission": f"('mission-' || (:n + {i}))",
        "grant": f"('00000000-0000-4000-8000-' || lpad(to_hex((:n + {i})::int), 12, '0'))",
    }


def read(i):
    u = ids(i)["user"]
    return (f"SELECT set_config('app.current_user_id', {u}, true);\n"
            f"SELECT record_id, op, data, field_meta, created_at FROM public.sync_changes WHERE user_id = {u} "
            "AND app_id = 'notes' AND table_name = 'notes' AND record_id = ANY ('{n1,n2,n3,n4,n5}') "
            "ORDER BY record_id COLLATE \"C\", created_at, id;\n"
            f"SELECT record_id, fields FROM mana_ai.sealed_records WHERE user_id = {u} AND app_id = 'notes' "
            "AND table_name = 'notes' AND record_id = ANY ('{n1,n2,n3,n4,n5}');\n")


def plain():
    k = ids(0)
    insert = "".join(
        f"INSERT INTO plain_audit (user_id, mission_id, table_name, record_id, status) "
        f"VALUES ({k['user']}, {k['mission']}, 'notes', 'n{r}', 'ok');\n" for r in range(1, 6))
    return pick(1) + "\\startpipeline\nBEGIN;\n" + read(0) + insert + "COMMIT;\n\\endpipeline\n"


def receipts(count):
    """One round trip: open, commit, redeem, read, commit, for missions of neighbouring users."""
    every = [ids(i) for i in range(count)]
    lines = pick(count) + "".join(f"\\set b{i} random(1, 9000000000000000000)\n" for i in range(count))
    batch = [f"('00000000-0000-4000-' || lpad(to_hex((:b{i}::bigint >> 48) & 65535), 4, '0') || '-' || "
             f"lpad(to_hex(:b{i}::bigint & 281474976710655), 12, '0'))::uuid" for i in range(count)]
    batches, users = f"ARRAY[{', '.join(batch)}]", f"ARRAY[{', '.join(e['user'] for e in every)}]"
    places = ",".join(str(i + 1) for i in range(count) for _ in range(5))
    nulls = f"array_fill(NULL::text, ARRAY[{count * 5}])"
    lines += "\\startpipeline\nBEGIN;\n"
    lines += (f"SELECT * FROM mana_ai.open_receipts({batches}, {users}, ARRAY[{', '.join(e['mission'] for e in every)}], "
              f"ARRAY[{', '.join(e['grant'] for e in every)}], array_fill(NULL::text, ARRAY[{count}]), "
              f"array_fill('mission-tick'::text, ARRAY[{count}]), array_fill(false, ARRAY[{count}]), '{{{places}}}', "
              f"array_fill('notes'::text, ARRAY[{count * 5}]), '{{{','.join(['n1,n2,n3,n4,n5'] * count)}}}', {nulls}, {nulls});\n")
    lines += "COMMIT;\nBEGIN;\n"
    lines += f"SELECT * FROM mana_ai.redeem_receipts({batches}, {users});\n"
    lines += "".join(read(i) for i in range(count))
    return lines + "COMMIT;\n\\endpipeline\n"


def bench(database, name, script, clients, per):
    path = os.path.join(database.cluster.home, "bench.sql")
    with open(path, "w") as f:
        f.write(script)
    os.chmod(path, 0o644)
    out = subprocess.run(
        ["pgbench", "-n", "-h", str(database.cluster.home), "-U", "mandate_resolver", "-M", "prepared", "-c",
         str(clients), "-j", "2", "-T", str(SECONDS), "-f", path, database.name], capture_output=True, text=True)
    tps = re.search(r"tps = ([\d.]+)", out.stdout)
    failed = re.search(r"number of failed transactions: (\d+)", out.stdout)
    if not tps or out.returncode:
        print(out.stdout, out.stderr[-2000:])
        raise SystemExit(1)
    rate = float(tps.group(1)) * per
    print(f"{name:<34} {clients:>3} clients {rate:>9.0f} missions/s  failed {failed.group(1) if failed else '?'}", flush=True)
    return rate


def main():
    database = Database("bench", Cluster(max_wal_size="4GB", shared_buffers="1GB", **dict(s.split("=") for s in os.environ.get("SETTINGS", "").split())))
    with open(os.path.join(HERE, "fixture.sql")) as f:
        subprocess.run(["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", "-v", f"users={USERS}", "-h", str(database.cluster.home),
                        "-U", "postgres", "-d", database.name], stdin=f, check=True)
    with database.superuser() as c:
        c.script("CREATE TABLE plain_audit (LIKE mana_ai.decrypt_audit INCLUDING DEFAULTS); "
                 "ALTER TABLE plain_audit ADD PRIMARY KEY (id); "
                 "CREATE INDEX ON plain_audit (user_id, mission_id, ts DESC); "
                 "GRANT ALL ON plain_audit TO mandate_resolver; "
                 "GRANT ALL ON SEQUENCE mana_ai.decrypt_audit_id_seq TO mandate_resolver; "
                 "GRANT SELECT ON public.sync_changes TO mandate_resolver")
    rounds = [("plain reads and inserts", plain(), 1), ("open, redeem, read, one by one", receipts(1), 1),
              (f"sorted batches of {BATCH}", receipts(BATCH), BATCH)]
    rates = {}
    for name, script, per in rounds:
        bench(database, name, script, 1, per)
        rates[name] = bench(database, name, script, 16, per)
    base = rates["plain reads and inserts"]
    print(f"receipts / plain = {rates[f'sorted batches of {BATCH}'] / base:.2f} (mark 0.60)")


if __name__ == "__main__":
    main()
