-- Moving open grants from a former resolver key to the current one, without touching what they grant. The resolver
-- reads and writes no grant but through these two.

SET LOCAL search_path = pg_catalog, pg_temp;
GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

-- A wrap alone opens nothing: the key shares that it opens leave the database for receipts only.
CREATE FUNCTION mana_ai.rewrap_list(p_key text, p_after text DEFAULT '', p_limit integer DEFAULT 100)
RETURNS TABLE (grant_id text, user_id text, mission_id text, wrapped_key bytea, claims bytea)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT g.grant_id, g.user_id, g.mission_id, g.wrapped_key, g.claims
  FROM mana_ai.grants AS g
  WHERE g.closed_at IS NULL AND g.key_id = p_key AND g.grant_id COLLATE "C" > p_after COLLATE "C"
  ORDER BY g.grant_id COLLATE "C"
  LIMIT least(greatest(p_limit, 1), 1000)
$$;

-- Replaces a wrap if the row still holds the one that the caller opened. The new claims are made here, from the row:
-- only the key id changes, so a caller can extend or widen nothing. Answers them where the row was changed, for the
-- caller to compare with the label it used, and NULL where it was not (closed, renewed or rewrapped meanwhile).
CREATE FUNCTION mana_ai.rewrap_grant(
  p_user text, p_grant text, p_old_key text, p_old_wrap bytea, p_new_key text, p_new_wrap bytea)
RETURNS bytea
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE mana_ai.grants AS g
  SET key_id = p_new_key, wrapped_key = p_new_wrap,
    claims = mana_ai.grant_claims(g.grant_id, p_new_key, g.user_id, g.mission_id, g.issued_at, g.expires_at,
      substring(g.claims FROM octet_length(g.claims) - 63))
  WHERE g.user_id = p_user AND g.grant_id = p_grant AND g.closed_at IS NULL
    AND g.key_id = p_old_key AND g.wrapped_key = p_old_wrap
  RETURNING g.claims
$$;

REVOKE ALL ON FUNCTION
  mana_ai.rewrap_list(text, text, integer), mana_ai.rewrap_grant(text, text, text, bytea, text, bytea)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  mana_ai.rewrap_list(text, text, integer), mana_ai.rewrap_grant(text, text, text, bytea, text, bytea)
TO mandate_resolver;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;
