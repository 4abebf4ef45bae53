-- The change log: append-only rows that devices, the sync server and the runner write, folded field by field into
-- records. Made here, or taken over as a former system leaves it: older columns missing, stamps under their older
-- name, row security switched off. Rows stay as they are.

SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TABLE IF NOT EXISTS public.sync_changes (
  id uuid CONSTRAINT sync_changes_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  app_id text NOT NULL,
  table_name text NOT NULL,
  record_id text NOT NULL,
  user_id text NOT NULL,
  op text NOT NULL CONSTRAINT sync_changes_op_check CHECK (op = ANY (ARRAY['insert'::text, 'update'::text, 'delete'::text])),
  data jsonb,
  field_meta jsonb DEFAULT '{}'::jsonb,
  client_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  schema_version integer NOT NULL DEFAULT 1,
  actor jsonb,
  origin text,
  space_id text
);

-- field_meta was once called field_timestamps. Where a half-done change left both, the older stamps fill what the
-- newer column lacks. Two different stamps for one field can't both be kept, so nothing is guessed then.
DO $rename$
DECLARE
  v_columns text[] := ARRAY(
    SELECT a.attname::text FROM pg_attribute AS a
    WHERE a.attrelid = 'public.sync_changes'::regclass AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attname IN ('field_timestamps', 'field_meta'));
  v_conflicts bigint;
  v_merged bigint;
BEGIN
  IF NOT 'field_timestamps' = ANY (v_columns) THEN
    RETURN;
  ELSIF NOT 'field_meta' = ANY (v_columns) THEN
    ALTER TABLE public.sync_changes RENAME COLUMN field_timestamps TO field_meta;
    PERFORM set_config('mandate.touched', 'field_timestamps renamed to field_meta', true);
    RETURN;
  END IF;
  ALTER TABLE public.sync_changes NO FORCE ROW LEVEL SECURITY;
  SELECT count(*) INTO v_conflicts FROM public.sync_changes AS c
  WHERE NOT coalesce(c.field_timestamps, '{}') || coalesce(c.field_meta, '{}') @> coalesce(c.field_timestamps, '{}');
  IF v_conflicts > 0 THEN
    RAISE EXCEPTION 'sync_changes has both field_timestamps and field_meta, and they contradict each other in % rows',
      v_conflicts USING HINT = 'Decide which stamps hold, clear the others, and migrate again.';
  END IF;
  UPDATE public.sync_changes AS c SET field_meta = coalesce(c.field_timestamps, '{}') || coalesce(c.field_meta, '{}')
  WHERE NOT coalesce(c.field_meta, '{}') @> coalesce(c.field_timestamps, '{}');
  GET DIAGNOSTICS v_merged = ROW_COUNT;
  ALTER TABLE public.sync_changes DROP COLUMN field_timestamps;
  PERFORM set_config('mandate.touched', format('stamps merged in %s rows', v_merged), true);
END
$rename$;

ALTER TABLE public.sync_changes
  ADD COLUMN IF NOT EXISTS field_meta jsonb DEFAULT '{}'::jsonb,
  ADD COLUMN IF NOT EXISTS schema_version integer NOT NULL DEFAULT 1,
  ADD COLUMN IF NOT EXISTS actor jsonb,
  ADD COLUMN IF NOT EXISTS origin text,
  ADD COLUMN IF NOT EXISTS space_id text,
  ALTER COLUMN field_meta SET DEFAULT '{}'::jsonb,
  ALTER COLUMN field_meta DROP NOT NULL;

CREATE INDEX IF NOT EXISTS idx_sync_changes_user_app
  ON public.sync_changes (user_id, app_id, created_at);
CREATE INDEX IF NOT EXISTS idx_sync_changes_table_record
  ON public.sync_changes (table_name, record_id, created_at);
CREATE INDEX IF NOT EXISTS idx_sync_changes_since
  ON public.sync_changes (user_id, app_id, table_name, created_at);
