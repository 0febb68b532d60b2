#!/bin/bash
# Makes everything that the tests use: all.sh DIR. What is there already is left alone.
set -euo pipefail
here=$(dirname "$0") dir=${1:?usage: all.sh DIR}

"$here/packages.sh" build-essential mmdebstrap skopeo iptables kmod chromium chromium-driver fonts-noto-cjk dash e2fsprogs exfatprogs exfat-fuse minisign
for suite in bookworm trixie forky; do "$here/engine.sh" "$suite" "$dir/engine-$suite"; done
for kind in base machine machine-bullseye machine-trixie; do "$here/rootfs.sh" "$kind" "$dir/rootfs"; done
"$here/busybox.sh" "$dir/busybox"
"$here/libc.sh" "$dir/libc"
