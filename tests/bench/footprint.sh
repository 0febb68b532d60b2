#!/bin/bash
# What an installation of the set writes, and where: every call of launcher, installer and Compose that writes is traced
# (strace), and its bytes are added up by the kind of place they go to. The engine runs on its own and is not traced.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
"$root/tests/parts/packages.sh" strace

state=$bench/engine
trap 'discard "$state"; rm -rf "$bench/ours"; remove_link' EXIT

say "tracing an installation"
fresh "$state" containerd
calls=write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,splice,mmap
strace -f --seccomp-bpf -qq -y -s 0 -e trace=$calls -e signal=none -o "$bench/trace" \
  "$bench/full.run" install --yes --lang en --dir "$bench/ours" >"$bench/install.out" 2>&1 ||
  { tail -n 20 "$bench/install.out" >&2; die "the installation failed"; }

# One line for each write: bytes and path. A call that was interrupted by another thread's is on two lines.
awk '
  function target(text,  skipped) {
    skipped = text ~ /^(copy_file_range|splice)/
    if (skipped) sub(/<[^>]*>/, "", text)
    return match(text, /<[^>]*>/) ? substr(text, RSTART + 1, RLENGTH - 2) : "?"
  }
  { pid = $1; sub(/^[0-9]+ +/, "") }
  /^mmap/ {
    if (/PROT_WRITE/ && /MAP_SHARED/ && !/MAP_ANONYMOUS/) { split($0, part, ", "); print part[2] "\t" target($0) }
    next
  }
  /<unfinished/ { begun[pid] = target($0); next }
  /resumed>/ { path = begun[pid] }
  !/resumed>/ { path = target($0) }
  match($0, / = [0-9]+$/) { print substr($0, RSTART + 3) "\t" path }
' "$bench/trace" >"$bench/writes"

awk -F '\t' -v project="$bench/ours/" -v engine="$state/" '
  $2 ~ /^(socket|pipe|UNIX|TCP|anon_inode)/ || $2 ~ /^\/dev\/(null|pts|tty)/ || $2 ~ /\/install\.out$/ { next }
  # Layers that the installer unpacks into the store of the engine.
  index($2, engine) == 1 { sum["engine"] += $1; next }
  index($2, project) == 1 { place = "project"; }
  index($2, project) != 1 { place = $2 ~ /\/airlift\.[^\/]*\// ? "stub" : "elsewhere" }
  { sum[place] += $1; if (place == "elsewhere") paths[$2] += $1; if (place == "stub") where = $2 }
  END {
    print sum["project"] + 0, sum["stub"] + 0, sum["elsewhere"] + 0
    for (path in paths) print paths[path], path
    print "stub", where
  }' "$bench/writes" >"$bench/places"
read -r project stub elsewhere <"$bench/places"
result written-project "$project"
result written-stub "$stub"
result written-elsewhere "$elsewhere"
place=$(sed -n 's,^stub \(.*\)/airlift\.[^/]*/.*,\1,p' "$bench/places")
echo "$place ($(findmnt -n -o FSTYPE -T "$place"))" >"$results/stub-place"
