#!/usr/bin/env bash
# Re-derives our vectors with implementations that are not ours: Python's cryptography package for all of them, node's
# WebCrypto for those of v2. What is not installed is named and skipped; what is there must agree, and must notice when
# a copy of the files is damaged. PYTHON and NODE choose the interpreters; NODE=none leaves node out.
set -euo pipefail
cd "$(dirname "$0")/.."

main() {
  local python
  if python=$(find_python); then
    "$python" -B Tests/Independent/check_vectors.py Vectors
    "$python" -B Tests/Independent/check_vectors.py --selftest Vectors
  else
    echo 'skipped: independent check (python3 with the cryptography package is not installed)'
  fi

  local node=${NODE:-node}
  if [ "$node" != none ] && has_webcrypto "$node"; then
    "$node" Tests/Independent/check_vectors.mjs Vectors
    "$node" Tests/Independent/check_vectors.mjs --selftest Vectors
  else
    echo 'skipped: independent check in WebCrypto (node 18 or newer is not installed)'
  fi
}

# A Python of one's own that lacks the package must not hide the system's.
find_python() {
  local python
  for python in ${PYTHON:-python3 /usr/bin/python3}; do
    if "$python" -c 'import sys, cryptography; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  return 1
}

has_webcrypto() {
  "$1" --input-type=module -e 'import {webcrypto} from "node:crypto"; process.exit(webcrypto.subtle ? 0 : 1)' 2>/dev/null
}

main
