-- Receipts: no receipt, no key. Opening writes the audit and releases nothing; redeeming releases key shares, and only
-- for audit rows that another transaction has written and committed. A resolver that opens, rolls back and redeems, or
-- does both at once, or does anything else between the two, gets nothing that is not on the user's log.
--
-- Both take a unit of up to 32 missions and 1,000 records, so one round trip is one pipeline with two synchronisation
-- points:
--   BEGIN; open_receipts(…); COMMIT; sync
--   BEGIN; redeem_receipts(…); then per mission: user scope, reads; COMMIT; sync
-- If the first half fails, the second finds no rows and releases nothing. Whatever order a unit comes in, locks are
-- taken in one: grants by ascending key, then the ends of chains by the bytes of the user ids.
--
-- Connections live long and keep the plans they once made, often while the tables were empty. These functions look rows
-- up one key at a time, behind OFFSET 0, and forbid the planner to read a table from end to end or to plan every call
-- anew; what is left to choose is the same for empty and for full tables.
--
-- SQLSTATE of what a correct client never does: MD001 another isolation than READ COMMITTED, MD002 a batch id that was
-- used before, MD003 an argument that is missing, too long or contradicts another one. A bad item is no such thing: it
-- becomes a row of the audit with a reason, and costs its neighbours nothing.

SET LOCAL search_path = pg_catalog, pg_temp;

