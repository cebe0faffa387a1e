#!/usr/bin/env bash
# A device does everything at once while network and hub fail at random; nothing may get lost.
#
#   ./build_all/soak.sh [--minutes N] [--rate N] [--seed N]     default: an hour, 200 messages a second
#
# Prints one line: what it survived, or what got lost.  test.sh runs it for a minute.
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
