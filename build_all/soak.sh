#!/usr/bin/env bash
# Run a device that uses all features at the same time while network and hub fail at random; nothing may be lost.
#
#   ./build_all/soak.sh [--minutes N] [--rate N] [--seed N]     default: one hour, 200 messages per second
#
# Prints one line: the faults that it survived, or what was lost. test.sh runs it for one minute.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in -h | --help)
  sed -n '2,6s/^# \{0,1\}//p' "$0"
  exit
  ;;
esac
./build_all/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release
exec python3 tests/soak/soak.py build/release/bin build/release/tests/soak_device \
  build/release/tests/fault_proxy --minutes 60 "$@"
