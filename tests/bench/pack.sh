#!/bin/bash
# Packs the set in the guide's way and in ours, and notes sizes, times and memory.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

"$root/tests/parts/packages.sh" time

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
  say "airlift pack ${*:2}"
  forget_files
  clock /usr/bin/time -f '%M' -o "$bench/memory" "$airlift" pack --quiet -f "$bench/app/airlift.toml" -o "$bench/$1.run" "${@:2}"
  result "pack-$1-seconds" "$seconds"
  result "pack-$1-kb" "$(tail -n 1 "$bench/memory")"
  result "size-$1" "$(size_of "$bench/$1.run")"
}
pack default --no-engine
pack full --engine-docker "$engine/docker.tgz" --engine-compose "$engine/docker-compose"

# The next version: one layer of 5 MB on top of one image is new.
if ! is_current "$bench/changed.tar"; then
  say "making an image with one more layer"
  fresh "$bench/builder" overlay2
  "$engine/bin/docker" load -q -i "$bench/save/backend-image.tar" >"$bench/command.log"
  mkdir -p "$bench/context"
  head -c 5000000 /dev/urandom >"$bench/context/patch"
  printf 'FROM bench-backend:1.0\nCOPY patch /patch\n' >"$bench/context/Dockerfile"
  DOCKER_BUILDKIT=0 "$engine/bin/docker" build -q --tag bench-backend:1.0 "$bench/context" >"$bench/command.log" 2>&1
  "$engine/bin/docker" save -o "$bench/changed.part" bench-backend:1.0
  mv "$bench/changed.part" "$bench/changed.tar"
  discard "$bench/builder"
  rm -rf "$bench/context"
fi
mkdir -p "$bench/app-changed"
cp "$bench/app/docker-compose.yml" "$bench/app-changed/"
sed 's/^version = .*/version = "1.0.1"/; s,\.\./save/backend-image\.tar,../changed.tar,' "$bench/app/airlift.toml" >"$bench/app-changed/airlift.toml"
clock "$airlift" pack --quiet -f "$bench/app-changed/airlift.toml" -o "$bench/changed.run" --engine-docker "$engine/docker.tgz" --engine-compose "$engine/docker-compose"

# Takes longer than all the rest, so it is done again only when what decides about it has changed.
made_of=$(cat "$bench/.images" "$root"/packer/src/{assemble,image/layer,image/layer/frames}.rs "$root/bundle-spec/src/limits.rs" <(grep -A1 "name = \"zstd-sys\"" "$root/Cargo.lock") | sha256sum)
if [ "$(cat "$bench/best/made-of" 2>/dev/null)" != "$made_of" ]; then
  pack best --no-engine --best
  mkdir -p "$bench/best"
  mv "$results"/*-best* "$bench/best/"
  rm "$bench/best.run"
  echo "$made_of" >"$bench/best/made-of"
fi
cp "$bench"/best/*-best* "$results/"

# The installer program, cut out of the file by what its launcher says.
read -r block blocks rest < <(head -c 8192 "$bench/full.run" | sed -n 's/.*stub_block=\([0-9]*\) stub_blocks=\([0-9]*\) stub_rest=\([0-9]*\).*/\1 \2 \3/p')
tail -c +$((block * 4096 + 1)) "$bench/full.run" | head -c $((blocks * 4096 + rest)) >"$bench/stub" || true
result size-stub "$(size_of "$bench/stub")"
if ldd "$bench/stub" >"$bench/ldd" 2>&1; then cat "$bench/ldd"; else echo "not a dynamic executable"; fi | tr -d '\t' >"$results/stub-links"
