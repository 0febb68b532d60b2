#!/bin/sh
# Airlift bundle
#
#   @TITLE_EN@ / @TITLE_ZH@
#   @NAME@ @VERSION@
#
# This file installs the application above on a machine without a network. To start it:
#
#   sudo ./@FILE@            (or: sudo sh ./@FILE@)
#   ./@FILE@ --help
#
# 离线安装包。启动安装：sudo sh ./@FILE@
#
# These lines are a shell script; behind them lie the installer program and the packed images. The script checks that
# the file is complete, copies the installer program (and nothing else) to a place that can execute it, and runs it.

bundle_length=00000000000000000000
app=@NAME_QUOTED@
asked=" $* "
architectures=@ARCHITECTURES_QUOTED@

set -u

# stub_of MACHINE: sets first block, number of whole blocks of 4096 bytes, bytes beyond them, SHA-256.
stub_of() {
  case $1 in
@STUBS@
    *) return 1 ;;
  esac
}

# say ENGLISH CHINESE: what was asked for; else Chinese only where it can be read, and the kernel's own console has no such letters.
say() {
  case $asked in
    *" --lang zh "* | *" --lang=zh "*) printf '%s\n' "$app: $2" >&2; return ;;
    *" --lang en "* | *" --lang=en "*) printf '%s\n' "$app: $1" >&2; return ;;
  esac
  case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
    zh*[Uu][Tt][Ff]*8*) [ "${TERM:-}" = linux ] || { printf '%s\n' "$app: $2" >&2; return; } ;;
  esac
  printf '%s\n' "$app: $1" >&2
}

# needs_terminal COUNT: whether this was started from a desktop, by a double click: nothing to read from, nothing to write on.
needs_terminal() {
  [ "$1" -eq 0 ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && ! [ -t 0 ] && ! [ -t 1 ] && ! [ -t 2 ]
}

# open_terminal: goes on in a terminal window, if one can be had. Each names the program to run in its own way.
open_terminal() {
  for terminal in x-terminal-emulator gnome-terminal konsole xfce4-terminal mate-terminal deepin-terminal kgx \
    ptyxis kitty alacritty foot urxvt xterm; do
    command -v "$terminal" >/dev/null 2>&1 || continue
    case $terminal in
      gnome-terminal | kgx | ptyxis) "$terminal" -- sh "$self" __window && exit 0 ;;
      xfce4-terminal | mate-terminal) "$terminal" -x sh "$self" __window && exit 0 ;;
      kitty | foot) "$terminal" sh "$self" __window && exit 0 ;;
      *) "$terminal" -e sh "$self" __window && exit 0 ;;
    esac
  done
  say "no terminal window could be opened; open one and run: sudo sh $self" "无法打开终端窗口；请打开终端并运行：sudo sh $self"
  # The line above is seen by nobody on a desktop, and what language is spoken there is not known either.
  told="$app: 无法打开终端窗口。请打开终端并运行下面的命令。
No terminal window could be opened. Open one and run this command.

sudo sh $self"
  for window in zenity kdialog xmessage; do
    command -v "$window" >/dev/null 2>&1 || continue
    case $window in
      zenity) zenity --error --no-markup --text="$told" && break ;;
      kdialog) kdialog --error "$told" && break ;;
      xmessage) xmessage -center "$told" && break ;;
    esac
  done
  exit 2
}

# in_window: what runs in the window: this file again, as root, and the window stays until somebody has read it.
in_window() {
  if [ "$(id -u)" -eq 0 ]; then
    sh "$self" __inside
  elif command -v sudo >/dev/null 2>&1; then
    say "the installation needs root; sudo asks for your password." "安装需要 root 权限，请输入您的密码（sudo）。"
    sudo sh "$self" __inside
  elif command -v pkexec >/dev/null 2>&1; then
    pkexec sh "$self" __inside
  else
    say "the installation needs root; enter root's password." "安装需要 root 权限，请输入 root 密码。"
    su -c 'sh "$0" __inside' root -- "$self"
  fi
  say "this window can be closed: press Enter." "按回车键关闭此窗口。"
  read -r _
  # Some terminals end as their program does; anything else would say that no window opened, and the next one would.
  exit 0
}

