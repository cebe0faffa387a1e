#!/usr/bin/env bash
# Does what somebody does who writes a port: installs the SDK without POSIX, and builds a port of their own against what was
# installed. The conformance suite must name what the pretend board does wrong. usage: port.sh SOURCE_DIR C_FLAGS
set -euo pipefail
source=$1 flags=$2
here=$(dirname "$0")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }

quietly cmake -G Ninja -S "$source" -B "$work/sdk" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS="$flags" \
  -DIOTHUB_BUILD_POSIX=OFF -DIOTHUB_BUILD_TESTS=OFF -DIOTHUB_BUILD_SAMPLES=OFF -DIOTHUB_BUILD_TOOLS=OFF
quietly cmake --build "$work/sdk"
quietly cmake --install "$work/sdk" --prefix "$work/prefix"
test -x "$work/prefix/share/iothub_device/conformance_peer.py"

mkdir "$work/board"
cp "$here/pretend_board.c" "$work/board/main.c"
cat >"$work/board/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.21)
project(board LANGUAGES C)
find_package(iothub_device 0.1 REQUIRED)
add_executable(board main.c)
target_link_libraries(board PRIVATE iothub::client iothub::platform_conformance iothub::platform_flash_store)
END
quietly cmake -G Ninja -S "$work/board" -B "$work/board/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_FLAGS="$flags"
quietly cmake --build "$work/board/build"
echo "a port of somebody else links without POSIX and without a change of the SDK"

"$work/board/build/board" >"$work/out"
for line in \
  "BROKEN plat_crypto.hmac_sha256: it computes the first answer of RFC 4231" \
  "BROKEN plat_crypto.base64_decode: other characters are refused with PLAT_ERR_ENCODING" \
  "BROKEN plat_crypto.random: each call makes other bytes" \
  "not checked: threads, because the platform has none"; do
  grep -qxF "$line" "$work/out" || { cat "$work/out"; exit 1; }
done
if grep -q "BROKEN plat_store" "$work/out"; then # the store is that of the SDK
  cat "$work/out"
  exit 1
fi
echo "the conformance suite names what it does wrong"
