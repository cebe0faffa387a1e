#!/usr/bin/env bash
# Compare this library with libmosquitto, Paho C and a raw socket: the same jobs, in turns, in one run.
# Then measure the cost of a device, with 10 to 10,000 of them in one process.
#
#   ./build_all/bench.sh                   both
#   ./build_all/bench.sh [--aes] [--rounds N] [--job NAME] [--peer NAME] [--json FILE] [--update] ...
#   ./build_all/bench.sh --scale [--update] [--devices N] [--json FILE] ...
#
# With options for the comparison only the comparison runs; with --scale only the devices.
# The client is measured a second time in a build without nettle. --aes also builds wolfSSL with the processor's AES instructions
# (wolfssl.sh) and measures the client with it.
# Prints all tables; --update writes the main ones into tests/bench/README.md, which explains them. --help and --scale --help list
# all options. Takes about twenty-five minutes; installs the packages that are missing (Paho C, valgrind).
set -euo pipefail
cd "$(dirname "$0")/.."

# build TARGET FOLDER [OPTION...]: builds with the libraries that pkg-config finds.
build() {
  cmake --preset release -B "$2" "${@:3}" >/dev/null
  cmake --build "$2" --target "$1" >&2
}

compare=true
scale=false
[ $# -gt 0 ] || scale=true
options=()
again=()  # folders of builds with other libraries
for option in "$@"; do
  case $option in
  --aes)
    ./build_all/wolfssl.sh
    PKG_CONFIG_PATH=$PWD/build/wolfssl/usr/lib/pkgconfig build bench_client build/release-aes
    again+=(--aes build/release-aes/bench)
    ;;
  --scale)
    compare=false
    scale=true
    ;;
  *) options+=("$option") ;;
  esac
done
./build_all/setup.sh bench
build bench_programs build/release
if $compare; then
  build bench_client build/release-software -DIOTHUB_WITH_NETTLE=OFF
  again+=(--software build/release-software/bench)
  python3 -B tests/bench/bench.py build/release/bench "${again[@]}" ${options[@]+"${options[@]}"}
fi
if $scale; then
  python3 -B tests/bench/scale.py build/release/bench ${options[@]+"${options[@]}"}
fi
