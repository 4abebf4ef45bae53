-- Schemas and ownership, once per database. Run by a superuser, or by a CREATEROLE login that owns the database and
-- the tables a former system left in it. Runs after b0001_roles.sql, may run again.
--
-- What the former system left keeps its rows; it only changes hands. The owner is needed for migrations and for
-- nothing else: no service logs in as the owner.

DO $ownership$
DECLARE
  v_super boolean := (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user);
  v_me name := current_user;
  v_database name := current_database();
  v_object record;
  v_users_owner name := (
    SELECT r.rolname
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
    WHERE n.nspname = 'auth' AND c.relname = 'users' AND r.rolname <> 'mandate_owner');
BEGIN
  -- To hand something over one must be able to become the receiver. The membership ends in this transaction.
  IF NOT v_super THEN
    EXECUTE format('GRANT mandate_owner TO %I', v_me);
  END IF;

  EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', v_database);
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO mandate_owner, mandate_issuer, mandate_resolver, mandate_runner, '
    'mandate_operator, mandate_sync', v_database);
  REVOKE CREATE ON SCHEMA public FROM PUBLIC;
  GRANT USAGE, CREATE ON SCHEMA public TO mandate_owner;
  IF EXISTS (
    SELECT FROM pg_catalog.pg_namespace AS n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
    WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE'
  ) THEN
    RAISE EXCEPTION 'Everyone may still create objects in schema public, and % cannot take that away', v_me
      USING HINT = 'Run the bootstrap as the owner of schema public, or as a superuser.';
  END IF;

  FOR v_object IN SELECT * FROM (VALUES ('mana_ai'), ('auth')) AS s (name) LOOP
    IF EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = v_object.name) THEN
      EXECUTE format('ALTER SCHEMA %I OWNER TO mandate_owner', v_object.name);
    ELSE
      EXECUTE format('CREATE SCHEMA %I AUTHORIZATION mandate_owner', v_object.name);
    END IF;
  END LOOP;

  -- Sequences that belong to a column follow their table.
  FOR v_object IN
    SELECT n.nspname, c.relname
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relowner <> 'mandate_owner'::regrole
      AND (n.nspname = 'mana_ai'
        OR (n.nspname, c.relname) IN
          (('public', 'sync_changes'), ('auth', 'encryption_vaults'), ('auth', 'encryption_vault_audit')))
  LOOP
    EXECUTE format('ALTER TABLE %I.%I OWNER TO mandate_owner', v_object.nspname, v_object.relname);
  END LOOP;

  -- A table of users that others keep stays theirs. We refer to it, and opening a vault may add a user to it. A foreign
  -- key is checked in the name of the table's owner, who therefore needs a way into the schema.
  IF v_users_owner IS NOT NULL THEN
    GRANT SELECT (id), REFERENCES (id) ON auth.users TO mandate_owner;
    GRANT SELECT (id), INSERT (id) ON auth.users TO mandate_issuer;
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA auth TO %I', v_users_owner);
  END IF;

  IF NOT v_super THEN
    EXECUTE format('REVOKE mandate_owner FROM %I', v_me);
  END IF;
END
$ownership$;
