#!/usr/bin/env bash
# Tells on this machine what exists. Everything it makes lies under .mandate/demo, which git ignores, and is made anew
# each time.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.build/debug
folder=.mandate/demo

rm -rf "$folder"
mkdir -p "$folder"
echo "Mandate: what exists today, shown on this machine"
echo
echo "A pair for the resolver"
echo "  \$ mandate keys generate --folder $folder/keys"
"$bin/mandate" keys generate --folder "$folder/keys" | sed 's/^/  /'
"$bin/mandate-dev" demo --keys "$folder/keys"
