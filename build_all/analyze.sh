#!/usr/bin/env bash
# Look at the code without running it: clang-tidy (.clang-tidy), cppcheck, and gcc's -fanalyzer.
# Installs what is missing.  Fails at any finding; exceptions stand, with their reason, in .clang-tidy,
# below, or beside the line that they are for.
#
#   ./build_all/analyze.sh [clang-tidy] [cppcheck] [gcc]     default: all three
set -euo pipefail
cd "$(dirname "$0")/.."

sources=(mqtt_core/src platform/src iothub_client/src samples tools)
jobs=$(nproc)

run_clang_tidy() {
  cmake --preset dev >/dev/null
  find "${sources[@]}" -name '*.c' -print0 | sort -z |
    xargs -0 -n 1 -P "$jobs" clang-tidy -p build/dev --quiet 2>/dev/null
}

# missingInclude: it need not see the system's headers.
# unusedStructMember: a union is how const is cast away for libraries that never write.
run_cppcheck() {
  cppcheck --std=c11 --language=c --enable=warning,style,performance,portability --inline-suppr \
    --suppress=missingIncludeSystem --suppress=unusedStructMember --error-exitcode=1 --quiet \
    -j "$jobs" -I mqtt_core/include -I platform/include -I iothub_client/include "${sources[@]}"
}

run_gcc() {
  CC=gcc cmake -S . -B build/analyze -G Ninja -DCMAKE_BUILD_TYPE=Debug -DIOTHUB_BUILD_TESTS=OFF \
    -DIOTHUB_WARNINGS_AS_ERRORS=ON -DCMAKE_C_FLAGS="-fanalyzer -O1" >/dev/null
  cmake --build build/analyze --clean-first -- --quiet -k 0
}

./build_all/setup.sh analyze
[ $# -gt 0 ] || set -- clang-tidy cppcheck gcc
failed=()
for tool in "$@"; do
  case $tool in
  clang-tidy) run=run_clang_tidy ;;
  cppcheck) run=run_cppcheck ;;
  gcc) run=run_gcc ;;
  *)
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
  esac
  echo "== $tool"
  "$run" || failed+=("$tool")
done

if [ ${#failed[@]} -gt 0 ]; then
  echo "analyze.sh: findings: ${failed[*]}" >&2
  exit 1
fi
echo 'analyze.sh: no findings'
