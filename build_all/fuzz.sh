#!/usr/bin/env bash
# Search for inputs that crash a parser or break its contract, with libFuzzer. Installs the packages that are missing (clang).
#
#   ./build_all/fuzz.sh [--minutes N] [TARGET...]     default: 5 minutes for each target
#
# The inputs that it finds are kept in build/fuzz/corpus and used by the next run. An input that causes a failure is
# kept in build/fuzz/crashes; repeat the failure with build/fuzz/fuzz/TARGET FILE.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=5
targets=()
while [ $# -gt 0 ]; do
  case $1 in
  --minutes)
    minutes=${2:?a number of minutes}
    shift
    ;;
  -*)
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
  *) targets+=("$1") ;;
  esac
  shift
done

[[ $minutes =~ ^[1-9][0-9]*$ ]] || {
  echo "fuzz.sh: --minutes $minutes: not a whole number from 1" >&2
  exit 2
}

./build_all/setup.sh fuzz
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(ls tests/fuzz/corpus)

mkdir -p build/fuzz/crashes
failed=()
for target in "${targets[@]}"; do
  log=build/fuzz/$target.log
  mkdir -p "build/fuzz/corpus/$target"
  status=0
  "build/fuzz/fuzz/$target" -max_total_time=$((minutes * 60)) -max_len=2048 -timeout=20 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$target-" \
    "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1 || status=$?
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  printf '%-24s %12s executions\n' "$target" "${executed:-0}"
  if [ "$status" -ne 0 ]; then
    failed+=("$target")
    grep -v -e '^#' -e '^stat::' "$log" | tail -n 40
  fi
done

if [ ${#failed[@]} -gt 0 ]; then
  echo "fuzz.sh: broken: ${failed[*]}; the inputs are in build/fuzz/crashes" >&2
  exit 1
fi
