-- A grant that is revoked in the middle of an opening is revoked. open_receipts read the grant in one statement and its
-- shares in a later one, under READ COMMITTED, where each sees what is committed when it begins; closings commit at once
-- and wait for openings afterwards. One that committed between the two left an open grant without shares, so each record
-- went onto the user's log as a scope violation, which raises an alarm, where nobody had asked for too much. Nothing was
-- released: the share was gone.

SET LOCAL search_path = pg_catalog, pg_temp;
GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

-- Opens a receipt for each record. The first arrays hold one element per mission: its batch id (made by the caller,
-- never used before), user, mission, grant, iteration, purpose, and whether the decision rests on a v1 blob. The others
-- hold one per record, p_places naming its mission by position from 1. Answers one row per record, in that order; the
-- last row of a user carries the new end of the user's chain.
--
-- With a grant, the database decides; a status may only refuse what the caller knows to be refused. Without one the
-- caller has decided, and every record needs a status: 'ok' for records that need no grant. A v1 blob is refused for a
-- mission that ever had a grant of ours and for a user in zero-knowledge mode.
CREATE OR REPLACE FUNCTION mana_ai.open_receipts(
  p_batches uuid[], p_users text[], p_missions text[], p_grants text[], p_iterations text[], p_purposes text[],
  p_v1 boolean[], p_places integer[], p_tables text[], p_records text[], p_statuses text[], p_reasons text[])
