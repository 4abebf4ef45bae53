-- The issuer's backlog of users whose vault has just been imported; run as mandate_owner, in the transaction that
-- copied auth.users, auth.encryption_vaults and auth.encryption_vault_audit, after the copying. May run again.

SET LOCAL search_path = pg_catalog, pg_temp;

ALTER TABLE public.sync_changes NO FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.encryption_vaults NO FORCE ROW LEVEL SECURITY;
ALTER TABLE mana_ai.change_queue NO FORCE ROW LEVEL SECURITY;

INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id)
SELECT DISTINCT 'seal', c.user_id, c.app_id, c.table_name, c.record_id
FROM public.sync_changes AS c JOIN auth.encryption_vaults AS v ON v.user_id = c.user_id
WHERE (c.app_id = 'ai' AND c.table_name = 'aiMissions') OR c.app_id = mana_ai.module_app(c.table_name);

ALTER TABLE public.sync_changes FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.encryption_vaults FORCE ROW LEVEL SECURITY;
ALTER TABLE mana_ai.change_queue FORCE ROW LEVEL SECURITY;
