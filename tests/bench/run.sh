#!/bin/bash
# Measures Airlift against the way of a deployment guide (tar.gz of three `docker save`, `docker load`), on one set of images, in
# one run, and writes the tables of docs/performance.md. Images and the slowest bundle are made once and kept below target/bench.
#
#   tests/bench/run.sh [TIMES]     repetitions of each way into each engine, 3 unless told
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
for suite in bookworm trixie; do "$root/tests/parts/engine.sh" $suite "$parts/engine-$suite"; done
times=${1:-3}
"$here/load.sh" 28-containerd "$parts/engine-forky" containerd "$times"
"$here/load.sh" 28-overlay2 "$parts/engine-forky" overlay2 "$times"
"$here/load.sh" 26-overlay2 "$parts/engine-trixie" overlay2 "$times"
"$here/load.sh" 20-overlay2 "$parts/engine-bookworm" overlay2 "$times"
"$here/reading.sh" "$times"
"$here/footprint.sh"
"$here/growth.sh"

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
