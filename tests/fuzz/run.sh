#!/bin/bash
# Runs every fuzz target, one after the other: run.sh [TARGET...]. Ends with 1 when one of them found something.
# What is found lies in target/fuzz/found, what was learnt in target/fuzz/corpus; seeds come from corpus/.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${FUZZ_SECONDS:-600} work=${FUZZ_DIR:-../../target/fuzz}
command -v cargo-fuzz >/dev/null || cargo install --locked --quiet cargo-fuzz
# The packer embeds an installer; here, nobody looks at it.
export AIRLIFT_STUB=${AIRLIFT_STUB:-/bin/true}
cargo +nightly fuzz build --fuzz-dir .
mkdir -p "$work/found"
work=$(cd "$work" && pwd)
mapfile -t targets < <(if [ $# -gt 0 ]; then printf '%s\n' "$@"; else cargo +nightly fuzz list --fuzz-dir .; fi)
# Threads of the layer reader may still be ending when the fuzzer looks for leaks.
declare -A options=([layer]=-detect_leaks=0)
status=0
for target in "${targets[@]}"; do
  mkdir -p "$work/corpus/$target"
  binary=$(ls target/*/release/"$target" | head -1)
  if "$binary" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 ${options[$target]:-} \
    -artifact_prefix="$work/found/$target-" "$work/corpus/$target" "corpus/$target" >"$work/$target.log" 2>&1; then
    outcome=clean
  else
    outcome="FOUND SOMETHING: $work/$target.log" status=1
  fi
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target.log")
  printf '| %s | %s | %s s | %s |\n' "$target" "${executed:-?}" "$seconds" "$outcome"
done
exit $status
