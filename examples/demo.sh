#!/bin/bash
# The whole way in one command: demo.sh up builds the packer, the example's images and the bundle, installs it with a private
# engine under target/demo, and says where to look. demo.sh down stops it and clears it away. Nothing is left outside the
# checkout but Debian packages. DEMO_PORT is the port of the page, 18080 if not given.
set -euo pipefail
cd "$(dirname "$0")/.."
parts=target/parts demo=$PWD/target/demo app=$PWD/target/demo/llm-chat
airlift=$PWD/target/x86_64-unknown-linux-gnu/release/airlift
http=${DEMO_PORT:-18080} backend=18000 frontend=13000 llm=11553

# pick ENGLISH CHINESE: prints the one that the locale asks for.
pick() {
  case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
    zh*[Uu][Tt][Ff]*8*) printf '%s\n' "$2" ;;
    *) printf '%s\n' "$1" ;;
  esac
}
say() { printf '\n--- %s: %s\n' "$(date +%T)" "$(pick "$@")"; }

# stop ENGLISH CHINESE: what is wrong and what to do, before anything was done.
stop() {
  printf 'error: %s\n' "$(pick "$@")" >&2
  exit 2
}

# taken PORT: true if somebody else listens there. A demo that runs already, with the port in its settings, is not somebody else.
taken() {
  local hex
  if grep -Eqs "[^0-9]$1([^0-9]|\$)" "$app/.env"; then return 1; fi
  hex=$(printf '%04X' "$1")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$hex" '
    $4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
    END { exit !found }'
}

# ports: stops if one cannot be used; all of it is known before the building begins.
ports() {
  local port
  if ! [[ $http =~ ^[1-9][0-9]{0,4}$ ]] || ((http > 65535)); then
    stop "DEMO_PORT is \"$http\", which is no port: give a number from 1 to 65535, for instance DEMO_PORT=9090 make demo" \
      "DEMO_PORT 的值“$http”不是端口号：请给出 1 到 65535 之间的数字，例如 DEMO_PORT=9090 make demo"
  fi
  for port in $backend $frontend $llm; do
    [ "$http" != "$port" ] ||
      stop "DEMO_PORT is $http, which the demo itself uses: give another one, for instance DEMO_PORT=9090 make demo" \
        "DEMO_PORT 的值 $http 已由演示自身使用：请换一个，例如 DEMO_PORT=9090 make demo"
    ! taken "$port" ||
      stop "port $port, which the demo needs, is in use: stop the program that listens there; ss -ltnp 'sport = :$port' names it" \
        "演示所需的端口 $port 已被占用：请停止占用它的程序，可用 ss -ltnp 'sport = :$port' 查看"
  done
  ! taken "$http" ||
    stop "port $http is in use: give the page another one, for instance DEMO_PORT=9090 make demo, or stop the program that listens there" \
      "端口 $http 已被占用：请为网页换一个端口，例如 DEMO_PORT=9090 make demo，或停止占用它的程序"
}

down() {
  if [ -x "$app/bin/llm-chatctl" ]; then
    say "Stopping the demo and clearing it away" "停止演示并清理"
    echo llm-chat | "$app/bin/llm-chatctl" uninstall --purge
  fi
  [ ! -d "$demo/vendor" ] || tests/parts/dockerd.sh stop "$demo/vendor" --purge
  rm -rf "$demo"
}

up() {
  ports
  say "1/6 Packages, a Docker engine, and a base for images, from Debian's mirror (in the background)" \
    "1/6 从 Debian 镜像站获取软件包、Docker 引擎和基础镜像（后台进行）"
  mkdir -p "$demo"
  tests/parts/packages.sh build-essential curl iptables kmod mmdebstrap
  (tests/parts/engine.sh forky "$parts/engine-forky" && tests/parts/rootfs.sh base "$parts/rootfs") &
  local fetching=$!
  say "2/6 Building airlift, with the installer inside (about four minutes the first time)" "2/6 构建 airlift（内含安装程序，首次约四分钟）"
  cargo build --release
  wait "$fetching"

  say "3/6 Building the example's images, as a vendor would (about a minute)" "3/6 像厂商那样构建示例的镜像（约一分钟）"
  local docker=$PWD/$parts/engine-forky/bin/docker host
  host=$(tests/parts/dockerd.sh start "$parts/engine-forky" "$demo/vendor" containerd)
  trap 'tests/parts/dockerd.sh stop "$demo/vendor" --purge' EXIT
  DOCKER_HOST=$host "$docker" import - debian-base:12 <"$parts/rootfs/base.tar" >/dev/null
  DOCKER_HOST=$host DOCKER=$docker BASE=debian-base:12 APT=$PWD/$parts/rootfs/apt examples/llm-chat/build.sh

  say "4/6 airlift pack" "4/6 打包：airlift pack"
  (cd examples/llm-chat && DOCKER_HOST=$host "$airlift" pack --output "$demo/llm-chat-1.0.0.run" \
    --engine-docker "$OLDPWD/$parts/engine-forky/docker.tgz" --engine-compose "$OLDPWD/$parts/engine-forky/docker-compose")
  tests/parts/dockerd.sh stop "$demo/vendor" --purge
  trap - EXIT

  say "5/6 Installing target/demo/llm-chat-1.0.0.run, unattended, with its own engine" \
    "5/6 无人值守安装 target/demo/llm-chat-1.0.0.run，使用独立引擎"
  # It holds a password: for nobody else's eyes, not even for a moment.
  rm -f "$demo/answers.toml"
  (umask 077; cat >"$demo/answers.toml") <<TOML
llm_api_url = "http://127.0.0.1:$llm/v1/chat/completions"
server_host = "127.0.0.1"
admin_password = "Demo-Only-2026"
http_port = $http
backend_port = $backend
frontend_port = $frontend
TOML
  "$demo/llm-chat-1.0.0.run" --answers "$demo/answers.toml" --engine private --dir "$app"

  say "6/6 A stand-in for the language model, so that the chat answers" "6/6 启动大模型的替身，使对话有回答"
  export DOCKER_HOST=unix://$app/engine/docker.sock
  "$docker" rm --force llm-stand-in >/dev/null 2>&1 || true
  "$docker" run --detach --name llm-stand-in --network host --volume "$PWD/examples/llm-chat/llm-stand-in:/stand-in:ro" \
    llm-chat-backend:1.0.0 python3 /stand-in/server.py --port "$llm" >/dev/null

  say "Done" "完成"
  pick "page      http://127.0.0.1:$http/  (user admin, password Demo-Only-2026)" \
    "网页      http://127.0.0.1:$http/  （用户名 admin，密码 Demo-Only-2026）"
  local health
  health=$(curl --silent --show-error "http://127.0.0.1:$http/api/health" || pick 'no answer' '无响应')
  pick "health    $health" "健康      $health"
  pick "manage    $app/bin/llm-chatctl status" "管理      $app/bin/llm-chatctl status"
  pick "stop      make demo-down" "停止      make demo-down"
}

case ${1:-} in
  up | down) "$1" ;;
  *) echo "usage: demo.sh up|down" >&2; exit 2 ;;
esac
