-- What the runner asks across users: which missions are due and not being worked on, and that old usage goes away.

SET LOCAL search_path = pg_catalog, pg_temp;
GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

-- Hands out up to p_limit due missions, each to one claimer: until its lease runs out nobody else gets it, and a runner
-- that was killed loses nothing but time. A due time that has its outcome is never handed out again. attempts counts
-- the claims and, with lease_owner, tells a late write-back that it is no longer its turn.
CREATE FUNCTION mana_ai.claim_due(p_owner text, p_lease interval, p_limit integer)
RETURNS TABLE (user_id text, mission_id text, due_at timestamptz, attempts integer, leased_until timestamptz, record jsonb)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'due missions are claimed under READ COMMITTED only' USING ERRCODE = 'MD001';
  END IF;
  IF p_owner IS NULL OR p_owner = '' OR p_lease IS NULL OR p_lease <= interval '0' OR p_lease > interval '1 day' THEN
    RAISE EXCEPTION 'a lease needs an owner and a length of at most a day' USING ERRCODE = 'MD003';
  END IF;
  RETURN QUERY
  WITH due AS MATERIALIZED (
    SELECT s.ctid AS place
    FROM mana_ai.mission_snapshots AS s
    WHERE s.state = 'active' AND s.parked_reason IS NULL AND s.next_run_at <= v_now
      AND (s.leased_until IS NULL OR s.leased_until <= v_now)
      AND NOT EXISTS (
        SELECT FROM mana_ai.mission_runs AS r
        WHERE r.user_id = s.user_id AND r.mission_id = s.mission_id AND r.due_at = s.next_run_at OFFSET 0)
    ORDER BY s.next_run_at, s.user_id COLLATE "C", s.mission_id COLLATE "C"
    LIMIT least(greatest(p_limit, 1), 1000)
    FOR UPDATE OF s SKIP LOCKED
  ), claimed AS (
    UPDATE mana_ai.mission_snapshots AS s
    SET leased_until = v_now + p_lease, lease_owner = p_owner, attempts = s.attempts + 1
    WHERE s.ctid = ANY (ARRAY(SELECT d.place FROM due AS d))
    RETURNING s.user_id, s.mission_id, s.next_run_at, s.attempts, s.leased_until, s.record
  )
  SELECT c.user_id, c.mission_id, c.next_run_at, c.attempts, c.leased_until, c.record
  FROM claimed AS c
  ORDER BY c.next_run_at, c.user_id COLLATE "C", c.mission_id COLLATE "C";
END
$$;

-- Budgets look back a day; two days are kept. Deletes up to p_limit rows and answers how many: ask again while it
-- answers the limit.
CREATE FUNCTION mana_ai.prune_usage(p_limit integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_before timestamptz := clock_timestamp() - interval '48 hours';
  v_deleted bigint;
BEGIN
  DELETE FROM mana_ai.token_usage AS t
  USING (
    SELECT o.id, o.user_id FROM mana_ai.token_usage AS o
    WHERE o.ts < v_before
    ORDER BY o.ts LIMIT least(greatest(p_limit, 1), 100000)
  ) AS old
  WHERE t.id = old.id AND t.user_id = old.user_id;
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END
$$;

REVOKE ALL ON FUNCTION mana_ai.claim_due(text, interval, integer), mana_ai.prune_usage(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.claim_due(text, interval, integer), mana_ai.prune_usage(integer) TO mandate_runner;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;
