#!/usr/bin/env bash
# Make the manual of the public headers with Doxygen, in build/docs/html. Fails where a public item has no comment, and where a
# comment leaves out a parameter or the result. Installs nothing: without Doxygen it prints that it is skipped and exits with 77.
#
#   ./build_all/docs.sh [--output FOLDER] [HEADER|FOLDER...]     default: into build/docs, the public headers of all layers
set -euo pipefail
cd "$(dirname "$0")/.."

# The public headers of all layers.
headers=(
  iothub_client/include
  mqtt_core/include
  platform/include
)

output=build/docs
while [[ ${1:-} == -* ]]; do
  case $1 in
  --output)
    output=${2:?a folder}
    shift 2
    ;;
  *)
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
  esac
done
[ $# -gt 0 ] || set -- "${headers[@]}"

command -v doxygen >/dev/null || {
  echo 'docs.sh: skipped: there is no Doxygen (./build_all/setup.sh analyze installs it)'
  exit 77
}

rm -rf "$output/html" "$output/xml"
mkdir -p "$output"
failed=0
{
  cat build_all/Doxyfile
  printf '%s = %s\n' OUTPUT_DIRECTORY "\"$output\"" INPUT "$*"
} | doxygen - || failed=1
python3 -B build_all/check_docs.py "$output/xml" || failed=1
[ "$failed" -eq 0 ] || exit 1
echo "docs.sh: nothing is missing; the manual is $output/html/index.html"
