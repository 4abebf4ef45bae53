#!/usr/bin/env bash
# Tells the core story on the real services: a private PostgreSQL, an identity service, issuer and resolver, all as
# built, and a client that shares no line with them. Then it tries every way to get more than was granted. Each command
# is shown as it is run, with its answer; one that does not end as it should is a surprise, and the exit code is 1.
#
#   demo.sh [--folder FOLDER] [--bin FOLDER]         leaves everything running, for the reader to try more
#   demo.sh stop [--folder FOLDER] [--bin FOLDER]    ends it and leaves nothing behind
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
folder=$root/.mandate/demo
bin=$root/.build/debug

# Whatever database or server the reader's shell names, it is not the demo's.
for name in $(compgen -e); do
  case $name in
    MANDATE_POSTGRES_PROGRAMS) ;;
    MANDATE_* | *DATABASE_URL* | PG*) unset "$name" ;;
  esac
done

order=start
while (($#)); do
  case $1 in
    stop) order=stop ;;
    --folder) folder=${2:?--folder needs a value} && shift ;;
    --bin) bin=${2:?--bin needs a value} && shift ;;
    *)
      echo "demo: $1 is nothing that it takes; see the first lines of $0" >&2
      exit 2
      ;;
  esac
  shift
done
# In one spelling, because processes are found again by it.
folder=$(realpath -m "$folder")
bin=$(realpath -m "$bin")
for program in "$bin/mandate" node curl psql openssl setsid; do
  if ! command -v "$program" >/dev/null; then
    echo "demo: there is no $program; make deps build helps" >&2
    exit 1
  fi
done

source Scripts/demo/stage.sh
source Scripts/demo/house.sh
source Scripts/demo/story.sh
source Scripts/demo/attempts.sh

if [ "$order" = stop ]; then
  stop_house
  exit
fi

trap 'echo; echo "interrupted; make demo-stop clears up" >&2; exit 130' INT TERM
chapter "A house of its own in $(shortened "$folder"); what is long is cut in what is shown"
stop_house
start_house

tell_story
try_everything

chapter 'Done'
say "$worked worked, $refused refused or without effect, $surprises surprises"
echo
say 'Everything still runs. To try more, in another shell:'
say
say "cd $(printf %q "$(shortened "$folder")") && . ./env"
say 'curl -s -H "Authorization: Bearer $ANNA" $ISSUER/api/v1/me/ai-mission-grants'
say 'curl -s -H "Authorization: Bearer $ANNA" $ISSUER/api/v1/me/ai-audit'
say 'node stranger.mjs tick evening evening.json notes:n1 notes:n3'
say 'curl -s $RESOLVER/ready'
say
say 'make demo-stop ends it and leaves nothing behind.'
((surprises == 0))
