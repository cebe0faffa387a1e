#!/usr/bin/env bash
# Install the Debian packages that the build, the tests and the demo need. If all are installed already, this does nothing and
# does not need root.
#
# Debian's package mosquitto starts a broker on port 1883 as a system service and enables it for each boot. This project does not use
# the service: the emulator and the tests start their own brokers. If this script installs the package, it stops and disables the
# service; it does not change a mosquitto that was installed before.
#
#   ./build_all/setup.sh [fuzz] [analyze] [bench] [wolfssl]     also installs what the script of that name needs
#   ./build_all/setup.sh interop     also installs nginx, HAProxy and a WebSocket server in node, for test_websocket
#   ./build_all/setup.sh vectors     also installs 29 MB of public test certificates, for x509_pkits (tests/platform)
set -euo pipefail

packages=(
  gcc g++ libc6-dev cmake ninja-build pkgconf python3
  libwolfssl-dev nettle-dev libsqlite3-dev libcmocka-dev
  libcjson-dev libuv1-dev libssl-dev libcurl4-openssl-dev libmicrohttpd-dev libgnutls28-dev libwslay-dev
  libp11-kit-dev softhsm2
  mosquitto mosquitto-dev libmosquitto-dev mosquitto-clients ca-certificates
)
for purpose in "$@"; do
  case $purpose in
  fuzz) packages+=(clang libclang-rt-dev llvm) ;;
  analyze) packages+=(clang-tidy cppcheck doxygen) ;;
  bench) packages+=(libpaho-mqtt-dev valgrind) ;;
  interop) packages+=(nginx-light haproxy nodejs node-ws) ;;
  vectors) packages+=(python3-cryptography-vectors) ;;
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

# Stops and disables the service of the package, also on a system without systemd.
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
    echo "setup.sh: stopped and disabled the system service of the package mosquitto, a broker on port 1883, which this project does" \
      "not use (to enable it: systemctl enable --now mosquitto)" >&2
  else
    echo "setup.sh: the package mosquitto has started a broker on port 1883, which could not be stopped; this project does not use it" >&2
  fi
  ;;
esac
