#!/bin/bash
# How loading grows: with the number of images (1 to 40, each with a layer of 10 MB above a shared base), and with bytes (one
# image with one layer of 0.1 to 8 GB). Notes the time of the load step and the installer's memory, and draws both.
#
# The content is sparse: one byte in four thousand is not zero. What is measured is the way of the bytes, not decompression.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
"$root/tests/parts/packages.sh" gnuplot-nox jq

work=$bench/growth
state=$bench/engine
trap 'discard "$state"; rm -rf "$work" "$bench/ours"; remove_link' EXIT
rm -rf "$work"
mkdir -p "$work/blobs"
rm -f "$results"/growth-*

# layer BYTES SEED: makes a layer's tar and prints its diff ID.
layer() {
  local diff_id
  rm -rf "$work/tree"
  mkdir "$work/tree"
  truncate -s "$1" "$work/tree/data-$2"
  # Something in it, so that no two layers are equal.
  echo "$2" | dd of="$work/tree/data-$2" conv=notrunc status=none
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=ustar -C "$work/tree" -cf "$work/layer" .
  diff_id=$(sha256sum "$work/layer" | cut -d ' ' -f 1)
  mv "$work/layer" "$work/blobs/$diff_id.tar"
  echo "$diff_id"
}

# image NAME DIFF_ID...: adds an image to the archive in the making.
image() {
  local name=$1 config
  shift
  jq -cn '{architecture: "amd64", os: "linux", config: {Cmd: ["/bin/sh"]}, rootfs: {type: "layers", diff_ids: $ARGS.positional}}' \
    --args "${@/#/sha256:}" >"$work/config"
  config=$(sha256sum "$work/config" | cut -d ' ' -f 1).json
  mv "$work/config" "$work/blobs/$config"
  jq -cn --arg config "$config" --arg tag "$name" '{Config: $config, RepoTags: [$tag], Layers: ($ARGS.positional | map(. + ".tar"))}' \
    --args "$@" >>"$work/manifest"
}

# pack NAME: a bundle of the images that were added.
pack() {
  local tag
  jq -cs . "$work/manifest" >"$work/blobs/manifest.json"
  tar -C "$work/blobs" -cf "$work/images.tar" .
  {
    printf '[app]\nname = "bench"\nversion = "1.0.0"\ntitle = { zh = "测量", en = "Bench" }\n'
    jq -r '.RepoTags[0]' "$work/manifest" | while read -r tag; do
      printf '[[image]]\nreference = "%s"\nsource = "archive"\npath = "images.tar"\n' "$tag"
    done
  } >"$work/airlift.toml"
  tag=$(jq -r '.RepoTags[0]' "$work/manifest" | head -n 1)
  printf 'services:\n  one:\n    image: %s\n    scale: 0\n' "$tag" >"$work/docker-compose.yml"
  clock "$airlift" pack --quiet -f "$work/airlift.toml" -o "$work/$1.run" --engine-docker "$engine/docker.tgz" --engine-compose "$engine/docker-compose"
  rm -rf "$work/images.tar" "$work/manifest" "$work/blobs"
  mkdir "$work/blobs"
}

# measure SERIES X STORE BUNDLE
measure() {
  fresh "$state" "$3"
  forget_files
  install_bundle "$4" "$bench/ours" || true
  echo "$2 $(load_step "$bench/ours") $peak" >>"$results/growth-$1-$3"
  discard "$state"
  rm -rf "$bench/ours"
  remove_link
}

for count in 1 10 20 40; do
  say "growth: $count images"
  base=$(layer 20000000 base)
  for number in $(seq "$count"); do image "bench-$number:1" "$base" "$(layer 10000000 "$number")"; done
  pack images
  for store in containerd overlay2; do measure images "$count" $store "$work/images.run"; done
done
for megabytes in 100 2000 8000; do
  say "growth: $megabytes MB in one layer"
  image bench-large:1 "$(layer ${megabytes}000000 large)"
  pack bytes
  for store in containerd overlay2; do measure bytes $megabytes $store "$work/bytes.run"; done
done

gnuplot <<END
set terminal svg size 900,360 font "sans-serif,12" background "white"
set output "$root/docs/pictures/growth.svg"
set multiplot layout 1,2
set grid
set key top left
set yrange [0:]
set xrange [0:]
set ylabel "seconds of the load step"
set xlabel "images, each with a layer of 10 MB"
plot "$results/growth-images-containerd" using 1:2 with linespoints title "containerd store", \
     "$results/growth-images-overlay2" using 1:2 with linespoints title "overlay2"
set xlabel "GB in one layer"
plot "$results/growth-bytes-containerd" using (\$1/1000):2 with linespoints title "containerd store", \
     "$results/growth-bytes-overlay2" using (\$1/1000):2 with linespoints title "overlay2"
END
