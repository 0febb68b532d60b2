# shellcheck shell=bash
# What the scripts in this folder share: where things lie, clocks, and the results that `report.sh` turns into tables.
. "$(dirname "${BASH_SOURCE[0]}")/../parts/lib.sh"

root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
bench=${BENCH_DIR:-$root/target/bench}
parts=$root/target/parts
airlift=${AIRLIFT:-$root/target/x86_64-unknown-linux-gnu/release/airlift}
engine=$parts/engine-forky
results=$bench/results
images=(bench-backend:1.0 bench-frontend:1.0 bench-nginx:1.0)

mkdir -p "$results"

# result NAME VALUE: adds one measured value to a series.
result() { echo "$2" >>"$results/$1"; }

# clock COMMAND...: runs it quietly and sets `seconds`.
clock() {
  local from=$EPOCHREALTIME
  "$@" >"$bench/command.log" 2>&1 || { tail -n 20 "$bench/command.log" >&2; die "failed: $*"; }
  seconds=$(since "$from")
}

since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", b - a }'; }

# Every contender starts with what it reads on the disk, not in memory.
forget_files() {
  sync
  if echo 3 2>/dev/null >/proc/sys/vm/drop_caches; then echo yes; else echo no; fi >"$results/caches-dropped"
}

size_of() { stat -c %s "$1"; }

# watch_peak PID FILE: writes the high-water mark of a process's resident memory in kB, for as long as it lives.
watch_peak() {
  local line
  while line=$(grep VmHWM "/proc/$1/status" 2>/dev/null); do
    echo "$line" | tr -dc 0-9 >"$2"
    sleep 0.02
  done
}

# fresh STATE STORE: an engine without images, and sets DOCKER_HOST.
fresh() {
  "$root/tests/parts/dockerd.sh" stop "$1" --purge 2>/dev/null
  DOCKER_HOST=$("$root/tests/parts/dockerd.sh" start "$engine" "$1" "$2" 2>/dev/null)
  export DOCKER_HOST
}

discard() { "$root/tests/parts/dockerd.sh" stop "$1" --purge 2>/dev/null; }
