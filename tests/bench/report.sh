#!/bin/bash
# Prints what was measured, as the tables of docs/performance.md.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

median() { sort -n "$results/$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
range() { sort -n "$results/$1" | awk 'NR == 1 { a = $1 } END { if (NR > 1) printf "%.1f–%.1f s", a, $1 }'; }
most() { cat $1 | sort -n | tail -n 1; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }
calc() { awk "BEGIN { printf \"$1\", $2 }"; }
mb() { calc '%.1f MB' "$1 / 1e6"; }
mib_of_kb() { calc '%.1f MiB' "$1 / 1024"; }
seconds() { calc '%.1f s' "$(median "$1")"; }
# verdict VALUE LIMIT TEXT
verdict() { if awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; then echo "$3: met"; else echo "$3: **missed**"; fi; }

guide=$(median size-guide)
# size NAME LABEL LIMIT
size() {
  local of
  of=$(ratio "$(median "size-$1")" "$guide")
  echo "| $2 | $(mb "$(median "size-$1")") | $of | $([ -z "${3:-}" ] || verdict "$of" "$3" "≤ $3") |"
}
# packing NAME LABEL
packing() {
  local kb
  kb=$(median "pack-$1-kb")
  echo "| $2 | $(seconds "pack-$1-seconds") | $(mib_of_kb "$kb") | $(verdict "$kb" 976562 "≤ 1 GB") |"
}
# loading STORE LABEL LIMIT
loading() {
  local of
  of=$(ratio "$(median "$1-ours")" "$(median "$1-guide")")
  cat <<END
| $2: the guide's way | $(seconds "$1-guide") | $(range "$1-guide") | 1 | |
| – of it: untar, sha256sum | $(seconds "$1-guide-untar"), $(seconds "$1-guide-sha256sum") | | | |
| $2: the bundle, until the images are in | $(seconds "$1-ours") | $(range "$1-ours") | $of | $([ -z "${3:-}" ] || verdict "$of" "$3" "≤ $3") |
| – of it: the step that loads | $(seconds "$1-ours-step") | $(range "$1-ours-step") | $(ratio "$(median "$1-ours-step")" "$(median "$1-guide")") | |
| – the whole run, until the containers run | $(seconds "$1-ours-all") | $(range "$1-ours-all") | $(ratio "$(median "$1-ours-all")" "$(median "$1-guide")") | |
END
}

cpu=$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)
layers=$(cat "$bench"/layers/*.tar | wc -c)
rss=$(most "$results/*-ours-kb")
stub=$(median size-stub)
elsewhere=$(median written-elsewhere)
cat <<END
Measured $(date -u '+%Y-%m-%d %H:%M') UTC with \`make bench\` (\`tests/bench/run.sh\`, $(cat "$results/commit")).

| | |
|---|---|
| Machine | $(nproc) cores ($cpu), $(calc %.0f "$(sed -n 's/MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo) / 1e6") GB of memory, Linux $(uname -r), $(findmnt -n -o FSTYPE -T "$bench") |
| Engine | Docker $(cat "$engine/VERSION"), $("$engine/bin/containerd" --version | awk '{ sub(/\+.*/, "", $3); print "containerd " $3 }'), Compose $("$engine/docker-compose" version --short | sed "s/-.*//") |
| Images | $(sed 's/^bench-//' "$bench/images" | paste -sd, | sed 's/,/, /g'); distinct layers $(mb "$layers"), $(median entries) files |
| File cache dropped before each measurement | $(cat "$results/caches-dropped") |
| Processor time that others used just before each measurement | $(calc '%.0f %%' "$(median others-percent)") of all cores (median), at most $(calc '%.0f %%' "$(most "$results/others-percent")") |

### Size

| | size | of the guide's | target |
|---|---|---|---|
| The guide's \`tar -czf\` of three \`docker save\` files | $(mb "$guide") | 1 | |
$(size default 'Bundle, default level, no engine' 0.70)
$(size best 'Bundle, `--best`, no engine' 0.62)
$(size full 'Bundle, default level, with engine and Compose')
| Installer program in the bundle (\`ldd\`: $(cat "$results/stub-links")) | $(mb "$stub") | | $(verdict "$stub" 5000000 "≤ 5 MB, static") |

### Packing

| | time | peak memory | target |
|---|---|---|---|
| The guide's \`tar -czf\` | $(seconds pack-guide-seconds) | | |
$(packing default 'airlift pack --no-engine')
$(packing best 'airlift pack --no-engine --best')
$(packing full 'airlift pack')

### Into a fresh engine

Medians of $(wc -l <"$results/containerd-guide") runs each, in turn, containerd image store; $(wc -l <"$results/overlay2-guide") on overlay2.

| | median | range | of the guide's | target |
|---|---|---|---|---|
$(loading containerd containerd 0.35)
$(loading overlay2 overlay2 '')
| The floor: \`tar x\` of the same layers, no engine | $(seconds floor) | $(range floor) | $(ratio "$(median floor)" "$(median containerd-guide)") | |
| The same file again, everything in place | $(calc '%.2f s' "$(median containerd-again)") | | | $(verdict "$(median containerd-again)" 2 '< 2 s') |

### The installer's own footprint

| | | target |
|---|---|---|
| Resident memory at its peak, engine $(cat "$engine/VERSION") | $(mib_of_kb "$rss") | $(verdict "$rss" 62500 '≤ 64 MB') |
| The same, engine $(cat "$parts/engine-bookworm/VERSION"), which takes plain layers only | $(mib_of_kb "$(median old-kb)") | $(verdict "$(median old-kb)" 62500 '≤ 64 MB') |
| Written below the project directory | $(mb "$(median written-project)") | |
| Written elsewhere | $elsewhere bytes | $(verdict "$elsewhere" 1000000 '< 1 MB') |
| – besides, the launcher's copy of the installer program, in $(cat "$results/stub-place") | $(mb "$(median written-stub)") | |
END