-- All shared locks that a unit needs, each grant once and by ascending key, so that no two units and no closing meet
-- head-on. Closing takes the same lock alone, after its commit, to see the last opening out.
CREATE FUNCTION mana_ai.lock_grants(p_grants text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_key bigint;
BEGIN
  FOR v_key IN SELECT DISTINCT hashtextextended(g.id, 1) FROM unnest(p_grants) AS g (id) WHERE g.id IS NOT NULL ORDER BY 1
  LOOP
    PERFORM pg_advisory_xact_lock_shared(v_key);
  END LOOP;
END
$$;
REVOKE ALL ON FUNCTION mana_ai.lock_grants(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.lock_grants(text[]) TO mandate_gate;

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
CREATE FUNCTION mana_ai.open_receipts(
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
        ELSE ARRAY['scope-violation', 'record-not-in-grant-allowlist']
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

-- Releases what the receipts of batches stand for: one row per receipt that is ok, of the user named beside the batch,
-- at most 60 seconds old and written by another transaction, which has therefore committed. While its grant is open,
-- the row carries the grant's wrap and claims and the record's key share; where it has been closed or has expired
-- since, these are NULL and reason says why. now is the database's clock.
CREATE FUNCTION mana_ai.redeem_receipts(p_batches uuid[], p_users text[])
RETURNS TABLE (batch uuid, seq bigint, table_name text, record_id text, reason text, key_id text, wrapped_key bytea,
  claims bytea, share bytea, now timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_batches record;
  v_now timestamptz;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'receipts are redeemed under READ COMMITTED only' USING ERRCODE = 'MD001';
  END IF;
  IF cardinality(p_batches) NOT BETWEEN 1 AND 32 OR cardinality(p_users) IS DISTINCT FROM cardinality(p_batches) THEN
    RAISE EXCEPTION 'an argument of redeem_receipts is missing, too long or contradicts another one'
      USING ERRCODE = 'MD003';
  END IF;
  SELECT array_agg(b.batch ORDER BY b.batch) AS batches, array_agg(b.user_id ORDER BY b.batch) AS users,
    array_agg(b.grant_id ORDER BY b.batch) AS grants, array_agg(b.first_seq ORDER BY b.batch) AS firsts,
    array_agg(b.last_seq ORDER BY b.batch) AS lasts
  INTO v_batches
  FROM (SELECT DISTINCT p.batch, p.user_id FROM unnest(p_batches, p_users) AS p (batch, user_id)) AS p
  CROSS JOIN LATERAL (
    SELECT o.batch, o.user_id, o.grant_id, o.first_seq, o.last_seq FROM mana_ai.receipt_batches AS o
    WHERE o.batch = p.batch AND o.user_id = p.user_id AND o.grant_id IS NOT NULL OFFSET 0
  ) AS b;
  PERFORM mana_ai.lock_grants(v_batches.grants);
  v_now := clock_timestamp();
  UPDATE mana_ai.receipt_batches AS b SET redeemed_at = v_now
  WHERE b.batch = ANY (v_batches.batches) AND b.user_id = ANY (v_batches.users) AND b.redeemed_at IS NULL;

  RETURN QUERY
  SELECT a.batch, a.seq, a.table_name, a.record_id, r.reason,
    CASE WHEN r.reason IS NULL THEN g.key_id END,
    CASE WHEN r.reason IS NULL THEN g.wrapped_key END,
    CASE WHEN r.reason IS NULL THEN g.claims END,
    CASE WHEN r.reason IS NULL THEN k.wrapped_key END,
    v_now
  FROM unnest(v_batches.batches, v_batches.users, v_batches.grants, v_batches.firsts, v_batches.lasts)
    AS b (batch, user_id, grant_id, first_seq, last_seq)
  LEFT JOIN LATERAL (
    SELECT o.grant_id, o.mission_id, o.key_id, o.wrapped_key, o.claims, o.closed_at, o.closed_reason, o.expires_at
    FROM mana_ai.grants AS o WHERE o.grant_id = b.grant_id AND o.user_id = b.user_id OFFSET 0
  ) AS g ON true
  CROSS JOIN LATERAL (
    SELECT o.batch, o.seq, o.mission_id, o.table_name, o.record_id FROM mana_ai.decrypt_audit AS o
    WHERE o.user_id = b.user_id AND o.seq BETWEEN b.first_seq AND b.last_seq
      AND o.batch = b.batch AND o.grant_id = b.grant_id AND o.status = 'ok' AND o.of_seq IS NULL
      AND o.xid <> pg_current_xact_id() AND o.ts >= v_now - interval '60 seconds'
    OFFSET 0
  ) AS a
  LEFT JOIN LATERAL (
    SELECT o.wrapped_key FROM mana_ai.grant_keys AS o
    WHERE o.user_id = b.user_id AND o.grant_id = b.grant_id AND o.table_name = a.table_name
      AND o.record_id = a.record_id
    OFFSET 0
  ) AS k ON true
  CROSS JOIN LATERAL (
    SELECT CASE
      WHEN g.grant_id IS NULL OR g.mission_id <> a.mission_id THEN 'unknown-grant'
      WHEN g.closed_reason = 'expired' OR (g.closed_at IS NULL AND v_now >= g.expires_at) THEN 'expired'
      WHEN g.closed_at IS NOT NULL OR k.wrapped_key IS NULL THEN 'revoked'
    END
  ) AS r (reason);
END
$$;

-- Appends that receipts came to nothing after all, one element per receipt: for its own batch's ok rows, at most ten
-- minutes old, each once. Answers the rows it wrote; one that does not qualify is passed over. A record that is not
-- sealed yet is put back into the queue, so a miss heals itself.
CREATE FUNCTION mana_ai.fail_receipts(p_batches uuid[], p_users text[], p_seqs bigint[], p_reasons text[])
RETURNS TABLE (batch uuid, of_seq bigint, seq bigint, hash bytea)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_rows record;
  v_written record;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'receipts are failed under READ COMMITTED only' USING ERRCODE = 'MD001';
  END IF;
  IF cardinality(p_batches) NOT BETWEEN 1 AND 1000
    OR (cardinality(p_users), cardinality(p_seqs), cardinality(p_reasons))
      IS DISTINCT FROM (cardinality(p_batches), cardinality(p_batches), cardinality(p_batches))
    OR array_position(p_reasons, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'an argument of fail_receipts is missing, too long or contradicts another one'
      USING ERRCODE = 'MD003';
  END IF;
  -- Under the locks on the ends of the chains nobody else can append a failure of the same receipt between the look
  -- and the write. A user without receipts has no chain begun for this.
  PERFORM mana_ai.lock_heads(ARRAY(
    SELECT b.user_id FROM unnest(p_batches, p_users) AS p (batch, user_id) CROSS JOIN LATERAL (
      SELECT o.user_id FROM mana_ai.receipt_batches AS o WHERE o.batch = p.batch AND o.user_id = p.user_id OFFSET 0
    ) AS b));
  SELECT array_agg(q.batch ORDER BY q.place) AS batches, array_agg(q.user_id ORDER BY q.place) AS users,
    array_agg(q.mission_id ORDER BY q.place) AS missions, array_agg(q.grant_id ORDER BY q.place) AS grants,
    array_agg(q.iteration_id ORDER BY q.place) AS iterations, array_agg(q.purpose ORDER BY q.place) AS purposes,
    array_agg(q.table_name ORDER BY q.place) AS tables, array_agg(q.record_id ORDER BY q.place) AS records,
    array_agg(q.reason ORDER BY q.place) AS reasons, array_agg(q.seq ORDER BY q.place) AS seqs,
    array_agg(CASE q.reason WHEN 'record-not-in-grant-allowlist' THEN 'scope-violation' ELSE 'failed' END
      ORDER BY q.place) AS statuses
  INTO v_rows
  FROM (
    SELECT DISTINCT ON (a.user_id COLLATE "C", a.seq) a.*, p.reason, p.place
    FROM unnest(p_batches, p_users, p_seqs, p_reasons) WITH ORDINALITY AS p (batch, user_id, seq, reason, place)
    CROSS JOIN LATERAL (
      SELECT o.batch, o.user_id, o.seq, o.mission_id, o.grant_id, o.iteration_id, o.purpose, o.table_name, o.record_id
      FROM mana_ai.decrypt_audit AS o
      WHERE o.user_id = p.user_id AND o.seq = p.seq AND o.batch = p.batch AND o.status = 'ok' AND o.of_seq IS NULL
        AND o.ts >= clock_timestamp() - interval '10 minutes'
        AND NOT EXISTS (SELECT FROM mana_ai.decrypt_audit AS f WHERE f.user_id = o.user_id AND f.of_seq = o.seq OFFSET 0)
      OFFSET 0
    ) AS a
    ORDER BY a.user_id COLLATE "C", a.seq, p.place
  ) AS q;
  IF v_rows.seqs IS NULL THEN
    RETURN;
  END IF;

  v_written := mana_ai.append_audit(v_rows.users, v_rows.missions, v_rows.grants, v_rows.iterations, v_rows.purposes,
    v_rows.batches, v_rows.tables, v_rows.records, v_rows.statuses, v_rows.reasons, v_rows.seqs);
  INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id)
  SELECT DISTINCT 'seal', u.user_id, mana_ai.module_app(u.table_name), u.table_name, u.record_id
  FROM unnest(v_rows.users, v_rows.tables, v_rows.records, v_rows.reasons) AS u (user_id, table_name, record_id, reason)
  WHERE u.reason = 'not-sealed-yet' AND mana_ai.module_app(u.table_name) IS NOT NULL;

  RETURN QUERY
  SELECT u.batch, u.of_seq, u.seq, u.hash
  FROM unnest(v_rows.batches, v_rows.seqs, v_written.seqs, v_written.hashes) WITH ORDINALITY
    AS u (batch, of_seq, seq, hash, place)
  ORDER BY u.place;
END
$$;

REVOKE ALL ON FUNCTION
  mana_ai.open_receipts(uuid[], text[], text[], text[], text[], text[], boolean[], integer[], text[], text[], text[],
    text[]),
  mana_ai.redeem_receipts(uuid[], text[]),
  mana_ai.fail_receipts(uuid[], text[], bigint[], text[])
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mana_ai.open_receipts(uuid[], text[], text[], text[], text[], text[], boolean[], integer[], text[], text[], text[],
    text[]),
  mana_ai.redeem_receipts(uuid[], text[]),
  mana_ai.fail_receipts(uuid[], text[], bigint[], text[])
TO mandate_resolver;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;
