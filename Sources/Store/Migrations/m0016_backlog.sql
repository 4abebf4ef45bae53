-- Rows that are older than the queue's trigger, put into the queue once: every mission and agent for the runner, and,
-- where the vault is already in this database, every record of its users that a grant can name for the issuer. A vault
-- that is imported later brings its own backlog (Bootstrap/seal_backlog.sql).
--
-- FORCE binds the owner too, so it is lifted for this transaction and no longer.

SET LOCAL search_path = pg_catalog, pg_temp;

ALTER TABLE public.sync_changes NO FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.encryption_vaults NO FORCE ROW LEVEL SECURITY;
ALTER TABLE mana_ai.change_queue NO FORCE ROW LEVEL SECURITY;

DO $backlog$
DECLARE
  v_project bigint;
  v_seal bigint;
BEGIN
  INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id)
  SELECT DISTINCT 'project', c.user_id, c.app_id, c.table_name, c.record_id
  FROM public.sync_changes AS c
  WHERE c.user_id <> '' AND c.app_id = 'ai' AND c.table_name IN ('aiMissions', 'agents');
  GET DIAGNOSTICS v_project = ROW_COUNT;
  INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id)
  SELECT DISTINCT 'seal', c.user_id, c.app_id, c.table_name, c.record_id
  FROM public.sync_changes AS c JOIN auth.encryption_vaults AS v ON v.user_id = c.user_id
  WHERE (c.app_id = 'ai' AND c.table_name = 'aiMissions') OR c.app_id = mana_ai.module_app(c.table_name);
  GET DIAGNOSTICS v_seal = ROW_COUNT;
  PERFORM set_config('mandate.touched', format('enqueued %s project, %s seal', v_project, v_seal), true);
END
$backlog$;

ALTER TABLE public.sync_changes FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.encryption_vaults FORCE ROW LEVEL SECURITY;
ALTER TABLE mana_ai.change_queue FORCE ROW LEVEL SECURITY;
