#!/usr/bin/env bash
# Compare this library with libmosquitto, Paho C and a raw socket: the same jobs, in turns, in one run.
# Then measure what a device costs with 10 to 10,000 of them in one process.
#
#   ./build_all/bench.sh                   both
#   ./build_all/bench.sh [--aes] [--rounds N] [--job NAME] [--peer NAME] [--json FILE] [--update] ...
#   ./build_all/bench.sh --scale [--update] [--devices N] [--json FILE] ...
#
# With options for the comparison there is nothing but that; --scale leaves it out.
# --aes builds wolfSSL with the processor's AES instructions (wolfssl.sh) and shows TLS with it as well.
# Prints tables, and with --update puts them into the READMEs; --help and --scale --help list all options.  tests/bench/README.md says how to read
# them.  Takes some twenty-five minutes; installs what is missing (Paho C, valgrind).
set -euo pipefail
cd "$(dirname "$0")/.."

# build FOLDER: the programs, with the wolfSSL that pkg-config finds
build() {
  cmake --preset release -B "$1" >/dev/null
  cmake --build "$1" --target bench_programs >&2
}

compare=true
scale=false
[ $# -gt 0 ] || scale=true
options=()
for option in "$@"; do
  case $option in
  --aes)
    ./build_all/wolfssl.sh
    PKG_CONFIG_PATH=$PWD/build/wolfssl/usr/lib/pkgconfig build build/release-aes
    options+=(--aes build/release-aes/bench)
    ;;
  --scale)
    compare=false
    scale=true
    ;;
  *) options+=("$option") ;;
  esac
done
./build_all/setup.sh bench
build build/release
if $compare; then
  python3 -B tests/bench/bench.py build/release/bench ${options[@]+"${options[@]}"}
fi
if $scale; then
  python3 -B tests/bench/scale.py build/release/bench ${options[@]+"${options[@]}"}
fi