length_of() {
  stat -L -c %s "$1" 2>/dev/null && return
  # shellcheck disable=SC2012
  set -- "$1" "$(ls -lnL "$1" 2>/dev/null)"
  # shellcheck disable=SC2086
  set -- "$1" $2
  [ $# -ge 6 ] && printf '%s\n' "$6" && return
  wc -c <"$1"
}

# cut FILE: writes the installer program to FILE.
cut_stub() {
  dd if="$self" of="$1" bs=4096 skip="$stub_block" count="$stub_blocks" 2>/dev/null || return 1
  if [ "$stub_rest" -gt 0 ]; then
    dd if="$self" bs=1 skip=$(((stub_block + stub_blocks) * 4096)) count="$stub_rest" 2>/dev/null >>"$1" || return 1
  fi
  [ "$(length_of "$1")" -eq $((stub_blocks * 4096 + stub_rest)) ]
}

# intact FILE: whether it is the installer program; unknown counts as yes, the program checks the bundle again.
intact() {
  command -v sha256sum >/dev/null 2>&1 || return 0
  sum=$(sha256sum <"$1") || return 0
  [ "${sum%% *}" = "$stub_sha256" ]
}

# make_work DIRECTORY: makes a folder of our own in it.
make_work() {
  work=$(mktemp -d "$1/airlift.$$.XXXXXX" 2>/dev/null) && [ -d "$work" ] && return 0
  random=$(dd if=/dev/urandom bs=8 count=1 2>/dev/null | od -An -tx1 2>/dev/null | tr -d ' \n')
  work=$1/airlift.$$.${random:-$(date +%s)}
  mkdir -m 700 "$work" 2>/dev/null && return 0
  work=
  return 1
}

discard() {
  [ -z "$work" ] || rm -rf "$work"
  work=
}

main() {
  case $0 in
    /*) self=$0 ;;
    *) self=$(pwd)/${0#./} ;;
  esac
  # `bash x.run` searches PATH too.
  [ -f "$self" ] || self=$(command -v -- "$0" 2>/dev/null)
  if [ ! -r "$self" ]; then
    say "cannot find this file by the name $0; start it as sh /path/to/file" "按名称 $0 找不到本文件；请用 sh /路径/文件 启动"
    exit 1
  fi

  case ${1:-} in
    __window) in_window ;;
    # Whatever the terminal is like: a window must not open the next one.
    __inside) shift ;;
    *) needs_terminal $# && open_terminal ;;
  esac

  should=$bundle_length
  while :; do case $should in 0?*) should=${should#0} ;; *) break ;; esac; done
  have=$(length_of "$self")
  have=${have##* }
  if [ "$have" != "$should" ]; then
    say "the file is incomplete or damaged: it has $have bytes and should have $should. Copy the file again." \
      "文件不完整或已损坏：现有 $have 字节，应为 $should 字节。请重新复制该文件。"
    exit 5
  fi

  machine=$(uname -m)
  if ! stub_of "$machine"; then
    say "this file is for $architectures, and this machine is $machine. Ask for the file for $machine." \
      "本文件适用于 $architectures，而本机是 $machine。请索取适用于 $machine 的文件。"
    exit 4
  fi

  work=
  mask=$(umask)
  trap discard EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  tried=
  for place in "${AIRLIFT_TMPDIR:-}" "${XDG_RUNTIME_DIR:-}" /run /dev/shm /tmp /var/tmp "${HOME:-}" "${self%/*}"; do
    [ -n "$place" ] && [ -d "$place" ] && [ -w "$place" ] || continue
    # Who became root may still have these of somebody else, who could exchange what lies there.
    case $place in "${XDG_RUNTIME_DIR:-}" | "${HOME:-}") [ -O "$place" ] || continue ;; esac
    tried="$tried $place"
    umask 077
    make_work "$place" || continue
    stub=$work/${app}
    if cut_stub "$stub"; then
      if ! intact "$stub"; then
        say "the installer program in this file is damaged. Copy the file again." "文件中的安装程序已损坏。请重新复制该文件。"
        exit 5
      fi
      # A place can be mounted noexec, or be full: only a start shows.
      if chmod 700 "$stub" && "$stub" __probe >/dev/null 2>&1; then
        umask "$mask"
        AIRLIFT_BUNDLE=$self AIRLIFT_STUB_DIR=$work
        export AIRLIFT_BUNDLE AIRLIFT_STUB_DIR
        exec "$stub" "$@"
      fi
    fi
    discard
  done
  say "no folder here can hold and execute the installer program. Tried:$tried. Name one that can: AIRLIFT_TMPDIR=/folder sh $0" \
    "没有可存放并执行安装程序的目录。已尝试：$tried。请指定一个：AIRLIFT_TMPDIR=/目录 sh $0"
  exit 1
}

main "$@"
exit 1
