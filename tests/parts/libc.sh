#!/bin/bash
# Fetches Debian 12's C library: libc.sh DIR gives DIR/libc6.deb
#
# Docker's static archive runs on any Debian; the engine of the tests, made of packages, needs at least this library. So a machine
# of Debian 11 is given it before an engine is installed there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
dir=${1:?usage: libc.sh DIR} suite=bookworm package=libc6

! done_already "$dir" libc "$0" || exit 0
mkdir -p "$dir"
work=$(mktemp -d "$dir/libc.XXXXXX")
trap 'rm -rf "$work"' EXIT
index $suite "$work"
download "$(mirror)/$(field $suite "$work" $package Filename)" "$work/$package.deb" "$(field $suite "$work" $package SHA256)"
mv "$work/$package.deb" "$dir/"
mark_done "$dir" libc "$0"
