-- What the runner keeps beside the change log: missions and agents folded into rows that can be asked when they are
-- due, the outcome of every due time, tokens spent, research jobs out. Derived or bookkeeping, all of it per user.
--
-- A former system's tables are taken over with their rows. Their new columns stay empty until the runner folds the
-- record again, which the backlog at the end of the migrations asks for; a snapshot whose record is gone from the log
-- is never folded again and so never due.

SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TABLE IF NOT EXISTS mana_ai.mission_snapshots (
  user_id text NOT NULL,
  mission_id text NOT NULL,
  record jsonb NOT NULL,
  last_applied_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00'::timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT mission_snapshots_pkey PRIMARY KEY (user_id, mission_id)
);
ALTER TABLE mana_ai.mission_snapshots
  ALTER COLUMN last_applied_at SET DEFAULT '1970-01-01 00:00:00+00'::timestamptz,
  ADD COLUMN state text,
  -- A real instant: text would sort '10:00Z' and '10:00+02:00' wrongly.
  ADD COLUMN next_run_at timestamptz,
  ADD COLUMN leased_until timestamptz,
  ADD COLUMN lease_owner text,
  ADD COLUMN attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN parked_reason text,
  ADD CONSTRAINT mission_snapshots_lease CHECK ((leased_until IS NULL) = (lease_owner IS NULL)),
  ADD CONSTRAINT mission_snapshots_attempts CHECK (attempts >= 0);
-- The former index of this name was over the record's text.
DROP INDEX IF EXISTS mana_ai.idx_mission_snapshots_due;
CREATE INDEX idx_mission_snapshots_due
  ON mana_ai.mission_snapshots (next_run_at, user_id COLLATE "C", mission_id COLLATE "C")
  WHERE state = 'active' AND parked_reason IS NULL;
CREATE INDEX IF NOT EXISTS idx_mission_snapshots_user ON mana_ai.mission_snapshots (user_id, last_applied_at);

CREATE TABLE IF NOT EXISTS mana_ai.agent_snapshots (
  user_id text NOT NULL,
  agent_id text NOT NULL,
  record jsonb NOT NULL,
  last_applied_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00'::timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT agent_snapshots_pkey PRIMARY KEY (user_id, agent_id)
);
ALTER TABLE mana_ai.agent_snapshots
  ALTER COLUMN last_applied_at SET DEFAULT '1970-01-01 00:00:00+00'::timestamptz,
  ADD COLUMN state text;
DROP INDEX IF EXISTS mana_ai.idx_agent_snapshots_state;
CREATE INDEX idx_agent_snapshots_state ON mana_ai.agent_snapshots (user_id, state) WHERE state = 'active';
CREATE INDEX IF NOT EXISTS idx_agent_snapshots_user ON mana_ai.agent_snapshots (user_id, last_applied_at);

-- One outcome for each due time of a mission, however many runners and retries there were.
CREATE TABLE mana_ai.mission_runs (
  user_id text NOT NULL CONSTRAINT mission_runs_user_id CHECK (user_id <> ''),
  mission_id text NOT NULL CONSTRAINT mission_runs_mission_id CHECK (mission_id <> ''),
  due_at timestamptz NOT NULL,
  -- planned, failed, awaiting-review, skipped-budget, …: one word of the runner's.
  outcome text NOT NULL CONSTRAINT mission_runs_outcome CHECK (outcome ~ '^[a-z]+(-[a-z]+)*$' AND octet_length(outcome) <= 64),
  iteration_id text CONSTRAINT mission_runs_iteration_id CHECK (iteration_id <> ''),
  started_at timestamptz,
  finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT mission_runs_pkey PRIMARY KEY (user_id, mission_id, due_at)
);

CREATE TABLE IF NOT EXISTS mana_ai.token_usage (
  id bigserial CONSTRAINT token_usage_pkey PRIMARY KEY,
  user_id text NOT NULL,
  agent_id text NOT NULL,
  mission_id text NOT NULL,
  tokens_used integer NOT NULL,
  ts timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS idx_token_usage_agent_window ON mana_ai.token_usage (user_id, agent_id, ts DESC);
-- Ours: what is older than the window is deleted by age, over all users.
CREATE INDEX token_usage_by_age ON mana_ai.token_usage (ts);

CREATE TABLE IF NOT EXISTS mana_ai.mission_research_jobs (
  user_id text NOT NULL,
  mission_id text NOT NULL,
  task_id text,
  provider_id text NOT NULL,
  submitted_at timestamptz NOT NULL DEFAULT now(),
  last_polled_at timestamptz,
  CONSTRAINT mission_research_jobs_pkey PRIMARY KEY (user_id, mission_id)
);
CREATE INDEX IF NOT EXISTS idx_mission_research_jobs_user
  ON mana_ai.mission_research_jobs (user_id, submitted_at DESC);
-- The intent is written before the job is submitted and paid for, and the result is kept until the plan that used it
-- is stored: neither a crash nor a failed planner loses what was paid. due_at ties a job to one run of the mission.
ALTER TABLE mana_ai.mission_research_jobs
  ALTER COLUMN task_id DROP NOT NULL,
  ADD COLUMN due_at timestamptz,
  ADD COLUMN state text NOT NULL DEFAULT 'submitted',
  ADD COLUMN result jsonb,
  ADD CONSTRAINT mission_research_jobs_state CHECK (state IN ('intended', 'submitted', 'completed', 'failed')),
  ADD CONSTRAINT mission_research_jobs_task CHECK (state = 'intended' OR task_id IS NOT NULL OR state = 'failed'),
  ADD CONSTRAINT mission_research_jobs_result CHECK (state <> 'completed' OR result IS NOT NULL);

DO $policies$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY[
    'mission_snapshots', 'agent_snapshots', 'mission_runs', 'token_usage', 'mission_research_jobs'
  ] LOOP
    EXECUTE format('ALTER TABLE mana_ai.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_table);
    EXECUTE format('CREATE POLICY %I ON mana_ai.%I '
      'USING (user_id = current_setting(''app.current_user_id'', true) AND user_id <> '''') '
      'WITH CHECK (user_id = current_setting(''app.current_user_id'', true) AND user_id <> '''')',
      v_table || '_user_scope', v_table);
    EXECUTE format('CREATE POLICY %I ON mana_ai.%I TO mandate_gate USING (true) WITH CHECK (true)',
      v_table || '_gate', v_table);
    EXECUTE format('REVOKE ALL ON mana_ai.%I FROM PUBLIC', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON mana_ai.%I TO mandate_runner', v_table);
  END LOOP;
END
$policies$;
-- An outcome is final, and what was spent was spent: the runner adds to both and changes neither.
REVOKE UPDATE, DELETE ON mana_ai.mission_runs, mana_ai.token_usage FROM mandate_runner;
REVOKE ALL ON SEQUENCE mana_ai.token_usage_id_seq FROM PUBLIC;
GRANT USAGE ON SEQUENCE mana_ai.token_usage_id_seq TO mandate_runner;

GRANT SELECT, UPDATE (leased_until, lease_owner, attempts), DELETE ON mana_ai.mission_snapshots TO mandate_gate;
GRANT SELECT (user_id), DELETE ON mana_ai.agent_snapshots TO mandate_gate;
GRANT SELECT (user_id, mission_id, due_at), DELETE ON mana_ai.mission_runs TO mandate_gate;
GRANT SELECT (id, user_id, ts), DELETE ON mana_ai.token_usage TO mandate_gate;
GRANT SELECT (user_id), DELETE ON mana_ai.mission_research_jobs TO mandate_gate;
