-- Proof that the database binds whoever runs this: each service runs it at its start and each minute, as itself, with
-- no scope set. One row per problem, (object, problem); no row means proven. The canary comes on top, in a transaction:
--   SELECT set_config('app.current_user_id', 'mandate canary', true);
--   SELECT count(*) FROM mana_ai.rls_canary;                               -- must be 1
--   SELECT set_config('app.current_user_id', 'mandate stranger', true);
--   SELECT count(*) FROM mana_ai.rls_canary;                               -- must be 0
--   SELECT set_config('app.current_user_id', '', true);
--   SELECT count(*) FROM mana_ai.rls_canary;                               -- must be 0
-- The text lies in the service and reads catalogs only, so nothing that the database could be told to answer is in it.

WITH RECURSIVE me AS (
  SELECT r.* FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user
), tables (name) AS (
  VALUES ('public.sync_changes'), ('auth.encryption_vaults'), ('auth.encryption_vault_audit'), ('mana_ai.grants'),
    ('mana_ai.grant_keys'), ('mana_ai.sealed_records'), ('mana_ai.seal_origins'), ('mana_ai.receipt_batches'),
    ('mana_ai.decrypt_audit'), ('mana_ai.audit_heads'), ('mana_ai.audit_cuts'), ('mana_ai.purged_users'),
    ('mana_ai.change_queue'), ('mana_ai.mission_snapshots'), ('mana_ai.agent_snapshots'), ('mana_ai.mission_runs'),
    ('mana_ai.token_usage'), ('mana_ai.mission_research_jobs'), ('mana_ai.rls_canary')
), relations AS (
  SELECT c.*, n.nspname || '.' || c.relname AS name
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
), user_tables AS (
  SELECT c.oid FROM tables AS t JOIN relations AS c ON c.name = t.name
  UNION
  -- Whatever else of ours has a user_id, and every part and child, wherever it is.
  SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
  WHERE c.relkind IN ('r', 'p') AND a.attname = 'user_id' AND NOT a.attisdropped
    AND (c.relowner = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = 'mandate_owner')
      OR c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'mana_ai'))
  UNION
  SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN user_tables AS p ON p.oid = i.inhparent
), functions AS (
  SELECT p.*, p.oid::pg_catalog.regprocedure::text AS name, o.rolname AS owner
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_roles AS o ON o.oid = p.proowner
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  WHERE n.nspname = 'mana_ai' OR o.rolname IN ('mandate_gate', 'mandate_owner')
), allowed (function, role) AS (
  VALUES
    ('attach_grant', 'mandate_issuer'), ('audit_hash', 'mandate_gate'), ('audit_hash', 'mandate_issuer'),
    ('audit_hash', 'mandate_operator'), ('claim_due', 'mandate_runner'), ('close_expired', 'mandate_issuer'),
    ('close_grants', 'mandate_issuer'), ('drain_grants', 'mandate_issuer'), ('drain_grants', 'mandate_operator'),
    ('due_renewals', 'mandate_issuer'), ('enqueue_change', 'mandate_owner'), ('fail_receipts', 'mandate_resolver'),
    ('frame', 'mandate_gate'), ('frame', 'mandate_issuer'), ('frame', 'mandate_operator'),
    ('gauges', 'mandate_issuer'), ('gauges', 'mandate_resolver'), ('gauges', 'mandate_runner'),
    ('grant_claims', 'mandate_gate'), ('grant_claims', 'mandate_issuer'), ('instant_micros', 'mandate_gate'),
    ('instant_micros', 'mandate_issuer'), ('instant_micros', 'mandate_operator'), ('instant_millis', 'mandate_gate'),
    ('instant_millis', 'mandate_issuer'), ('instant_millis', 'mandate_operator'), ('lock_grants', 'mandate_gate'),
    ('lock_mission', 'mandate_runner'), ('mission_lock', 'mandate_gate'), ('mission_lock', 'mandate_runner'),
    ('module_app', 'mandate_gate'), ('module_app', 'mandate_issuer'), ('open_receipts', 'mandate_resolver'),
    ('prune_audit', 'mandate_operator'), ('prune_usage', 'mandate_runner'), ('purge_user', 'mandate_issuer'), ('purge_user', 'mandate_operator'),
    ('redeem_receipts', 'mandate_resolver'), ('revoke', 'mandate_operator'), ('rewrap_grant', 'mandate_resolver'),
    ('rewrap_list', 'mandate_resolver'), ('take_project_changes', 'mandate_runner'),
    ('take_seal_changes', 'mandate_issuer'), ('vaults_by_kek', 'mandate_issuer')
), gate AS (
  SELECT r.* FROM pg_catalog.pg_roles AS r WHERE r.rolname = 'mandate_gate'
)
-- This role.
SELECT m.rolname::text AS object, p.problem
FROM me AS m, LATERAL (VALUES
  (m.rolsuper, 'is a superuser'), (m.rolbypassrls, 'bypasses row security'), (m.rolcreaterole, 'may create roles'),
  (m.rolcreatedb, 'may create databases'), (m.rolreplication, 'may replicate'),
  (current_user <> session_user, 'has logged in as another role')) AS p (holds, problem)
