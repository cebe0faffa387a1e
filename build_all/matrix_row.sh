#!/usr/bin/env bash
# Run one row of matrix.sh, as root, inside the fresh system that matrix.sh made for it, with the tree in /src. Do not run it
# in any other system: it changes the configuration.
#
#   /src/build_all/matrix_row.sh native|user|clang|newest_wolfssl|cross [ARCHITECTURE]
#
# Writes the compiler and the version of wolfSSL for the table to /facts.
set -euo pipefail
cd /src

install_packages() { apt-get -q -y install --no-install-recommends "$@"; }

# Upgrades the system; without the release's updates if the mirror has only a part of them at the moment.
upgrade() {
  apt-get -q update || leave_updates_out
  apt-get -q -y dist-upgrade
}

leave_updates_out() {
  sed -i '/-updates \|-security /d' /etc/apt/sources.list
  apt-get -q update
}

# Writes the name and version of a compiler, and the version of wolfSSL.
note_facts() {
  local first
  first=$("$1" --version | head -n 1)
  echo "compiler=${2:-$1} $(grep -oE '[0-9]+\.[0-9]+\.[0-9]+' <<<"$first" | head -n 1)"
  echo "wolfssl=$(pkg-config --modversion wolfssl)"
} >/facts

run_native() {
  upgrade
  ./build_all/setup.sh
  note_facts gcc
  ./build_all/test.sh
  ./build_all/demo.sh
}

# Runs the two commands as a user with sudo, in a system where only sudo was installed before.
run_user() {
  upgrade
  install_packages sudo
  useradd --create-home --shell /bin/bash somebody
  echo 'somebody ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/somebody
  cp -a /src /home/somebody/src
  chown -R somebody: /home/somebody/src
  su somebody -c 'cd ~/src && ./build_all/test.sh'
  note_facts gcc
  su somebody -c 'cd ~/src && ./build_all/demo.sh'
}

run_clang() {
  upgrade
  ./build_all/setup.sh fuzz
  note_facts clang
  CC=clang CXX=clang++ ./build_all/test.sh
}

# Builds the source package of Debian unstable with the options of debian/rules and installs it into /usr/local, which pkg-config,
# compiler and loader search before /usr; so the package of the release may be installed, too.
install_newest_wolfssl() {
  sed -n '1s/^deb \([^ ]*\) .*/deb-src \1 sid main/p' /etc/apt/sources.list >/etc/apt/sources.list.d/sid.list
  apt-get -q update
  ./build_all/setup.sh wolfssl
  mkdir /wolfssl
  cd /wolfssl
  apt-get -q source --tar-only wolfssl/sid
  tar -xf wolfssl_*.orig.tar.*z --strip-components=1
  eval "$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --export=sh)"
  ./autogen.sh
  ./configure --enable-distro --enable-pkcs11 --disable-examples
  make -j "$(nproc)" install
  install -m 644 wolfssl/options.h /usr/local/include/wolfssl/ # make install does not install this file with --enable-distro
  ldconfig
  unset CFLAGS CXXFLAGS CPPFLAGS LDFLAGS
  cd /src
}

run_newest_wolfssl() {
  upgrade
  install_newest_wolfssl
  note_facts gcc
  ./build_all/test.sh
}

# Installs the libraries of setup.sh for the other architecture. Debian requires the same versions as those of the compiling system, so
# both are taken from the release: updates do not arrive for all architectures at the same time.
install_cross() {
  local arch=$1 triplet=$2 library libraries=()
  for library in libc6-dev libwolfssl-dev nettle-dev libsqlite3-dev libcmocka-dev libcjson-dev \
    libuv1-dev libcurl4-openssl-dev libmicrohttpd-dev libgnutls28-dev libmosquitto-dev libp11-kit-dev; do
    libraries+=("$library:$arch")
  done
  dpkg --add-architecture "$arch"
  leave_updates_out
  install_packages "gcc-$triplet" "g++-$triplet" cmake ninja-build pkgconf python3 qemu-user \
    mosquitto-dev "${libraries[@]}"
}

# Leaves out tests that need a broker, a server or a script of the other architecture. AddressSanitizer and ThreadSanitizer do not
# work under QEMU.
run_cross() {
  local arch=$1 triplet=$2 cpu=$3
  install_cross "$arch" "$triplet"
  export PKG_CONFIG_LIBDIR=/usr/lib/$triplet/pkgconfig:/usr/share/pkgconfig
  note_facts "$triplet-gcc" gcc
  cmake -S . -B build/cross -G Ninja -DCMAKE_BUILD_TYPE=Debug -DIOTHUB_WARNINGS_AS_ERRORS=ON \
    -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$cpu" \
    -DCMAKE_LIBRARY_ARCHITECTURE="$triplet" \
    -DCMAKE_C_COMPILER="$triplet-gcc" -DCMAKE_CXX_COMPILER="$triplet-g++" \
    -DCMAKE_C_FLAGS='-O1 -fsanitize=undefined -fno-sanitize-recover=all -static-libubsan' \
    -DCMAKE_CROSSCOMPILING_EMULATOR="/usr/bin/qemu-$cpu"
  cmake --build build/cross
  ctest --test-dir build/cross -j "$(nproc)" --output-on-failure \
    -LE 'integration|tools|bench|soak' -E '^(install|test_emulator|mutants|check_.*)$'
}

case "$1 ${2:-}" in
'native '*) run_native ;;
'user '*) run_user ;;
'clang '*) run_clang ;;
'newest_wolfssl '*) run_newest_wolfssl ;;
'cross arm64') run_cross arm64 aarch64-linux-gnu aarch64 ;;
'cross armhf') run_cross armhf arm-linux-gnueabihf arm ;;
'cross s390x') run_cross s390x s390x-linux-gnu s390x ;;
*)
  echo "matrix_row.sh: unknown arguments: $*" >&2
  exit 2
  ;;
esac
