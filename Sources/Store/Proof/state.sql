-- The canonical state of everything of ours in a database: one line of text per fact, sorted, the same on every
-- database that the same migrations made, whatever was there before them. `mandate db verify` runs this and compares
-- line by line with expected_state.txt, which is this script's output on a fresh database and is made anew with every
-- migration: a line only there is missing here, a line only here is unexpected, and each line names its object.
--
-- Left out on purpose: names of constraints (a taken-over table has its own), order of columns, object numbers, and
-- what an owner may do to what is his. Where others keep auth.users, a line says so, and the lines of auth.users are
-- then not expected. Run in a transaction; the last result is the state.

SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';

WITH RECURSIVE ours_roles AS (
  SELECT r.* FROM pg_roles AS r WHERE r.rolname IN ('mandate_owner', 'mandate_gate', 'mandate_issuer',
    'mandate_resolver', 'mandate_runner', 'mandate_operator', 'mandate_sync')
), named AS (
  SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind NOT IN ('i', 'I', 'c', 't') AND (
    n.nspname = 'mana_ai'
    OR (n.nspname, c.relname) IN
      (('public', 'sync_changes'), ('auth', 'encryption_vaults'), ('auth', 'encryption_vault_audit'))
    OR (n.nspname = 'auth' AND c.relname = 'users' AND c.relowner = 'mandate_owner'::regrole))
  UNION
  -- A part or a child of one of our tables is one of our tables, wherever it is.
  SELECT i.inhrelid FROM pg_inherits AS i JOIN named AS p ON p.oid = i.inhparent
), relations AS (
  SELECT c.*, n.nspname || '.' || c.relname AS name
  FROM named AS o JOIN pg_class AS c ON c.oid = o.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace
), functions AS (
  SELECT p.*, n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
  WHERE n.nspname = 'mana_ai' OR p.proowner IN ('mandate_owner'::regrole, 'mandate_gate'::regrole)
), facts (fact) AS (
  SELECT format('role %s: superuser=%s createrole=%s createdb=%s replication=%s bypassrls=%s inherit=%s login=%s',
    r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls, r.rolinherit, r.rolcanlogin)
  FROM ours_roles AS r
  UNION ALL
  -- From PostgreSQL 16 on a role's maker holds a membership that neither inherits nor sets; it is none in our sense.
  SELECT format('member %s of %s: admin=%s', m.member::regrole, m.roleid::regrole, m.admin_option)
  FROM pg_auth_members AS m
  WHERE (m.roleid IN (SELECT r.oid FROM ours_roles AS r) OR m.member IN (SELECT r.oid FROM ours_roles AS r))
    AND (coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
      OR coalesce((to_jsonb(m) ->> 'set_option')::boolean, true))
  UNION ALL
  -- Settings that come with a login or with the database: none of ours has any, and none may touch a scope.
  SELECT format('setting %s in %s: %s', CASE WHEN s.setrole = 0 THEN 'everyone' ELSE s.setrole::regrole::text END,
    CASE WHEN s.setdatabase = 0 THEN 'every database' ELSE 'this database' END, v.setting)
  FROM pg_db_role_setting AS s, unnest(s.setconfig) AS v (setting)
  WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
    AND (s.setrole IN (SELECT r.oid FROM ours_roles AS r)
      OR (s.setrole = 0 AND v.setting ~ '^(app\.|search_path|role=|session_|row_security|synchronous_commit|default_trans)'))
  UNION ALL
  SELECT format('database: %s may %s', CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.privilege_type)
  FROM pg_database AS d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
  WHERE d.datname = current_database() AND a.grantee <> d.datdba AND (a.grantee <> 0 OR a.privilege_type <> 'CONNECT')
    AND (a.grantee = 0 OR a.grantee IN (SELECT r.oid FROM ours_roles AS r))
  UNION ALL
  SELECT format('schema %s: owner %s', n.nspname, n.nspowner::regrole)
  FROM pg_namespace AS n WHERE n.nspname IN ('mana_ai', 'auth')
  UNION ALL
  SELECT format('schema %s: %s may %s', n.nspname,
    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.privilege_type)
  FROM pg_namespace AS n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
  WHERE a.grantee <> n.nspowner AND (
    (n.nspname IN ('mana_ai', 'auth') AND a.grantee IS DISTINCT FROM (
      SELECT c.relowner FROM pg_class AS c WHERE c.oid = to_regclass('auth.users') AND n.nspname = 'auth'))
    OR (n.nspname = 'public' AND (a.grantee IN (SELECT r.oid FROM ours_roles AS r) OR a.privilege_type = 'CREATE')))
  UNION ALL
  SELECT format('default of %s on %s: %s', d.defaclrole::regrole, d.defaclobjtype,
    coalesce((SELECT string_agg(x.acl::text, ' ' ORDER BY x.acl::text COLLATE "C") FROM unnest(d.defaclacl) AS x (acl)), 'none'))
  FROM pg_default_acl AS d
  WHERE d.defaclrole IN (SELECT r.oid FROM ours_roles AS r)
    OR d.defaclnamespace IN (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname IN ('mana_ai', 'auth'))
  UNION ALL
  SELECT 'foreign auth.users'
  WHERE EXISTS (SELECT FROM pg_class AS c WHERE c.oid = to_regclass('auth.users') AND c.relowner <> 'mandate_owner'::regrole)
  UNION ALL
  SELECT format('relation %s: kind=%s owner=%s persistence=%s rls=%s forced=%s options=%s', c.name, c.relkind,
    c.relowner::regrole, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
    coalesce((SELECT string_agg(o.option, ' ' ORDER BY o.option COLLATE "C") FROM unnest(c.reloptions) AS o (option)), ''))
  FROM relations AS c
  UNION ALL
  SELECT format('relation %s: part of %s', c.name, i.inhparent::regclass)
  FROM relations AS c JOIN pg_inherits AS i ON i.inhrelid = c.oid
  UNION ALL
  SELECT format('acl %s: %s may %s%s', c.name, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
    a.privilege_type, CASE WHEN a.is_grantable THEN ' and grant it' ELSE '' END)
  FROM relations AS c,
    aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) AS a
  WHERE a.grantee <> c.relowner
  UNION ALL
  SELECT format('acl %s.%s: %s may %s%s', c.name, t.attname,
    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.privilege_type,
    CASE WHEN a.is_grantable THEN ' and grant it' ELSE '' END)
  FROM relations AS c JOIN pg_attribute AS t ON t.attrelid = c.oid, aclexplode(t.attacl) AS a
  WHERE NOT t.attisdropped AND a.grantee <> c.relowner
  UNION ALL
  SELECT format('column %s.%s: %s%s%s%s%s%s', c.name, t.attname, format_type(t.atttypid, t.atttypmod),
    CASE WHEN t.attnotnull THEN ' not null' ELSE '' END,
    CASE WHEN t.attcollation NOT IN (0, 'pg_catalog."default"'::regcollation)
      THEN ' collation ' || t.attcollation::regcollation::text ELSE '' END,
    CASE t.attidentity WHEN 'a' THEN ' identity always' WHEN 'd' THEN ' identity by default' ELSE '' END,
    CASE WHEN t.attgenerated <> '' THEN ' generated' ELSE '' END,
    coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''))
  FROM relations AS c JOIN pg_attribute AS t ON t.attrelid = c.oid
  LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = t.attnum
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND t.attnum > 0 AND NOT t.attisdropped
  UNION ALL
  SELECT format('constraint %s: %s%s', c.name, pg_get_constraintdef(k.oid),
    CASE WHEN k.convalidated THEN '' ELSE ' not validated' END)
  FROM relations AS c JOIN pg_constraint AS k ON k.conrelid = c.oid WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
  UNION ALL
  SELECT format('index %s: %s%s', c.name,
    regexp_replace(pg_get_indexdef(i.indexrelid), '^(CREATE (?:UNIQUE )?INDEX) .*? ON ', '\1 ON '),
    CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ' not valid' END)
  FROM relations AS c JOIN pg_index AS i ON i.indrelid = c.oid
  UNION ALL
  SELECT format('policy %s %s: %s for %s to %s using %s check %s', c.name, p.polname,
    CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, p.polcmd,
    (SELECT string_agg(CASE WHEN r.id = 0 THEN 'PUBLIC' ELSE r.id::regrole::text END, ' ' ORDER BY r.id::regrole::text COLLATE "C")
      FROM unnest(p.polroles) AS r (id)),
    coalesce(pg_get_expr(p.polqual, p.polrelid), 'none'), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'none'))
  FROM relations AS c JOIN pg_policy AS p ON p.polrelid = c.oid
  UNION ALL
  SELECT format('trigger %s: enabled=%s %s', c.name, t.tgenabled, pg_get_triggerdef(t.oid))
  FROM relations AS c JOIN pg_trigger AS t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal
  UNION ALL
  -- Checks of foreign keys can be switched off as well.
  SELECT format('trigger %s: a check of a foreign key is enabled=%s', c.name, t.tgenabled)
  FROM relations AS c JOIN pg_trigger AS t ON t.tgrelid = c.oid WHERE t.tgisinternal AND t.tgenabled <> 'O'
  UNION ALL
  -- Rules of ours there are none, and what looks at our tables from outside shows here too.
  SELECT DISTINCT format('rule %s on %s reads %s', w.rulename, w.ev_class::regclass, c.name)
  FROM relations AS c JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
  JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
  UNION ALL
  SELECT format('function %s: returns %s owner=%s language=%s definer=%s volatility=%s parallel=%s strict=%s leakproof=%s settings=%s body=%s',
    f.name, pg_get_function_result(f.oid), f.proowner::regrole, l.lanname, f.prosecdef, f.provolatile, f.proparallel,
    f.proisstrict, f.proleakproof, coalesce(array_to_string(f.proconfig, '; '), 'none'),
    encode(substring(sha256(convert_to(f.prosrc, 'UTF8')) FOR 16), 'hex'))
  FROM functions AS f JOIN pg_language AS l ON l.oid = f.prolang
  UNION ALL
  SELECT format('acl function %s: %s may %s', f.name,
    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.privilege_type)
  FROM functions AS f, aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a
  WHERE a.grantee <> f.proowner
  UNION ALL
  SELECT format('migrations: %s of them, the last is %s', count(*), max(s.number)) FROM mana_ai.schema_migrations AS s
)
-- An expression that the server prints over several lines is one line here.
SELECT regexp_replace(f.fact, '\s+', ' ', 'g') AS fact FROM facts AS f ORDER BY f.fact COLLATE "C";
