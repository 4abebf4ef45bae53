"""What the drivers fill a database with: users with vaults, grants with shares, notes and missions."""

import threading
import uuid

SCOPE = "SELECT set_config('app.current_user_id', $1, true)"
KEY_ID = "ab" * 16


def add_user(c, user, vault=True, zero_knowledge=False):
    c.run("INSERT INTO auth.users (id) VALUES ($1) ON CONFLICT DO NOTHING", user)
    if vault:
        c.run("INSERT INTO auth.encryption_vaults (user_id, wrapped_mk, wrap_iv, recovery_wrapped_mk, recovery_iv, zero_knowledge) "
              "VALUES ($1, $2, $3, 'r', 'r', $4)", user, None if zero_knowledge else "w", None if zero_knowledge else "i",
              zero_knowledge)


def add_grant(c, user, mission, records, table="notes", issued="-1 minute", lasts="7 days"):
    """An open grant with a share for each record; answers its id."""
    grant = str(uuid.uuid4())
    c.run("""
      WITH d AS (SELECT date_trunc('milliseconds', now() + $5::interval) AS issued)
      INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at,
        expires_at, renewable_until)
      SELECT $1, $2, $3, 'v2', $4, $7, mana_ai.grant_claims($1, $4, $2, $3, d.issued,
        d.issued + $6::interval, convert_to(repeat('0f', 32), 'UTF8')), d.issued, d.issued + $6::interval,
        d.issued + interval '30 days' FROM d""", grant, user, mission, KEY_ID, issued, lasts, b"\x5a" * 256)
    for record in records:
        c.run("INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key) VALUES ($1, $2, $3, $4, $5)",
              grant, user, table, record, share(grant, record))
    return grant


def share(grant, record):
    """60 bytes that tell which share they are."""
    return f"{grant[:30]}|{record}".encode().ljust(60, b".")[:60]


def change(c, user, app, table, record, op="update", data="{}", client="device"):
    c.run("INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id) "
          "VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)", app, table, record, user, op, data, client)


class Mission:
    """One mission of a unit: what open_receipts takes for it."""

    def __init__(self, user, mission, grant, records, table="notes", statuses=None, reasons=None, v1=False,
                 iteration=None, purpose="mission-tick", batch=None):
        self.batch = batch or str(uuid.uuid4())
        self.user, self.mission, self.grant, self.records, self.table = user, mission, grant, records, table
        self.statuses, self.reasons = statuses or [None] * len(records), reasons or [None] * len(records)
        self.v1, self.iteration, self.purpose = v1, iteration, purpose


def open_receipts(c, *missions):
    places, tables, records, statuses, reasons = [], [], [], [], []
    for place, m in enumerate(missions, 1):
        for record, status, reason in zip(m.records, m.statuses, m.reasons):
            places.append(place), tables.append(m.table), records.append(record)
            statuses.append(status), reasons.append(reason)
    return c.run(
        "SELECT * FROM mana_ai.open_receipts($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], "
        "$7::boolean[], $8::integer[], $9::text[], $10::text[], $11::text[], $12::text[])",
        [m.batch for m in missions], [m.user for m in missions], [m.mission for m in missions],
        [m.grant for m in missions], [m.iteration for m in missions], [m.purpose for m in missions],
        [m.v1 for m in missions], places, tables, records, statuses, reasons)


def redeem(c, *missions):
    return c.run("SELECT * FROM mana_ai.redeem_receipts($1::uuid[], $2::text[])",
                 [m.batch for m in missions], [m.user for m in missions])


def fail(c, mission, seqs, reasons):
    return c.run("SELECT * FROM mana_ai.fail_receipts($1::uuid[], $2::text[], $3::bigint[], $4::text[])",
                 [mission.batch] * len(seqs), [mission.user] * len(seqs), seqs, reasons)


def shares(rows):
    """The shares that a redeem really released."""
    return [r for r in rows if r["share"] is not None or r["wrapped_key"] is not None or r["claims"] is not None]


class Side(threading.Thread):
    """Runs something beside the test and hands back its answer or its error."""

    def __init__(self, action):
        super().__init__(daemon=True)
        self._action, self.error, self.answer = action, None, None
        self.start()

    def run(self):
        try:
            self.answer = self._action()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.error = error

    def finish(self, seconds=60):
        self.join(seconds)
        assert not self.is_alive(), "never came to an end"
        if self.error:
            raise self.error
        return self.answer


def waiting(c):
    """Whether anybody in this database is waiting for a lock. Through a pooler one cannot say whose server process it is."""
    return c.run("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") != []
