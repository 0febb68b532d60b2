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
verdict() { if awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; then echo "${3:+$3: }met"; else echo "${3:+$3: }**missed**"; fi; }

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
# loading LABEL LIMIT_OF_GUIDE: the rows of one engine
loading() {
  local ours of_guide of_floor
  ours=$(median "$1-ours")
  of_guide=$(ratio "$ours" "$(median "$1-guide")")
  of_floor=$(ratio "$ours" "$(median "$1-floor")")
  cat <<END
| **$(cat "$results/$1-engine")** | | | | | |
| the guide's way (of it untar $(seconds "$1-guide-untar"), sha256sum $(seconds "$1-guide-sha256sum")) | $(seconds "$1-guide") | $(range "$1-guide") | 1 | | |
| one \`docker load\` of everything | $(seconds "$1-one") | $(range "$1-one") | $(ratio "$(median "$1-one")" "$(median "$1-guide")") | | |
| the bundle, until the images are in | $(seconds "$1-ours") | $(range "$1-ours") | $of_guide | $of_floor | $(verdict "$of_guide" "$2" "≤ $2")${3:+; $(verdict "$of_floor" "$3" "≤ $3 × the floor")} |
| – the step that loads alone | $(seconds "$1-ours-step") | $(range "$1-ours-step") | $(ratio "$(median "$1-ours-step")" "$(median "$1-guide")") | $(ratio "$(median "$1-ours-step")" "$(median "$1-floor")") | |
| – the whole run, until the containers run | $(seconds "$1-ours-all") | $(range "$1-ours-all") | $(ratio "$(median "$1-ours-all")" "$(median "$1-guide")") | | |
| the floor: \`tar x\` of the same layers, no engine | $(seconds "$1-floor") | $(range "$1-floor") | $(ratio "$(median "$1-floor")" "$(median "$1-guide")") | 1 | |
END
}
# more LABEL MEMORY_LIMIT_KB: what else was seen on one engine
more() {
  local staged present changed kb
  staged=$(most "$results/$1-staged") present=$(median "$1-present") changed=$(median "$1-changed") kb=$(most "$results/$1-ours-kb")
  echo "| $(cat "$results/$1-engine") | $(mb "$staged") $(verdict "$staged" "$((largest + 65536))" '') | $(calc '%.2f s' "$(median "$1-again")") | $(calc '%.2f s' "$present") $(verdict "$present" 1 '') | $(calc '%.2f s' "$changed") $(verdict "$changed" 3 '') | $(calc '%.0f MB' "$kb * 1024 / 1e6") $(verdict "$kb" "$2" '') |"
}
# faster NAME NAME: how many times as fast the second is.
faster() { ratio "$(median "$1")" "$(median "$2")"; }
at_least() { if awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }'; then echo "${3:+$3: }met"; else echo "${3:+$3: }**missed**"; fi; }
growth_rows() { awk '{ printf "| %s | %.1f s | %.0f MB |\n", $1, $2, $3 * 1024 / 1e6 }' "$results/growth-$1"; }
growth() {
  [ -f "$results/growth-bytes-overlay2" ] || { echo "Growth with images and bytes: not in this run (\`tests/bench/growth.sh\`)."; return; }
  cat <<END
### Growth

![Seconds of the load step by images and by bytes](pictures/growth.svg)

| images (10 MB each), containerd store | load step | memory |
|---|---|---|
$(growth_rows images-containerd)

| MB in one layer, containerd store | load step | memory |
|---|---|---|
$(growth_rows bytes-containerd)
END
}
labels=(28-containerd 28-overlay2 26-overlay2 20-overlay2)

cpu=$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)
layers=$(cat "$bench"/layers/*.tar | wc -c)
largest=$(stat -c %s "$bench"/layers/*.tar | sort -n | tail -n 1)
all="0-$(($(nproc) - 1))"
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

Medians, of so many runs, in turn: $(for label in "${labels[@]}"; do echo "$(wc -l <"$results/$label-guide") on $(cat "$results/$label-engine");"; done | paste -sd " " | sed "s/;$/./")

| | median | range | of the guide's | of the floor | target |
|---|---|---|---|---|---|
$(loading 28-containerd 0.22 1.2)
$(loading 28-overlay2 0.65)
$(loading 26-overlay2 0.65)
$(loading 20-overlay2 0.55)

| engine | most bytes in the engine's temporary directory (target: the largest layer, $(mb "$largest"), and up to 64 kB of manifests around it) | the same file again (< 2 s) | load step, all images present (< 1 s) | load step, one layer of 5 MB new (< 3 s) | installer's memory (≤ 64 MB where it passes blobs through, ≤ 192 MB where it decodes) |
|---|---|---|---|---|---|
$(more 28-containerd 187500)
$(more 28-overlay2 62500)
$(more 26-overlay2 62500)
$(more 20-overlay2 187500)

### Reading

| | | target |
|---|---|---|
| \`verify\` against \`sha256sum\`, one core | $(faster sha256sum-0 verify-0) × as fast | $(at_least "$(faster sha256sum-0 verify-0)" 0.8 '≥ 0.8') |
| \`verify\` against \`sha256sum\`, all cores | $(faster "sha256sum-$all" "verify-$all") × as fast ($(seconds "verify-$all") for $(mb "$(median size-full)")) | $(at_least "$(faster "sha256sum-$all" "verify-$all")" 1.4 '≥ 1.4') |
$([ ! -f "$results/stick-cat" ] || echo "| Reading while loading from a stick of 40 MB/s, to the last byte, against \`cat\` from it | $(faster stick-cat stick-read) × as fast ($(seconds stick-read), $(seconds stick-cat)) | $(at_least "$(faster stick-cat stick-read)" 0.9 '≥ 0.9') |")
$([ ! -f "$results/stick-cat" ] || echo "| The whole way in from that stick, with what the engine does after the last byte | $(faster stick-cat stick-load) × as fast ($(seconds stick-load)) | |")

$(growth)

### The installer's own footprint

| | | target |
|---|---|---|
| Written below the project directory | $(mb "$(median written-project)") | |
| Written elsewhere | $elsewhere bytes | $(verdict "$elsewhere" 1000000 '< 1 MB') |
| – besides, the launcher's copy of the installer program, in $(cat "$results/stub-place") | $(mb "$(median written-stub)") | |
END
