-- How the audit grows: the one place that writes a row of it, for any number of users at once.
--
-- The end of each chain is locked first, by the bytes of the user ids, so the numbers of one user have no gaps, each
-- hash continues the last, and two transactions that append for the same users never meet head-on. The time is taken
-- under those locks and never runs backwards along a chain.

SET LOCAL search_path = pg_catalog, pg_temp;
GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

-- Locks the ends of the users' chains and answers them by the bytes of the ids, making what is missing. An account that
-- was purged and comes back goes on where it ended, behind a cut: a number is never used twice for one id.
CREATE FUNCTION mana_ai.lock_heads(p_users text[])
RETURNS TABLE (user_id text, seq bigint, hash bytea, ts timestamptz)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  FOR user_id IN SELECT DISTINCT u.id COLLATE "C" FROM unnest(p_users) AS u (id) ORDER BY 1 LOOP
    SELECT h.seq, h.hash, h.ts INTO seq, hash, ts
    FROM mana_ai.audit_heads AS h WHERE h.user_id = lock_heads.user_id FOR UPDATE;
    IF NOT FOUND THEN
      INSERT INTO mana_ai.audit_heads AS h (user_id, seq, hash, ts)
      SELECT lock_heads.user_id, coalesce(p.last_seq, 0), coalesce(p.last_hash, decode(repeat('00', 32), 'hex')),
        clock_timestamp()
      FROM (VALUES (sha256(convert_to(lock_heads.user_id, 'UTF8')))) AS d (digest)
      LEFT JOIN LATERAL (
        SELECT o.last_seq, o.last_hash FROM mana_ai.purged_users AS o WHERE o.digest = d.digest OFFSET 0
      ) AS p ON true
      ON CONFLICT DO NOTHING;
      -- The cut only where this transaction began the chain: another's head may have rows by now.
      IF FOUND THEN
        INSERT INTO mana_ai.audit_cuts (user_id, seq, hash)
        SELECT h.user_id, h.seq, h.hash FROM mana_ai.audit_heads AS h
        WHERE h.user_id = lock_heads.user_id AND h.seq > 0
        ON CONFLICT DO NOTHING;
      END IF;
      SELECT h.seq, h.hash, h.ts INTO STRICT seq, hash, ts
      FROM mana_ai.audit_heads AS h WHERE h.user_id = lock_heads.user_id FOR UPDATE;
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
REVOKE ALL ON FUNCTION mana_ai.lock_heads(text[]) FROM PUBLIC;

