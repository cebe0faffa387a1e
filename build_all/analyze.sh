#!/usr/bin/env bash
# Check the code without running it: clang-tidy (.clang-tidy), cppcheck, gcc's -fanalyzer, and the comments of the public
# headers with Doxygen (docs.sh). Installs the tools that are missing. Fails at any finding; each exception is written, with
# its reason, in .clang-tidy, below, or next to the line that it is for.
#
#   ./build_all/analyze.sh [clang-tidy] [cppcheck] [gcc] [docs]     default: all four
set -euo pipefail
cd "$(dirname "$0")/.."

sources=(mqtt_core/src platform/src iothub_client/src samples tools)
# Only the cross compiler of firmware.sh can read these: they need lwIP, or the registers of a board.
without=(-not -path 'platform/src/lwip/*' -not -path 'samples/firmware/*')
jobs=$(nproc)

run_clang_tidy() {
  cmake --preset dev >/dev/null
  find "${sources[@]}" -name '*.c' "${without[@]}" -print0 | sort -z |
    xargs -0 -n 1 -P "$jobs" clang-tidy -p build/dev --quiet 2>/dev/null
}

# missingIncludeSystem: cppcheck does not need the headers of the system. unusedStructMember: one member of a union is
# only there to remove const, for libraries that never write.
run_cppcheck() {
  cppcheck --std=c11 --language=c --enable=warning,style,performance,portability --inline-suppr \
    --suppress=missingIncludeSystem --suppress=unusedStructMember --error-exitcode=1 --quiet \
    -i platform/src/lwip -i samples/firmware \
    -j "$jobs" -I mqtt_core/include -I platform/include -I iothub_client/include -I iothub_client/src "${sources[@]}"
}

run_gcc() {
  CC=gcc cmake -S . -B build/analyze -G Ninja -DCMAKE_BUILD_TYPE=Debug -DIOTHUB_BUILD_TESTS=OFF \
    -DIOTHUB_WARNINGS_AS_ERRORS=ON -DCMAKE_C_FLAGS="-fanalyzer -O1" >/dev/null
  cmake --build build/analyze --clean-first -- --quiet -k 0
}

./build_all/setup.sh analyze
[ $# -gt 0 ] || set -- clang-tidy cppcheck gcc docs
failed=()
for tool in "$@"; do
  case $tool in
  clang-tidy) run=run_clang_tidy ;;
  cppcheck) run=run_cppcheck ;;
  gcc) run=run_gcc ;;
  docs) run=./build_all/docs.sh ;;
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
