#!/usr/bin/env bash
# Compare the instructions that a message costs, and the size of the code, between two commits.
#
#   ./build_all/costs.sh BASE [NEW] [--rounds N] [--job REGEX] [--limit PERCENT]     NEW: HEAD if not given
#
# Exports and builds both commits below build/costs, counts under callgrind (some four minutes) and prints a table.
# Fails when a row has grown by more than 2 % or the --limit. Installs what is missing (valgrind).
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in '' | -*)
  sed -n '2,7s/^# \{0,1\}//p' "$0"
  exit 2
  ;;
esac
commits=("$1")
shift
case ${1:-} in '' | -*) commits+=(HEAD) ;; *)
  commits+=("$1")
  shift
  ;;
esac

# export_and_build COMMIT: exports and builds a commit, and prints its folder.
export_and_build() {
  local name folder
  name=$(git rev-parse --short "$1^{commit}")
  folder=build/costs/$name
  if [ ! -e "$folder/source/CMakePresets.json" ]; then
    mkdir -p "$folder/source"
    git archive "$name" | tar -x -C "$folder/source"
  fi
  for preset in release min-size; do
    (cd "$folder/source" && cmake --preset "$preset" -B "../$preset" >/dev/null)
  done
  cmake --build "$folder/release" --target bench_client bench_engine null_broker >&2
  cmake --build "$folder/min-size" >&2
  echo "$folder"
}

./build_all/setup.sh bench
folders=()
for commit in "${commits[@]}"; do
  folders+=("$(export_and_build "$commit")")
done
exec python3 -B tests/bench/compare.py "${folders[@]}" "$@"