-- Appends a row for each element of the arrays, in their order within each user, and answers its number and hash in
-- the same order. p_of_seqs names the receipt that failed, and is NULL for receipts.
CREATE FUNCTION mana_ai.append_audit(
  p_users text[], p_missions text[], p_grants text[], p_iterations text[], p_purposes text[], p_batches uuid[],
  p_tables text[], p_records text[], p_statuses text[], p_reasons text[], p_of_seqs bigint[],
  OUT seqs bigint[], OUT hashes bytea[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_heads record;
  v_now timestamptz;
  v_row record;
  v_last record;
  v_user text := '';
  v_hash bytea;
  v_times timestamptz[];
BEGIN
  IF NOT p_statuses <@ ARRAY['ok', 'failed', 'scope-violation'] OR NOT array_remove(p_reasons, NULL) <@ ARRAY[
    'not-configured', 'expired', 'malformed', 'wrap-rejected', 'revoked', 'unknown-grant',
    'ciphertext-malformed', 'ciphertext-tampered-or-wrong-key', 'decrypt-failed', 'not-sealed-yet', 'record-missing',
    'record-not-in-grant-allowlist', 'not-granted', 'media-not-owned', 'moved-ciphertext', 'unknown-module',
    'batch-too-large'] THEN
    RAISE EXCEPTION 'a status or a reason of the audit is none of ours' USING ERRCODE = 'MD003';
  END IF;
  IF (SELECT max(octet_length(i.id)) FROM unnest(
    p_users || p_missions || p_grants || p_iterations || p_purposes || p_tables || p_records) AS i (id)) > 256 THEN
    RAISE EXCEPTION 'an identifier of the audit is longer than 256 bytes' USING ERRCODE = 'MD003';
  END IF;

  SELECT array_agg(h.user_id) AS users, array_agg(h.seq) AS seqs, array_agg(h.hash) AS hashes, array_agg(h.ts) AS times
  INTO v_heads FROM mana_ai.lock_heads(p_users) AS h;
  v_now := clock_timestamp();

  seqs := array_fill(0::bigint, ARRAY[cardinality(p_users)]);
  hashes := array_fill(''::bytea, ARRAY[cardinality(p_users)]);
  v_times := array_fill(v_now, ARRAY[cardinality(p_users)]);
  -- Each row framed as mana_ai.audit_hash frames it, and chained.
  FOR v_row IN
    SELECT r.place, r.user_id, r.head_hash, r.number, r.ts,
      '\x000000106d616e646174652f76322f6175646974'::bytea  -- the framed domain, mandate/v2/audit
      || int4send(octet_length(r.user_id)) || convert_to(r.user_id, 'UTF8')
      || int4send(octet_length(r.number::text)) || convert_to(r.number::text, 'UTF8')
      || int4send(27) || convert_to(to_char(r.ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8')
      || int4send(octet_length(r.mission_id)) || convert_to(r.mission_id, 'UTF8')
      || int4send(octet_length(r.grant_id)) || convert_to(r.grant_id, 'UTF8')
      || int4send(octet_length(r.iteration_id)) || convert_to(r.iteration_id, 'UTF8')
      || int4send(octet_length(r.table_name)) || convert_to(r.table_name, 'UTF8')
      || int4send(octet_length(r.record_id)) || convert_to(r.record_id, 'UTF8')
      || int4send(octet_length(r.status)) || convert_to(r.status, 'UTF8')
      || int4send(octet_length(r.reason)) || convert_to(r.reason, 'UTF8')
      || int4send(octet_length(r.purpose)) || convert_to(r.purpose, 'UTF8')
      || int4send(36) || convert_to(r.batch::text, 'UTF8')
      || int4send(octet_length(r.of_seq)) || convert_to(r.of_seq, 'UTF8') AS body
    FROM (
      SELECT u.place, u.user_id, h.hash AS head_hash, greatest(v_now, h.ts) AS ts,
        h.seq + row_number() OVER (PARTITION BY u.user_id ORDER BY u.place) AS number,
        u.mission_id, coalesce(u.grant_id, '') AS grant_id, coalesce(u.iteration_id, '') AS iteration_id,
        u.table_name, u.record_id, u.status, coalesce(u.reason, '') AS reason, coalesce(u.purpose, '') AS purpose,
        u.batch, coalesce(u.of_seq::text, '') AS of_seq
      FROM unnest(p_users, p_missions, p_grants, p_iterations, p_purposes, p_batches, p_tables, p_records, p_statuses,
        p_reasons, p_of_seqs) WITH ORDINALITY
        AS u (user_id, mission_id, grant_id, iteration_id, purpose, batch, table_name, record_id, status, reason,
          of_seq, place)
      JOIN unnest(v_heads.users, v_heads.seqs, v_heads.hashes, v_heads.times) AS h (user_id, seq, hash, ts)
        ON h.user_id = u.user_id
    ) AS r
    ORDER BY r.user_id COLLATE "C", r.number
  LOOP
    IF v_row.user_id <> v_user THEN
      IF v_user <> '' THEN
        UPDATE mana_ai.audit_heads AS h SET seq = v_last.number, hash = v_hash, ts = v_last.ts WHERE h.user_id = v_user;
      END IF;
      v_user := v_row.user_id;
      v_hash := v_row.head_hash;
    END IF;
    v_hash := sha256(v_hash || v_row.body);
    hashes[v_row.place] := v_hash;
    seqs[v_row.place] := v_row.number;
    v_times[v_row.place] := v_row.ts;
    v_last := v_row;
  END LOOP;
  UPDATE mana_ai.audit_heads AS h SET seq = v_last.number, hash = v_hash, ts = v_last.ts WHERE h.user_id = v_user;

  INSERT INTO mana_ai.decrypt_audit (user_id, mission_id, iteration_id, table_name, record_id, status, reason, ts, seq,
    hash, batch, of_seq, grant_id, purpose, xid)
  SELECT u.user_id, u.mission_id, u.iteration_id, u.table_name, u.record_id, u.status, u.reason, u.ts, u.seq, u.hash,
    u.batch, u.of_seq, u.grant_id, u.purpose, pg_current_xact_id()
  FROM unnest(p_users, p_missions, p_grants, p_iterations, p_purposes, p_batches, p_tables, p_records, p_statuses,
    p_reasons, p_of_seqs, v_times, seqs, hashes)
    AS u (user_id, mission_id, grant_id, iteration_id, purpose, batch, table_name, record_id, status, reason, of_seq,
      ts, seq, hash);
END
$$;
REVOKE ALL ON FUNCTION mana_ai.append_audit(
  text[], text[], text[], text[], text[], uuid[], text[], text[], text[], text[], bigint[]) FROM PUBLIC;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;
