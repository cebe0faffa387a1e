#!/usr/bin/env bash
# Build the firmware of samples/firmware for a Cortex-M4 and run it in QEMU, against Mosquitto on this machine. Installs the cross
# tools and fetches the source of lwIP from Debian. Prints the sizes of the libraries and of the image.
#
#   ./build_all/firmware.sh
#   ./build_all/firmware.sh --if-present    installs and fetches nothing; if something is missing, says what and exits with 77
set -euo pipefail
cd "$(dirname "$0")/.."

sources=$PWD/build/firmware-sources

# Prints what is missing, if anything is.
missing() {
  local program
  for program in arm-none-eabi-gcc qemu-system-arm; do
    command -v "$program" >/dev/null || echo "$program"
  done
  compgen -G "$sources/lwip-*/src" >/dev/null || echo "the source of lwIP"
}

case ${1-} in
'')
  ./build_all/setup.sh firmware
  compgen -G "$sources/lwip-*/src" >/dev/null || ./build_all/debian_source.sh lwip "$sources"
  ;;
--if-present)
  absent=$(missing)
  if [ -n "$absent" ]; then
    echo "firmware.sh: skipped; ./build_all/firmware.sh installs what is missing:" $absent
    exit 77
  fi
  ;;
*)
  echo "usage: firmware.sh [--if-present]" >&2
  exit 2
  ;;
esac

lwip=$(compgen -G "$sources/lwip-*/src" | head -n 1)
cmake --preset cortex-m4 -DIOTHUB_LWIP_DIR="${lwip%/src}" >/dev/null
cmake --build --preset cortex-m4

build=build/cortex-m4
for library in mqtt_core/libmqtt_core.a iothub_client/libiothub_client.a platform/libiothub_platform_lwip.a; do
  arm-none-eabi-size --totals "$build/$library" | awk -v name="$library" \
    'END { printf "%-40s %7d bytes of code and constants, %6d of static RAM (all objects)\n", name, $1 + $2, $2 + $3 }'
done
arm-none-eabi-size "$build/bin/firmware.elf" | awk \
  'END { printf "%-40s %7d bytes of flash, %6d of RAM with stack and heap\n", "firmware.elf", $1 + $2, $2 + $3 }'

python3 -B tests/firmware/test_firmware.py "$build/bin/firmware.elf"
