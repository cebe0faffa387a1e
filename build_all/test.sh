#!/usr/bin/env bash
# Install what is missing, build with sanitizers, run every test.
# Arguments go to ctest: ./build_all/test.sh -R outbox
set -euo pipefail
cd "$(dirname "$0")/.."

./build_all/setup.sh
cmake --preset asan >/dev/null
cmake --build --preset asan
ctest --preset asan -j "$(nproc)" "$@"
