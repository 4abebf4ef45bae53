-- Bytes that more than one place must spell alike: frame, instants, the audit chain's formula, a grant's claims.
-- docs/formats.md fixes them; nothing in here reads a table or depends on a session's settings.
--
-- About every function in these files: search_path holds pg_catalog and, last, pg_temp, and every other name is
-- qualified, so that nobody's object can stand in for one of ours. Everyone's right to execute is taken away for ever
-- by default privileges, and again by name, and given by name.

SET LOCAL search_path = pg_catalog, pg_temp;

ALTER DEFAULT PRIVILEGES FOR ROLE mandate_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC;
SET LOCAL ROLE mandate_gate;
ALTER DEFAULT PRIVILEGES FOR ROLE mandate_gate REVOKE ALL ON FUNCTIONS FROM PUBLIC;
SET LOCAL ROLE mandate_owner;

GRANT USAGE ON SCHEMA mana_ai TO mandate_gate;

-- Each part as a 4-byte big-endian length and its UTF-8 bytes; NULL counts as empty. Injective: no two lists of parts
-- share an encoding.
CREATE FUNCTION mana_ai.frame(VARIADIC p_parts text[]) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(string_agg(int4send(octet_length(b.bytes)) || b.bytes, ''::bytea ORDER BY b.place), ''::bytea)
  FROM (
    SELECT convert_to(coalesce(p.part, ''), 'UTF8') AS bytes, p.place
    FROM unnest(p_parts) WITH ORDINALITY AS p (part, place)
  ) AS b
$$;

-- The one spelling of an audit row's time, in UTC with six digits.
CREATE FUNCTION mana_ai.instant_micros(p_instant timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_char(p_instant AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- The one spelling of a grant's dates, in UTC with three digits.
CREATE FUNCTION mana_ai.instant_millis(p_instant timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_char(p_instant AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

-- A chain's next hash. Absent values count as empty; the first previous hash is 32 zero bytes.
CREATE FUNCTION mana_ai.audit_hash(
  p_previous bytea, p_user text, p_seq bigint, p_ts timestamptz, p_mission text, p_grant text, p_iteration text,
  p_table text, p_record text, p_status text, p_reason text, p_purpose text, p_batch uuid, p_of_seq bigint)
RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT sha256(p_previous || mana_ai.frame('mandate/v2/audit', p_user, p_seq::text, mana_ai.instant_micros(p_ts),
    p_mission, p_grant, p_iteration, p_table, p_record, p_status, p_reason, p_purpose, p_batch::text, p_of_seq::text))
$$;

-- A grant's claims, which are the label of its wrap. p_scope is the hex digest of the granted records, 64 bytes.
CREATE FUNCTION mana_ai.grant_claims(
  p_grant text, p_key text, p_user text, p_mission text, p_issued timestamptz, p_expires timestamptz, p_scope bytea)
RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT mana_ai.frame('mandate/v2/grant', p_grant, p_key, p_user, p_mission, mana_ai.instant_millis(p_issued),
    mana_ai.instant_millis(p_expires)) || int4send(octet_length(p_scope)) || p_scope
$$;

-- The application a granted table belongs to; NULL for a table that no grant can name. The same seven pairs stand in
-- the resolver's policy on sync_changes and in the queue's trigger, as literals, because both are evaluated per row.
CREATE FUNCTION mana_ai.module_app(p_table text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE p_table
    WHEN 'notes' THEN 'notes'
    WHEN 'tasks' THEN 'todo'
    WHEN 'events' THEN 'calendar'
    WHEN 'journalEntries' THEN 'journal'
    WHEN 'kontextDoc' THEN 'kontext'
    WHEN 'userContext' THEN 'profile'
    WHEN 'companionGoals' THEN 'companion'
  END
$$;

REVOKE ALL ON FUNCTION
  mana_ai.frame(text[]), mana_ai.instant_micros(timestamptz), mana_ai.instant_millis(timestamptz),
  mana_ai.audit_hash(bytea, text, bigint, timestamptz, text, text, text, text, text, text, text, text, uuid, bigint),
  mana_ai.grant_claims(text, text, text, text, timestamptz, timestamptz, bytea),
  mana_ai.module_app(text)
FROM PUBLIC;
-- The issuer needs them for the check on a grant's claims, the operator to verify chains.
GRANT EXECUTE ON FUNCTION
  mana_ai.frame(text[]), mana_ai.instant_micros(timestamptz), mana_ai.instant_millis(timestamptz)
TO mandate_gate, mandate_issuer, mandate_operator;
GRANT EXECUTE ON FUNCTION
  mana_ai.audit_hash(bytea, text, bigint, timestamptz, text, text, text, text, text, text, text, text, uuid, bigint)
TO mandate_gate, mandate_issuer, mandate_operator;
GRANT EXECUTE ON FUNCTION mana_ai.grant_claims(text, text, text, text, timestamptz, timestamptz, bytea)
TO mandate_gate, mandate_issuer;
GRANT EXECUTE ON FUNCTION mana_ai.module_app(text) TO mandate_gate;
