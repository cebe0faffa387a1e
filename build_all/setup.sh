#!/usr/bin/env bash
# Install the Debian packages that the build, the tests and the demo need and that are missing.
# Nothing to do, and no root needed, when all are there.
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
  analyze) packages+=(clang-tidy cppcheck) ;;
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
