-- How grants end. Two steps, which a function can't make one: a first transaction closes and commits, a second waits
-- until the openings in flight are over. Every redeem that begins after the first commit finds the grant closed; after
-- the second, no earlier one is left. So a revoke returns when no share can leave any more, without ever making a hot
-- grant's row a bottleneck.

SET LOCAL search_path = pg_catalog, pg_temp;
GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

-- Closes open grants of one user: of all missions, of one (p_mission), or the named ones (p_grants); NULL means all.
-- Deletes their key shares, and the sealed copies that no other open grant needs. The vault's row is the user's lock.
CREATE FUNCTION mana_ai.close_grants_of(p_user text, p_mission text, p_grants text[], p_reason text)
RETURNS TABLE (grant_id text, mission_id text, closed_at timestamptz)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_closed text[];
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'grants are closed under READ COMMITTED only' USING ERRCODE = 'MD001';
  END IF;
  IF p_user IS NULL OR p_user = '' OR p_reason IS NULL THEN
    RAISE EXCEPTION 'closing needs a user and a reason' USING ERRCODE = 'MD003';
  END IF;
  PERFORM FROM auth.encryption_vaults AS v WHERE v.user_id = p_user FOR UPDATE;

  WITH closed AS (
    UPDATE mana_ai.grants AS g SET closed_at = clock_timestamp(), closed_reason = p_reason
    WHERE g.user_id = p_user AND g.closed_at IS NULL
      AND (p_mission IS NULL OR g.mission_id = p_mission) AND (p_grants IS NULL OR g.grant_id = ANY (p_grants))
    RETURNING g.grant_id
  )
  SELECT array_agg(c.grant_id) INTO v_closed FROM closed AS c;
  IF v_closed IS NULL THEN
    RETURN;
  END IF;

  WITH shares AS (
    DELETE FROM mana_ai.grant_keys AS k
    WHERE k.user_id = p_user AND k.grant_id = ANY (v_closed)
    RETURNING k.table_name, k.record_id
  )
  DELETE FROM mana_ai.sealed_records AS s
  USING (SELECT DISTINCT d.table_name, d.record_id FROM shares AS d) AS r
  WHERE s.user_id = p_user AND s.table_name = r.table_name AND s.record_id = r.record_id
    AND NOT EXISTS (
      SELECT FROM mana_ai.grant_keys AS o JOIN mana_ai.grants AS g ON g.grant_id = o.grant_id AND g.user_id = p_user
      WHERE o.user_id = p_user AND o.table_name = r.table_name AND o.record_id = r.record_id
        AND g.closed_at IS NULL AND NOT g.grant_id = ANY (v_closed));

  RETURN QUERY
  SELECT g.grant_id, g.mission_id, g.closed_at FROM mana_ai.grants AS g
  WHERE g.user_id = p_user AND g.grant_id = ANY (v_closed) ORDER BY g.grant_id COLLATE "C";
END
$$;

-- The issuer's: the user revokes, a new grant supersedes, the vault changes, the mission is gone.
CREATE FUNCTION mana_ai.close_grants(p_user text, p_mission text, p_grants text[], p_reason text)
RETURNS TABLE (grant_id text, mission_id text, closed_at timestamptz)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM mana_ai.close_grants_of(p_user, p_mission, p_grants, p_reason) $$;

-- The operator's.
CREATE FUNCTION mana_ai.revoke(p_user text, p_mission text DEFAULT NULL, p_grants text[] DEFAULT NULL)
RETURNS TABLE (grant_id text, mission_id text, closed_at timestamptz)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM mana_ai.close_grants_of(p_user, p_mission, p_grants, 'operator') $$;

-- Closes what has expired, up to p_limit grants. Users whose lock another transaction holds are left for the next time,
-- so this never waits, and the order of users does not matter. Nothing needs draining: an expired grant releases
-- nothing, closed or not.
CREATE FUNCTION mana_ai.close_expired(p_limit integer DEFAULT 100)
RETURNS TABLE (user_id text, grant_id text, mission_id text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
  v_now timestamptz := clock_timestamp();  -- a value, since no index serves a clock that moves
  v_due record;
BEGIN
  FOR v_due IN
    SELECT g.user_id, array_agg(g.grant_id) AS grants
    FROM (
      SELECT e.user_id, e.grant_id FROM mana_ai.grants AS e
      WHERE e.closed_at IS NULL AND e.expires_at <= v_now
      ORDER BY e.expires_at, e.grant_id COLLATE "C" LIMIT least(greatest(p_limit, 1), 1000)
    ) AS g
    GROUP BY g.user_id
  LOOP
    PERFORM FROM auth.encryption_vaults AS v WHERE v.user_id = v_due.user_id FOR UPDATE SKIP LOCKED;
    IF NOT FOUND AND EXISTS (SELECT FROM auth.encryption_vaults AS v WHERE v.user_id = v_due.user_id) THEN
      CONTINUE;
    END IF;
    -- Renewed between the look and the lock is not expired: the names are narrowed once more, under the lock.
    v_due.grants := ARRAY(
      SELECT g.grant_id FROM mana_ai.grants AS g
      WHERE g.user_id = v_due.user_id AND g.grant_id = ANY (v_due.grants) AND g.closed_at IS NULL
        AND g.expires_at <= v_now);
    RETURN QUERY
    SELECT v_due.user_id, c.grant_id, c.mission_id
    FROM mana_ai.close_grants_of(v_due.user_id, NULL, v_due.grants, 'expired') AS c;
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION
  mana_ai.close_grants_of(text, text, text[], text), mana_ai.close_grants(text, text, text[], text),
  mana_ai.revoke(text, text, text[]), mana_ai.close_expired(integer)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.close_grants(text, text, text[], text) TO mandate_issuer;
GRANT EXECUTE ON FUNCTION mana_ai.close_expired(integer) TO mandate_issuer;
GRANT EXECUTE ON FUNCTION mana_ai.revoke(text, text, text[]) TO mandate_operator;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;

-- The second step, in a transaction of its own: takes each grant's lock alone, by ascending key, five seconds at most
-- for all of them together. drained is false where an opening was still under way by then.
CREATE FUNCTION mana_ai.drain_grants(p_grants text[])
RETURNS TABLE (grant_id text, drained boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $$
DECLARE
  v_deadline timestamptz := clock_timestamp() + interval '5 seconds';
  v_grant record;
BEGIN
  FOR v_grant IN
    SELECT DISTINCT g.id, hashtextextended(g.id, 1) AS key FROM unnest(p_grants) AS g (id)
    WHERE g.id IS NOT NULL ORDER BY key
  LOOP
    grant_id := v_grant.id;
    BEGIN
      PERFORM set_config('lock_timeout',
        greatest(1, 1000 * extract(epoch FROM v_deadline - clock_timestamp()))::integer::text, true);
      PERFORM pg_advisory_xact_lock(v_grant.key);
      drained := true;
    EXCEPTION WHEN lock_not_available THEN
      drained := false;
    END;
    RETURN NEXT;
  END LOOP;
END
$$;
REVOKE ALL ON FUNCTION mana_ai.drain_grants(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.drain_grants(text[]) TO mandate_issuer, mandate_operator;
