#!/usr/bin/env bash
# Runs the races of the store's tests and the bad days of the built resolver many times over, tells how far they are, and
# ends with `N passed, N failed`.
# `make test` runs the same with MANDATE_SOAK_ROUNDS=1.
set -euo pipefail
cd "$(dirname "$0")/.."

export MANDATE_SOAK_ROUNDS=${MANDATE_SOAK_ROUNDS:-100}
races='StoreTests.(RaceTests|KilledClientTests|KilledProcessTests|ClaimTests|QueueTests)'
disasters='InputResolverTests.Failure(Restart|Kill|Revoke|Memory|Largest)Tests'

# The largest answer there may be takes a resolver that was built to be quick.
swift build -c release --product mandate-resolver

# One line per test case; a verdict of a test counts all its cases. What the tests print themselves goes through.
swift test --skip-build --no-parallel --filter "$races|$disasters" 2>&1 | awk '
  /^[^a-zA-Z0-9]+ Test ".*" .*(passed|failed) after / {
    cases = match($0, /with [0-9]+ test cases/) ? substr($0, RSTART + 5, RLENGTH - 16) + 0 : 1
    if ($0 ~ / passed after /) passed += cases; else failed += cases
    print; fflush(); next
  }
  /recorded an issue|^↳ [^TS]|^soak · |^[a-z0-9].*: [0-9]/ { print; fflush() }
  END {
    printf "%d passed, %d failed\n", passed, failed
    exit passed == 0 || failed > 0
  }'
