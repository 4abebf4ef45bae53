#!/usr/bin/env bash
# Installs the Debian packages that a build or a test of this project needs and this machine lacks. `make` runs it
# before everything else, so it says nothing and takes a few milliseconds when nothing is missing.
set -euo pipefail

# One line per package: its name, then what it is for.
required_packages() {
  sed 's/ *#.*//; /^$/d' <<'LIST'
curl                 # the demo's calls are shown as commands of curl
libevent-dev         # the HTTP server's library and headers, behind HTTPServing
libcurl4-openssl-dev # libcurl and its headers, behind HTTPFetching
libfaketime          # gives a built service a wrong clock in the tests
libpq-dev            # PostgreSQL's client library and headers, behind Postgres
libssl-dev           # OpenSSL 3's headers and library, behind Cryptography and HTTPServing
nodejs               # WebCrypto: a client of the services that shares no line with them, in tests and in the demo
openssl              # the yardstick of the benchmarks, and key files that are not ours in the tests
pgbouncer            # the store's tests run a second time through it
pkg-config           # how SwiftPM finds the C libraries
postgresql-15        # the server of `mandate db start` and of the tests, psql and pgbench with it
python3              # verifies an exported audit without any code of ours
LIST
}

# What only makes a check or a yardstick possible. A machine that cannot have these still builds and tests; what it
# lacks is then skipped by name.
optional_packages() {
  sed 's/ *#.*//; /^$/d' <<'LIST'
python3-cryptography   # a second implementation re-derives our vectors with it
python3-pip            # published vectors are fetched with it
python3-venv           # schemathesis, which fuzzes the issuer, lives in one
LIST
}

# What must be true before a package is unpacked: a function named before_<package>, with _ for every - and dot.

# Debian starts a server on port 5432 as soon as PostgreSQL is installed, unless this file is there first. The tests
# make a private cluster of their own. It is a file of ours in the folder for such files, because a createcluster.conf
# that exists before postgresql-common does would make its installation ask a question.
before_postgresql_15() {
  as_root mkdir -p /etc/postgresql-common/createcluster.d &&
    as_root sh -c "echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/mandate.conf"
}

# Debian starts a pooler on port 6432 as soon as it is installed, and at every boot, unless its unit is masked; this
# link is what systemctl mask would make. Without systemd the machine's own policy-rc.d decides.
before_pgbouncer() {
  as_root mkdir -p /etc/systemd/system &&
    as_root ln -sfn /dev/null /etc/systemd/system/pgbouncer.service
}

oldest_swift_major=6
oldest_swift_minor=2

main() {
  check_swift
  if ! command -v dpkg-query >/dev/null; then
    echo "deps: this is not Debian; taking it that these are installed:" $(required_packages) >&2
    return
  fi

  local required optional
  read -ra required <<<"$(missing $(required_packages))"
  read -ra optional <<<"$(missing $(optional_packages))"
  if ((${#required[@]})); then
    can_become_root || refuse "${required[@]}"
    echo "deps: installing ${required[*]} ${optional[*]}" >&2
    install "${required[@]}" "${optional[@]}" || install "${required[@]}" || refuse "${required[@]}"
  elif ((${#optional[@]})); then
    # Nothing that is merely useful may stop a build or ask for a password.
    if may_be_root_unasked && install "${optional[@]}"; then return; fi
    echo "deps: going on without ${optional[*]}" >&2
  fi
}

check_swift() {
  local words version major minor
  if ! command -v swift >/dev/null; then
    fail "swift is not on PATH. Install Swift $oldest_swift_major.$oldest_swift_minor or later:" \
      "https://www.swift.org/install/linux/ (its bin folder must be on PATH)."
  fi
  words=$(swift --version 2>&1) || true
  version=$(sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' <<<"$words" | head -n 1)
  if [ -z "$version" ]; then fail "$(command -v swift) does not run: $words"; fi
  major=${version%%.*}
  minor=${version#*.}
  if ((major < oldest_swift_major || (major == oldest_swift_major && minor < oldest_swift_minor))); then
    fail "swift is $version, and this package needs $oldest_swift_major.$oldest_swift_minor or later:" \
      "https://www.swift.org/install/linux/ ($(command -v swift) is the one that was found)."
  fi
}

# Names of the given packages that are not fully installed.
missing() {
  local installed
  installed=$(dpkg-query --show --showformat '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^[ihr]i  *//p' || true)
  local package
  for package in "$@"; do
    grep -qxF "$package" <<<"$installed" || printf '%s ' "$package"
  done
}

may_be_root_unasked() {
  [ "$(id -u)" = 0 ] || { command -v sudo && sudo -n true; } >/dev/null 2>&1
}

# A password may be asked for at a terminal, never where nobody could type one.
can_become_root() {
  may_be_root_unasked || { command -v sudo >/dev/null && [ -t 0 ] && [ -t 2 ] && [ -z "${CI:-}" ] && sudo -v; }
}

# With `only_say` set, the same path that would act prints the commands instead: what a reader is told to type is
# then always what this script would have done.
only_say=
as_root() {
  if [ -n "$only_say" ]; then
    printf '  %s\n' "$(printf '%q ' "$@")" >&2
  elif [ "$(id -u)" = 0 ]; then
    "$@" >/dev/null
  else
    sudo "$@" >/dev/null
  fi
}

# Called where `set -e` does not reach, so every step says itself what happens when it fails.
install() {
  local package hook
  for package in "$@"; do
    hook="before_${package//[-.+]/_}"
    if declare -F "$hook" >/dev/null; then "$hook" || return; fi
  done
  # One broken source must not stop the others: whether the lists are good enough, the installation will show. The
  # lock wait is for a machine that is just updating itself.
  as_root apt-get -qq update || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@"
}

refuse() {
  echo "deps: could not install what is missing. As root, run:" >&2
  only_say=yes install "$@"
  exit 1
}

fail() {
  echo "deps: $*" >&2
  exit 1
}

main "$@"
