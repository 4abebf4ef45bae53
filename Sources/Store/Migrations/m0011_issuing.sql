-- What the issuer asks across users, and the one row it may add to a mission.

SET LOCAL search_path = pg_catalog, pg_temp;
GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

-- Writes a grant's blob onto its mission, in the transaction that issues the grant. Answers 'attached', 'no-grant'
-- where the blob names no open grant of this user and mission, or 'no-mission' where the log has no such mission or
-- has deleted it. The stamp is now, or the mission's latest stamp of this field where a device's clock is ahead, so
-- that the blob wins the fold when it is written; later edits win over it as ever.
CREATE FUNCTION mana_ai.attach_grant(p_user text, p_mission text, p_blob jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_mission record;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'grants are attached under READ COMMITTED only' USING ERRCODE = 'MD001';
  END IF;
  PERFORM FROM auth.encryption_vaults AS v WHERE v.user_id = p_user FOR UPDATE;
  PERFORM FROM mana_ai.grants AS g
  WHERE g.grant_id = p_blob ->> 'grantId' AND g.user_id = p_user AND g.mission_id = p_mission AND g.closed_at IS NULL;
  IF NOT FOUND THEN
    RETURN 'no-grant';
  END IF;
  SELECT count(*) AS changes, bool_or(c.op = 'delete') AS deleted,
    max((c.field_meta ->> 'grant') COLLATE "C") FILTER (WHERE jsonb_typeof(c.field_meta -> 'grant') = 'string') AS stamp,
    (array_agg(c.space_id ORDER BY c.created_at DESC, c.id DESC))[1] AS space_id
  INTO v_mission
  FROM public.sync_changes AS c
  WHERE c.user_id = p_user AND c.app_id = 'ai' AND c.table_name = 'aiMissions' AND c.record_id = p_mission;
  IF v_mission.changes = 0 OR v_mission.deleted THEN
    RETURN 'no-mission';
  END IF;
  INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at,
    origin, space_id)
  VALUES ('ai', 'aiMissions', p_mission, p_user, 'update', jsonb_build_object('grant', p_blob),
    jsonb_build_object('grant', greatest(mana_ai.instant_millis(clock_timestamp()) COLLATE "C", v_mission.stamp)),
    'mandate-issuer', clock_timestamp(), 'user', v_mission.space_id);
  RETURN 'attached';
END
$$;

-- Open grants that end within p_within and may be extended, the next to end first. The caller pages by the last row
-- it saw, so grants that it decides against don't stand in the way of others.
CREATE FUNCTION mana_ai.due_renewals(
  p_within interval, p_limit integer DEFAULT 100, p_after timestamptz DEFAULT '-infinity', p_after_grant text DEFAULT '')
RETURNS TABLE (user_id text, grant_id text, mission_id text, expires_at timestamptz, renewable_until timestamptz)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT g.user_id, g.grant_id, g.mission_id, g.expires_at, g.renewable_until
  FROM mana_ai.grants AS g
  -- The clock is read once: no index serves one that moves.
  WHERE g.closed_at IS NULL AND g.expires_at > (SELECT clock_timestamp())
    AND g.expires_at <= (SELECT clock_timestamp() + p_within)
    AND g.expires_at < g.renewable_until
    AND (g.expires_at, g.grant_id COLLATE "C") > (p_after, p_after_grant COLLATE "C")
  ORDER BY g.expires_at, g.grant_id COLLATE "C"
  LIMIT least(greatest(p_limit, 1), 1000)
$$;

-- Vaults whose master key is not wrapped under p_target, by the bytes of the user id: what a move to a new key
-- encryption key still has to do. In zero-knowledge mode there is no such wrap to move.
CREATE FUNCTION mana_ai.vaults_by_kek(p_target text, p_after text DEFAULT '', p_limit integer DEFAULT 100)
RETURNS TABLE (user_id text, kek_id text)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.user_id, v.kek_id FROM auth.encryption_vaults AS v
  WHERE NOT v.zero_knowledge AND v.kek_id <> p_target AND v.user_id COLLATE "C" > p_after COLLATE "C"
  ORDER BY v.user_id COLLATE "C"
  LIMIT least(greatest(p_limit, 1), 1000)
$$;

REVOKE ALL ON FUNCTION
  mana_ai.attach_grant(text, text, jsonb), mana_ai.due_renewals(interval, integer, timestamptz, text),
  mana_ai.vaults_by_kek(text, text, integer)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mana_ai.attach_grant(text, text, jsonb), mana_ai.due_renewals(interval, integer, timestamptz, text),
  mana_ai.vaults_by_kek(text, text, integer)
TO mandate_issuer;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;
