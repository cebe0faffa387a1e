#!/usr/bin/env bash
# Compare this library with libmosquitto, Paho C and a raw socket: the same jobs, in turns, in one run.
#
#   ./build_all/bench.sh [--rounds N] [--job NAME] [--peer NAME] [--json FILE] ...
#
# Prints tables; --help lists all options.  tests/bench/README.md says how to read them.  Takes
# about ten minutes; installs what is missing (Paho C, valgrind).
set -euo pipefail
cd "$(dirname "$0")/.."

./build_all/setup.sh bench
cmake --preset release >/dev/null
cmake --build --preset release --target bench_programs >&2
exec python3 -B tests/bench/bench.py build/release/bench "$@"
