# Everything that must not work. To be sourced.

try_everything() {
  edited_expiry
  widened_scope
  moved_ciphertext
  another_user
  stolen_key
  used_batch
  closed_grant
  unwritable_audit
  last_look
}

edited_expiry() {
  chapter 'Somebody moves the expiry'
  has_no_effect 'the blob only names the grant; its row decides' '"grant":"ok".*Buy seeds.*\|20' <<'COMMAND'
sed 's/"expiresAt":"20/"expiresAt":"21/' grant.json >longer.json
node stranger.mjs tick morning longer.json notes:n1
psql $SUPERUSER -Atc "SELECT 'expires', expires_at FROM mana_ai.grants WHERE mission_id = 'morning'"
COMMAND
  refuses 'the row is part of what the key was wrapped with' '"grant":"wrap-rejected"' <<'COMMAND'
psql $SUPERUSER -qc "UPDATE mana_ai.grants SET expires_at = expires_at + interval '20 days',
  claims = mana_ai.grant_claims(grant_id, key_id, user_id, mission_id, issued_at, expires_at + interval '20 days',
    substring(claims FROM octet_length(claims) - 63)) WHERE mission_id = 'morning'"
node stranger.mjs tick morning grant.json notes:n1
COMMAND
  works 'with the row put back the grant is good again' '"grant":"ok"' <<'COMMAND'
psql $SUPERUSER -qc "UPDATE mana_ai.grants SET expires_at = expires_at - interval '20 days',
  claims = mana_ai.grant_claims(grant_id, key_id, user_id, mission_id, issued_at, expires_at - interval '20 days',
    substring(claims FROM octet_length(claims) - 63)) WHERE mission_id = 'morning'"
node stranger.mjs tick morning grant.json notes:n1
COMMAND
}

widened_scope() {
  chapter 'Somebody adds the third note to the grant'
  refuses 'the blob names it, the keyring does not' '"reason":"record-not-in-grant-allowlist"' <<'COMMAND'
sed 's/"notes:n2"\]/"notes:n2","notes:n3"]/' grant.json >wider.json
node stranger.mjs tick morning wider.json notes:n3
COMMAND
  refuses 'a share opens for its own record alone' '"reason":"ciphertext-tampered-or-wrong-key"' <<'COMMAND'
psql $SUPERUSER -qc "INSERT INTO mana_ai.grant_keys SELECT grant_id, user_id, table_name, 'n3', wrapped_key
  FROM mana_ai.grant_keys WHERE record_id = 'n1'"
node stranger.mjs tick morning wider.json notes:n3
psql $SUPERUSER -qc "DELETE FROM mana_ai.grant_keys WHERE record_id = 'n3'"
COMMAND
}

moved_ciphertext() {
  chapter "Somebody copies the third note's ciphertext into the first"
  refuses 'a field opens in its own place alone' '"reason":"ciphertext-tampered-or-wrong-key"' <<'COMMAND'
psql $SUPERUSER -qc "INSERT INTO public.sync_changes (app_id, table_name, record_id, user_id, op, data, client_id)
  SELECT app_id, table_name, 'n1', user_id, 'update', data, 'thief' FROM public.sync_changes WHERE record_id = 'n3'"
node stranger.mjs tick morning grant.json notes:n1
COMMAND
  works 'her next edit is read again, under the same consent' '"grant":"ok".*Buy bulbs' <<'COMMAND'
node stranger.mjs write --update notes:n1 title=Garden content='Buy bulbs.' >edit.ndjson
MANDATE_DATABASE_URL=$AS_SYNC mandate-dev seed <edit.ndjson
node stranger.mjs tick morning grant.json notes:n1
COMMAND
}

another_user() {
  chapter 'Bert comes with a token of his own'
  works 'he has a vault, as she has' '"user":"bert","made":true' <<'COMMAND'
TOKEN=$BERT node stranger.mjs vault
COMMAND
  refuses 'her notes are not his to grant' 'UNKNOWN_RECORD' <<'COMMAND'
curl -s -H "Authorization: Bearer $BERT" $ISSUER/api/v1/me/ai-mission-grant \
  -d '{"missionId":"morning","tables":["notes"],"recordIds":["notes:n1"]}'
COMMAND
  refuses 'her grant is none of his' '"grant":"unknown-grant"' <<'COMMAND'
TOKEN=$BERT node stranger.mjs tick morning grant.json notes:n1
COMMAND
  has_no_effect 'he revokes his own missions, not hers' '"revoked":false.*"grant":"ok"' <<'COMMAND'
curl -s -X DELETE -H "Authorization: Bearer $BERT" $ISSUER/api/v1/me/ai-mission-grant/morning; echo
node stranger.mjs tick morning grant.json notes:n1
COMMAND
  refuses 'her log is hers; his has his attempt' '^\{"rows":\[\{[^{]*"reason":"unknown-grant"[^{]*\}\]\}$' <<'COMMAND'
curl -s -H "Authorization: Bearer $BERT" "$ISSUER/api/v1/me/ai-audit?missionId=morning"
COMMAND
}

