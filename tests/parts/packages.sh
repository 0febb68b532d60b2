#!/bin/bash
# Installs the named Debian packages that are missing, and nothing else: packages.sh PACKAGE...
set -euo pipefail
. "$(dirname "$0")/lib.sh"

missing=()
for package in "$@"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

say "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
quietly() { apt-get -y -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1; }
quietly update || say "apt-get update had errors; going on with the lists that are there"
quietly install --no-install-recommends "${missing[@]}" || { cat "$log" >&2; die "apt-get install failed"; }
