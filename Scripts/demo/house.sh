# Starts the private cluster, the identity service, the issuer and the resolver in $folder, and ends all of them. To be
# sourced. Each listens on a port that was free; nothing outside the folder is touched, except that root's PostgreSQL
# has its data in /var/lib/mandate and its socket in /run/mandate.

programs=(mandate-resolver mandate-issuer mandate-dev)
mark=made-by-make-demo.txt

start_house() {
  (
    umask 077
    mkdir -p "$folder"
    echo 'make demo-stop removes this folder, and all that it started.' >"$folder/$mark"
  )
  step 'a private PostgreSQL' "$bin/mandate" db start --folder "$folder"
  step 'its roles' "$bin/mandate" db bootstrap --folder "$folder"
  step 'its tables' "$bin/mandate" db migrate --folder "$folder"
  "$bin/mandate" db status --folder "$folder" --json >"$folder/database.json"
  step 'the pair of the resolver' "$bin/mandate" keys generate --folder "$folder/keys"
  (
    umask 077
    openssl rand -base64 32 >"$folder/kek"
    openssl rand -hex 24 >"$folder/service-key"
  )

  start mandate-dev auth --listen 127.0.0.1:0 --key "$folder/dev"
  await mandate-dev 1 '^password '
  local keys
  keys=$(sed -n 's/^keys *//p' "$folder/mandate-dev.log")
  start mandate-issuer MANDATE_DATABASE_URL="$(url mandate_issuer)" MANA_AUTH_KEK_FILE="$folder/kek" \
    MANA_AI_PUBLIC_KEY_PEM_FILE="$(echo "$folder"/keys/*.pem)" MANDATE_JWKS_URL="$keys" \
    MANA_SERVICE_KEY_FILE="$folder/service-key" MANDATE_PUBLIC_LISTEN=127.0.0.1:0 MANDATE_INTERNAL_LISTEN=127.0.0.1:0
  await mandate-issuer 2 '"event":"Listening\."'
  start mandate-resolver MANDATE_DATABASE_URL="$(url mandate_resolver)" MANDATE_RESOLVER_KEYS="$folder/keys/private" \
    MANA_SERVICE_KEY_FILE="$folder/service-key" MANDATE_INTERNAL_LISTEN=127.0.0.1:0
  await mandate-resolver 1 '"event":"Listening\."'
  write_env
}

# What a reader's shell and the demo's own commands have in common. The tokens are good for a day.
write_env() {
  ln -s "$root/Tests/Independent/stranger.mjs" "$folder/stranger.mjs"
  (umask 077 && cat >"$folder/env") <<ENV
export PATH=$(printf %q "$bin"):\$PATH PSQLRC=/dev/null no_proxy=127.0.0.1
unset MANDATE_DATABASE_URL SYNC_DATABASE_URL DATABASE_URL PGHOST PGPORT PGUSER PGDATABASE PGOPTIONS
export ISSUER=http://$(address mandate-issuer public) RESOLVER=http://$(address mandate-resolver internal)
export SERVICE_KEY=$(cat "$folder/service-key")
export ANNA=$(token anna)
export BERT=$(token bert)
# Whom the stranger plays unless it is told otherwise.
export TOKEN=\$ANNA
export SUPERUSER=$(printf %q "$(url postgres)")
export AS_RESOLVER=$(printf %q "$(url mandate_resolver)")
export AS_SYNC=$(printf %q "$(url mandate_sync)")
ENV
}

token() { "$bin/mandate-dev" token --user "$1" --key "$folder/dev" --ttl 86400; }

url() {
  node -p 'JSON.parse(require("fs").readFileSync(0, "utf8")).urls[process.argv[1]]' "$1" <"$folder/database.json"
}

# Where a program listens, by its log.
address() {
  grep '"event":"Listening\."' "$folder/$1.log" | sed -n "s/.*\"listener\":\"$2\",\"address\":\"\([^\"]*\)\".*/\1/p"
}

# In a session of its own too: whoever interrupts waits for the end of a step, because what kills initdb in the middle
# leaves shared memory that nobody finds again.
step() {
  say "$1"
  shift
  setsid "$@" >"$folder/step.log" 2>&1 || fail "$* failed:" "$folder/step.log"
}

fail() {
  printf 'demo: %s\n' "$1" >&2
  tail -n 5 "$2" >&2
  echo 'demo: make demo-stop clears up' >&2
  exit 1
}