CREATE INDEX IF NOT EXISTS idx_sync_changes_user_space_app_since
  ON public.sync_changes (user_id, space_id, app_id, created_at) WHERE space_id IS NOT NULL;
-- Ours: the history of one record in the order of the fold. Record ids such as a settings singleton's repeat from user
-- to user, so an index that does not begin with the user reads everybody's.
CREATE INDEX IF NOT EXISTS idx_sync_changes_history
  ON public.sync_changes (user_id, app_id, table_name, record_id, created_at, id);

ALTER TABLE public.sync_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.sync_changes FORCE ROW LEVEL SECURITY;

-- These two are the former system's, under its names and in its words, since its server makes them anew at each start.
DROP POLICY IF EXISTS sync_changes_user_isolation ON public.sync_changes;
CREATE POLICY sync_changes_user_isolation ON public.sync_changes
  USING (user_id = current_setting('app.current_user_id', true))
  WITH CHECK (user_id = current_setting('app.current_user_id', true));
DROP POLICY IF EXISTS sync_changes_space_member_read ON public.sync_changes;
CREATE POLICY sync_changes_space_member_read ON public.sync_changes FOR SELECT
  USING (space_id IS NOT NULL AND space_id = ANY (
    string_to_array(coalesce(current_setting('app.current_user_space_ids', true), ''), ',')));

-- Permissive policies add up, so what must always hold is restrictive. After a transaction-local scope the setting is
-- '' for the rest of the session, and no row may answer to that.
CREATE POLICY sync_changes_named_user ON public.sync_changes AS RESTRICTIVE
  USING (user_id <> '') WITH CHECK (user_id <> '');
-- Our services read one user at a time; a list of spaces widens nothing for them.
CREATE POLICY sync_changes_own_scope ON public.sync_changes AS RESTRICTIVE
  TO mandate_issuer, mandate_resolver, mandate_runner
  USING (user_id = current_setting('app.current_user_id', true))
  WITH CHECK (user_id = current_setting('app.current_user_id', true));
-- The resolver sees the tables that a grant can name, and no other. The pairs are those of mana_ai.module_app.
CREATE POLICY sync_changes_resolver ON public.sync_changes AS RESTRICTIVE TO mandate_resolver
  USING (app_id = CASE table_name
    WHEN 'notes' THEN 'notes' WHEN 'tasks' THEN 'todo' WHEN 'events' THEN 'calendar'
    WHEN 'journalEntries' THEN 'journal' WHEN 'kontextDoc' THEN 'kontext' WHEN 'userContext' THEN 'profile'
    WHEN 'companionGoals' THEN 'companion' END)
  WITH CHECK (false);
-- The runner sees missions and agents, and writes nothing but its update of a mission. A table that it must write one
-- day is added by name, and never one that a grant can name: enc:1 has no AAD, so whoever can copy ciphertext into a
-- granted record could have it sealed and read.
CREATE POLICY sync_changes_runner_read ON public.sync_changes AS RESTRICTIVE FOR SELECT TO mandate_runner
  USING (app_id = 'ai' AND table_name IN ('aiMissions', 'agents'));
CREATE POLICY sync_changes_runner_write ON public.sync_changes AS RESTRICTIVE FOR INSERT TO mandate_runner
  WITH CHECK (app_id = 'ai' AND table_name = 'aiMissions' AND op = 'update' AND client_id = 'mana-ai-runner');
-- The gate's functions work without a scope and name the user in every statement.
CREATE POLICY sync_changes_gate ON public.sync_changes TO mandate_gate USING (true) WITH CHECK (true);

REVOKE ALL ON public.sync_changes FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO mandate_gate, mandate_issuer, mandate_resolver, mandate_runner, mandate_sync;
GRANT SELECT ON public.sync_changes TO mandate_issuer, mandate_resolver;
GRANT SELECT, INSERT ON public.sync_changes TO mandate_runner, mandate_sync;
-- Attaching a grant adds a row to the mission's history; purging an account deletes the user's rows.
GRANT SELECT, INSERT, DELETE ON public.sync_changes TO mandate_gate;
