#!/bin/bash
# Fetches a static busybox, which makes an image of 2 MB by itself: busybox.sh DIR gives DIR/busybox
set -euo pipefail
. "$(dirname "$0")/lib.sh"
dir=${1:?usage: busybox.sh DIR}

! done_already "$dir" busybox "$0" || exit 0
mkdir -p "$dir"
work=$(mktemp -d "$dir/busybox.XXXXXX")
trap 'rm -rf "$work"' EXIT
unpack bookworm "$work" busybox-static "$work/root"
install -m 755 "$work/root/bin/busybox" "$dir/busybox"
mark_done "$dir" busybox "$0"
