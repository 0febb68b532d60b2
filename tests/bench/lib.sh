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

# Every contender starts with what it reads on the disk, not in memory. Notes also how busy others keep the machine.
forget_files() {
  sync
  if echo 3 2>/dev/null >/proc/sys/vm/drop_caches; then echo yes; else echo no; fi >"$results/caches-dropped"
  local before after
  before=$(busy_and_all)
  sleep 1
  after=$(busy_and_all)
  result others-percent "$(echo "$before $after" | awk '{ print 100 * ($3 - $1) / ($4 - $2) }')"
}

busy_and_all() { awk '/^cpu / { for (i = 2; i <= 9; i++) all += $i; print all - $5 - $6, all; exit }' /proc/stat; }

# new_disk, drop_disk: an empty ext4 at `$disk`, as on a machine where nothing has been installed yet. On one that is used again
# and again, ext4 does not give the inodes of deleted files away for minutes and searches on: all ways get slower from turn to turn.
disk=$bench/disk
new_disk() {
  drop_disk
  fallocate -l 14G "$disk.img"
  mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$disk.img"
  mkdir -p "$disk"
  # Directly: else everything would be copied into the cache of the file below as well.
  mount "$(losetup --find --show --direct-io=on --sector-size 4096 "$disk.img")" "$disk"
}
drop_disk() {
  local device
  device=$(findmnt -n -o SOURCE "$disk" || true)
  if [ -n "$device" ]; then umount "$disk" && losetup --detach "$device"; fi
  rm -f "$disk.img"
}

size_of() { stat -c %s "$1"; }

# watch_peak PID: sets `peak`, the high-water marks of the resident memory of a process and of the one that works for it, added up,
# in kB, once it has ended. Starts no process: looking on with `pgrep` and `awk` took a fourteenth of both cores from what is measured.
watch_peak() {
  local worker= front=0 work=0 children child
  exec {tick}<> <(:)
  while kill -0 "$1" 2>/dev/null; do
    children=
    # Its children before the launcher has become the program are the launcher's own.
    [ -n "$worker" ] || read -r children 2>/dev/null <"/proc/$1/task/$1/children" || true
    for child in $children; do
      ! is_worker "$child" || worker=$child
    done
    high_water "$1" front
    [ -z "$worker" ] || high_water "$worker" work
    read -r -t 0.1 -u "$tick" || true
  done
  exec {tick}<&-
  peak=$((front + work))
}

is_worker() {
  local -a words=()
  mapfile -d '' words 2>/dev/null <"/proc/$1/cmdline" || true
  [[ " ${words[*]} " == *" __worker "* ]]
}

# high_water PID VARIABLE: sets it to the mark of a process, if that lives.
high_water() {
  local name value
  while read -r name value _; do
    [ "$name" != VmHWM: ] || printf -v "$2" %s "$value"
  done 2>/dev/null <"/proc/$1/status" || true
}

# fresh STATE STORE [ENGINE]: an engine without images, and sets DOCKER_HOST.
fresh() {
  "$root/tests/parts/dockerd.sh" stop "$1" --purge 2>/dev/null
  DOCKER_HOST=$("$root/tests/parts/dockerd.sh" start "${3:-$engine}" "$1" "$2" 2>/dev/null)
  export DOCKER_HOST
}

discard() { "$root/tests/parts/dockerd.sh" stop "$1" --purge 2>/dev/null; }

# Whether a file was made from the set of images that is there now.
is_current() { [ -f "$1" ] && [ "$1" -nt "$bench/.images" ]; }

# install_bundle BUNDLE DIR: sets `seconds` and `peak`.
install_bundle() {
  local from=$EPOCHREALTIME pid
  "$1" install --yes --lang en --dir "$2" >"$bench/install.out" 2>&1 &
  pid=$!
  watch_peak $pid
  wait $pid || { tail -n 20 "$bench/install.out" >&2; die "the installation failed"; }
  seconds=$(since "$from")
}

# Seconds of each step of all runs there, as the installer itself notes them: number, seconds, first word.
steps() {
  sed -n 's/.*"step-finished","number":\([0-9]*\),.*"millis":\([0-9]*\),"title":{"en":"\([A-Za-z]*\).*/\1 \2 \3/p' \
    "$1/.airlift/install.log" | awk '{ print $1, $2 / 1000, $3 }'
}
load_step() { steps "$1" | awk '$3 == "Load" || $3 == "Images" { t = $2 } END { print t }'; }
after_load() { steps "$1" | awk '$3 == "Load" || $3 == "Images" { t = 0; next } { t += $2 } END { print t }'; }

# watch_staging DIR ... stop_watching: the latter prints the most bytes that lay in DIR at one time, looked at ten times a second.
watch_staging() {
  echo 0 >"$bench/staging"
  (
    most=0
    while :; do
      now=$(du -sb "$1" 2>/dev/null | cut -f 1)
      [ "${now:-0}" -le "$most" ] || { most=$now && echo "$most" >"$bench/staging"; }
      sleep 0.1
    done
  ) &
  watcher=$!
}
stop_watching() {
  [ -n "${watcher:-}" ] || return 0
  kill "$watcher" 2>/dev/null || true
  watcher=
  cat "$bench/staging"
}

# The one link that an installation makes outside its folders.
remove_link() {
  [[ $(readlink /usr/local/bin/benchctl) != "$bench"/* ]] || rm /usr/local/bin/benchctl
}
