-- Grants and what they open: the grant with its wrap and claims, one key share per granted record, sealed copies of
-- older ciphertext, and where each such ciphertext was first seen.
--
-- The row is the authority: a blob on a mission only points at it. Opening never changes the row (when it was last
-- used is read from the audit), so a hot grant is not a hot row.

SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TABLE mana_ai.grants (
  grant_id text CONSTRAINT grants_pkey PRIMARY KEY
    CONSTRAINT grants_grant_id CHECK (grant_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
  user_id text NOT NULL CONSTRAINT grants_user_id CHECK (octet_length(user_id) BETWEEN 1 AND 256),
  mission_id text NOT NULL CONSTRAINT grants_mission_id CHECK (octet_length(mission_id) BETWEEN 1 AND 256),
  version text NOT NULL CONSTRAINT grants_version CHECK (version = 'v2'),
  key_id text NOT NULL CONSTRAINT grants_key_id CHECK (key_id ~ '^[0-9a-f]{32}$'),
  -- RSA of 2048 to 4096 bits.
  wrapped_key bytea NOT NULL CONSTRAINT grants_wrapped_key CHECK (octet_length(wrapped_key) BETWEEN 256 AND 512),
  claims bytea NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- 30 days after issue or re-issue: until then the grant may be extended without asking the user again.
  renewable_until timestamptz NOT NULL,
  closed_at timestamptz,
  closed_reason text CONSTRAINT grants_closed_reason CHECK (closed_reason IN (
    'user', 'superseded', 'expired', 'mission-gone', 'vault-rotated', 'zero-knowledge', 'deleted', 'operator')),
  CONSTRAINT grants_closing CHECK ((closed_at IS NULL) = (closed_reason IS NULL)),
  CONSTRAINT grants_dates CHECK (issued_at < expires_at AND expires_at <= renewable_until),
  -- The columns that the database decides by are the very ones the wrap's label carries; the scope's digest, 64
  -- characters at the end, is the only part of the label that has no column.
  CONSTRAINT grants_claims CHECK (
    claims = mana_ai.grant_claims(grant_id, key_id, user_id, mission_id, issued_at, expires_at,
      substring(claims FROM octet_length(claims) - 63))
    AND encode(substring(claims FROM octet_length(claims) - 63), 'escape') ~ '^[0-9a-f]{64}$'
    -- Both dates are written with three digits, so they must have no more.
    AND date_trunc('milliseconds', issued_at AT TIME ZONE 'UTC') = issued_at AT TIME ZONE 'UTC'
    AND date_trunc('milliseconds', expires_at AT TIME ZONE 'UTC') = expires_at AT TIME ZONE 'UTC'),
  CONSTRAINT grants_user_grant UNIQUE (user_id, grant_id)
);
-- At most one open grant for a mission of a user; issuing closes the former one first.
CREATE UNIQUE INDEX grants_one_open ON mana_ai.grants (user_id, mission_id) WHERE closed_at IS NULL;
CREATE INDEX grants_by_mission ON mana_ai.grants (user_id, mission_id, issued_at DESC);
CREATE INDEX grants_by_expiry ON mana_ai.grants (expires_at, grant_id COLLATE "C") WHERE closed_at IS NULL;
CREATE INDEX grants_by_key ON mana_ai.grants (key_id, grant_id COLLATE "C") WHERE closed_at IS NULL;

-- Closing is final, and what a grant is about never changes. Only its validity may be extended and its wrap renewed.
CREATE FUNCTION mana_ai.grants_guard() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF OLD.closed_at IS NOT NULL THEN
    RAISE EXCEPTION 'grant is closed, and closing is final' USING ERRCODE = 'MD004';
  END IF;
  IF (NEW.grant_id, NEW.user_id, NEW.mission_id, NEW.version)
    IS DISTINCT FROM (OLD.grant_id, OLD.user_id, OLD.mission_id, OLD.version) THEN
    RAISE EXCEPTION 'what a grant is about never changes' USING ERRCODE = 'MD004';
  END IF;
  RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION mana_ai.grants_guard() FROM PUBLIC;
CREATE TRIGGER grants_guard BEFORE UPDATE ON mana_ai.grants
  FOR EACH ROW EXECUTE FUNCTION mana_ai.grants_guard();
ALTER TABLE mana_ai.grants ENABLE ALWAYS TRIGGER grants_guard;

-- nonce(12) || AES-256-GCM(mission key, record key): 60 bytes a record.
CREATE TABLE mana_ai.grant_keys (
  grant_id text NOT NULL,
  user_id text NOT NULL,
  table_name text NOT NULL CONSTRAINT grant_keys_table_name CHECK (table_name ~ '^[A-Za-z][A-Za-z0-9_]{0,62}$'),
  record_id text NOT NULL CONSTRAINT grant_keys_record_id CHECK (octet_length(record_id) BETWEEN 1 AND 256),
  wrapped_key bytea NOT NULL CONSTRAINT grant_keys_wrapped_key CHECK (octet_length(wrapped_key) = 60),
  CONSTRAINT grant_keys_pkey PRIMARY KEY (user_id, grant_id, table_name, record_id),
  CONSTRAINT grant_keys_grant FOREIGN KEY (user_id, grant_id) REFERENCES mana_ai.grants (user_id, grant_id)
);
-- Which grants need this record: asked when a grant closes and when a record changes.
CREATE INDEX grant_keys_by_record ON mana_ai.grant_keys (user_id, table_name, record_id);

-- fields: {"<field>": {"of": "<hex>", "value": "enc:2:…"}} or, for ciphertext that turned up elsewhere first,
-- {"<field>": {"of": "<hex>", "refused": "moved-ciphertext"}}.
CREATE TABLE mana_ai.sealed_records (
  user_id text NOT NULL CONSTRAINT sealed_records_user_id CHECK (user_id <> ''),
  app_id text NOT NULL,
  table_name text NOT NULL,
  record_id text NOT NULL,
  fields jsonb NOT NULL CONSTRAINT sealed_records_fields CHECK (jsonb_typeof(fields) = 'object'),
  sealed_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT sealed_records_pkey PRIMARY KEY (user_id, app_id, table_name, record_id)
);

-- Kept after a grant is closed: where a ciphertext was first seen does not change.
CREATE TABLE mana_ai.seal_origins (
  user_id text NOT NULL CONSTRAINT seal_origins_user_id CHECK (user_id <> ''),
  digest bytea NOT NULL CONSTRAINT seal_origins_digest CHECK (octet_length(digest) = 32),
  app_id text NOT NULL,
  table_name text NOT NULL,
  record_id text NOT NULL,
  field text NOT NULL,
  CONSTRAINT seal_origins_pkey PRIMARY KEY (user_id, digest)
);

DO $policies$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['grants', 'grant_keys', 'sealed_records', 'seal_origins'] LOOP
    EXECUTE format('ALTER TABLE mana_ai.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY %I ON mana_ai.%I '
      'USING (user_id = current_setting(''app.current_user_id'', true) AND user_id <> '''') '
      'WITH CHECK (user_id = current_setting(''app.current_user_id'', true) AND user_id <> '''')',
      v_table || '_user_scope', v_table);
    EXECUTE format('CREATE POLICY %I ON mana_ai.%I TO mandate_gate USING (true) WITH CHECK (true)',
      v_table || '_gate', v_table);
    EXECUTE format('REVOKE ALL ON mana_ai.%I FROM PUBLIC', v_table);
  END LOOP;
END
$policies$;
-- The census counts grants of all users; it needs neither wrap nor claims.
CREATE POLICY grants_operator ON mana_ai.grants FOR SELECT TO mandate_operator USING (true);
GRANT SELECT (grant_id, user_id, mission_id, version, key_id, issued_at, expires_at, renewable_until, closed_at,
  closed_reason) ON mana_ai.grants TO mandate_operator;

-- No service deletes a grant: closed ones are the record of what was once consented to.
GRANT SELECT, INSERT ON mana_ai.grants TO mandate_issuer;
GRANT UPDATE (key_id, wrapped_key, claims, issued_at, expires_at, renewable_until, closed_at, closed_reason)
  ON mana_ai.grants TO mandate_issuer;
GRANT SELECT, INSERT, DELETE ON mana_ai.grant_keys TO mandate_issuer;
GRANT SELECT, INSERT, UPDATE, DELETE ON mana_ai.sealed_records TO mandate_issuer;
GRANT SELECT, INSERT ON mana_ai.seal_origins TO mandate_issuer;
GRANT SELECT ON mana_ai.sealed_records TO mandate_resolver;

GRANT SELECT, DELETE, UPDATE (key_id, wrapped_key, claims, closed_at, closed_reason) ON mana_ai.grants TO mandate_gate;
GRANT SELECT, DELETE ON mana_ai.grant_keys TO mandate_gate;
GRANT SELECT (user_id, table_name, record_id), DELETE ON mana_ai.sealed_records TO mandate_gate;
GRANT SELECT (user_id), DELETE ON mana_ai.seal_origins TO mandate_gate;
