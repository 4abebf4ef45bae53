-- What a user consented to, kept for as long as the grant's row: the key shares, which name the records too, go when the
-- grant is closed, and the user must still be able to read what it was about.

SET LOCAL search_path = pg_catalog, pg_temp;

ALTER TABLE mana_ai.grants
  -- As the grant's JSON has them, `table:id`, sorted by their bytes; empty for grants from before this migration.
  ADD COLUMN record_ids text[] NOT NULL DEFAULT '{}',
  -- Why the user was asked, in a word of the client's; nothing is decided by it.
  ADD COLUMN purpose text,
  ADD CONSTRAINT grants_record_ids CHECK (cardinality(record_ids) <= 1000 AND array_position(record_ids, NULL) IS NULL),
  ADD CONSTRAINT grants_purpose CHECK (octet_length(purpose) BETWEEN 1 AND 256);

CREATE OR REPLACE FUNCTION mana_ai.grants_guard() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF OLD.closed_at IS NOT NULL THEN
    RAISE EXCEPTION 'grant is closed, and closing is final' USING ERRCODE = 'MD004';
  END IF;
  IF (NEW.grant_id, NEW.user_id, NEW.mission_id, NEW.version, NEW.record_ids, NEW.purpose)
    IS DISTINCT FROM (OLD.grant_id, OLD.user_id, OLD.mission_id, OLD.version, OLD.record_ids, OLD.purpose) THEN
    RAISE EXCEPTION 'what a grant is about never changes' USING ERRCODE = 'MD004';
  END IF;
  RETURN NEW;
END
$$;

-- The issuer asks which application a table's records are in, to tell whether they exist.
GRANT EXECUTE ON FUNCTION mana_ai.module_app(text) TO mandate_issuer;
