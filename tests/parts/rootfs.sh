#!/bin/bash
# Makes a small Debian 12, for docker import: rootfs.sh base|machine DIR
#
# base     DIR/base.tar, a base for images, without package lists, manuals and locales. It names no mirror:
#          DIR/apt holds the sources.list, apt.conf and ca.crt of this machine, for the time of a build.
# machine  DIR/machine.tar, a server with systemd and without Docker (started with /sbin/init).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
kind=${1:?usage: rootfs.sh base|machine DIR} dir=${2:?usage: rootfs.sh KIND DIR}

! done_already "$dir" "$kind" "$0" || exit 0
"$(dirname "$0")/packages.sh" mmdebstrap
mkdir -p "$dir"
source="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) bookworm main"
options=(--mode=root --variant=minbase --format=tar --quiet --aptopt='Acquire::Languages "none"'
  --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --include=usr-is-merged --skip=output/dev
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*'
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*'
  --dpkgopt='path-include=/usr/share/doc/*/copyright')
# The lists of a mirror that stands still are still its lists: what apt is told here holds there.
while read -r line; do options+=(--aptopt="$line"); done < <(apt-config dump | grep -E '^Acquire::(Check-|Retries |https?::)')

# One date for all, so that the same packages give the same bytes.
export SOURCE_DATE_EPOCH=1700000000
case $kind in
  base)
    mkdir -p "$dir/apt"
    echo "$source" >"$dir/apt/sources.list"
    apt-config dump | grep -E '^Acquire::(Check-|Retries |https?::)' >"$dir/apt/apt.conf" || true
    cp /etc/ssl/certs/ca-certificates.crt "$dir/apt/ca.crt" 2>/dev/null || : >"$dir/apt/ca.crt"
    # shellcheck disable=SC2016
    options+=(--variant=apt
      --customize-hook='rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/var/lib/apt/lists/* "$1"/var/log/*'
      --customize-hook=': >"$1"/etc/resolv.conf; echo localhost >"$1"/etc/hostname')
    ;;
  machine)
    # shellcheck disable=SC2016
    options+=('--include=systemd,systemd-sysv,dbus,iptables,kmod,iproute2,procps,ca-certificates,curl'
      --customize-hook='rm -f "$1"/etc/machine-id "$1"/etc/resolv.conf; : >"$1"/etc/machine-id; echo fresh >"$1"/etc/hostname')
    ;;
  *) die "no such kind: $kind" ;;
esac

say "making $kind (half a minute)"
mmdebstrap "${options[@]}" bookworm "$dir/$kind.part" "$source" 2>"$dir/$kind.log" || { cat "$dir/$kind.log" >&2; die "mmdebstrap failed"; }
mv "$dir/$kind.part" "$dir/$kind.tar"
rm -f "$dir/$kind.log"
say "$dir/$kind.tar, $(du -h "$dir/$kind.tar" | cut -f1)"
mark_done "$dir" "$kind" "$0"
