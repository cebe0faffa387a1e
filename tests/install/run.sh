#!/usr/bin/env bash
# Does what a user of an installed SDK does: uses find_package and pkg-config, and includes each header alone. It builds
# the program of the README. usage: run.sh SOURCE_DIR BUILD_DIR C_FLAGS
set -euo pipefail
source=$1 build=$2 flags=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null

# The first block of C code in the README is a complete program.
awk '/^```c$/ { on = 1; next } /^```$/ { if (on) exit } on' "$source/README.md" >"$work/main.c"
grep -q iothub_new "$work/main.c"

cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.21)
project(consumer LANGUAGES C)
find_package(iothub_device 0.1 REQUIRED)
add_executable(app main.c)
target_link_libraries(app PRIVATE iothub::client iothub::platform_posix)
END
cmake -G Ninja -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_FLAGS="$flags" \
  >"$work/log" 2>&1 && cmake --build "$work/build" >>"$work/log" 2>&1 || {
  cat "$work/log"
  exit 1
}
echo "find_package: built the program of the README"

# Builds the SDK as a part of another project, which gets only the libraries.
cat >"$work/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.21)
project(embedder LANGUAGES C)
add_subdirectory($source sdk)
add_executable(app main.c)
target_link_libraries(app PRIVATE iothub::client iothub::platform_posix)
END
cmake -G Ninja -S "$work" -B "$work/embedded" -DCMAKE_C_FLAGS="$flags" >"$work/log" 2>&1 &&
  cmake --build "$work/embedded" >>"$work/log" 2>&1 || {
  cat "$work/log"
  exit 1
}
if ls "$work/embedded/sdk/samples" >/dev/null 2>&1; then
  echo "samples were built for an embedding project" >&2
  exit 1
fi
echo "add_subdirectory: built the program of the README"

PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name iothub-device.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046,SC2086 # flags are words
cc -std=c99 -Wall -Wextra -Werror $flags -o "$work/app" "$work/main.c" \
  $(pkg-config --static --cflags --libs iothub-device)
echo "pkg-config: built the program of the README"

# The store and HTTP are separate libraries: only programs that use them are linked with SQLite and libcurl.
if ldd "$work/app" | grep -qE 'sqlite|curl|wslay|p11-kit'; then
  echo "an optional library is linked without need" >&2
  exit 1
fi
cat >"$work/store.c" <<'END'
#include <stdio.h>

#include "platform/sqlite_store.h"

int main(int argc, char **argv)
{
    const plat_sqlite_options o = { .path = argc > 1 ? argv[1] : "", .owner = "install" };
    char detail[PLAT_STORE_DETAIL_SIZE];
    plat_store *store;

    if (plat_sqlite_store_open(&o, &store, detail) != PLAT_OK) {
        puts(detail);
        return 1;
    }
    return store->ops->close(store) == PLAT_OK ? 0 : 1;
}
END
# shellcheck disable=SC2046,SC2086 # flags are words
cc -std=c99 -Wall -Wextra -Werror $flags -o "$work/store" "$work/store.c" \
  $(pkg-config --static --cflags --libs iothub-device-sqlite)
"$work/store" "$work/a.db"
mkdir "$work/consumer"
cat >"$work/consumer/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.21)
project(consumer LANGUAGES C)
find_package(iothub_device 0.1 REQUIRED)
add_executable(store ../store.c)
target_link_libraries(store PRIVATE iothub::platform_sqlite)
END
cmake -G Ninja -S "$work/consumer" -B "$work/consumer/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_C_FLAGS="$flags" >"$work/log" 2>&1 && cmake --build "$work/consumer/build" >>"$work/log" 2>&1 || {
  cat "$work/log"
  exit 1
}
"$work/consumer/build/store" "$work/b.db"
echo "the store: built with find_package and pkg-config, opens a file"

cat >"$work/token.c" <<'END'
#include <stdio.h>

#include "platform/pkcs11.h"

