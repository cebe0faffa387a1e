#!/usr/bin/env bash
# Install what is missing, build with sanitizers, run every test; then once more, under
# ThreadSanitizer, those of what several threads use, where the compiler has it (not with 32 bits).
# Arguments go to ctest: ./build_all/test.sh -R outbox
set -euo pipefail
cd "$(dirname "$0")/.."

./build_all/setup.sh
cmake --preset asan >/dev/null
cmake --build --preset asan
ctest --preset asan -j "$(nproc)" "$@"

has_thread_sanitizer() {
  local probe
  probe=$(mktemp)
  echo 'int main(void) { return 0; }' | "${CC:-cc}" -fsanitize=thread -x c -o "$probe" - 2>/dev/null
  local status=$?
  rm "$probe"
  return "$status"
}

if ! has_thread_sanitizer; then
  echo 'test.sh: this compiler has no ThreadSanitizer: what several threads use is not run under it'
  exit
fi
cmake --preset tsan >/dev/null
cmake --build --preset tsan
ctest --preset tsan -j "$(nproc)" "$@"
