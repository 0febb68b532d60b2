#!/bin/bash
# Brings the set into fresh engines: load.sh LABEL ENGINE STORE TIMES. Each time on an empty disk, in turn: the guide's way, one `docker load` of everything,
# ours, and, without any engine, `tar x` of the same layers: the least that any way must do.
#
# Ours is a whole installation with the engine's socket in DOCKER_HOST: it checks the file, loads, reads back, syncs, starts.
# Leaves results named LABEL-*.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
label=${1:?usage: load.sh LABEL ENGINE STORE TIMES} which=${2:?no engine} store=${3:?no store} times=${4:?how often?}

state=$disk/engine
trap 'cd "$root"; stop_watching >/dev/null; discard "$state"; drop_disk; remove_link' EXIT
docker() { "$which/bin/docker" "$@"; }
echo "$(cat "$which/VERSION"), $store" >"$results/$label-engine"

# One tar with everything, each layer once: what `docker save` makes of several images.
if ! is_current "$bench/all.tar"; then
  say "making one tar of all images"
  new_disk
  fresh "$state" overlay2
  for part in backend frontend nginx; do "$engine/bin/docker" load -q -i "$bench/save/$part-image.tar" >"$bench/command.log"; done
  "$engine/bin/docker" save -o "$bench/all.part" "${images[@]}"
  mv "$bench/all.part" "$bench/all.tar"
  discard "$state"
  drop_disk
fi

guide() {
  local from=$EPOCHREALTIME
  mkdir "$disk/unpacked"
  clock tar -C "$disk/unpacked" -xzf "$bench/guide.tar.gz"
  result "$label-guide-untar" "$seconds"
  cd "$disk/unpacked/offline-packages"
  clock sha256sum -c checksums.sha256
  result "$label-guide-sha256sum" "$seconds"
  for part in backend frontend nginx; do clock docker load -i $part-image.tar; done
  result "$label-guide" "$(since "$from")"
  cd "$root"
}

one() {
  clock docker load -i "$bench/all.tar"
  result "$label-one" "$seconds"
}

ours() {
  local load
  watch_staging "$state/data/tmp"
  install_bundle "$bench/full.run" "$disk/ours"
  stop_watching >"$bench/command.log"
  result "$label-staged" "$(cat "$bench/staging")"
  result "$label-ours-all" "$seconds"
  result "$label-ours-kb" "$peak"
  load=$(load_step "$disk/ours")
  result "$label-ours-step" "$load"
  # What comes after loading has no counterpart in the guide's way.
  result "$label-ours" "$(awk -v all="$seconds" -v after="$(after_load "$disk/ours")" 'BEGIN { print all - after }')"
}

floor() {
  mkdir "$disk/floor"
  clock bash -c 'for layer in "$1"/layers/*.tar; do mkdir "$2" && tar -C "$2" -xf "$layer" && mv "$2" "$2.${layer##*/}"; done' - "$bench" "$disk/floor/layer"
  result "$label-floor" "$seconds"
}

# What an operator sees who starts the same file again, and who comes with the next version.
again() {
  for _ in 1 2 3 4 5; do
    install_bundle "$bench/full.run" "$disk/ours"
    result "$label-again" "$seconds"
  done
  docker rm -f bench-backend-1 bench-frontend-1 bench-nginx-1 >"$bench/command.log"
  rm -rf "$disk/ours"
  install_bundle "$bench/full.run" "$disk/ours"
  result "$label-present" "$(load_step "$disk/ours")"
  install_bundle "$bench/changed.run" "$disk/ours"
  result "$label-changed" "$(load_step "$disk/ours")"
}

for turn in $(seq "$times"); do
  for way in guide one ours floor; do
    say "$label: $way, $turn of $times"
    new_disk
    [ $way = floor ] || fresh "$state" "$store" "$which"
    forget_files
    $way
    [ "$way $turn" != "ours $times" ] || again
    [ $way = floor ] || discard "$state"
    drop_disk
  done
done
