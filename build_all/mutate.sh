#!/usr/bin/env bash
# Make small changes to mqtt_core and iothub_client, one at a time, and check for each whether a unit test fails.
#
#   ./build_all/mutate.sh [--seed N] [--count N] [--jobs N] [--quick] [FILE[:LINE]...]     default: 300 changes, seed 1, 2 jobs
#   ./build_all/mutate.sh --print [FILE[:LINE]...]     prints all possible changes, without running anything
#   ./build_all/mutate.sh --check [--jobs N]     checks the changes that are listed as equivalent: no test may fail for them
#
# Without FILE it draws from both layers; with a line, it makes all changes of that line. Prints the changes for which no test failed,
# and the share of the others. The same seed gives the same changes. 300 changes take an hour;
# --quick leaves out sanitizers and slow tests. See tests/mutation/README.md.
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
