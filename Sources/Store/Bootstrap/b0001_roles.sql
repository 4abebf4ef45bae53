-- The roles, once per server. Run by a superuser, or by a login that may CREATEROLE and owns the database.
-- May run again: what is there is checked, not changed. Passwords are not set here; the operator's command sets one
-- per login afterwards and keeps each in a file of its own.
--
-- No role here may become another one, with a single exception: mandate_owner may become mandate_gate, so that
-- migrations can create the functions that mandate_gate owns. Even that is NOINHERIT: by inheriting, the owner would
-- fall under the gate's policies and see every user's rows without a word.

SELECT pg_catalog.pg_advisory_xact_lock(7089336938131513954);  -- two bootstraps at once take turns ("bootstrb")

DO $roles$
DECLARE
  v_role record;
  v_found record;
  v_problem text;
BEGIN
  IF current_setting('server_version_num')::int < 150000 THEN
    RAISE EXCEPTION 'PostgreSQL 15 or newer is needed, this server is %', current_setting('server_version');
  END IF;
  IF current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'The database must be encoded in UTF8, this one is in %', current_setting('server_encoding');
  END IF;

  FOR v_role IN
    SELECT * FROM (VALUES
      ('mandate_owner', true), ('mandate_gate', false), ('mandate_issuer', true), ('mandate_resolver', true),
      ('mandate_runner', true), ('mandate_operator', true), ('mandate_sync', true)) AS r (name, login)
  LOOP
    SELECT * INTO v_found FROM pg_catalog.pg_roles AS r WHERE r.rolname = v_role.name;
    IF NOT FOUND THEN
      EXECUTE format('CREATE ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT %s',
        v_role.name, CASE WHEN v_role.login THEN 'LOGIN' ELSE 'NOLOGIN' END);
    ELSIF v_found.rolsuper OR v_found.rolbypassrls OR v_found.rolcreaterole OR v_found.rolcreatedb
      OR v_found.rolreplication OR v_found.rolinherit OR v_found.rolcanlogin <> v_role.login THEN
      RAISE EXCEPTION 'Role % exists with other attributes', v_role.name
        USING HINT = 'Wanted: NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION NOINHERIT, and LOGIN for '
          'all but mandate_gate. Drop the role, or alter it.';
    END IF;
  END LOOP;

  IF NOT EXISTS (
    SELECT FROM pg_catalog.pg_auth_members AS m
    WHERE m.roleid = 'mandate_gate'::regrole AND m.member = 'mandate_owner'::regrole
  ) THEN
    GRANT mandate_gate TO mandate_owner;
  END IF;

  -- From PostgreSQL 16 on, whoever creates a role holds an administrative membership in it that neither inherits nor
  -- sets; that one is not a membership in our sense. The columns are read through JSON since 15 lacks them.
  SELECT string_agg(format('%s is a member of %s', m.member::regrole, m.roleid::regrole), '; ') INTO v_problem
  FROM pg_catalog.pg_auth_members AS m
  WHERE (m.member::regrole::text LIKE 'mandate\_%' OR m.roleid::regrole::text LIKE 'mandate\_%')
    AND NOT (m.roleid = 'mandate_gate'::regrole AND m.member = 'mandate_owner'::regrole)
    AND (coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
      OR coalesce((to_jsonb(m) ->> 'set_option')::boolean, true));
  IF v_problem IS NOT NULL THEN
    RAISE EXCEPTION 'Roles of ours are tied to others: %', v_problem
      USING HINT = 'Revoke these memberships and run the bootstrap again.';
  END IF;
END
$roles$;
