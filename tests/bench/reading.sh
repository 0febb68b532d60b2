#!/bin/bash
# reading.sh [TIMES]: how fast the file is read: verify against sha256sum, on one core and on all; loading from a slow stick against `cat` from it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
times=${1:-3}
state=$bench/engine
group=/sys/fs/cgroup/blkio/airlift-bench
trap 'stop_watching >/dev/null; discard "$state"; rm -rf "$bench/ours"; remove_link; ! [ -d $group ] || rmdir $group' EXIT

for _ in $(seq "$times"); do
  for cores in 0 "0-$(($(nproc) - 1))"; do
    forget_files
    clock taskset -c "$cores" sha256sum "$bench/full.run"
    result "sha256sum-$cores" "$seconds"
    forget_files
    clock taskset -c "$cores" "$bench/full.run" verify
    result "verify-$cores" "$seconds"
  done
done

# A stick of 40 MB/s: the disk under the file, slowed down for the reader alone. The engine writes at full speed.
device=$(findmnt -n -o MAJ:MIN -T "$bench" | tr -d ' ')
if mkdir -p $group 2>/dev/null && echo "$device 40000000" >$group/blkio.throttle.read_bps_device 2>/dev/null; then
  slowly() { clock bash -c 'echo $$ >'"$group"'/tasks && exec "$@"' - "$@"; }
  # watch_stick, stop_watching: the latter leaves the seconds until the last byte came from the medium.
  watch_stick() {
    (
      from=$EPOCHREALTIME last=
      while :; do
        now=$(awk '$2 == "Read" { sum += $3 } END { print sum + 0 }' $group/blkio.throttle.io_service_bytes)
        [ "$now" = "$last" ] || { last=$now && since "$from" >"$bench/staging"; }
        sleep 0.05
      done
    ) &
    watcher=$!
  }
  for _ in $(seq "$times"); do
    forget_files
    slowly cat "$bench/full.run"
    result stick-cat "$seconds"
    fresh "$state" containerd
    forget_files
    watch_stick
    slowly "$bench/full.run" install --yes --lang en --dir "$bench/ours"
    result stick-read "$(stop_watching)"
    result stick-load "$(awk -v all="$seconds" -v after="$(after_load "$bench/ours")" 'BEGIN { print all - after }')"
    discard "$state"
    rm -rf "$bench/ours"
    remove_link
  done
else
  say "this machine cannot slow a disk down (no blkio control group): loading from a slow stick is not measured"
fi
