#!/bin/sh
# Runs in the first stage of each Dockerfile: installs packages and copies what they added below /added.
# The second stage takes /added alone, so neither package lists nor the sources used here become part of an image.
set -eu

if [ -s /build/apt/sources.list ]; then
  rm -rf /etc/apt/sources.list.d/*
  cp /build/apt/sources.list /etc/apt/sources.list
fi
[ ! -s /build/apt/apt.conf ] || cp /build/apt/apt.conf /etc/apt/apt.conf.d/99build
[ ! -s /build/apt/ca.crt ] || echo 'Acquire::https::CaInfo "/build/apt/ca.crt";' >/etc/apt/apt.conf.d/98build

export DEBIAN_FRONTEND=noninteractive
touch /build/start
apt-get -q update
apt-get -q install -y --no-install-recommends -o APT::Cache-Start=50000000 "$@"

mkdir /added
find / -xdev -cnewer /build/start \
  ! -path / ! -path '/build*' ! -path '/added*' ! -path '/etc/apt*' ! -path '/tmp*' ! -path '/var/cache/*' ! -path '/var/log/*' \
  ! -path '/var/lib/apt/*' ! -path '/usr/share/doc/*' ! -path '/usr/share/man/*' ! -path '/usr/share/locale/*' ! -name '*-old' -print0 |
  tar --null --no-recursion -T - -cf - | tar -C /added -xpf -
