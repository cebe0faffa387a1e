#!/usr/bin/env bash
# One row of matrix.sh, inside the fresh system that matrix.sh made for it: as root, with the tree in
# /src.  Not for a system that is to be kept.
#
#   /src/build_all/matrix_row.sh native|user|clang|newest_wolfssl|cross [ARCHITECTURE]
#
# What the table shows of the system is left in /facts.
set -euo pipefail
cd /src

install_packages() { apt-get -q -y install --no-install-recommends "$@"; }

# Without the release's updates when the mirror, which may be about to get them, has not all of them.
upgrade() {
  apt-get -q update || leave_updates_out
  apt-get -q -y dist-upgrade
}

leave_updates_out() {
  sed -i '/-updates \|-security /d' /etc/apt/sources.list
  apt-get -q update
}

# The name and the release of a compiler, whatever else its first line holds.
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

# Somebody who may use sudo; nothing is there yet but sudo itself.
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

# The sources of unstable's package, configured as in debian/rules.  /usr/local comes before /usr for
# pkg-config, compiler and loader, so that the release's own package may be there as well.
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
  install -m 644 wolfssl/options.h /usr/local/include/wolfssl/ # which --enable-distro leaves to debian/rules
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

# setup.sh's libraries of the other architecture stand beside those of the system that compiles, in
# the same versions: those of the release, since updates do not arrive for all at the same time.
install_cross() {
  local arch=$1 triplet=$2 library libraries=()
  for library in libc6-dev libwolfssl-dev nettle-dev libsqlite3-dev libcmocka-dev libcjson-dev \
    libuv1-dev libcurl4-openssl-dev libmicrohttpd-dev libgnutls28-dev libmosquitto-dev; do
    libraries+=("$library:$arch")
  done
  dpkg --add-architecture "$arch"
  leave_updates_out
  install_packages "gcc-$triplet" "g++-$triplet" cmake ninja-build pkgconf python3 qemu-user \
    mosquitto-dev "${libraries[@]}"
}

# Left out is what needs a broker, a server or a script of the other architecture; QEMU has no room
# for the sanitizers of addresses and threads.
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
  echo "matrix_row.sh: nothing is known for $*" >&2
  exit 2
  ;;
esac
