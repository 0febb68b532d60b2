#!/bin/bash
# Packs the set in the guide's way and in ours, and notes sizes, times and memory.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# The guide's way: a folder with what `docker save` wrote and its checksums, as tar.gz.
mkdir -p "$bench/guide"
ln -sfn "$bench/save" "$bench/guide/offline-packages"
(cd "$bench/save" && [ -f checksums.sha256 ] || sha256sum -- *.tar >checksums.sha256)
say "the guide's tar.gz"
forget_files
clock tar -C "$bench/guide" --dereference -czf "$bench/guide.tar.gz" offline-packages
result pack-guide-seconds "$seconds"
result size-guide "$(size_of "$bench/guide.tar.gz")"

mkdir -p "$bench/app"
{
  printf '[app]\nname = "bench"\nversion = "1.0.0"\ntitle = { zh = "测量", en = "Bench" }\n'
  for image in "${images[@]}"; do
    part=${image#bench-} part=${part%:*}
    printf '[[image]]\nreference = "%s"\nsource = "archive"\npath = "../save/%s-image.tar"\n' "$image" "$part"
  done
} >"$bench/app/airlift.toml"
{
  echo 'services:'
  for image in "${images[@]}"; do
    part=${image#bench-} part=${part%:*}
    printf '  %s:\n    image: %s\n    command: ["sleep", "infinity"]\n    network_mode: host\n    stop_signal: SIGKILL\n' "$part" "$image"
  done
} >"$bench/app/docker-compose.yml"

# pack NAME OPTION...
pack() {
  say "airlift pack, ${*:2}"
  forget_files
  clock /usr/bin/time -f '%M' -o "$bench/memory" "$airlift" pack --quiet -f "$bench/app/airlift.toml" -o "$bench/$1.run" "${@:2}"
  result "pack-$1-seconds" "$seconds"
  result "pack-$1-kb" "$(tail -n 1 "$bench/memory")"
  result "size-$1" "$(size_of "$bench/$1.run")"
}
pack default --no-engine
pack best --no-engine --best
pack full --engine-docker "$engine/docker.tgz" --engine-compose "$engine/docker-compose"

# The installer program in the file, told from what the file says about itself.
"$airlift" inspect --json "$bench/default.run" >"$bench/inspect.json"
