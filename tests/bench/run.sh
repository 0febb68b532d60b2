#!/bin/bash
# Measures Airlift against the way of a deployment guide (tar.gz of three `docker save`, `docker load`), on one set of images, in
# one run, and writes the tables of docs/performance.md. Images and the slowest bundle are made once and kept below target/bench.
#
#   tests/bench/run.sh [TIMES]     repetitions of each way into a containerd store, 3 unless told
set -euo pipefail
. "$(dirname "$0")/lib.sh"
here=$root/tests/bench
trap 'remove_link' EXIT
[ -x "$airlift" ] || die "there is no $airlift; make build makes it"

from=$SECONDS
"$here/images.sh"
rm -f "$results"/*
git -C "$root" describe --always --dirty --exclude '*' >"$results/commit" 2>/dev/null || echo unknown >"$results/commit"
for layer in "$bench"/layers/*.tar; do tar -tf "$layer"; done | wc -l >"$results/entries"
"$here/pack.sh"
"$here/load.sh" containerd "${1:-3}"
"$here/load.sh" overlay2 1
"$here/footprint.sh"

doc=$root/docs/performance.md
"$here/report.sh" >"$bench/report.md"
awk -v report="$bench/report.md" '
  /<!-- bench:begin/ { print; print ""; while ((getline line < report) > 0) print line; print ""; inside = 1 }
  /<!-- bench:end/ { inside = 0 }
  !inside' "$doc" >"$bench/performance.md"
# Written in place: the document keeps its owner and mode.
cat "$bench/performance.md" >"$doc"
cat "$bench/report.md"
say "$((SECONDS - from)) s; the same is in docs/performance.md"
