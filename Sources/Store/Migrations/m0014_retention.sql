-- How rows end: the oldest part of a chain by pruning, an account's by purging. Both lock the end of each chain they
-- touch, so no receipt is opened meanwhile for that user.

SET LOCAL search_path = pg_catalog, pg_temp;
GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

-- Removes the rows before p_before from up to p_users chains, beginning after p_after by the bytes of the user id, and
-- leaves a cut in each. Times never run backwards along a chain, so what is older is always its beginning. What is
-- removed is verified first: a chain that does not verify is left whole and named, for its rows are the evidence.
-- Answers one row per user it looked at; the caller goes on after the last one until none is answered.
CREATE FUNCTION mana_ai.prune_audit(p_before timestamptz, p_after text DEFAULT '', p_users integer DEFAULT 100)
RETURNS TABLE (user_id text, removed bigint, cut_seq bigint, broken boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_zero bytea := decode(repeat('00', 32), 'hex');
  v_head record;
  v_cut record;
  v_until bigint;
  v_hash bytea;
BEGIN
  -- A receipt can be failed for ten minutes, and must still be there then.
  IF p_before IS NULL OR p_before > clock_timestamp() - interval '1 hour' THEN
    RAISE EXCEPTION 'only rows older than an hour can be pruned' USING ERRCODE = 'MD003';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'chains are pruned under READ COMMITTED only' USING ERRCODE = 'MD001';
  END IF;
  FOR user_id IN
    SELECT u.user_id
    FROM (
      SELECT h.user_id FROM mana_ai.audit_heads AS h WHERE h.user_id COLLATE "C" > p_after COLLATE "C"
      UNION
      SELECT a.user_id FROM mana_ai.decrypt_audit AS a
      WHERE a.seq IS NULL AND a.ts < p_before AND a.user_id COLLATE "C" > p_after COLLATE "C"
    ) AS u
    ORDER BY u.user_id COLLATE "C" LIMIT least(greatest(p_users, 1), 1000)
  LOOP
    SELECT h.seq, h.hash INTO v_head FROM mana_ai.audit_heads AS h
    WHERE h.user_id = prune_audit.user_id FOR UPDATE;
    SELECT coalesce(c.seq, 0) AS seq, coalesce(c.hash, v_zero) AS hash INTO v_cut
    FROM (VALUES (prune_audit.user_id)) AS u (id) LEFT JOIN mana_ai.audit_cuts AS c ON c.user_id = u.id;
    -- The chain goes up to the row before the first that stays, or to its end.
    SELECT a.seq - 1 INTO v_until FROM mana_ai.decrypt_audit AS a
    WHERE a.user_id = prune_audit.user_id AND a.seq > v_cut.seq AND a.ts >= p_before ORDER BY a.seq LIMIT 1;
    IF NOT FOUND THEN
      v_until := coalesce(v_head.seq, v_cut.seq);
    END IF;

    removed := 0;
    broken := false;
    cut_seq := v_cut.seq;
    IF v_until > v_cut.seq THEN
      SELECT count(*) <> v_until - v_cut.seq OR NOT bool_and(r.holds),
        (array_agg(r.hash ORDER BY r.seq DESC))[1]
      INTO broken, v_hash
      FROM (
        SELECT a.seq, a.hash, a.hash = mana_ai.audit_hash(
          lag(a.hash, 1, v_cut.hash) OVER (ORDER BY a.seq), a.user_id, a.seq, a.ts, a.mission_id, a.grant_id,
          a.iteration_id, a.table_name, a.record_id, a.status, a.reason, a.purpose, a.batch, a.of_seq) AS holds
        FROM mana_ai.decrypt_audit AS a
        WHERE a.user_id = prune_audit.user_id AND a.seq > v_cut.seq AND a.seq <= v_until
      ) AS r;
      broken := broken OR (v_until = v_head.seq AND v_hash <> v_head.hash);
      IF NOT broken THEN
        DELETE FROM mana_ai.decrypt_audit AS a
        WHERE a.user_id = prune_audit.user_id AND a.seq > v_cut.seq AND a.seq <= v_until;
        GET DIAGNOSTICS removed = ROW_COUNT;
        INSERT INTO mana_ai.audit_cuts AS c (user_id, seq, hash) VALUES (prune_audit.user_id, v_until, v_hash)
        ON CONFLICT ON CONSTRAINT audit_cuts_pkey
        DO UPDATE SET seq = excluded.seq, hash = excluded.hash, cut_at = excluded.cut_at
        WHERE c.user_id = prune_audit.user_id;
        cut_seq := v_until;
      END IF;
    END IF;
    IF NOT broken THEN
      WITH former AS (
        DELETE FROM mana_ai.decrypt_audit AS a
        WHERE a.user_id = prune_audit.user_id AND a.seq IS NULL AND a.ts < p_before RETURNING 1
      )
      SELECT removed + count(*) INTO removed FROM former;
      DELETE FROM mana_ai.receipt_batches AS b
      WHERE b.user_id = prune_audit.user_id AND b.opened_at < p_before AND b.last_seq <= cut_seq;
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;

-- Removes every row of an account and keeps a digest of its id with the end of its chain. Answers that end, the grants
-- that were open (to be drained once this has committed) and how many rows went. May be called again.
CREATE FUNCTION mana_ai.purge_user(p_user text)
RETURNS TABLE (last_seq bigint, last_hash bytea, grants text[], removed bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_head record;
  v_rows bigint;
  v_table text;
BEGIN
  IF p_user IS NULL OR p_user = '' THEN
    RAISE EXCEPTION 'purging needs a user' USING ERRCODE = 'MD003';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'accounts are purged under READ COMMITTED only' USING ERRCODE = 'MD001';
  END IF;
  PERFORM FROM auth.encryption_vaults AS v WHERE v.user_id = p_user FOR UPDATE;
  grants := ARRAY(
    SELECT g.grant_id FROM mana_ai.grants AS g WHERE g.user_id = p_user AND g.closed_at IS NULL
    ORDER BY g.grant_id COLLATE "C");
  SELECT * INTO STRICT v_head FROM mana_ai.lock_heads(ARRAY[p_user]);
  last_seq := v_head.seq;
  last_hash := v_head.hash;
  INSERT INTO mana_ai.purged_users AS p (digest, last_seq, last_hash, purged_at)
  VALUES (sha256(convert_to(p_user, 'UTF8')), v_head.seq, v_head.hash, clock_timestamp())
  ON CONFLICT ON CONSTRAINT purged_users_pkey DO UPDATE
  SET last_seq = excluded.last_seq, last_hash = excluded.last_hash, purged_at = excluded.purged_at;

  removed := 0;
  -- Shares before grants, the vault last: its row is what others wait on.
  FOREACH v_table IN ARRAY ARRAY[
    'mana_ai.grant_keys', 'mana_ai.sealed_records', 'mana_ai.seal_origins', 'mana_ai.grants',
    'mana_ai.receipt_batches', 'mana_ai.decrypt_audit', 'mana_ai.audit_cuts', 'mana_ai.audit_heads',
    'mana_ai.mission_runs', 'mana_ai.token_usage', 'mana_ai.mission_research_jobs', 'mana_ai.mission_snapshots',
    'mana_ai.agent_snapshots', 'public.sync_changes', 'auth.encryption_vault_audit', 'auth.encryption_vaults'
  ] LOOP
    EXECUTE format('DELETE FROM %s AS t WHERE t.user_id = $1', v_table) USING p_user;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    removed := removed + v_rows;
  END LOOP;
  -- Nobody ever waits for a row of the queue. What a consumer has in its hands it finds to be about nothing.
  DELETE FROM mana_ai.change_queue AS q WHERE q.user_id = p_user AND (q.topic, q.seq) IN (
    SELECT o.topic, o.seq FROM mana_ai.change_queue AS o WHERE o.user_id = p_user FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  removed := removed + v_rows;
  -- A table of users that others keep is theirs to clean.
  IF has_table_privilege('auth.users', 'DELETE') THEN
    DELETE FROM auth.users AS u WHERE u.id = p_user;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    removed := removed + v_rows;
  END IF;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION mana_ai.prune_audit(timestamptz, text, integer), mana_ai.purge_user(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.prune_audit(timestamptz, text, integer) TO mandate_operator;
GRANT EXECUTE ON FUNCTION mana_ai.purge_user(text) TO mandate_issuer, mandate_operator;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;
