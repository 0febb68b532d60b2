#!/bin/bash
# Brings the set into fresh engines, in the guide's way and in ours, in turn: load.sh STORE TIMES
#
# Ours is a whole installation with the engine's socket in DOCKER_HOST: it checks the file, loads, reads back, syncs, starts.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
store=${1:?usage: load.sh overlay2|containerd TIMES} times=${2:?usage: load.sh STORE TIMES}

state=$bench/engine
trap 'discard "$state"; rm -rf "$bench/unpacked" "$bench/ours" "$bench/floor"; remove_link' EXIT

guide() {
  local from=$EPOCHREALTIME
  mkdir "$bench/unpacked"
  clock tar -C "$bench/unpacked" -xzf "$bench/guide.tar.gz"
  result "$store-guide-untar" "$seconds"
  cd "$bench/unpacked/offline-packages"
  clock sha256sum -c checksums.sha256
  result "$store-guide-sha256sum" "$seconds"
  for part in backend frontend nginx; do clock "$engine/bin/docker" load -i $part-image.tar; done
  result "$store-guide" "$(since "$from")"
  cd "$root"
  rm -rf "$bench/unpacked"
}

ours() {
  local log=$bench/ours/.airlift/install.log load
  install_bundle "$bench/ours"
  result "$store-ours-all" "$seconds"
  result "$store-ours-kb" "$peak"
  # Number and milliseconds of each step, as the installer itself notes them.
  sed -n 's/.*"step-finished","number":\([0-9]*\),.*"millis":\([0-9]*\),"title":{"en":"\([A-Za-z]*\).*/\1 \2 \3/p' "$log" >"$bench/steps"
  load=$(awk '$3 == "Load" { print $1 }' "$bench/steps")
  result "$store-ours-step" "$(awk -v load="$load" '$1 == load { print $2 / 1000 }' "$bench/steps")"
  result "$store-ours" "$(awk -v load="$load" -v all="$seconds" '$1 > load { after += $2 } END { print all - after / 1000 }' "$bench/steps")"
}

# The least that any way must do: write the files.
floor() {
  mkdir "$bench/floor"
  clock bash -c 'for layer in "$1"/layers/*.tar; do mkdir "$2" && tar -C "$2" -xf "$layer" && mv "$2" "$2.${layer##*/}"; done' - "$bench" "$bench/floor/layer"
  result floor "$seconds"
  rm -rf "$bench/floor"
}

for turn in $(seq "$times"); do
  for way in guide ours; do
    say "store $store, $way, $turn of $times"
    fresh "$state" "$store"
    forget_files
    $way
    # What an operator sees who starts the same file again.
    if [ $way = ours ] && [ "$turn" = "$times" ]; then
      for _ in 1 2 3 4 5; do
        install_bundle "$bench/ours"
        result "$store-again" "$seconds"
      done
    fi
    discard "$state"
    rm -rf "$bench/ours"
  done
  [ "$store" = overlay2 ] || { forget_files; floor; }
done
