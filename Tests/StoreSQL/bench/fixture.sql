-- :users users with one mission, one open grant of five notes, four revisions each. Run as a superuser.
BEGIN;
CREATE TEMP TABLE u ON COMMIT DROP AS
  SELECT 'user-' || lpad(i::text, 6, '0') AS user_id, 'mission-' || i AS mission_id,
    ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0')) AS grant_id, date_trunc('milliseconds', now()) AS issued
  FROM generate_series(0, :users - 1) AS i;
INSERT INTO auth.users (id) SELECT user_id FROM u;
INSERT INTO mana_ai.grants (grant_id, user_id, mission_id, version, key_id, wrapped_key, claims, issued_at, expires_at,
  renewable_until)
SELECT grant_id, user_id, mission_id, 'v2', repeat('ab', 16), decode(repeat('5a', 256), 'hex'),
  mana_ai.grant_claims(grant_id, repeat('ab', 16), user_id, mission_id, issued, issued + interval '7 days',
    convert_to(repeat('0f', 32), 'UTF8')), issued, issued + interval '7 days', issued + interval '30 days' FROM u;
INSERT INTO mana_ai.grant_keys (grant_id, user_id, table_name, record_id, wrapped_key)
SELECT grant_id, user_id, 'notes', 'n' || r, decode(repeat('5a', 60), 'hex') FROM u, generate_series(1, 5) AS r;
ALTER TABLE public.sync_changes DISABLE TRIGGER sync_changes_enqueue;
INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, field_meta, client_id, created_at)
SELECT 'notes', 'notes', 'n' || r, user_id, CASE v WHEN 1 THEN 'insert' ELSE 'update' END,
  jsonb_build_object('title', 'enc:2:' || repeat('A', 16) || '.' || repeat('B', 64),
    'content', 'enc:2:' || repeat('A', 16) || '.' || repeat('B', 400)),
  jsonb_build_object('title', '2026-01-01T00:00:0' || v || '.000Z'), 'device', now() - interval '1 day' + v * interval '1 second'
FROM u, generate_series(1, 5) AS r, generate_series(1, 4) AS v;
ALTER TABLE public.sync_changes ENABLE ALWAYS TRIGGER sync_changes_enqueue;
COMMIT;
VACUUM ANALYZE;
