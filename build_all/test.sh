#!/usr/bin/env bash
# Install what is missing, build with sanitizers, run every test; then once more, under
# ThreadSanitizer, those of what several threads use.
# Arguments go to ctest: ./build_all/test.sh -R outbox
set -euo pipefail
cd "$(dirname "$0")/.."

./build_all/setup.sh
cmake --preset asan >/dev/null
cmake --build --preset asan
ctest --preset asan -j "$(nproc)" "$@"

cmake --preset tsan >/dev/null
cmake --build --preset tsan
ctest --preset tsan -j "$(nproc)" "$@"
