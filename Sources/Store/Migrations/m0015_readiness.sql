-- What a service proves itself by: a row it must be able to change, a row it must not always see, and the gauges.

SET LOCAL search_path = pg_catalog, pg_temp;

-- Ready is who can commit an update of this one row.
CREATE TABLE mana_ai.audit_probe (
  one boolean CONSTRAINT audit_probe_pkey PRIMARY KEY DEFAULT true CONSTRAINT audit_probe_one CHECK (one),
  touched_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10);
INSERT INTO mana_ai.audit_probe DEFAULT VALUES;
REVOKE ALL ON mana_ai.audit_probe FROM PUBLIC;
GRANT UPDATE (touched_at) ON mana_ai.audit_probe TO mandate_issuer, mandate_resolver, mandate_runner;

-- The canary: under its own scope its row is visible, under another and under none it is not. Its id has a blank, which
-- no account's has.
CREATE TABLE mana_ai.rls_canary (
  user_id text CONSTRAINT rls_canary_pkey PRIMARY KEY
);
INSERT INTO mana_ai.rls_canary (user_id) VALUES ('mandate canary');
ALTER TABLE mana_ai.rls_canary ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY rls_canary_user_scope ON mana_ai.rls_canary
  USING (user_id = current_setting('app.current_user_id', true) AND user_id <> '')
  WITH CHECK (user_id = current_setting('app.current_user_id', true) AND user_id <> '');
REVOKE ALL ON mana_ai.rls_canary FROM PUBLIC;
GRANT SELECT ON mana_ai.rls_canary TO mandate_issuer, mandate_resolver, mandate_runner;

GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

-- Figures for metrics; no ids. Counts stop at 100,000, which says enough and costs a bounded scan.
CREATE FUNCTION mana_ai.gauges() RETURNS TABLE (name text, label text, value double precision)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'queue_depth', t.topic,
    (SELECT count(*) FROM (SELECT FROM mana_ai.change_queue AS q WHERE q.topic = t.topic LIMIT 100000) AS c)
  FROM (VALUES ('project'), ('seal')) AS t (topic)
  UNION ALL
  SELECT 'queue_lag_seconds', t.topic, coalesce((
    SELECT extract(epoch FROM clock_timestamp() - q.enqueued_at)
    FROM mana_ai.change_queue AS q WHERE q.topic = t.topic ORDER BY q.seq LIMIT 1), 0)
  FROM (VALUES ('project'), ('seal')) AS t (topic)
  UNION ALL
  SELECT 'open_grants', '',
    (SELECT count(*) FROM (SELECT FROM mana_ai.grants AS g WHERE g.closed_at IS NULL LIMIT 100000) AS c)
  UNION ALL
  SELECT 'oldest_due_mission_seconds', '', greatest(0, coalesce((
    SELECT extract(epoch FROM clock_timestamp() - s.next_run_at)
    FROM mana_ai.mission_snapshots AS s
    WHERE s.state = 'active' AND s.parked_reason IS NULL AND s.next_run_at IS NOT NULL
    ORDER BY s.next_run_at, s.user_id COLLATE "C", s.mission_id COLLATE "C" LIMIT 1), 0))
$$;
REVOKE ALL ON FUNCTION mana_ai.gauges() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.gauges() TO mandate_issuer, mandate_resolver, mandate_runner;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;