# start PROGRAM [NAME=VALUE | ARGUMENT]…: with these settings and no other, and in a session of its own, so that what
# interrupts the demo does not interrupt the house.
start() {
  local name=$1 settings=() arguments=() word
  shift
  for word in "$@"; do
    if [[ $word =~ ^[A-Z_]+= ]]; then settings+=("$word"); else arguments+=("$word"); fi
  done
  say "$name"
  : >"$folder/$name.log"
  env -i PATH="$PATH" MANDATE_STAGE=development "${settings[@]}" \
    setsid bash -c "$(declare -f birth become)"'; become "$@"' - \
    "$folder/$name.pid" "$bin/$name" "${arguments[@]}" </dev/null >>"$folder/$name.log" 2>&1 &
  started=$!
}

# become NOTE PROGRAM…: lets go of the files of whoever ran the demo, who may wait for their end, and writes down who
# it is before it is a service: what an interruption finds no note of, never begins.
become() {
  local place
  for place in /proc/$$/fd/*; do
    if ((${place##*/} > 2)); then eval "exec ${place##*/}>&-"; fi
  done
  echo "$$ $(birth $$)" >"$1" && shift && exec "$@"
}

# When a process began, in the kernel's ticks; nothing where it has ended. Its number may be used again, both together
# are not.
birth() { sed -n 's/.*) //; /^[^ZX]/p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# await PROGRAM COUNT PATTERN, of the one started last: until its log has so many such lines, or it has ended, or a
# minute has passed.
await() {
  local log=$folder/$1.log left=$2 line lines follower
  exec {lines}< <(exec timeout 60 tail -n +1 -f --pid="$started" "$log")
  follower=$!
  while ((left > 0)) && read -r line <&"$lines"; do
    if [[ $line =~ $3 ]]; then left=$((left - 1)); fi
  done
  kill "$follower" 2>/dev/null || true
  exec {lines}<&-
  ((left == 0)) || fail "$1 did not start:" "$log"
}

# Whatever of it is there, however it came to be: a run that was interrupted, a server that was killed.
stop_house() {
  [ -d "$folder" ] || return 0
  # An empty one may be left by a run that was interrupted at once; any other is not ours to remove.
  if [ ! -e "$folder/$mark" ] && ! rmdir "$folder" 2>/dev/null; then
    echo "demo: $folder is not a demo's; nothing was touched" >&2
    exit 1
  fi
  local name
  for name in "${programs[@]}"; do stop_program "$name"; done
  stop_cluster
  # The mark goes last, or what an interruption leaves could not be removed.
  find "$folder" -mindepth 1 -maxdepth 1 ! -name "$mark" -exec rm -rf {} +
  rm -rf "$folder"
  # Only where nothing else is in it.
  rmdir "$root/.mandate" 2>/dev/null || true
}

stop_program() {
  local pid began
  [ -s "$folder/$1.pid" ] || return 0
  read -r pid began <"$folder/$1.pid"
  [ -n "$began" ] && [ "$(birth "$pid")" = "$began" ] || return 0
  kill "$pid" 2>/dev/null || return 0
  # It drains, ten seconds at most; then it is gone.
  local round
  for ((round = 0; round < 300; round++)); do
    if [ "$(birth "$pid")" != "$began" ]; then return 0; fi
    sleep 0.05
  done
  kill -9 "$pid" 2>/dev/null || true
}

stop_cluster() {
  local id place short=/tmp
  [ -e "$folder/.mandate/cluster.json" ] || return 0
  id=$(grep -o '[0-9a-f]\{32\}' "$folder/.mandate/cluster.json")
  # A server that was killed leaves shared memory, which its next start takes away.
  for place in "/var/lib/mandate/$id" "$folder/.mandate/postgres"; do
    if [ -e "$place/data/postmaster.pid" ]; then "$bin/mandate" db start --folder "$folder" >/dev/null; fi
  done
  "$bin/mandate" db stop --folder "$folder" >/dev/null
  # For root, and for folders whose path is too long for a socket, parts of it lie elsewhere, under this id.
  rm -rf "/var/lib/mandate/${id:?}" "/run/mandate/$id" "$short/mandate-$(id -u)-$id"
  rmdir /var/lib/mandate /run/mandate 2>/dev/null || true
}