RETURNS TABLE (batch uuid, seq bigint, hash bytea, status text, reason text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_missions integer := cardinality(p_batches);
  v_records integer := cardinality(p_places);
  v_refusals text[];
  v_rows record;
  v_written record;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'receipts are opened under READ COMMITTED only' USING ERRCODE = 'MD001';
  END IF;
  IF v_missions NOT BETWEEN 1 AND 32 OR v_records NOT BETWEEN 1 AND 1000
    OR (cardinality(p_users), cardinality(p_missions), cardinality(p_grants), cardinality(p_iterations),
      cardinality(p_purposes), cardinality(p_v1), cardinality(p_tables), cardinality(p_records),
      cardinality(p_statuses), cardinality(p_reasons))
      IS DISTINCT FROM (v_missions, v_missions, v_missions, v_missions, v_missions, v_missions, v_records, v_records,
      v_records, v_records)
    OR array_position(p_batches, NULL) IS NOT NULL OR array_position(p_v1, NULL) IS NOT NULL
    OR array_position(p_users, NULL) IS NOT NULL OR '' = ANY (p_users)
    OR array_position(p_missions, NULL) IS NOT NULL OR '' = ANY (p_missions)
    OR array_position(p_tables, NULL) IS NOT NULL OR '' = ANY (p_tables)
    OR array_position(p_records, NULL) IS NOT NULL OR '' = ANY (p_records) THEN
    RAISE EXCEPTION 'an argument of open_receipts is missing, too long or contradicts another one'
      USING ERRCODE = 'MD003';
  END IF;

  PERFORM mana_ai.lock_grants(p_grants);

  -- Why a mission's grant opens nothing, NULL where it does. A statement after the locks': it sees whatever a closing
  -- before them has committed. A grant that is another user's or another mission's is unknown.
  SELECT array_agg(
    CASE
      WHEN m.grant_id IS NULL THEN
        CASE WHEN m.v1 AND (
          EXISTS (SELECT FROM mana_ai.grants AS e WHERE e.user_id = m.user_id AND e.mission_id = m.mission_id OFFSET 0)
          OR EXISTS (SELECT FROM auth.encryption_vaults AS v WHERE v.user_id = m.user_id AND v.zero_knowledge OFFSET 0))
        THEN 'revoked' END
      WHEN g.grant_id IS NULL THEN 'unknown-grant'
      WHEN g.closed_reason = 'expired' THEN 'expired'
      WHEN g.closed_at IS NOT NULL THEN 'revoked'
      WHEN clock_timestamp() >= g.expires_at THEN 'expired'
    END ORDER BY m.place) INTO v_refusals
  FROM unnest(p_users, p_missions, p_grants, p_v1) WITH ORDINALITY AS m (user_id, mission_id, grant_id, v1, place)
  LEFT JOIN LATERAL (
    SELECT o.grant_id, o.closed_at, o.closed_reason, o.expires_at FROM mana_ai.grants AS o
    WHERE o.grant_id = m.grant_id AND o.user_id = m.user_id AND o.mission_id = m.mission_id OFFSET 0
  ) AS g ON true;

  SELECT array_agg(d.batch ORDER BY d.place) AS batches, array_agg(d.user_id ORDER BY d.place) AS users,
    array_agg(d.mission_id ORDER BY d.place) AS missions, array_agg(d.grant_id ORDER BY d.place) AS grants,
    array_agg(d.iteration_id ORDER BY d.place) AS iterations, array_agg(d.purpose ORDER BY d.place) AS purposes,
    array_agg(d.verdict[1] ORDER BY d.place) AS statuses, array_agg(d.verdict[2] ORDER BY d.place) AS reasons
  INTO v_rows
  FROM (
    SELECT r.place, m.batch, m.user_id, m.mission_id,
      -- A grant's id comes from a blob that anybody may have written. One that can't be an id is logged without it.
      CASE WHEN octet_length(m.grant_id) BETWEEN 1 AND 256 THEN m.grant_id END AS grant_id,
      nullif(m.iteration_id, '') AS iteration_id,
      nullif(m.purpose, '') AS purpose,
      CASE
        WHEN r.status <> 'ok' THEN ARRAY[r.status, r.reason]
        -- With a grant nobody but the database says ok, and without one somebody must.
        WHEN (r.status IS NULL) <> (m.grant_id IS NOT NULL) THEN ARRAY['contradiction', NULL]
        WHEN m.refusal IS NOT NULL THEN ARRAY['failed', m.refusal]
        WHEN m.grant_id IS NULL OR EXISTS (
          SELECT FROM mana_ai.grant_keys AS k
          WHERE k.user_id = m.user_id AND k.grant_id = m.grant_id AND k.table_name = r.table_name
            AND k.record_id = r.record_id OFFSET 0)
        THEN ARRAY['ok', NULL]
        -- No share. A closing takes them in the transaction in which it closes the grant, and may have committed since
        -- the grant was read; this statement, which does not see the share, then sees that, or that all of it is gone.
        ELSE coalesce((
          SELECT CASE
            WHEN g.closed_reason = 'expired' THEN ARRAY['failed', 'expired']
            WHEN g.closed_at IS NOT NULL THEN ARRAY['failed', 'revoked']
            ELSE ARRAY['scope-violation', 'record-not-in-grant-allowlist']
          END
          FROM mana_ai.grants AS g WHERE g.grant_id = m.grant_id AND g.user_id = m.user_id OFFSET 0
        ), ARRAY['failed', 'unknown-grant'])
      END AS verdict
    FROM unnest(p_places, p_tables, p_records, p_statuses, p_reasons) WITH ORDINALITY
      AS r (mission, table_name, record_id, status, reason, place)
    JOIN unnest(p_batches, p_users, p_missions, p_grants, p_iterations, p_purposes, v_refusals) WITH ORDINALITY
      AS m (batch, user_id, mission_id, grant_id, iteration_id, purpose, refusal, place) ON m.place = r.mission
  ) AS d;
  IF cardinality(v_rows.users) IS DISTINCT FROM v_records OR 'contradiction' = ANY (v_rows.statuses) THEN
    RAISE EXCEPTION 'an argument of open_receipts is missing, too long or contradicts another one'
      USING ERRCODE = 'MD003';
  END IF;

  v_written := mana_ai.append_audit(v_rows.users, v_rows.missions, v_rows.grants, v_rows.iterations, v_rows.purposes,
    v_rows.batches, p_tables, p_records, v_rows.statuses, v_rows.reasons, array_fill(NULL::bigint, ARRAY[v_records]));
  -- The ids by their order, so that two callers who use the same ones don't meet head-on either.
  INSERT INTO mana_ai.receipt_batches AS b (batch, user_id, grant_id, first_seq, last_seq, xid, opened_at)
  SELECT u.batch, min(u.user_id), min(u.grant_id), min(u.seq), max(u.seq), pg_current_xact_id(), clock_timestamp()
  FROM unnest(v_rows.batches, v_rows.users, v_rows.grants, v_written.seqs) AS u (batch, user_id, grant_id, seq)
  GROUP BY u.batch ORDER BY u.batch
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS v_missions = ROW_COUNT;
  IF v_missions <> (SELECT count(DISTINCT p.mission) FROM unnest(p_places) AS p (mission)) THEN
    RAISE EXCEPTION 'a batch of this id exists' USING ERRCODE = 'MD002';
  END IF;

  RETURN QUERY
  SELECT u.batch, u.seq, u.hash, u.status, u.reason
  FROM unnest(v_rows.batches, v_written.seqs, v_written.hashes, v_rows.statuses, v_rows.reasons) WITH ORDINALITY
    AS u (batch, seq, hash, status, reason, place)
  ORDER BY u.place;
END
$$;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;
