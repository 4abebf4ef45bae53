-- The ledger of migrations. The migrator runs this as mandate_owner, under its lock, before it looks at any migration.
--
-- The migrator, once per numbered file and in one transaction each: pg_advisory_xact_lock(7089336938131513965), read
-- the ledger, compare the SHA-256 of every file already entered (a changed old migration is an error), run the file,
-- enter it with current_setting('mandate.touched', true), commit. The lock ends with the transaction, so two migrators
-- take turns and the second finds the work done; it needs no session, so a pooler in transaction mode may stand between.
-- A migration that reads or writes rows lifts FORCE ROW LEVEL SECURITY for its own transaction and says in
-- `mandate.touched` what it counted.

SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TABLE IF NOT EXISTS mana_ai.schema_migrations (
  number integer CONSTRAINT schema_migrations_pkey PRIMARY KEY,
  name text NOT NULL CONSTRAINT schema_migrations_name CHECK (name <> ''),
  checksum bytea NOT NULL CONSTRAINT schema_migrations_checksum CHECK (octet_length(checksum) = 32),
  touched text,
  applied_at timestamptz NOT NULL DEFAULT now()
);
-- A service compares the highest number with its own before it starts.
GRANT USAGE ON SCHEMA mana_ai TO mandate_issuer, mandate_resolver, mandate_runner, mandate_operator;
GRANT SELECT ON mana_ai.schema_migrations TO mandate_issuer, mandate_resolver, mandate_runner, mandate_operator;
