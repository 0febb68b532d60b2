#!/bin/bash
# Runs an engine made by engine.sh beside everything else on the machine:
#
#   dockerd.sh start ENGINE STATE [overlay2|containerd] [OPTION...]   everything below STATE; prints what DOCKER_HOST must be
#   dockerd.sh stop STATE [--purge]                                   and, with --purge, takes STATE away
#
# Its containers have the host's network or none: the engine touches neither bridges nor firewall rules. OPTIONs go to dockerd.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# What containerd and docker leave behind outside STATE: empty folders, and the key of 20.10. Those that were there before stay.
traces=(/opt/containerd/bin /opt/containerd/lib /opt/containerd /run/containerd /run/docker/plugins /run/docker
  /etc/docker/key.json /etc/docker)

alive() { [ -f "$state/pid" ] && kill -0 "$(cat "$state/pid")" 2>/dev/null; }

start() {
  engine=$(realpath "${1:?no engine given}") store=${3:-overlay2}
  mkdir -p "$2"
  state=$(realpath "$2")
  if ! alive; then
    for trace in "${traces[@]}"; do [ -e "$trace" ] || echo "$trace"; done >"$state/traces"
    echo '{}' >"$state/daemon.json"
    [ "$store" = overlay2 ] || echo '{"features":{"containerd-snapshotter":true}}' >"$state/daemon.json"
    # Sockets of containerd lie under the exec root, and a socket's path is at most 107 characters long.
    PATH=$engine/bin:$PATH setsid nohup "$engine/bin/dockerd" --config-file "$state/daemon.json" --data-root "$state/data" \
      --exec-root "$state/run" --pidfile "$state/pid" -H "unix://$state/sock" --bridge none --iptables=false "${@:4}" \
      >"$state/log" 2>&1 </dev/null &
    local child=$!
    for _ in $(seq 150); do
      ! DOCKER_HOST=unix://$state/sock "$engine/bin/docker" info >/dev/null 2>&1 || break
      kill -0 $child 2>/dev/null || { tail -n 20 "$state/log" >&2; die "the engine ended at once"; }
      sleep 0.2
    done
    alive || { tail -n 20 "$state/log" >&2; die "the engine does not answer"; }
    say "engine $(cat "$engine/VERSION") runs, store $store, pid $(cat "$state/pid")"
  fi
  echo "unix://$state/sock"
}

stop() {
  state=$(realpath -m "${1:?no state given}")
  if alive; then
    local pid
    pid=$(cat "$state/pid")
    kill "$pid"
    for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    ! kill -0 "$pid" 2>/dev/null || die "engine $pid does not end"
    say "engine $pid stopped"
  fi
  [ "${2:-}" = --purge ] || return 0
  awk -v s="$state/" 'index($2, s) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l
  [ ! -f "$state/traces" ] || xargs -r rm -df <"$state/traces" 2>/dev/null || true
  rm -rf "${state:?}"
}

case ${1:-} in
  start | stop) "$@" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
