#!/usr/bin/env bash
# Install the packages that are missing, build with sanitizers and run every test. Then run the tests of code that several threads
# use again under ThreadSanitizer, if the compiler supports it (it does not for 32 bits).
# Arguments are passed to ctest: ./build_all/test.sh -R outbox
set -euo pipefail
cd "$(dirname "$0")/.."

# Many tests wait for time-outs and servers most of the time, so twice as many run as there are processors.
tests_at_once=$((2 * $(nproc)))

./build_all/setup.sh
cmake --preset asan >/dev/null
cmake --build --preset asan
ctest --preset asan -j "$tests_at_once" "$@"

has_thread_sanitizer() {
  local probe
  probe=$(mktemp)
  echo 'int main(void) { return 0; }' | "${CC:-cc}" -fsanitize=thread -x c -o "$probe" - 2>/dev/null
  local status=$?
  rm "$probe"
  return "$status"
}

if ! has_thread_sanitizer; then
  echo 'test.sh: skipped the tests under ThreadSanitizer, which this compiler does not support'
  exit
fi
cmake --preset tsan >/dev/null
cmake --build --preset tsan
ctest --preset tsan -j "$tests_at_once" "$@"