WHERE p.holds
UNION ALL
SELECT m.rolname::text, 'is a member of ' || r.rolname
FROM me AS m JOIN pg_catalog.pg_roles AS r ON r.oid <> m.oid
WHERE pg_catalog.pg_has_role(m.oid, r.oid, 'MEMBER')
UNION ALL
SELECT m.rolname::text, 'owns ' || o.name
FROM me AS m, LATERAL (
  SELECT d.datdba AS owner, 'the database' AS name FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()
  UNION ALL SELECT n.nspowner, 'schema ' || n.nspname FROM pg_catalog.pg_namespace AS n
  UNION ALL SELECT c.relowner, c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class AS c
  UNION ALL SELECT p.proowner, p.oid::pg_catalog.regprocedure::text FROM pg_catalog.pg_proc AS p
) AS o WHERE o.owner = m.oid
UNION ALL
SELECT m.rolname::text, 'may create objects in ' || n.nspname
FROM me AS m, pg_catalog.pg_namespace AS n
WHERE pg_catalog.has_schema_privilege(m.oid, n.oid, 'CREATE')
UNION ALL
SELECT m.rolname::text, 'may ' || x.privilege || ' in the database'
FROM me AS m, (VALUES ('CREATE'), ('TEMPORARY')) AS x (privilege)
WHERE pg_catalog.has_database_privilege(m.oid, current_database(), x.privilege)
UNION ALL
-- This session. A scope must never come with the login, and what commits must be on disk.
SELECT 'setting ' || s.name, 'is ' || s.value
FROM (VALUES
  ('app.current_user_id', coalesce(current_setting('app.current_user_id', true), ''), ARRAY['']),
  ('app.current_user_space_ids', coalesce(current_setting('app.current_user_space_ids', true), ''), ARRAY['']),
  ('fsync', current_setting('fsync'), ARRAY['on']),
  ('synchronous_commit', current_setting('synchronous_commit'), ARRAY['on', 'local', 'remote_write', 'remote_apply']),
  ('session_replication_role', current_setting('session_replication_role'), ARRAY['origin', 'local']),
  ('row_security', current_setting('row_security'), ARRAY['on']),
  ('server_encoding', current_setting('server_encoding'), ARRAY['UTF8'])) AS s (name, value, wanted)
WHERE NOT s.value = ANY (s.wanted)
UNION ALL
-- The tables.
SELECT t.name, 'is missing' FROM tables AS t WHERE t.name NOT IN (SELECT c.name FROM relations AS c)
UNION ALL
SELECT c.name, p.problem
FROM user_tables AS u JOIN relations AS c ON c.oid = u.oid, LATERAL (VALUES
  (NOT c.relrowsecurity, 'has row security switched off'),
  (NOT c.relforcerowsecurity, 'does not force row security'),
  (c.relowner IS DISTINCT FROM (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = 'mandate_owner'),
    'is not owned by mandate_owner'),
  (c.relpersistence <> 'p', 'is not kept over a crash')) AS p (holds, problem)
