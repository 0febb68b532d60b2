#!/bin/bash
# Makes a real Docker engine from the packages of one Debian suite, without installing it: engine.sh bookworm|trixie|forky DIR
#
# DIR/bin             the programs, ready to run in place (dockerd.sh does)
# DIR/docker.tgz      the same in the layout of Docker's official static archive, with .sha256
# DIR/docker-compose  the compose plugin, with .sha256 (bookworm has none of version 2 and gets forky's)
# DIR/VERSION         the engine's version
set -euo pipefail
. "$(dirname "$0")/lib.sh"
suite=${1:?usage: engine.sh bookworm|trixie|forky DIR} dir=${2:?usage: engine.sh SUITE DIR}
case $suite in
  bookworm) wanted="docker.io containerd" compose=forky ;;
  trixie | forky) wanted="docker.io docker-cli containerd" compose=$suite ;;
  *) die "no such engine: $suite" ;;
esac

# What the programs link to.
"$(dirname "$0")/packages.sh" iptables libseccomp2 libsystemd0 libdevmapper1.02.1
! done_already "$dir" engine "$0" || exit 0
mkdir -p "$dir"
work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

for package in $wanted; do unpack "$suite" "$work" "$package" "$work/root"; done
unpack "$compose" "$work" docker-compose "$work/root"
# Newer ones of these want a newer C library than the machines of the tests have.
for package in runc tini; do unpack bookworm "$work" "$package" "$work/old"; done

rm -rf "${dir:?}/bin"
mkdir -p "$dir/bin" "$work/docker"
usr=$work/root/usr
for program in dockerd docker docker-proxy; do cp "$(find "$usr" -type f -name $program -path '*bin/*')" "$work/docker/"; done
for program in containerd containerd-shim-runc-v2 ctr; do cp "$usr/bin/$program" "$work/docker/"; done
cp "$work/old/usr/sbin/runc" "$work/docker/runc"
cp "$work/old/usr/bin/tini-static" "$work/docker/docker-init"
chmod 755 "$work"/docker/*

say "packing docker.tgz"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --format=gnu -c docker | gzip -n -6 >"$dir/docker.tgz"
mv "$work"/docker/* "$dir/bin/"
install -m 755 "$usr/libexec/docker/cli-plugins/docker-compose" "$dir/docker-compose"
(cd "$dir" && for file in docker.tgz docker-compose; do sha256sum "$file" >"$file.sha256"; done)

"$dir/bin/docker" --version | sed 's/.*version \([0-9.]*\).*/\1/' >"$dir/VERSION"
say "engine $(cat "$dir/VERSION"), $("$dir/docker-compose" version --short) of compose, in $dir"
mark_done "$dir" engine "$0"
