-- The queue of changes: every row written to the change log leaves a note for whoever must act on it, in the writer's
-- own transaction. A cursor over created_at would miss rows that commit late; a queue row appears when its change
-- does, however late that is.
--
-- project: missions and agents, for the runner.  seal: granted tables and missions of users with a vault, for the
-- issuer. The consumer decides what, if anything, is to be done.

SET LOCAL search_path = pg_catalog, pg_temp;

-- No check on what a writer wrote: a queue that refuses a row would refuse the change itself. Rows live for seconds,
-- so vacuum must come by often and not in proportion to the table.
CREATE TABLE mana_ai.change_queue (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  topic text NOT NULL CONSTRAINT change_queue_topic CHECK (topic IN ('project', 'seal')),
  user_id text NOT NULL,
  app_id text NOT NULL,
  table_name text NOT NULL,
  record_id text NOT NULL,
  enqueued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The only index, and by topic first: nobody ever wades through another consumer's backlog.
  CONSTRAINT change_queue_pkey PRIMARY KEY (topic, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0.0, autovacuum_analyze_threshold = 5000);
ALTER TABLE mana_ai.change_queue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY change_queue_gate ON mana_ai.change_queue TO mandate_gate USING (true) WITH CHECK (true);
REVOKE ALL ON mana_ai.change_queue FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE (enqueued_at), DELETE ON mana_ai.change_queue TO mandate_gate;

-- The lock of one mission's history. Writers share it from their insert to their commit; the runner's write-back takes
-- it alone before it reads, so it never overwrites an edit that it could not see. Missions fall into 2,048 locks, so
-- that one transaction that writes a hundred thousand of them can't fill the server's lock table; two missions that
-- share a lock only wait for each other now and then.
CREATE FUNCTION mana_ai.mission_lock(p_user text, p_mission text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 7881702200285880320 + (hashtextextended(p_mission, hashtextextended(p_user, 2)) & 2047) $$;
REVOKE ALL ON FUNCTION mana_ai.mission_lock(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.mission_lock(text, text) TO mandate_gate, mandate_runner;

-- For the runner's write-back: first this, then read the history, then write. A writer that never ends is not waited
-- for longer than five seconds; the error is 55P03, and the run is tried again.
CREATE FUNCTION mana_ai.lock_mission(p_user text, p_mission text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'an older snapshot would not see what the lock waited for' USING ERRCODE = 'MD001';
  END IF;
  PERFORM pg_advisory_xact_lock(mana_ai.mission_lock(p_user, p_mission));
END
$$;
REVOKE ALL ON FUNCTION mana_ai.lock_mission(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.lock_mission(text, text) TO mandate_runner;

GRANT CREATE ON SCHEMA mana_ai TO mandate_gate;
SET LOCAL ROLE mandate_gate;

CREATE FUNCTION mana_ai.enqueue_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NEW.app_id = 'ai' THEN
    IF NEW.table_name = 'aiMissions' THEN
      PERFORM pg_advisory_xact_lock_shared(mana_ai.mission_lock(NEW.user_id, NEW.record_id));
    END IF;
    INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id)
    VALUES ('project', NEW.user_id, NEW.app_id, NEW.table_name, NEW.record_id);
    IF NEW.table_name <> 'aiMissions' THEN
      RETURN NULL;
    END IF;
  END IF;
  INSERT INTO mana_ai.change_queue (topic, user_id, app_id, table_name, record_id)
  SELECT 'seal', NEW.user_id, NEW.app_id, NEW.table_name, NEW.record_id
  WHERE EXISTS (SELECT FROM auth.encryption_vaults AS v WHERE v.user_id = NEW.user_id);
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION mana_ai.enqueue_change() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.enqueue_change() TO mandate_owner;  -- to create the trigger with

-- Takes up to p_limit queue rows of a topic (1,000 at most) and answers with the records they are about, each once.
-- Rows that another consumer holds are passed over, and so are records that another consumer is at work on. What is
-- answered is the caller's until its transaction ends, and is gone from the queue when it commits. The caller then
-- reads the records by a separate statement, under READ COMMITTED: only that one is sure to see every change whose
-- note was taken.
CREATE FUNCTION mana_ai.take_changes(p_topic text, p_limit integer)
RETURNS TABLE (user_id text, app_id text, table_name text, record_id text, notes bigint, oldest timestamptz)
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
    SELECT q.ctid AS place, q.user_id, q.app_id, q.table_name, q.record_id, q.enqueued_at
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
    RETURNING q.user_id, q.app_id, q.table_name, q.record_id, q.enqueued_at
  )
  SELECT g.user_id, g.app_id, g.table_name, g.record_id, count(*), min(g.enqueued_at)
  FROM gone AS g
  GROUP BY g.user_id, g.app_id, g.table_name, g.record_id
  ORDER BY g.user_id COLLATE "C", g.app_id COLLATE "C", g.table_name COLLATE "C", g.record_id COLLATE "C";
END
$$;
REVOKE ALL ON FUNCTION mana_ai.take_changes(text, integer) FROM PUBLIC;

CREATE FUNCTION mana_ai.take_project_changes(p_limit integer)
RETURNS TABLE (user_id text, app_id text, table_name text, record_id text, notes bigint, oldest timestamptz)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM mana_ai.take_changes('project', p_limit) $$;
REVOKE ALL ON FUNCTION mana_ai.take_project_changes(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.take_project_changes(integer) TO mandate_runner;

CREATE FUNCTION mana_ai.take_seal_changes(p_limit integer)
RETURNS TABLE (user_id text, app_id text, table_name text, record_id text, notes bigint, oldest timestamptz)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM mana_ai.take_changes('seal', p_limit) $$;
REVOKE ALL ON FUNCTION mana_ai.take_seal_changes(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mana_ai.take_seal_changes(integer) TO mandate_issuer;

SET LOCAL ROLE mandate_owner;
REVOKE CREATE ON SCHEMA mana_ai FROM mandate_gate;

-- ALWAYS: also for a writer that replicates. The condition keeps every other table of the log free of the function's
-- cost; its pairs are those of mana_ai.module_app.
CREATE TRIGGER sync_changes_enqueue AFTER INSERT ON public.sync_changes
  FOR EACH ROW
  WHEN (NEW.user_id <> '' AND NEW.app_id = CASE NEW.table_name
    WHEN 'aiMissions' THEN 'ai' WHEN 'agents' THEN 'ai'
    WHEN 'notes' THEN 'notes' WHEN 'tasks' THEN 'todo' WHEN 'events' THEN 'calendar'
    WHEN 'journalEntries' THEN 'journal' WHEN 'kontextDoc' THEN 'kontext' WHEN 'userContext' THEN 'profile'
    WHEN 'companionGoals' THEN 'companion' END)
  EXECUTE FUNCTION mana_ai.enqueue_change();
ALTER TABLE public.sync_changes ENABLE ALWAYS TRIGGER sync_changes_enqueue;
