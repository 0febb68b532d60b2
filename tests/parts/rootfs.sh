#!/bin/bash
# Makes a small Debian, for docker import: rootfs.sh KIND DIR
#
# base             DIR/base.tar, a base for images of Debian 12, without package lists, manuals and locales. It names no mirror:
#                  DIR/apt holds the sources.list, apt.conf and ca.crt of this machine, for the time of a build.
# machine          DIR/machine.tar, a server of Debian 12 with systemd and without Docker (started with /sbin/init).
# machine-bullseye, machine-trixie
#                  the same of Debian 11 and 13; with firewalld, ufw and sudo, neither firewall active.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
kind=${1:?usage: rootfs.sh KIND DIR} dir=${2:?usage: rootfs.sh KIND DIR}

! done_already "$dir" "$kind" "$0" || exit 0
"$(dirname "$0")/packages.sh" mmdebstrap
mkdir -p "$dir"
suite=bookworm
[[ $kind != machine-* ]] || suite=${kind#machine-}
source="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $suite main"
options=(--mode=root --variant=minbase --format=tar --quiet --aptopt='Acquire::Languages "none"'
  --skip=output/dev
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*'
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*'
  --dpkgopt='path-include=/usr/share/doc/*/copyright')
if [ "$suite" = bullseye ]; then
  # The hook below wants a package that this suite does not have yet.
  # shellcheck disable=SC2016
  options+=(--setup-hook='for name in bin sbin lib lib64; do mkdir -p "$1/usr/$name" && ln -s "usr/$name" "$1/$name"; done')
else
  options+=(--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --include=usr-is-merged)
fi
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
  machine | machine-bullseye | machine-trixie)
    # shellcheck disable=SC2016
    options+=('--include=systemd,systemd-sysv,dbus,iptables,kmod,iproute2,procps,ca-certificates,curl'
      --customize-hook='rm -f "$1"/etc/machine-id "$1"/etc/resolv.conf; : >"$1"/etc/machine-id; echo fresh >"$1"/etc/hostname')
    # A machine boots before a test looks at it, and then has no firewall; which one it is to have, the test says.
    # shellcheck disable=SC2016
    [ "$kind" = machine ] || options+=('--include=firewalld,ufw,sudo'
      --customize-hook='chroot "$1" systemctl disable firewalld')
    ;;
  *) die "no such kind: $kind" ;;
esac

say "making $kind (half a minute)"
mmdebstrap "${options[@]}" "$suite" "$dir/$kind.part" "$source" 2>"$dir/$kind.log" || { cat "$dir/$kind.log" >&2; die "mmdebstrap failed"; }
mv "$dir/$kind.part" "$dir/$kind.tar"
rm -f "$dir/$kind.log"
say "$dir/$kind.tar, $(du -h "$dir/$kind.tar" | cut -f1)"
mark_done "$dir" "$kind" "$0"
