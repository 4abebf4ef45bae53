-- The audit: every release of a key share, chained per user so that a changed, missing or inserted row shows.
-- Rows from before the chain stay as they are, with seq NULL.
--
-- Nobody inserts but the functions of mandate_gate. Nobody updates, nobody truncates, and nobody deletes but the
-- functions that prune and purge: privileges say so, and triggers say it again for whoever has privileges.

SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TABLE IF NOT EXISTS mana_ai.decrypt_audit (
  id bigserial CONSTRAINT decrypt_audit_pkey PRIMARY KEY,
  user_id text NOT NULL,
  mission_id text NOT NULL,
  iteration_id text,
  table_name text NOT NULL,
  record_id text NOT NULL,
  status text NOT NULL
    CONSTRAINT decrypt_audit_status_check CHECK (status = ANY (ARRAY['ok'::text, 'failed'::text, 'scope-violation'::text])),
  reason text,
  ts timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS idx_decrypt_audit_mission ON mana_ai.decrypt_audit (user_id, mission_id, ts DESC);

ALTER TABLE mana_ai.decrypt_audit
  ADD COLUMN seq bigint,
  ADD COLUMN hash bytea,
  ADD COLUMN batch uuid,
  ADD COLUMN of_seq bigint,
  ADD COLUMN grant_id text,
  ADD COLUMN purpose text,
  -- The transaction that wrote the row: a share is released only in another one, so never before this one committed.
  ADD COLUMN xid xid8,
  ADD CONSTRAINT decrypt_audit_user_seq UNIQUE (user_id, seq),
  -- One check for all, kept short: the server reads it anew for every statement that inserts. An absent value is NULL
  -- and never empty, for both are hashed alike. What else a row may say, the function that writes it sees to.
  ADD CONSTRAINT decrypt_audit_chained CHECK (
    seq IS NULL OR (num_nulls(hash, batch, xid) = 0 AND (status = 'ok') = (reason IS NULL)
      AND '' <> ALL (ARRAY[user_id, mission_id, iteration_id, table_name, record_id, reason, grant_id, purpose])));
-- A receipt fails once at most.
CREATE UNIQUE INDEX decrypt_audit_one_failure ON mana_ai.decrypt_audit (user_id, of_seq) WHERE of_seq IS NOT NULL;

-- Rows from before the chain, to find them when they are old enough to go.
CREATE INDEX decrypt_audit_former ON mana_ai.decrypt_audit (user_id COLLATE "C") WHERE seq IS NULL;

-- The end of each chain. Its row is the lock under which the chain grows; half of each page is left free so that
-- moving the end does not touch an index.
CREATE TABLE mana_ai.audit_heads (
  user_id text CONSTRAINT audit_heads_pkey PRIMARY KEY
    CONSTRAINT audit_heads_user_id CHECK (octet_length(user_id) BETWEEN 1 AND 256),
  seq bigint NOT NULL CONSTRAINT audit_heads_seq CHECK (seq >= 0),
  hash bytea NOT NULL CONSTRAINT audit_heads_hash CHECK (octet_length(hash) = 32),
  ts timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX audit_heads_by_bytes ON mana_ai.audit_heads (user_id COLLATE "C");

-- What pruning leaves: the last row it removed, from which the rest still verifies.
CREATE TABLE mana_ai.audit_cuts (
  user_id text CONSTRAINT audit_cuts_pkey PRIMARY KEY
    CONSTRAINT audit_cuts_user_id CHECK (octet_length(user_id) BETWEEN 1 AND 256),
  seq bigint NOT NULL CONSTRAINT audit_cuts_seq CHECK (seq > 0),
  hash bytea NOT NULL CONSTRAINT audit_cuts_hash CHECK (octet_length(hash) = 32),
  cut_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Bookkeeping of batches: which rows of the chain a batch is, and that its id was never used before. Nothing is
-- decided by it alone; what is released is decided by the audit rows themselves.
CREATE TABLE mana_ai.receipt_batches (
  batch uuid CONSTRAINT receipt_batches_pkey PRIMARY KEY,
  user_id text NOT NULL CONSTRAINT receipt_batches_user_id CHECK (user_id <> ''),
  grant_id text,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  xid xid8 NOT NULL,
  opened_at timestamptz NOT NULL,
  redeemed_at timestamptz
) WITH (fillfactor = 80);
CREATE INDEX receipt_batches_by_user ON mana_ai.receipt_batches (user_id, opened_at);

-- What is left of a deleted account: enough to tell that its chain once ended there, and to go on from there.
CREATE TABLE mana_ai.purged_users (
  digest bytea CONSTRAINT purged_users_pkey PRIMARY KEY
    CONSTRAINT purged_users_digest CHECK (octet_length(digest) = 32),
  last_seq bigint NOT NULL CONSTRAINT purged_users_last_seq CHECK (last_seq >= 0),
  last_hash bytea NOT NULL CONSTRAINT purged_users_last_hash CHECK (octet_length(last_hash) = 32),
  purged_at timestamptz NOT NULL
);

CREATE FUNCTION mana_ai.decrypt_audit_guard() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_user = 'mandate_gate' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'the audit only grows' USING ERRCODE = 'MD005';
END
$$;
REVOKE ALL ON FUNCTION mana_ai.decrypt_audit_guard() FROM PUBLIC;
CREATE TRIGGER decrypt_audit_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON mana_ai.decrypt_audit
  FOR EACH STATEMENT EXECUTE FUNCTION mana_ai.decrypt_audit_guard();
ALTER TABLE mana_ai.decrypt_audit ENABLE ALWAYS TRIGGER decrypt_audit_guard;

DROP POLICY IF EXISTS decrypt_audit_user_scope ON mana_ai.decrypt_audit;
DO $policies$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['decrypt_audit', 'audit_heads', 'audit_cuts', 'receipt_batches'] LOOP
    EXECUTE format('ALTER TABLE mana_ai.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY %I ON mana_ai.%I '
      'USING (user_id = current_setting(''app.current_user_id'', true) AND user_id <> '''') '
      'WITH CHECK (user_id = current_setting(''app.current_user_id'', true) AND user_id <> '''')',
      v_table || '_user_scope', v_table);
    EXECUTE format('CREATE POLICY %I ON mana_ai.%I TO mandate_gate USING (true) WITH CHECK (true)',
      v_table || '_gate', v_table);
    EXECUTE format('REVOKE ALL ON mana_ai.%I FROM PUBLIC', v_table);
    -- Verification reads all chains.
    IF v_table <> 'receipt_batches' THEN
      EXECUTE format('CREATE POLICY %I ON mana_ai.%I FOR SELECT TO mandate_operator USING (true)',
        v_table || '_operator', v_table);
      EXECUTE format('GRANT SELECT ON mana_ai.%I TO mandate_issuer, mandate_operator', v_table);
    END IF;
  END LOOP;
END
$policies$;
ALTER TABLE mana_ai.purged_users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY purged_users_gate ON mana_ai.purged_users TO mandate_gate USING (true) WITH CHECK (true);
REVOKE ALL ON mana_ai.purged_users FROM PUBLIC;

REVOKE ALL ON SEQUENCE mana_ai.decrypt_audit_id_seq FROM PUBLIC;
GRANT USAGE ON SEQUENCE mana_ai.decrypt_audit_id_seq TO mandate_gate;
GRANT SELECT, INSERT, DELETE ON mana_ai.decrypt_audit TO mandate_gate;
GRANT SELECT, INSERT, UPDATE (seq, hash, ts), DELETE ON mana_ai.audit_heads TO mandate_gate;
GRANT SELECT, INSERT, UPDATE (seq, hash, cut_at), DELETE ON mana_ai.audit_cuts TO mandate_gate;
GRANT SELECT, INSERT, UPDATE (redeemed_at), DELETE ON mana_ai.receipt_batches TO mandate_gate;
GRANT SELECT, INSERT, UPDATE (last_seq, last_hash, purged_at) ON mana_ai.purged_users TO mandate_gate;
