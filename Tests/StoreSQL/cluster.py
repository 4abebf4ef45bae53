"""A throw-away PostgreSQL cluster on a Unix socket, and databases in it.

As root the server runs as `postgres`; as an ordinary user it runs as that user. Nothing listens on a port of TCP.
"""

import atexit
import glob
import hashlib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import time

from pq import Connection

ROOT = pathlib.Path(__file__).resolve().parents[2]
STORE = ROOT / "Sources" / "Store"
SERVICES = ["mandate_issuer", "mandate_resolver", "mandate_runner", "mandate_operator", "mandate_sync"]
MIGRATION_LOCK = 7089336938131513965


def _bindir():
    if os.environ.get("MANDATE_PG_BINDIR"):
        return pathlib.Path(os.environ["MANDATE_PG_BINDIR"])
    asked = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True).stdout.strip()
    for place in [asked, *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]:
        if place and os.path.exists(os.path.join(place, "initdb")):
            return pathlib.Path(place)
    raise SystemExit("PostgreSQL's server programs are missing; set MANDATE_PG_BINDIR")


class Cluster:
    def __init__(self, **settings):
        self.bin = _bindir()
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="mandate-sql-"))
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.as_user:
            account = pwd.getpwnam("postgres")
            os.chown(self.home, account.pw_uid, account.pw_gid)
        self.data = self.home / "data"
        self._do("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8", "-N")
        defaults = {
            "listen_addresses": "''", "unix_socket_directories": f"'{self.home}'", "max_connections": "120",
            "shared_buffers": "256MB", "log_min_messages": "warning", "deadlock_timeout": "200ms",
        }
        with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as conf:
            for name, value in {**defaults, **settings}.items():
                conf.write(f"{name} = {value}\n")
        shutil.copy(conf.name, self.data / "postgresql.auto.conf")
        os.unlink(conf.name)
        if self.as_user:
            os.chown(self.data / "postgresql.auto.conf", account.pw_uid, account.pw_gid)
        self.start()
        atexit.register(self.destroy)

    def _do(self, program, *arguments):
        subprocess.run([*self.as_user, str(self.bin / program), *map(str, arguments)], check=True,
                       stdout=subprocess.DEVNULL, cwd=self.home)

    def start(self):
        self._do("pg_ctl", "-D", self.data, "-l", self.home / "log", "-w", "start")

    def destroy(self):
        if self.home.exists():
            try:
                self._do("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
            finally:
                shutil.rmtree(self.home)

    def log(self):
        return (self.home / "log").read_text(errors="replace")


_shared = None
_pooler = None
_through_pooler = False


def shared():
    """One cluster for a whole run."""
    global _shared
    if _shared is None:
        _shared = Cluster()
    return _shared


def use_pooler():
    """From now on services connect through PgBouncer, in transaction mode, with two server connections per role."""
    global _through_pooler
    _through_pooler = True


def _pool(cluster):
    global _pooler
    if _pooler is None:
        folder = cluster.home / "pool"
        folder.mkdir()
        (folder / "users").write_text("".join(f'"{r}" ""\n' for r in [*SERVICES, "mandate_owner", "postgres"]))
        (folder / "ini").write_text(
            f"[databases]\n* = host={cluster.home}\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n"
            f"unix_socket_dir = {folder}\nauth_type = trust\nauth_file = {folder}/users\npool_mode = transaction\n"
            f"default_pool_size = 40\nmax_client_conn = 400\nadmin_users = postgres\nserver_reset_query =\nlogfile = {folder}/log\n")
        if cluster.as_user:
            shutil.chown(folder, "postgres")
        _pooler = subprocess.Popen([*cluster.as_user, "pgbouncer", "-q", str(folder / "ini")], cwd=folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(_pooler.terminate)
        for _ in range(500):
            if (folder / ".s.PGSQL.6432").exists():
                break
            time.sleep(0.01)
    return cluster.home / "pool", 6432


def files(folder, pattern):
    return sorted((STORE / folder).glob(pattern))


class Database:
    """A database of its own per suite."""

    def __init__(self, name, cluster=None, prepare=None, migrated=True):
        self.cluster = cluster or shared()
        self.name = name
        self.via = _pool(self.cluster) if _through_pooler else None
        with Connection(self._info("postgres", "postgres")) as c:
            c.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            c.run(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8')
        if prepare:
            with self.superuser() as c:
                c.script(prepare)
        if migrated:
            self.bootstrap()
            self.migrate()

    def _info(self, role, database=None):
        return f"host={self.cluster.home} user={role} dbname={database or self.name} options='-c client_min_messages=error'"

    def superuser(self):
        return Connection(self._info("postgres"))

    def owner(self):
        return Connection(self._info("mandate_owner"))

    def service(self, role):
        if self.via and role in SERVICES:
            folder, port = self.via
            return Connection(f"host={folder} port={port} user={role} dbname={self.name}")
        return Connection(self._info(role))

    def log_in_anew(self):
        """A pooled connection keeps the settings it once logged in with; from now on there are new ones."""
        if self.via:
            with Connection(f"host={self.via[0]} port={self.via[1]} user=postgres dbname=pgbouncer") as c:
                c.script("RECONNECT")

    def issuer(self):
        return self.service("mandate_issuer")

    def resolver(self):
        return self.service("mandate_resolver")

    def runner(self):
        return self.service("mandate_runner")

    def operator(self):
        return self.service("mandate_operator")

    def sync(self):
        return self.service("mandate_sync")

    def bootstrap(self, role="postgres"):
        with Connection(self._info(role)) as c:
            c.run("BEGIN")
            for file in files("Bootstrap", "b*.sql"):
                c.script(file.read_text())
            c.run("COMMIT")

    def migrate(self, upto=None):
        """The migrator that Swift will be: every file in a transaction of its own, under one advisory lock."""
        applied = []
        with self.owner() as c:
            c.run("BEGIN")
            c.run("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
            c.script((STORE / "Migrations" / "ledger.sql").read_text())
            c.run("COMMIT")
            for file in files("Migrations", "m*.sql"):
                number, sql = int(file.name[1:5]), file.read_text()
                if upto and number > upto:
                    break
                checksum = hashlib.sha256(sql.encode()).digest()
                c.run("BEGIN")
                c.run("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
                known = c.run("SELECT encode(checksum, 'hex') AS sum FROM mana_ai.schema_migrations WHERE number = $1", number)
                if known:
                    c.run("COMMIT")
                    if known[0]["sum"] != checksum.hex():
                        raise AssertionError(f"{file.name} was changed after it was applied")
                    continue
                c.script("SET LOCAL mandate.touched = ''")
                c.script(sql)
                c.run("INSERT INTO mana_ai.schema_migrations (number, name, checksum, touched) "
                      "VALUES ($1, $2, $3, nullif(current_setting('mandate.touched', true), ''))",
                      number, file.stem, checksum)
                c.run("COMMIT")
                applied.append(file.stem)
        return applied
