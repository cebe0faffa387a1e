#!/usr/bin/env bash
# Fetch the source of a package from Debian and unpack it with Debian's patches: FOLDER/PACKAGE-VERSION. Needs dpkg-dev.
# Package lists are kept in the folder, because the system may have no source lists, and must not be changed.
#
#   ./build_all/debian_source.sh PACKAGE FOLDER
set -euo pipefail
package=$1
mkdir -p "$2/lists/partial" "$2/archives/partial"
folder=$(cd "$2" && pwd)

sed 's/^Types: *deb *$/Types: deb-src/' /etc/apt/sources.list.d/*.sources \
  >"$folder/debian.sources" 2>/dev/null || true
sed -n 's/^deb /deb-src /p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
  >"$folder/debian.list" 2>/dev/null || true
lists=$folder/debian.sources
[ -s "$lists" ] || lists=$folder/debian.list
apt=(apt-get -q -o Dir::Etc::sourcelist="$lists" -o Dir::Etc::sourceparts=-
  -o Dir::State::lists="$folder/lists" -o Dir::Cache::archives="$folder/archives"
  -o APT::Sandbox::User="$(id -un)")
"${apt[@]}" update >&2
cd "$folder"
rm -rf "$package"-*/
"${apt[@]}" source "$package" >&2
