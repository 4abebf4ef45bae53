-- An account that is purged again has nothing left to remove. It was answered that a row had gone, sometimes two: those
-- that the function had made itself to lock the end of the chain.

SET LOCAL search_path = pg_catalog, pg_temp;
GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

-- Removes every row of an account and keeps a digest of its id with the end of its chain. Answers that end, the grants
-- that were open (to be drained once this has committed) and how many rows went, not counting a head and a cut that it
-- made itself to lock the chain. May be called again.
CREATE OR REPLACE FUNCTION mana_ai.purge_user(p_user text)
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

  removed := -(
    (SELECT count(*) FROM mana_ai.audit_heads AS h
      WHERE h.user_id = p_user AND h.xmin = pg_current_xact_id()::xid)
    + (SELECT count(*) FROM mana_ai.audit_cuts AS c
      WHERE c.user_id = p_user AND c.xmin = pg_current_xact_id()::xid));
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

REVOKE ALL ON FUNCTION mana_ai.purge_user(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.purge_user(text) TO mandate_issuer, mandate_operator;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;
