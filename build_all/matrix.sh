#!/usr/bin/env bash
# Run the tests in fresh systems made with debootstrap: Debian 12 and 13, 64 and 32 bits, gcc and clang, the wolfSSL of Debian
# unstable, and the unit tests on Arm and on a big-endian machine under QEMU. Tests the commit HEAD, so commit first. Needs root,
# debootstrap and a Debian mirror.
#
#   ./build_all/matrix.sh [--cache DIR] [--mirror URL] [--list] [ROW...]
#
#   ROW            name of a row, or a part of it: debian13-amd64, i386, s390x; default: all
#   --list         print the names of the rows and exit
#   --cache DIR    keep downloads and logs here (default: /var/cache/iothub_device/matrix)
#   --mirror URL   a mirror of Debian (default: the first one in this system's own apt configuration)
#
# Prints a table and, for each row that did not pass, the tests that failed; exits with 1 if a row did not
# pass. A row takes five to twenty minutes; its log is in DIR/logs.
set -euo pipefail
cd "$(dirname "$0")/.."

# Each row has a name, the release of Debian, the architecture and the arguments of matrix_row.sh.
rows=(
  'debian13-amd64        trixie   amd64 native'
  'debian13-amd64-user   trixie   amd64 user'
  'debian13-amd64-clang  trixie   amd64 clang'
  'debian13-i386         trixie   i386  native'
  'debian12-amd64        bookworm amd64 native'
  'debian12-amd64-clang  bookworm amd64 clang'
  'debian12-i386         bookworm i386  native'
  'newest-wolfssl        trixie   amd64 newest_wolfssl'
  'debian13-arm64        trixie   arm64 cross'
  'debian13-armhf        trixie   armhf cross'
  'debian12-armhf        bookworm armhf cross'
  'debian12-s390x        bookworm s390x cross'
)

cache=/var/cache/iothub_device/matrix
mirror=
wanted=()
work=
running=
table=()
red=()

usage() { sed -n '2,16s/^# \{0,1\}//p' "$0"; }

fail() {
  echo "matrix.sh: $*" >&2
  exit 2
}

# --- the systems --------------------------------------------------------------------------------

# Runs a command with mounts and processes of its own, which end together with it, so that nothing has to be unmounted
# afterwards.
isolated() {
  unshare --mount --pid --fork --kill-child --propagation private -- "$@" </dev/null 9>&- &
  running=$!
  local status=0
  wait "$running" || status=$?
  running=
  return "$status"
}

# in_system ROOT ARCHIVES COMMAND...: runs a command in a system, with an empty environment.
in_system() {
  # shellcheck disable=SC2016 # expanded inside
  isolated bash -euc '
    root=$1
    archives=$2
    shift 2
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/dev/shm"
    mount --bind "$archives" "$root/var/cache/apt/archives"
    exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"' isolated "$@"
}

# Prints the mirror that this system itself uses.
mirror_of_host() {
  # shellcheck disable=SC2016 # apt expands them
  apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n "s/^$1 //p" | head -n 1
}

sources_of() {
  local security
  security=$(mirror_of_host Debian-Security)
  echo "deb $mirror $1 main"
  echo "deb $mirror $1-updates main"
  [ -z "$security" ] || echo "deb $security $1-security main"
}

# Copies only the settings that are needed to reach the mirror.
apt_settings_of_host() {
  apt-config dump | grep -E '^Acquire::((https?|ftp)::|Check-)' || true
  echo 'APT::Keep-Downloaded-Packages "true";'
  echo 'Acquire::Retries "3";'
}

proxy_of_host() {
  local proxy=
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [ -z "$proxy" ] || echo "http_proxy=$proxy"
}

# debootstrap_to ROOT RELEASE ARCHITECTURE: installs a minimal system into a folder.
debootstrap_to() {
  local proxy
  proxy=$(proxy_of_host)
  isolated env ${proxy:+"$proxy"} debootstrap --arch="$3" --variant=minbase \
    --include=ca-certificates "$2" "$1" "$mirror"
}

# make_base ROOT RELEASE ARCHITECTURE: makes a minimal system in the cache, unless it exists.
make_base() {
  [ ! -e "$1.complete" ] || return 0
  rm -rf --one-file-system "$1"
  debootstrap_to "$@" || return 1
  sources_of "$2" >"$1/etc/apt/sources.list"
  apt_settings_of_host >"$1/etc/apt/apt.conf.d/90matrix"
  # The package sources as the Debian installer writes them.
  [ -e "$1/etc/hosts" ] || printf '127.0.0.1\tlocalhost\n::1\t\tlocalhost\n' >"$1/etc/hosts"
  touch "$1.complete"
}

# make_system BASE: copies a base to $work/root, with the tree of HEAD in /src.
make_system() {
  cp -a --reflink=auto "$1" "$work/root" &&
    cp /etc/resolv.conf "$work/root/etc/resolv.conf" &&
    mkdir "$work/root/src" &&
    git archive HEAD | tar -x -C "$work/root/src"
}

remove_system() {
  # A killed process may need some time to end.
  for _ in 1 2 3 4 5; do
    rm -rf --one-file-system "$work/root" 2>/dev/null && return 0
    read -r -t 0.5 <> <(:) || true
  done
  rm -rf --one-file-system "$work/root"
}

