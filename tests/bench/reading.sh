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
  # watch_stick, stop_watching: bytes that came from the medium, by the second. What is read at the very end is the program, for
  # its copy beside the project.
  watch_stick() {
    : >"$bench/stick"
    (
      from=$EPOCHREALTIME
      while :; do
        awk -v time="$(since "$from")" '$2 == "Read" { sum += $3 } END { print time, sum + 0 }' $group/blkio.throttle.io_service_bytes >>"$bench/stick"
        sleep 0.05
      done
    ) &
    watcher=$!
  }
  # Seconds until all but a hundredth had come.
  stick_read() { awk '{ time[NR] = $1; sum[NR] = $2 } END { for (i = 1; i <= NR; i++) if (sum[i] - sum[1] >= 0.99 * (sum[NR] - sum[1])) { print time[i]; exit } }' "$bench/stick"; }
  for _ in $(seq "$times"); do
    forget_files
    slowly cat "$bench/full.run"
    result stick-cat "$seconds"
    fresh "$state" containerd
    forget_files
    watch_stick
    slowly "$bench/full.run" install --yes --lang en --dir "$bench/ours"
    stop_watching >/dev/null
    result stick-read "$(stick_read)"
    result stick-load "$(awk -v all="$seconds" -v after="$(after_load "$bench/ours")" 'BEGIN { print all - after }')"
    discard "$state"
    rm -rf "$bench/ours"
    remove_link
  done
else
  say "this machine cannot slow a disk down (no blkio control group): loading from a slow stick is not measured"
fi
