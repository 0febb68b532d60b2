#!/bin/bash
# Makes everything that the tests use: all.sh DIR. What is there already is left alone.
set -euo pipefail
here=$(dirname "$0") dir=${1:?usage: all.sh DIR}

"$here/packages.sh" build-essential mmdebstrap skopeo iptables kmod chromium chromium-driver fonts-noto-cjk dash e2fsprogs exfatprogs exfat-fuse minisign
for suite in bookworm trixie forky; do "$here/engine.sh" "$suite" "$dir/engine-$suite"; done
"$here/rootfs.sh" base "$dir/rootfs"
"$here/rootfs.sh" machine "$dir/rootfs"
"$here/busybox.sh" "$dir/busybox"
