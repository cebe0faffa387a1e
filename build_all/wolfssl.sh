#!/usr/bin/env bash
# Build the wolfSSL of this Debian from its source, with the AES instructions of the processor, which Debian's package does not use,
# and otherwise like the package. For measurements: bench.sh --aes. Installs the packages that it needs (autotools).
#
#   ./build_all/wolfssl.sh       installs into build/wolfssl/usr; does nothing if that is up to date
set -euo pipefail
cd "$(dirname "$0")/.."

./build_all/setup.sh wolfssl
top=$PWD/build/wolfssl
# The compiler options of Debian's packages, because wolfSSL's configure sets no -O.
flags=$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --export=sh)
stamp=$top/flags  # the options of the library that is installed there
if [ -e "$top/usr/include/wolfssl/options.h" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$flags" ]; then
  exit 0
fi

mkdir -p "$top"
./build_all/debian_source.sh wolfssl "$top"
cd "$top"

# Uses the options of debian/rules, and --enable-intelasm.
cd wolfssl-*/
eval "$flags"
./autogen.sh >../build.log 2>&1
./configure --prefix="$top/usr" --enable-distro --enable-pkcs11 --disable-examples \
  --enable-intelasm >>../build.log 2>&1
make -j2 install >>../build.log 2>&1
# Copies this header as the package does, because "make install" leaves it out with --enable-distro.
install -m 644 wolfssl/options.h "$top/usr/include/wolfssl/"
echo "$flags" >"$stamp"
