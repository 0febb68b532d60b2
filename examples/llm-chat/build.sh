#!/bin/bash
# Builds the three images of the example from Debian packages, with a running Docker engine and no registry but the one of the base:
#
#   [DOCKER=docker] [DOCKER_HOST=...] [BASE=debian:bookworm-slim] [APT=DIR] ./build.sh
#
# BASE is an image of Debian 12. APT is a folder with a sources.list, and an apt.conf and a ca.crt if you like, for networks
# with a mirror of their own; it serves while building and leaves nothing in the images.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
docker=${DOCKER:-docker} base=${BASE:-debian:bookworm-slim} version=1.0.0

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp -r "$here/packages.sh" "$here/backend" "$here/frontend" "$here/nginx" "$context/"
mkdir "$context/apt"
[ -z "${APT:-}" ] || cp "$APT"/* "$context/apt/"

for part in backend frontend nginx; do
  echo "build.sh: llm-chat-$part:$version" >&2
  DOCKER_BUILDKIT=0 "$docker" build --network host --build-arg "BASE=$base" --file "$context/$part/Dockerfile" \
    --tag "llm-chat-$part:$version" "$context" >"$context/log" 2>&1 || { cat "$context/log" >&2; exit 1; }
done
"$docker" image ls --format '{{.Repository}}:{{.Tag}} {{.Size}}' | grep "^llm-chat-.*:$version " >&2
