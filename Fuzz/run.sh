#!/usr/bin/env bash
# Builds the fuzzers and lets each of them look for a broken promise for a bounded time:
#
#   Fuzz/run.sh                    all of them
#   Fuzz/run.sh json-value …       some of them
#   FUZZ_SECONDS=3600 Fuzz/run.sh  for longer than the usual 20 seconds each
#
# Exit 0 when every promise held, 1 when one was broken or a fuzzer could not do its work. Before it may run, each
# fuzzer must find the flaw that FUZZ_SELFTEST=1 puts into it, so that none passes without looking. What the runs
# learn stays in .build; `make clean` forgets it.
set -euo pipefail
cd "$(dirname "$0")"

seconds="${FUZZ_SECONDS:-20}"
memory_mib=1024       # No parser of ours needs more for inputs of this size.
slowest_input=10      # Seconds for one input; the slowest legitimate one takes milliseconds.
patience=60           # Seconds beyond its time after which a fuzzer that does not end is ended.

work=.build/fuzz
bin=.build/release
# A crash would otherwise be symbolised for minutes. libFuzzer prints its own stack.
export SWIFT_BACKTRACE=enable=no

main() {
  [[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || stop "FUZZ_SECONDS is a whole number of seconds, not '$seconds'"
  local all names name passed=0 failed=0
  mapfile -t all < <(sed -n 's/^ *fuzzer("fuzz-\([a-z0-9-]*\)".*/\1/p' Package.swift)
  ((${#all[@]})) || stop "Package.swift names no fuzzers"
  names=("$@")
  (($#)) || names=("${all[@]}")
  for name in "${names[@]}"; do
    [[ " ${all[*]} " == *" $name "* ]] || stop "there is no fuzzer '$name'; there are: ${all[*]}"
  done

  mkdir -p "$work"
  build
  make_private_seeds
  printf '%-16s %13s %9s %8s\n' fuzzer executions coverage seconds
  for name in "${names[@]}"; do
    if finds_the_planted_flaw "$name" && fuzz "$name"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
  echo "$passed passed, $failed failed"
  ((failed == 0))
}

# With testing enabled, because the parsers behind the HTTP doors are internal to them, and stay so.
build() {
  if ! swift build -c release --sanitize fuzzer -Xswiftc -enable-testing >"$work/build.log" 2>&1; then
    cat "$work/build.log" >&2
    stop "the fuzzers do not build"
  fi
}

# Private keys are never committed, not even worthless ones; these are made anew on every run.
make_private_seeds() {
  local folder=$work/seeds/key-pem
  rm -rf "$folder"
  mkdir -p "$folder"
  if ! command -v openssl >/dev/null; then
    echo "key-pem starts without private keys: openssl is not installed"
    return
  fi
  (
    umask 077
    cd "$folder"
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out private.pem
    openssl pkcs8 -topk8 -in private.pem -passout pass:fuzz -out private-encrypted.pem
    openssl rsa -in private.pem -traditional -out private-pkcs1.pem
    openssl genpkey -algorithm ED25519 -out private-ed25519.pem
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out private-curve.pem
    # A first byte of 1 says that the DER of a private key follows.
    { printf '\001'; openssl pkcs8 -topk8 -nocrypt -in private.pem -outform DER; } >private.der
  ) >"$work/seeds.log" 2>&1 || { cat "$work/seeds.log" >&2; stop "openssl could not make the seeds of key-pem"; }
}

# The negative control: one bit of what was written is turned over before it is read again.
finds_the_planted_flaw() {
  local name=$1 log=$work/$1.control.log
  local seeds=()
  seeds_of "$name"
  if FUZZ_SELFTEST=1 timeout "$patience" "$bin/fuzz-$name" -runs=0 -artifact_prefix="$work/control-" "${seeds[@]}" \
    >"$log" 2>&1; then
    report "$name" - - - "FAILED: it did not notice the planted flaw"
    return 1
  fi
  rm -f "$work"/control-*
  grep -q 'broken promise' "$log" && return
  report "$name" - - - "FAILED: it ended without finding the planted flaw"
  tail -5 "$log"
  return 1
}

fuzz() {
  local name=$1 log=$work/$1.log crashes=$work/crashes/$1 grown=$work/corpus/$1
  local seeds=() options=() began=$SECONDS status=0
  seeds_of "$name"
  mkdir -p "$crashes" "$grown"
  [[ -f dictionaries/$name.dict ]] && options+=(-dict="dictionaries/$name.dict")
  timeout --kill-after=10 "$((seconds + patience))" "$bin/fuzz-$name" \
    -max_total_time="$seconds" -max_len="$(longest_input "$name")" -rss_limit_mb="$memory_mib" \
    -timeout="$slowest_input" -print_final_stats=1 -artifact_prefix="$crashes/" "${options[@]}" \
    "$grown" "${seeds[@]}" >"$log" 2>&1 || status=$?

  local runs coverage
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
  coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  if ((status == 0 && ${runs:-0} > 0 && ${coverage:-0} > 0)); then
    report "$name" "$runs" "$coverage" $((SECONDS - began)) ok
    return
  fi
  report "$name" "${runs:--}" "${coverage:--}" $((SECONDS - began)) "FAILED (exit $status)"
  explain "$log"
  return 1
}

explain() {
  local log=$1 input
  input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
  grep -E -m 3 'broken promise|Fatal error|ERROR: libFuzzer' "$log" | sed 's/^/  /' || tail -5 "$log"
  if [[ -n $input ]]; then
    echo "  kept:      Fuzz/$input"
    echo "  reproduce: (cd Fuzz && SWIFT_BACKTRACE=enable=no $bin/fuzz-$name $input)"
    sed -n 's/^Base64: /  base64:    /p' "$log" | tail -1
  fi
  echo "  log:       Fuzz/$log"
}

# Into `seeds`, so that no path is split at its spaces.
seeds_of() {
  seeds=("corpus/$1")
  [[ -n $(ls -A "corpus/$1" 2>/dev/null) ]] || stop "corpus/$1 holds no seeds"
  if [[ -d $work/seeds/$1 ]]; then seeds+=("$work/seeds/$1"); fi
}

# In bytes: long enough for every rule to be met, short enough for many tries.
longest_input() {
  case $1 in
    instant) echo 64 ;;
    strict-base64 | forgiving-base64 | utf8-repair) echo 512 ;;
    json-value | key-pem) echo 8192 ;; # The depth limit, and the armour of a 4096-bit key.
    request-gate | event-parser) echo 1024 ;; # Their limits are set low there.
    token) echo 8256 ;; # A little more than the longest token.
    *) echo 4096 ;;
  esac
}

report() { printf '%-16s %13s %9s %8s  %s\n' "$1" "$2" "$3" "$4" "$5"; }

stop() {
  echo "fuzz: $1" >&2
  exit 1
}

main "$@"
