#!/usr/bin/env bash
# Compare this library with libmosquitto, Paho C and a raw socket: the same jobs, in turns, in one run.
#
#   ./build_all/bench.sh [--aes] [--rounds N] [--job NAME] [--peer NAME] [--json FILE] ...
#
# --aes builds wolfSSL with the processor's AES instructions (wolfssl.sh) and shows TLS with it as well.
# Prints tables; --help lists all options.  tests/bench/README.md says how to read them.  Takes
# some twenty minutes; installs what is missing (Paho C, valgrind).
set -euo pipefail
cd "$(dirname "$0")/.."

# build FOLDER: the programs, with the wolfSSL that pkg-config finds
build() {
  cmake --preset release -B "$1" >/dev/null
  cmake --build "$1" --target bench_programs >&2
}

options=()
for option in "$@"; do
  if [ "$option" = --aes ]; then
    ./build_all/wolfssl.sh
    PKG_CONFIG_PATH=$PWD/build/wolfssl/usr/lib/pkgconfig build build/release-aes
    options+=(--aes build/release-aes/bench)
  else
    options+=("$option")
  fi
done
./build_all/setup.sh bench
build build/release
exec python3 -B tests/bench/bench.py build/release/bench ${options[@]+"${options[@]}"}
