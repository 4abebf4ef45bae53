-- Where things stand in the log, so that k changes cost k rows and not the history: a note says which change it is
-- about, and a snapshot says which row was folded into it last. Time alone would not do. Rows of one transaction share
-- theirs, and it is that of the transaction's start: a change that commits late stands before rows that were folded
-- already, and only its note can tell.
--
-- What is in the queue now has no position, nor have the snapshots that a former system or an earlier version left:
-- their records are folded from the first row once more.

SET LOCAL search_path = pg_catalog, pg_temp;

ALTER TABLE mana_ai.mission_snapshots ADD COLUMN last_applied_id uuid;
ALTER TABLE mana_ai.agent_snapshots ADD COLUMN last_applied_id uuid;
-- Both are NOT NULL in the log, so this check refuses no writer.
ALTER TABLE mana_ai.change_queue
  ADD COLUMN changed_at timestamptz,
  ADD COLUMN change_id uuid,
  ADD CONSTRAINT change_queue_position CHECK ((changed_at IS NULL) = (change_id IS NULL));

GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

CREATE OR REPLACE FUNCTION mana_ai.enqueue_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NEW.app_id = 'ai' THEN
    IF NEW.table_name = 'aiMissions' THEN
      PERFORM pg_advisory_xact_lock_shared(mana_ai.mission_lock(NEW.user_id, NEW.record_id));
    END IF;
    INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id, changed_at, change_id)
    VALUES ('project', NEW.user_id, NEW.app_id, NEW.table_name, NEW.record_id, NEW.created_at, NEW.id);
    IF NEW.table_name <> 'aiMissions' THEN
      RETURN NULL;
    END IF;
  END IF;
  INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id, changed_at, change_id)
  SELECT 'seal', NEW.user_id, NEW.app_id, NEW.table_name, NEW.record_id, NEW.created_at, NEW.id
  WHERE EXISTS (SELECT FROM auth.encryption_vaults AS v WHERE v.user_id = NEW.user_id);
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION mana_ai.enqueue_change() FROM PUBLIC;

-- An answer of another shape is another function.
DROP FUNCTION mana_ai.take_project_changes(integer);
DROP FUNCTION mana_ai.take_seal_changes(integer);
DROP FUNCTION mana_ai.take_changes(text, integer);

-- As before, and for each record the first and the last position among its notes; all four are NULL if a single note
-- has none, since then nobody knows where its change stands.
CREATE FUNCTION mana_ai.take_changes(p_topic text, p_limit integer)
RETURNS TABLE (user_id text, app_id text, table_name text, record_id text, notes bigint, oldest timestamptz,
  first_at timestamptz, first_id uuid, last_at timestamptz, last_id uuid)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the queue is taken under READ COMMITTED only' USING ERRCODE = 'MD001';
  END IF;
  RETURN QUERY
  WITH taken AS MATERIALIZED (
    SELECT q.ctid AS place, q.user_id, q.app_id, q.table_name, q.record_id
    FROM mana_ai.change_queue AS q
    WHERE q.topic = p_topic
    ORDER BY q.seq
    LIMIT least(greatest(p_limit, 1), 1000)
    FOR UPDATE SKIP LOCKED
  ), held AS MATERIALIZED (
    SELECT r.user_id, r.app_id, r.table_name, r.record_id
    FROM (SELECT DISTINCT t.user_id, t.app_id, t.table_name, t.record_id FROM taken AS t) AS r
    WHERE pg_try_advisory_xact_lock(hashtextextended(r.record_id, hashtextextended(r.table_name,
      hashtextextended(r.app_id, hashtextextended(r.user_id, CASE p_topic WHEN 'project' THEN 3 ELSE 4 END)))))
  ), gone AS (
    -- By its place, which a locked row keeps: no plan can make a search of this.
    DELETE FROM mana_ai.change_queue AS q
    WHERE q.ctid = ANY (ARRAY(
      SELECT t.place FROM taken AS t JOIN held AS h
        ON (t.user_id, t.app_id, t.table_name, t.record_id) = (h.user_id, h.app_id, h.table_name, h.record_id)))
    RETURNING q.user_id, q.app_id, q.table_name, q.record_id, q.enqueued_at, q.changed_at, q.change_id
  ), grouped AS (
    SELECT g.user_id, g.app_id, g.table_name, g.record_id, count(*) AS notes, min(g.enqueued_at) AS oldest,
      bool_and(g.change_id IS NOT NULL) AS placed,
      array_agg(g.changed_at ORDER BY g.changed_at, g.change_id) AS times,
      array_agg(g.change_id ORDER BY g.changed_at, g.change_id) AS ids
    FROM gone AS g
    GROUP BY g.user_id, g.app_id, g.table_name, g.record_id
  )
  SELECT g.user_id, g.app_id, g.table_name, g.record_id, g.notes, g.oldest,
    CASE WHEN g.placed THEN g.times[1] END, CASE WHEN g.placed THEN g.ids[1] END,
    CASE WHEN g.placed THEN g.times[g.notes::integer] END, CASE WHEN g.placed THEN g.ids[g.notes::integer] END
  FROM grouped AS g
  ORDER BY g.user_id COLLATE "C", g.app_id COLLATE "C", g.table_name COLLATE "C", g.record_id COLLATE "C";
END
$$;
REVOKE ALL ON FUNCTION mana_ai.take_changes(text, integer) FROM PUBLIC;

CREATE FUNCTION mana_ai.take_project_changes(p_limit integer)
RETURNS TABLE (user_id text, app_id text, table_name text, record_id text, notes bigint, oldest timestamptz,
  first_at timestamptz, first_id uuid, last_at timestamptz, last_id uuid)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM mana_ai.take_changes('project', p_limit) $$;
REVOKE ALL ON FUNCTION mana_ai.take_project_changes(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.take_project_changes(integer) TO mandate_runner;

CREATE FUNCTION mana_ai.take_seal_changes(p_limit integer)
RETURNS TABLE (user_id text, app_id text, table_name text, record_id text, notes bigint, oldest timestamptz,
  first_at timestamptz, first_id uuid, last_at timestamptz, last_id uuid)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM mana_ai.take_changes('seal', p_limit) $$;
REVOKE ALL ON FUNCTION mana_ai.take_seal_changes(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.take_seal_changes(integer) TO mandate_issuer;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;
