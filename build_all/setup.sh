#!/usr/bin/env bash
# Install the Debian packages that the build, the tests and the demo need and that are missing.
# Nothing to do, and no root needed, when all are there.
#
# Debian's package mosquitto starts a broker on port 1883 as a system service, and enables it for each boot. Nothing here needs it:
# the emulator and the tests start brokers of their own. If this script installs the package, it stops and disables that service; a
# mosquitto that was there before is left as it is.
#
#   ./build_all/setup.sh [fuzz] [analyze] [bench] [wolfssl]     as well: what the scripts named so need
#   ./build_all/setup.sh vectors     as well: 29 MB of certificates of others, for x509_pkits (tests/platform)
set -euo pipefail

packages=(
  gcc g++ libc6-dev cmake ninja-build pkgconf python3
  libwolfssl-dev nettle-dev libsqlite3-dev libcmocka-dev
  libcjson-dev libuv1-dev libssl-dev libcurl4-openssl-dev libmicrohttpd-dev libgnutls28-dev
  mosquitto mosquitto-dev libmosquitto-dev mosquitto-clients ca-certificates
)
for purpose in "$@"; do
  case $purpose in
  fuzz) packages+=(clang libclang-rt-dev llvm) ;;
  analyze) packages+=(clang-tidy cppcheck doxygen) ;;
  bench) packages+=(libpaho-mqtt-dev valgrind) ;;
  vectors) packages+=(python3-cryptography-vectors) ;;
  wolfssl) packages+=(autoconf automake libtool make patch dpkg-dev) ;;
  *)
    echo "setup.sh: nothing is known for $purpose" >&2
    exit 2
    ;;
  esac
done

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "setup.sh: as root, please: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi

echo "setup.sh: installing ${missing[*]}" >&2
# An interrupted or concurrent apt run holds a lock for a while: wait for it instead of failing.
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120)
"${apt[@]}" update >&2
"${apt[@]}" install --no-install-recommends "${missing[@]}" >&2

# The service that came with the package, also where no systemd runs.
stop_broker() {
  if [ -d /run/systemd/system ]; then
    "${as_root[@]}" systemctl disable --now mosquitto.service
  elif [ -x /etc/init.d/mosquitto ]; then
    "${as_root[@]}" service mosquitto stop
    "${as_root[@]}" update-rc.d mosquitto disable
  fi
}

case " ${missing[*]} " in
*' mosquitto '*)
  if stop_broker >&2; then
    echo "setup.sh: the package mosquitto brings a system service, a broker on port 1883; it is stopped and disabled, as nothing here" \
      "needs it (to have it: systemctl enable --now mosquitto)" >&2
  else
    echo "setup.sh: the package mosquitto has started a broker on port 1883, which could not be stopped; nothing here needs it" >&2
  fi
  ;;
esac
