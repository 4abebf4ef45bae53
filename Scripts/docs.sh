#!/usr/bin/env bash
# Writes the reference of every target into .build/docs, from the comments in the sources and without a network: the
# toolchain dumps what each module declares, and its own docc turns that into pages.
set -euo pipefail
cd "$(dirname "$0")/.."

output=.build/docs
fail() {
  echo "docs: $*" >&2
  exit 1
}

# docc lies beside swift in swift.org's toolchains; a distribution may ship it elsewhere on PATH, or not at all.
docc=$(dirname "$(readlink -f "$(command -v swift)")")/docc
[ -x "$docc" ] || docc=$(command -v docc) ||
  fail "this Swift toolchain has no docc; install one from https://www.swift.org/install/linux/"

# Nothing here is public, so the reference begins at what targets show each other.
swift package dump-symbol-graph --minimum-access-level package >/dev/null
graphs=$(dirname "$(swift build --show-bin-path)")/symbolgraph

rm -rf "$output"
mkdir -p "$output"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

archives=()
for source in Sources/*/; do
  target=$(basename "$source")
  # C doors and executables declare nothing that another target could use.
  [ -f "$graphs/$target.symbols.json" ] || continue
  mkdir "$work/$target"
  # `Target@Other` holds what a target adds to somebody else's types.
  cp "$graphs/$target".symbols.json "$work/$target"
  find "$graphs" -name "$target@*.symbols.json" -exec cp {} "$work/$target" \;
  "$docc" convert --additional-symbol-graph-dir "$work/$target" --output-path "$work/$target.doccarchive" \
    --fallback-display-name "$target" --fallback-bundle-identifier "mandate.$target" | sed '/^$/d'  # It ends with an empty line each time.
  archives+=("$work/$target.doccarchive")
done
((${#archives[@]})) || fail "no target declares anything"

"$docc" merge "${archives[@]}" --output-path "$work/all.doccarchive" --synthesized-landing-page-name Mandate | sed '/^$/d'
rm -rf "$output"
mv "$work/all.doccarchive" "$output"
echo "docs: ${#archives[@]} targets in $output; to read them: python3 -m http.server --directory $output"
