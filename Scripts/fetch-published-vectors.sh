#!/usr/bin/env bash
# Fetches published test vectors that are too large for this repository and not ours to copy: the PyPI package
# cryptography_vectors, which carries NIST's AES-GCM responses, RFC 5869 and the RSA-OAEP files of PKCS #1.
#
# Prints the folder they lie in, on standard output and nothing else there. Where they cannot be had (no Python, no
# pip, no network) it says `skipped: published vectors (why)` on standard error, prints nothing, and succeeds, so that
# `make test` goes on and names what it did not check. Bytes that are not the ones named here are an error.
#
# MANDATE_CACHE names the folder that keeps them, else XDG_CACHE_HOME/mandate, else .build/published-vectors. What lies
# there is used again without asking the network, after its checksums were compared.
set -euo pipefail

package=cryptography_vectors
version=50.0.2
# Of the wheel that PyPI serves for this version. A new version is a new line here, never whatever is newest.
sha256=51641f03a3eb4edbe9fb68e3a3574d25f86aa502d06391fffa886330d02778a0
# Seconds; the wheel has some 56 MB.
limit=300

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cache="${MANDATE_CACHE:-${XDG_CACHE_HOME:+$XDG_CACHE_HOME/mandate}}"
cache="${cache:-$root/.build/published-vectors}"
folder="$cache/$package-$version"

skip() {
  echo "skipped: published vectors ($1)" >&2
  exit 0
}

# The verifier passes hidden files over.
is_whole() { (cd "$1" && sha256sum --quiet --check .sha256sums) > /dev/null 2>&1; }

if [ -d "$folder" ]; then
  if is_whole "$folder"; then
    echo "$folder"
    exit 0
  fi
  echo "published vectors: the copy in the cache was changed and is fetched again" >&2
fi

command -v python3 > /dev/null || skip "python3 is not installed"
python3 -m pip --version > /dev/null 2>&1 || skip "python3 has no pip"
mkdir -p "$cache" 2> /dev/null && [ -w "$cache" ] || skip "$cache cannot be written"

work="$(mktemp -d "$cache/.fetch-XXXXXX")"
trap 'rm -rf "$work"' EXIT

echo "published vectors: fetching $package $version (56 MB) into $cache" >&2
echo "$package==$version --hash=sha256:$sha256" > "$work/requirements.txt"
if ! timeout "$limit" python3 -m pip download --quiet --disable-pip-version-check --no-input --retries 1 --no-deps \
  --only-binary :all: --require-hashes --requirement "$work/requirements.txt" --dest "$work" > "$work/log" 2>&1; then
  if grep -q 'DO NOT MATCH THE HASHES' "$work/log"; then
    echo "failed: published vectors ($package $version is not what it was; its SHA-256 differs)" >&2
    exit 1
  fi
  skip "$package $version could not be fetched; no network?"
fi

# Only what the verifier reads, out of thousands of files.
mkdir "$work/files"
python3 - "$work"/*.whl "$work/files" << 'PYTHON'
import pathlib, sys, zipfile

wanted = [
    "ciphers/AES/GCM/gcm*.rsp",
    "KDF/rfc-5869-HKDF-SHA1.txt", "KDF/rfc-5869-HKDF-SHA256.txt", "KDF/hkdf-generated.txt",
    "asymmetric/RSA/oaep-label.txt", "asymmetric/RSA/oaep-custom/*.txt", "asymmetric/RSA/pkcs-1v2-1d2-vec/oaep-*.txt",
]
wheel, target = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
for pattern in wanted:
    found = [name for name in wheel.namelist() if pathlib.PurePosixPath(name).match("cryptography_vectors/" + pattern)]
    if not found:
        sys.exit(f"the package has no {pattern}")
    for name in found:
        place = target / pathlib.PurePosixPath(name).relative_to("cryptography_vectors")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(wheel.read(name))
PYTHON
(cd "$work/files" && find . -type f ! -name .sha256sums -print0 | sort -z | xargs -0 sha256sum > .sha256sums)

# Whole or not at all: another run may do the same at the same time.
rm -rf "$folder"
mv --no-target-directory "$work/files" "$folder" 2> /dev/null || is_whole "$folder"
echo "$folder"