int main(void)
{
    const plat_pkcs11_config c = { .uri = "pkcs11:object=a?module-path=/nowhere" };
    plat_signer *signer;
    plat_identity_fault fault;

    if (plat_pkcs11_signer_new(&c, &signer, &fault) != PLAT_ERR_SIGNER) {
        puts(fault.text);
        return 1;
    }
    return 0;
}
END
# shellcheck disable=SC2046,SC2086 # flags are words
cc -std=c99 -Wall -Wextra -Werror $flags -o "$work/token" "$work/token.c" \
  $(pkg-config --static --cflags --libs iothub-device-pkcs11)
"$work/token" 2>"$work/stderr"
cat >>"$work/consumer/CMakeLists.txt" <<'END'
add_executable(token ../token.c)
target_link_libraries(token PRIVATE iothub::platform_pkcs11)
END
cmake --build "$work/consumer/build" >"$work/log" 2>&1 || {
  cat "$work/log"
  exit 1
}
"$work/consumer/build/token" 2>"$work/stderr"
echo "tokens: built with find_package and pkg-config, names a missing module"

cat >"$work/network.c" <<'END'
#include <stdio.h>
#include <string.h>

#include "iothub/client.h"
#include "iothub/upload.h"

int main(void)
{
    plat_platform platform = *plat_posix();
    iothub_upload_options upload;
    iothub_options options;
    iothub_error error;

    platform.websockets = plat_wslay();
    platform.tunnels = plat_curl_tunnels();
    iothub_options_init(&options);
    options.platform = &platform;
    options.transport = IOTHUB_AUTO;
    options.proxy = "http://user:secret@proxy:0";
    if (iothub_new("HostName=h.example;DeviceId=d;SharedAccessKey=AAAA", &options, &error) != NULL) {
        return 1;
    }
    puts(error.text);
    if (strstr(error.text, "proxy: the port") == NULL || strstr(error.text, "secret") != NULL) {
        return 1;
    }
    iothub_upload_options_init(&upload);
    upload.platform = &platform;
    upload.blob_name = "a/../b";
    if (iothub_upload_start(&upload, &error) != NULL) {
        return 1;
    }
    puts(error.text);
    return strstr(error.text, "blob_name") == NULL;
}
END
# shellcheck disable=SC2046,SC2086 # flags are words
cc -std=c99 -Wall -Wextra -Werror $flags -o "$work/network" "$work/network.c" \
  $(pkg-config --static --cflags --libs iothub-device-upload iothub-device-websocket)
"$work/network" >"$work/log"
cat >>"$work/consumer/CMakeLists.txt" <<'END'
add_executable(network ../network.c)
target_link_libraries(network PRIVATE iothub::upload iothub::platform_websocket iothub::platform_posix)
END
cmake --build "$work/consumer/build" >"$work/log" 2>&1 || {
  cat "$work/log"
  exit 1
}
"$work/consumer/build/network" >"$work/log"
echo "WebSockets, proxies and uploads: built with find_package and pkg-config, name what is wrong"

for app in "$work/app" "$work/build/app"; do
  if IOTHUB_DEVICE_CONNECTION_STRING='HostName=h' "$app" 2>"$work/stderr"; then
    echo "a connection string without DeviceId was taken" >&2
    exit 1
  fi
  grep -q DeviceId "$work/stderr"
done
echo "both name the missing part of a connection string"

# The sample tries to connect forever; it ends when its third line meets the closed pipe.
lines=$(IOTHUB_DEVICE_CONNECTION_STRING='HostName=nowhere.invalid;DeviceId=d;SharedAccessKey=AAAA' \
  "$work/app" 2>&1 | head -n 2) || true
grep -q nowhere.invalid <<<"$lines"
echo "it says why it cannot connect"

include=$work/prefix/include/iothub_device
headers=$(cd "$include" && find . -name '*.h' | sed 's|^\./||' | sort)
for header in $headers; do
  printf '#include "%s"\n' "$header" >"$work/one.c"
  cc -std=c99 -Wall -Wextra -Wpedantic -Werror -I"$include" -fsyntax-only "$work/one.c"
  c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -I"$include" -fsyntax-only -x c++ "$work/one.c"
done
echo "$(wc -w <<<"$headers") headers compile alone, as C99 and as C++11"