WHERE p.holds
UNION ALL
SELECT c.name, 'has a policy that is not ours: ' || p.polname
FROM user_tables AS u JOIN relations AS c ON c.oid = u.oid JOIN pg_catalog.pg_policy AS p ON p.polrelid = c.oid
WHERE p.polpermissive AND p.polname NOT IN (
    'sync_changes_user_isolation', 'sync_changes_space_member_read', 'encryption_vaults_user_isolation',
    'encryption_vault_audit_user_isolation', 'users_user_scope')
  AND p.polname NOT IN (c.relname || '_user_scope', c.relname || '_gate', c.relname || '_operator')
UNION ALL
SELECT t.name, 'lacks its trigger ' || t.trigger
FROM (VALUES ('public.sync_changes', 'sync_changes_enqueue'), ('mana_ai.decrypt_audit', 'decrypt_audit_guard'),
  ('mana_ai.grants', 'grants_guard')) AS t (name, trigger)
WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_trigger AS g JOIN relations AS c ON c.oid = g.tgrelid
  WHERE c.name = t.name AND g.tgname = t.trigger AND g.tgenabled = 'A')
UNION ALL
-- The functions.
SELECT f.name, p.problem
FROM functions AS f, LATERAL (VALUES
  (f.prosecdef AND f.owner <> 'mandate_gate', 'runs as its owner ' || f.owner),
  (f.owner NOT IN ('mandate_gate', 'mandate_owner'), 'is owned by ' || f.owner),
  (f.pronamespace <> (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'mana_ai'), 'is outside of our schema'),
  (NOT coalesce(f.proconfig, '{}') @> ARRAY['search_path=pg_catalog, pg_temp'], 'does not pin its search_path'),
  (EXISTS (SELECT FROM pg_catalog.unnest(f.proconfig) AS s (setting)
    WHERE s.setting NOT IN ('search_path=pg_catalog, pg_temp', 'lock_timeout=5s', 'enable_seqscan=off',
      'plan_cache_mode=force_generic_plan')), 'has a setting that is not ours')) AS p (holds, problem)
WHERE p.holds
UNION ALL
SELECT f.name, 'may be executed by ' || coalesce(r.rolname::text, 'PUBLIC')
FROM functions AS f
CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(f.proacl, pg_catalog.acldefault('f', f.proowner))) AS a
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
WHERE a.grantee <> f.proowner AND (f.proname::text, coalesce(r.rolname::text, 'PUBLIC')) NOT IN (
  SELECT w.function, w.role FROM allowed AS w)
UNION ALL
-- The gate.
SELECT 'mandate_gate', 'is missing' WHERE NOT EXISTS (SELECT FROM gate)
UNION ALL
SELECT 'mandate_gate', p.problem
FROM gate AS g, LATERAL (VALUES
  (g.rolsuper, 'is a superuser'), (g.rolbypassrls, 'bypasses row security'), (g.rolcanlogin, 'may log in'),
  (g.rolcreaterole, 'may create roles'),
  (EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relowner = g.oid), 'owns a table')) AS p (holds, problem)
WHERE p.holds
UNION ALL
SELECT 'mandate_gate', 'may create objects in ' || n.nspname
FROM gate AS g, pg_catalog.pg_namespace AS n WHERE pg_catalog.has_schema_privilege(g.oid, n.oid, 'CREATE')
UNION ALL
SELECT m.member::pg_catalog.regrole::text, 'is a member of ' || m.roleid::pg_catalog.regrole::text
FROM gate AS g JOIN pg_catalog.pg_auth_members AS m ON g.oid IN (m.roleid, m.member)
WHERE NOT (m.roleid = g.oid AND m.member = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = 'mandate_owner'))
  AND (coalesce((pg_catalog.to_jsonb(m) ->> 'inherit_option')::boolean, true)
    OR coalesce((pg_catalog.to_jsonb(m) ->> 'set_option')::boolean, true))
ORDER BY 1, 2;
