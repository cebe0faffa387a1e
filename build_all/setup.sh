#!/usr/bin/env bash
# Install the Debian packages that the build, the tests and the demo need. If all are installed already, this does nothing and
# does not need root.
#
# Debian's packages of servers start them as system services and enable them for each boot: mosquitto a broker on port 1883, and with
# "interop" nginx on port 80, HAProxy, and the proxies tinyproxy, Squid and Dante. This project does not use the services: the emulator
# and the tests start their own processes. If this script installs such a package, it stops and disables the service; it does not change
# a package that was installed before.
#
#   ./build_all/setup.sh [fuzz] [analyze] [bench] [wolfssl] [firmware]     also installs what the script of that name needs
#   ./build_all/setup.sh interop     also installs servers that the tests meet if they are installed: for test_websocket nginx, HAProxy
#                                    and a WebSocket server in node; for test_proxies tinyproxy, Squid, microsocks, socat and, if Debian has it, Dante
#   ./build_all/setup.sh vectors     also installs 29 MB of public test certificates, for x509_pkits (tests/platform)
set -euo pipefail

packages=(
  gcc g++ libc6-dev cmake ninja-build pkgconf python3
  libwolfssl-dev nettle-dev libsqlite3-dev libcmocka-dev
  libcjson-dev libuv1-dev libssl-dev libcurl4-openssl-dev libmicrohttpd-dev libgnutls28-dev libwslay-dev
  libp11-kit-dev softhsm2
  mosquitto mosquitto-dev libmosquitto-dev mosquitto-clients ca-certificates
  iproute2 nftables util-linux
)
# Debian has had no dante-server since version 13; its tests are skipped then.
dante=()
if grep -qs '^VERSION_ID="\?12' /etc/os-release; then
  dante=(dante-server)
fi
for purpose in "$@"; do
  case $purpose in
  fuzz) packages+=(clang libclang-rt-dev llvm) ;;
  analyze) packages+=(clang-tidy cppcheck doxygen) ;;
  bench) packages+=(libpaho-mqtt-dev valgrind) ;;
  interop) packages+=(nginx-light haproxy nodejs node-ws tinyproxy squid microsocks socat "${dante[@]}") ;;
  vectors) packages+=(python3-cryptography-vectors) ;;
  firmware) packages+=(gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm dpkg-dev) ;;
  wolfssl) packages+=(autoconf automake libtool make patch dpkg-dev) ;;
  *)
    echo "setup.sh: unknown argument $purpose" >&2
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
    echo "setup.sh: run this as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi

echo "setup.sh: installing ${missing[*]}" >&2
# Another apt run may hold the lock: wait for it instead of failing.
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120)
"${apt[@]}" update >&2
"${apt[@]}" install --no-install-recommends "${missing[@]}" >&2

# Stops a service and disables it, also on a system without systemd.
stop_service() {
  if [ -d /run/systemd/system ]; then
    "${as_root[@]}" systemctl disable --now "$1.service"
  elif [ -x "/etc/init.d/$1" ]; then
    "${as_root[@]}" service "$1" stop
    "${as_root[@]}" update-rc.d "$1" disable
  fi
}

# Maps a package to the service that it starts.
declare -A services=([mosquitto]=mosquitto [nginx-light]=nginx [haproxy]=haproxy [tinyproxy]=tinyproxy [squid]=squid [dante-server]=danted)

for package in "${missing[@]}"; do
  service=${services[$package]-}
  [ -n "$service" ] || continue
  if stop_service "$service" >&2; then
    echo "setup.sh: stopped and disabled the system service $service of the package $package, which this project does not use" \
      "(to enable it: systemctl enable --now $service)" >&2
  else
    echo "setup.sh: the package $package has started the system service $service, which could not be stopped; this project does not use it" >&2
  fi
done
