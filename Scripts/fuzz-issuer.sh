#!/usr/bin/env bash
# Runs schemathesis (PyPI) on the built issuer, from the description that it serves: thousands of calls, none of which
# may end with a 5xx, an undescribed status or an answer of another shape. Everything it makes lies under
# .mandate/fuzz-issuer, which git ignores, and the server it starts is stopped again.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.build/debug
folder=$PWD/.mandate/fuzz-issuer
calls=${1:-200}

mkdir -p "$folder"
# Not ours to ship: where it cannot be fetched, the other fuzzers have still run, and this line says what has not.
[ -x "$folder/venv/bin/schemathesis" ] || {
  { python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" --quiet install 'schemathesis>=4,<5'; } || {
    echo "fuzz-issuer: skipped, because schemathesis cannot be fetched from PyPI" >&2
    exit 0
  }
}
cd "$folder"
stop() {
  [ -z "${issuer:-}" ] || kill "$issuer" 2>/dev/null || true
  "$bin/mandate" db stop --folder "$folder" >/dev/null
}
trap stop EXIT
"$bin/mandate" db start --folder "$folder" >/dev/null
"$bin/mandate" db bootstrap --folder "$folder" >/dev/null
"$bin/mandate" db migrate --folder "$folder" >/dev/null
place=$("$bin/mandate" db status --folder "$folder" | grep -o 'host=[^& ]*&port=[0-9]*' | head -n 1)
rm -rf keys && "$bin/mandate" keys generate --folder keys >/dev/null

# A signer of tokens and one token for an hour.
openssl genpkey -algorithm ed25519 -out signer.pem 2>/dev/null
cat >token.py <<'PYTHON'
import base64, json, subprocess, time
text = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
public = subprocess.run(["openssl", "pkey", "-in", "signer.pem", "-pubout", "-outform", "DER"], capture_output=True, check=True).stdout
key = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "fuzz", "x": text(public[-32:])}
open("jwks.json", "w").write(json.dumps({"keys": [key]}))
claims = {"sub": "fuzz", "iss": "http://localhost:3001", "aud": "mana", "exp": int(time.time()) + 3600}
message = ".".join(text(json.dumps(part).encode()) for part in ({"alg": "EdDSA", "kid": "fuzz"}, claims))
open("message", "w").write(message)
subprocess.run("openssl pkeyutl -sign -inkey signer.pem -rawin -in message -out signature", shell=True, check=True)
open("token", "w").write(message + "." + text(open("signature", "rb").read()))
PYTHON
python3 token.py
(umask 077 && openssl rand -base64 32 >kek)

MANDATE_DATABASE_URL="postgres://mandate_issuer@/mandate?$place&passfile=$folder/.mandate/passwords/mandate_issuer.pgpass" \
  MANA_AUTH_KEK_FILE=kek MANA_AI_PUBLIC_KEY_PEM_FILE=$(echo "$folder"/keys/*.pem) MANDATE_JWKS_FILE=jwks.json \
  MANDATE_ISSUE_V1=true MANDATE_PUBLIC_LISTEN=127.0.0.1:0 MANDATE_INTERNAL_LISTEN=127.0.0.1:0 \
  "$bin/mandate-issuer" 2>issuer.log &
issuer=$!
for _ in $(seq 100); do
  address=$(grep -o '"listener":"public","address":"[^"]*' issuer.log | cut -d'"' -f8) && [ -n "$address" ] && break
  sleep 0.1
done
[ -n "${address:-}" ] || { cat issuer.log; exit 1; }
python3 - "http://$address/api/v1/me/encryption-vault/init" <<'PYTHON'
import sys, urllib.request
headers = {"Authorization": "Bearer " + open("token").read()}
urllib.request.urlopen(urllib.request.Request(sys.argv[1], data=b"", headers=headers, method="POST")).read()
PYTHON

# Two checks don't apply: methods that are none here are the door's 501, and whether a record exists no schema can say.
venv/bin/schemathesis run "http://$address/api/v1/openapi.json" -H "Authorization: Bearer $(cat token)" \
  --max-examples "$calls" --phases fuzzing,stateful \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance
! grep -q '"level":"error"' issuer.log
