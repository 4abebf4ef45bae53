# What should work, from the first note to a chain that its user has verified. To be sourced.

tell_story() {
  chapter "Anna's device makes her key and seals three notes; nobody else does"
  works 'the vault keeps her key' '"user":"anna","made":true' <<'COMMAND'
node stranger.mjs vault
COMMAND
  works 'the notes are in the log' '3 written' <<'COMMAND'
node stranger.mjs write notes:n1 title=Garden content='Buy seeds before Friday.' \
  notes:n2 title='The plumber' content='Kitchen tap drips.' \
  notes:n3 title=Monday content='Nobody needs to read this.' >notes.ndjson
MANDATE_DATABASE_URL=$AS_SYNC mandate-dev seed <notes.ndjson
COMMAND
  works 'the database has ciphertext' 'enc:2:' <<'COMMAND'
psql $SUPERUSER -Atc "SELECT left(data ->> 'content', 40) || '…' FROM public.sync_changes WHERE record_id = 'n1'"
COMMAND

  chapter 'She grants two of them to a mission, for seven days'
  works 'the grant is wrapped for the resolver' '"recordIds":\["notes:n1","notes:n2"\]' <<'COMMAND'
curl -s -H "Authorization: Bearer $ANNA" $ISSUER/api/v1/me/ai-mission-grant \
  -d '{"missionId":"morning","tables":["notes"],"recordIds":["notes:n1","notes:n2"]}' | tee grant.json
COMMAND

  chapter 'At a tick the runner asks, and the resolver opens what was granted'
  works 'both notes are read' '"grant":"ok".*Buy seeds.*Kitchen tap' <<'COMMAND'
node stranger.mjs call morning grant.json notes:n1 notes:n2 >call.json
curl -s -H "X-Service-Key: $SERVICE_KEY" -d @call.json $RESOLVER/internal/v1/resolve
COMMAND

  chapter 'Anna reads who read what, and her program verifies the chain by itself'
  works 'both readings are on her log' '"recordId":"n2","status":"ok".*"recordId":"n1","status":"ok"' <<'COMMAND'
curl -s -H "Authorization: Bearer $ANNA" "$ISSUER/api/v1/me/ai-audit?missionId=morning"
COMMAND
  works 'every hash follows from the rows' '"verified":true,"rows":2' <<'COMMAND'
node stranger.mjs audit
COMMAND
  works 'the check notices whatever is changed' '"tampered":([0-9]+),"noticed":([0-9]+)' <<'COMMAND'
node stranger.mjs audit --selftest
COMMAND
}