# --- a row --------------------------------------------------------------------------------------

# run_row RELEASE ARCHITECTURE KIND: makes a system and runs the tests in it.
run_row() {
  local own=$2 personality=()
  [ "$3" != cross ] || own=amd64
  [ "$own" != i386 ] || personality=(setarch i386)
  mkdir -p "$cache/archives/$1-$own/partial" &&
    make_base "$cache/$1-$own" "$1" "$own" &&
    make_system "$cache/$1-$own" &&
    in_system "$work/root" "$cache/archives/$1-$own" "${personality[@]}" \
      /src/build_all/matrix_row.sh "$3" "$2"
}

count() { grep -cE "^ *[0-9]+/[0-9]+ Test +#[0-9]+: .*($1)" "$2" || true; }

fact() { sed -n "s/^$1=//p" "$work/root/facts" 2>/dev/null || true; }

# add_line NAME LOG STATUS SECONDS: adds a row to the table.
add_line() {
  local passed failed skipped
  passed=$(count ' Passed ' "$2")
  skipped=$(count '[*]{3}Skipped' "$2")
  failed=$(($(count '.' "$2") - passed - skipped))
  [ "$3" -eq 0 ] || red+=("$1")
  [ "$3" -eq 0 ] || [ "$failed" -gt 0 ] || failed='did not end'
  table+=("| $1 | $(fact compiler) | $(fact wolfssl) | $passed | $failed | $skipped | $(($4 / 60)) min |")
  printf '%s\n' "${table[-1]}" >&2
}

show_what_failed() {
  grep -E '\*\*\*(Failed|Timeout|Exception|Not Run)|^E: |error:|^demo.sh' "$1" | head -n 30 >&2 ||
    tail -n 20 "$1" >&2
}

do_row() {
  local name=$1 log=$cache/logs/$1.log status=0 began=$SECONDS
  shift
  echo "matrix.sh: $name: the log is $log" >&2
  run_row "$@" >"$log" 2>&1 || status=$?
  add_line "$name" "$log" "$status" $((SECONDS - began))
  [ "$status" -eq 0 ] || show_what_failed "$log"
  remove_system
}

is_wanted() {
  local row all
  [ ${#wanted[@]} -gt 0 ] || return 0
  for row in "${wanted[@]}"; do
    [ "$row" != "$1" ] || return 0
    all=" ${rows[*]%% *} "
    [[ $all == *" $row "* ]] || [[ -$1- != *"-$row-"* ]] || return 0
  done
  return 1
}

# shellcheck disable=SC2317 # called by the trap
finish() {
  local status=$?
  trap '' INT TERM
  if [ -n "$running" ]; then
    kill -KILL "$running" 2>/dev/null || true
    wait "$running" 2>/dev/null || true
  fi
  if [ -n "$work" ]; then
    remove_system
    rm -rf --one-file-system "$work"
  fi
  exit "$status"
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
      usage
      exit
      ;;
    --list)
      printf '%s\n' "${rows[@]%% *}"
      exit
      ;;
    --cache)
      cache=$(realpath -m "${2:?a directory}")
      shift
      ;;
    --mirror)
      mirror=${2:?a URL}
      shift
      ;;
    -*)
      usage >&2
      exit 2
      ;;
    *) wanted+=("$1") ;;
    esac
    shift
  done
}

check_wanted() {
  local row name found
  for row in ${wanted[@]+"${wanted[@]}"}; do
    found=
    for name in "${rows[@]%% *}"; do
      [[ -$name- != *"-$row-"* ]] || found=yes
    done
    [ -n "$found" ] || fail "unknown row $row; --list prints the names"
  done
}

check_host() {
  [ "$(id -u)" -eq 0 ] || fail 'needs root: sudo ./build_all/matrix.sh'
  command -v debootstrap >/dev/null || fail 'debootstrap is not installed: apt-get install debootstrap'
  [[ $cache/ != $PWD/* ]] || fail "--cache $cache: must be outside the source tree"
  mirror=${mirror:-$(mirror_of_host Debian)}
  [ -n "$mirror" ] || fail 'the configuration of apt names no Debian mirror: give --mirror URL'
  [ -z "$(git status --porcelain)" ] || echo 'matrix.sh: changes that are not committed are left out' >&2
}

main() {
  read_arguments "$@"
  check_wanted
  check_host
  mkdir -p "$cache/logs"
  exec 9>"$cache/lock"  # the lock ends when the script ends
  flock -n 9 || fail "--cache $cache: another matrix.sh is using it"
  trap finish EXIT
  trap 'exit 130' INT TERM
  work=$(mktemp -d "$cache/work.XXXXXX")

  for row in "${rows[@]}"; do
    read -r -a words <<<"$row"
    if is_wanted "${words[0]}"; then
      do_row "${words[@]}"
    fi
  done

  echo
  echo '| system | compiler | wolfSSL | passed | failed | skipped | time |'
  echo '| --- | --- | --- | ---: | ---: | ---: | ---: |'
  printf '%s\n' "${table[@]}"
  if [ ${#red[@]} -gt 0 ]; then
    echo "matrix.sh: rows that did not pass: ${red[*]}" >&2
    exit 1
  fi
}

main "$@"
exit # otherwise bash would continue to read this file, which may have changed