stolen_key() {
  chapter "Somebody stole the resolver's private key, her grant, and a copy of the log"
  refuses 'the key unwraps, and opens no record: no receipt, no share' '"unwrapped":true.*"opened":0' <<'COMMAND'
psql $SUPERUSER -Atc 'SELECT row_to_json(c) FROM public.sync_changes AS c' >copy.ndjson
node stranger.mjs steal keys/private/*.pem grant.json <copy.ndjson
COMMAND
  refuses "the resolver's own login cannot read shares" 'permission denied for table grant_keys' <<'COMMAND'
psql $AS_RESOLVER -c 'SELECT wrapped_key FROM mana_ai.grant_keys'
COMMAND
  works 'with the shares the same program opens what was granted: they were what was missing' '"opened":6' <<'COMMAND'
psql $SUPERUSER -Atc 'SELECT row_to_json(k) FROM mana_ai.grant_keys AS k' >shares.ndjson
node stranger.mjs steal keys/private/*.pem grant.json shares.ndjson <copy.ndjson
COMMAND
}

used_batch() {
  chapter "Somebody with the resolver's login uses a batch of receipts again"
  local share
  works 'opened and committed, a batch gives its shares' $'^ok\nn1\\|\\|[0-9a-f]{16}$' <<'COMMAND'
cat >open.sql <<'SQL'
SELECT status FROM mana_ai.open_receipts(ARRAY[:'batch']::uuid[], ARRAY['anna'], ARRAY['morning'], ARRAY[:'grant'],
  ARRAY[NULL]::text[], ARRAY['theft'], ARRAY[false], ARRAY[1], ARRAY['notes'], ARRAY['n1'], ARRAY[NULL]::text[],
  ARRAY[NULL]::text[]);
SQL
cat >redeem.sql <<'SQL'
SELECT record_id, reason, left(encode(share, 'hex'), 16)
FROM mana_ai.redeem_receipts(ARRAY[:'batch']::uuid[], ARRAY[:'user']);
SQL
cat >receipts.sh <<'SH'
# receipts.sh BATCH USER PSQL-ARGUMENTS…
psql $AS_RESOLVER -At -v batch=00000000-0000-4000-8000-00000000000$1 -v user=$2 \
  -v grant=$(node -p 'require("./grant.json").grantId') "${@:3}"
SH
bash receipts.sh 1 anna -f open.sql -f redeem.sql
COMMAND
  share=${answer##*|}
  refuses 'a batch is opened once' 'a batch of this id exists' <<'COMMAND'
bash receipts.sh 1 anna -f open.sql
COMMAND
  has_no_effect 'for a minute it gives the same share again, which is on the log' "^n1\\|\\|$share\$" <<'COMMAND'
bash receipts.sh 1 anna -f redeem.sql
COMMAND
  refuses 'it is redeemed for its own user alone' '^$' <<'COMMAND'
bash receipts.sh 1 bert -f redeem.sql
COMMAND
  refuses 'not in the transaction that opened it: nothing is on the log yet' '^ok$' <<'COMMAND'
bash receipts.sh 2 anna --single-transaction -f open.sql -f redeem.sql
COMMAND
  refuses 'nor after that transaction was rolled back' $'^BEGIN\nok\nROLLBACK$' <<'COMMAND'
bash receipts.sh 3 anna -c BEGIN -f open.sql -c ROLLBACK -f redeem.sql
COMMAND
}

closed_grant() {
  chapter 'Anna revokes'
  works 'the grant is closed when she has her answer' '"revoked":true' <<'COMMAND'
curl -s -X DELETE -H "Authorization: Bearer $ANNA" $ISSUER/api/v1/me/ai-mission-grant/morning
COMMAND
  refuses 'a closed grant opens nothing' '"grant":"revoked"' <<'COMMAND'
node stranger.mjs tick morning grant.json notes:n1
COMMAND
  refuses 'the batch that was redeemed before gives no share any more' '^(n1\|revoked\|)?$' <<'COMMAND'
bash receipts.sh 1 anna -f redeem.sql
COMMAND
  refuses 'nobody opens it again, not even the superuser' 'closing is final' <<'COMMAND'
psql $SUPERUSER -c "UPDATE mana_ai.grants SET closed_at = NULL, closed_reason = NULL WHERE mission_id = 'morning'"
COMMAND
}

unwritable_audit() {
  chapter 'The audit cannot be written'
  works 'she grants once more, to another mission' '"grant":"ok".*Buy bulbs' <<'COMMAND'
node stranger.mjs grant evening notes:n1 >evening.json
node stranger.mjs tick evening evening.json notes:n1
COMMAND
  refuses 'no receipt, no key: nothing is opened' 'outage|UNAVAILABLE' <<'COMMAND'
psql $SUPERUSER -qc 'ALTER TABLE mana_ai.decrypt_audit ADD CONSTRAINT jammed CHECK (false) NOT VALID'
node stranger.mjs tick evening evening.json notes:n1
COMMAND
  works 'once it can be written, the same grant is good' '"grant":"ok".*Buy bulbs' <<'COMMAND'
psql $SUPERUSER -qc 'ALTER TABLE mana_ai.decrypt_audit DROP CONSTRAINT jammed'
node stranger.mjs tick evening evening.json notes:n1
COMMAND
}

last_look() {
  chapter "Whatever reached the database is on Anna's log, and the chain still holds"
  works 'her program finds every hash as it should be' '"verified":true' <<'COMMAND'
psql $SUPERUSER -AtF ' ' -c "SELECT seq, mission_id, record_id, status, reason FROM mana_ai.decrypt_audit
  WHERE user_id = 'anna' ORDER BY seq"
node stranger.mjs audit
COMMAND
  works 'and so does the operator' 'chain' <<'COMMAND'
mandate audit verify --folder .
COMMAND
}
