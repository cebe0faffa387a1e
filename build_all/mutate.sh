#!/usr/bin/env bash
# Change mqtt_core and iothub_client a little, one change at a time, and see whether a unit test fails.
#
#   ./build_all/mutate.sh [--seed N] [--count N] [--jobs N] [--quick] [FILE[:LINE]...]     default: 300 changes, seed 1, 2 jobs
#   ./build_all/mutate.sh --print [FILE[:LINE]...]     all changes that there are, without running anything
#   ./build_all/mutate.sh --check [--jobs N]     those that are listed as equivalent: none may be killed
#
# Without FILE it takes both layers; with a line, all changes of it.  Prints those that no test saw
# and the share of those that one did.  The same seed gives the same changes.  300 take an hour;
# --quick leaves out sanitizers and slow tests.  tests/mutation/README.md says more.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  sed -n '2,10s/^# \{0,1\}//p' "$0"
}

for argument in "$@"; do
  case $argument in -h | --help)
    usage
    exit
    ;;
  esac
done
./build_all/setup.sh
exec nice python3 tests/mutation/mutate.py "$@"
