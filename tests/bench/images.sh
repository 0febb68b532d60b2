#!/bin/bash
# Builds the set of images that is measured, about as large as a real application, and keeps it below target/bench:
#
#   save/backend-image.tar ...  each image as `docker save` writes it
#   layers/*.tar                each distinct layer once
#   images                      what is in the set
set -euo pipefail
. "$(dirname "$0")/lib.sh"

! done_already "$bench" images "$0" || exit 0
"$root/tests/parts/engine.sh" forky "$engine"
"$root/tests/parts/rootfs.sh" base "$parts/rootfs"
"$root/tests/parts/packages.sh" jq mmdebstrap

state=$bench/builder
trap 'discard "$state"; rm -rf "$bench/context"' EXIT
fresh "$state" overlay2
docker() { "$engine/bin/docker" "$@"; }
rm -rf "$bench/save" "$bench/layers" "$bench/guide.tar.gz" "$bench"/*.run "$bench/context"
mkdir -p "$bench/save" "$bench/layers" "$bench/context/build"
# With manuals, translations and package caches, unlike the base of the tests: as images are when nobody thinned them.
say "making the base"
mmdebstrap --variant=minbase --mode=root --quiet --aptopt='Acquire::Languages "none"' --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
  --include=usr-is-merged --aptopt="$parts/rootfs/apt/apt.conf" bookworm "$bench/context/base.tar" "$(<"$parts/rootfs/apt/sources.list")" \
  >"$bench/build.log" 2>&1 || { tail "$bench/build.log" >&2; die "mmdebstrap failed"; }
docker import "$bench/context/base.tar" bench-base >>"$bench/build.log"
rm "$bench/context/base.tar"

# Where this machine gets packages from, for the time of the build.
cp "$parts"/rootfs/apt/* "$bench/context/build/"
for name in http_proxy https_proxy no_proxy PIP_INDEX_URL PIP_EXTRA_INDEX_URL npm_config_registry; do
  [ -z "${!name:-}" ] || echo "export $name='${!name}'"
done >"$bench/context/build/env"
cat >"$bench/context/build/install" <<'END'
set -e
. /build/env
export DEBIAN_FRONTEND=noninteractive PIP_CERT=/build/ca.crt NODE_EXTRA_CA_CERTS=/build/ca.crt
cp /build/sources.list /etc/apt/sources.list
cp /build/apt.conf /etc/apt/apt.conf.d/99build
echo 'Acquire::https::CaInfo "/build/ca.crt";' >/etc/apt/apt.conf.d/98build
apt-get -q update
apt-get -q install -y --no-install-recommends $1
eval "${2:-}"
rm -rf /var/lib/apt/lists/* /etc/apt/sources.list /etc/apt/apt.conf.d/9?build
END

# build NAME PACKAGES COMMAND
build() {
  say "building $1"
  printf 'FROM bench-base\nCOPY build /build\nRUN sh /build/install "%s" "%s"\n' "$2" "$3" >"$bench/context/Dockerfile"
  DOCKER_BUILDKIT=0 docker build --network host --tag "bench-$1:1.0" "$bench/context" >>"$bench/build.log" 2>&1 ||
    { tail -n 30 "$bench/build.log" >&2; die "cannot build $1; all of it: $bench/build.log"; }
  docker save --output "$bench/save/$1-image.tar" "bench-$1:1.0"
}
build backend "python3 python3-venv" "python3 -m venv /venv; /venv/bin/pip install -q fastapi 'uvicorn[standard]' sqlalchemy httpx numpy pandas"
build frontend "nodejs npm" "mkdir /app; cd /app; npm init -y; npm install next@14 react@18 react-dom@18"
build nginx nginx-light ""

docker save "${images[@]}" | tar -C "$bench/layers" -x
jq -r '.[].Layers[]' "$bench/layers/manifest.json" | sort -u | while read -r blob; do
  mv "$bench/layers/$blob" "$bench/layers/${blob##*/}.tar"
done
find "$bench/layers" -mindepth 1 ! -name '*.tar' -delete
docker image ls --format '{{.Repository}} {{.Size}}' | grep -v base | sort >"$bench/images"
say "$(tr '\n' ' ' <"$bench/images"), distinct layers $(du -h --apparent-size -s "$bench/layers" | cut -f1)"
mark_done "$bench" images "$0"
