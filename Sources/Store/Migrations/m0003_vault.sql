-- The vault: each user's master key, wrapped, and the log of what was done with it. Only the issuer reaches it.
-- Made here, or taken over from a former system: its table of users stays as it is, missing checks and row security
-- are added, rows are kept.

SET LOCAL search_path = pg_catalog, pg_temp;

DO $users$
BEGIN
  -- Where others keep the users, the bootstrap has given us what we need on their table.
  IF to_regclass('auth.users') IS NOT NULL THEN
    RETURN;
  END IF;
  CREATE TABLE auth.users (
    id text CONSTRAINT users_pkey PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
  ALTER TABLE auth.users FORCE ROW LEVEL SECURITY;
  CREATE POLICY users_user_scope ON auth.users
    USING (id = current_setting('app.current_user_id', true) AND id <> '')
    WITH CHECK (id = current_setting('app.current_user_id', true) AND id <> '');
  CREATE POLICY users_gate ON auth.users TO mandate_gate USING (true) WITH CHECK (true);
  GRANT SELECT (id), INSERT (id) ON auth.users TO mandate_issuer;
  GRANT SELECT (id), DELETE ON auth.users TO mandate_gate;
END
$users$;

CREATE TABLE IF NOT EXISTS auth.encryption_vaults (
  user_id text CONSTRAINT encryption_vaults_pkey PRIMARY KEY
    CONSTRAINT encryption_vaults_user_id_fkey REFERENCES auth.users (id) ON DELETE CASCADE,
  wrapped_mk text,
  wrap_iv text,
  format_version smallint NOT NULL DEFAULT 1,
  kek_id text NOT NULL DEFAULT 'env-v1',
  created_at timestamptz NOT NULL DEFAULT now(),
  rotated_at timestamptz,
  recovery_wrapped_mk text,
  recovery_iv text,
  recovery_format_version smallint NOT NULL DEFAULT 1,
  recovery_set_at timestamptz,
  zero_knowledge boolean NOT NULL DEFAULT false
);
ALTER TABLE auth.encryption_vaults
  ADD COLUMN IF NOT EXISTS recovery_wrapped_mk text,
  ADD COLUMN IF NOT EXISTS recovery_iv text,
  ADD COLUMN IF NOT EXISTS recovery_format_version smallint NOT NULL DEFAULT 1,
  ADD COLUMN IF NOT EXISTS recovery_set_at timestamptz,
  ADD COLUMN IF NOT EXISTS zero_knowledge boolean NOT NULL DEFAULT false,
  -- A check value of the master key, made at init and rotation, and for an imported vault on its way into
  -- zero-knowledge mode: whoever leaves that mode must bring the key that entered it.
  ADD COLUMN key_check bytea,
  ALTER COLUMN wrapped_mk DROP NOT NULL,
  ALTER COLUMN wrap_iv DROP NOT NULL;

CREATE TABLE IF NOT EXISTS auth.encryption_vault_audit (
  id text CONSTRAINT encryption_vault_audit_pkey PRIMARY KEY,
  user_id text NOT NULL
    CONSTRAINT encryption_vault_audit_user_id_fkey REFERENCES auth.users (id) ON DELETE CASCADE,
  action text NOT NULL,
  ip_address text,
  user_agent text,
  context text,
  status integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- A table made by the former system's mapper alone lacks these.
DO $constraints$
DECLARE
  v_wanted record;
BEGIN
  FOR v_wanted IN
    SELECT * FROM (VALUES
      ('encryption_vaults_has_wrap', 'CHECK (wrapped_mk IS NOT NULL OR recovery_wrapped_mk IS NOT NULL)'),
      ('encryption_vaults_wrap_iv_pair',
        'CHECK ((wrapped_mk IS NULL) = (wrap_iv IS NULL) AND (recovery_wrapped_mk IS NULL) = (recovery_iv IS NULL))'),
      ('encryption_vaults_zk_consistency',
        'CHECK (NOT zero_knowledge OR (wrapped_mk IS NULL AND recovery_wrapped_mk IS NOT NULL))')) AS w (name, definition)
  LOOP
    EXECUTE format('ALTER TABLE auth.encryption_vaults DROP CONSTRAINT IF EXISTS %I', v_wanted.name);
    EXECUTE format('ALTER TABLE auth.encryption_vaults ADD CONSTRAINT %I %s', v_wanted.name, v_wanted.definition);
  END LOOP;
  FOR v_wanted IN
    SELECT * FROM (VALUES ('encryption_vaults'), ('encryption_vault_audit')) AS t (name)
    WHERE NOT EXISTS (
      SELECT FROM pg_constraint AS c
      WHERE c.conrelid = ('auth.' || t.name)::regclass AND c.contype = 'f' AND c.confrelid = 'auth.users'::regclass
        AND pg_get_constraintdef(c.oid) LIKE 'FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE%')
  LOOP
    EXECUTE format('ALTER TABLE auth.%I ADD CONSTRAINT %I FOREIGN KEY (user_id) REFERENCES auth.users (id) '
      'ON DELETE CASCADE', v_wanted.name, v_wanted.name || '_user_id_fkey');
  END LOOP;
END
$constraints$;
ALTER TABLE auth.encryption_vaults
  ADD CONSTRAINT encryption_vaults_key_check CHECK (octet_length(key_check) BETWEEN 16 AND 64);

CREATE INDEX IF NOT EXISTS encryption_vaults_user_id_idx ON auth.encryption_vaults (user_id);
CREATE INDEX IF NOT EXISTS encryption_vault_audit_user_id_idx ON auth.encryption_vault_audit (user_id);
CREATE INDEX IF NOT EXISTS encryption_vault_audit_created_at_idx ON auth.encryption_vault_audit (created_at);
-- Ours: walking the vaults by the bytes of the user id while keys are rotated, and counting a user's calls for limits.
CREATE INDEX encryption_vaults_by_kek ON auth.encryption_vaults (user_id COLLATE "C", kek_id)
  WHERE NOT zero_knowledge;
CREATE INDEX encryption_vault_audit_limits ON auth.encryption_vault_audit (user_id, action, created_at);

DROP POLICY IF EXISTS encryption_vaults_user_isolation ON auth.encryption_vaults;
DROP POLICY IF EXISTS encryption_vault_audit_user_isolation ON auth.encryption_vault_audit;
CREATE POLICY encryption_vaults_user_isolation ON auth.encryption_vaults
  USING (user_id = current_setting('app.current_user_id', true) AND user_id <> '')
  WITH CHECK (user_id = current_setting('app.current_user_id', true) AND user_id <> '');
CREATE POLICY encryption_vault_audit_user_isolation ON auth.encryption_vault_audit
  USING (user_id = current_setting('app.current_user_id', true) AND user_id <> '')
  WITH CHECK (user_id = current_setting('app.current_user_id', true) AND user_id <> '');
CREATE POLICY encryption_vaults_gate ON auth.encryption_vaults TO mandate_gate USING (true) WITH CHECK (true);
CREATE POLICY encryption_vault_audit_gate ON auth.encryption_vault_audit TO mandate_gate
  USING (true) WITH CHECK (true);
ALTER TABLE auth.encryption_vaults ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.encryption_vaults FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.encryption_vault_audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.encryption_vault_audit FORCE ROW LEVEL SECURITY;

REVOKE ALL ON auth.encryption_vaults, auth.encryption_vault_audit FROM PUBLIC;
GRANT USAGE ON SCHEMA auth TO mandate_gate, mandate_issuer;
GRANT SELECT, INSERT, UPDATE ON auth.encryption_vaults TO mandate_issuer;
-- The log of the vault only grows; what is counted for limits is counted in it.
GRANT SELECT, INSERT ON auth.encryption_vault_audit TO mandate_issuer;
-- The gate never sees a wrapped key. UPDATE on one column is what SELECT ... FOR UPDATE asks for: the vault row is the
-- lock of a user, and every change of a grant begins with it.
GRANT SELECT (user_id, kek_id, zero_knowledge), UPDATE (rotated_at), DELETE
  ON auth.encryption_vaults TO mandate_gate;
GRANT SELECT (user_id), DELETE ON auth.encryption_vault_audit TO mandate_gate;
