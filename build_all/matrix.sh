#!/usr/bin/env bash
# Run the tests in fresh systems that debootstrap makes: Debian 12 and 13, 64 and 32 bits, gcc and
# clang, the newest wolfSSL that Debian's unstable has, and the unit tests on Arm and on a big-endian
# machine that QEMU imitates.  Takes HEAD, so commit first.  Needs root, debootstrap and a Debian mirror.
#
#   ./build_all/matrix.sh [--cache DIR] [--mirror URL] [--list] [ROW...]
#
#   ROW            a row by its name, or by a part of it: debian13-amd64, i386, s390x; default: all
#   --list         print the names of the rows, and do nothing else
#   --cache DIR    keep what was downloaded and the logs here (default: /var/cache/iothub_device/matrix)
#   --mirror URL   a mirror of Debian (default: the first one in this system's own apt configuration)
#
# Prints a table and, for each row that is not green, the tests that failed; exits with 1 if there are
# such rows.  A row takes from five to twenty minutes; the log of each is in DIR/logs.
set -euo pipefail
cd "$(dirname "$0")/.."

# Name, release of Debian, architecture, what matrix_row.sh runs there.
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

# Its own mounts and processes, which end with it, whatever ends it: nothing needs to be unmounted.
isolated() {
  unshare --mount --pid --fork --kill-child --propagation private -- "$@" </dev/null 9>&- &
  running=$!
  local status=0
  wait "$running" || status=$?
  running=
  return "$status"
}

# in_system ROOT ARCHIVES COMMAND...: nothing of this system's environment gets in.
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

# The mirror that this system itself uses.
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

# What this system must know to reach its mirror, and nothing else.
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

# debootstrap_to ROOT RELEASE ARCHITECTURE
debootstrap_to() {
  local proxy
  proxy=$(proxy_of_host)
  isolated env ${proxy:+"$proxy"} debootstrap --arch="$3" --variant=minbase \
    --include=ca-certificates "$2" "$1" "$mirror"
}

# make_base ROOT RELEASE ARCHITECTURE: a minimal system in the cache, made once.
make_base() {
  [ ! -e "$1.complete" ] || return 0
  rm -rf --one-file-system "$1"
  debootstrap_to "$@" || return 1
  sources_of "$2" >"$1/etc/apt/sources.list"
  apt_settings_of_host >"$1/etc/apt/apt.conf.d/90matrix"
  # As the installer leaves it.
  [ -e "$1/etc/hosts" ] || printf '127.0.0.1\tlocalhost\n::1\t\tlocalhost\n' >"$1/etc/hosts"
  touch "$1.complete"
}

# make_system BASE: a fresh one in $work/root, with the tree of HEAD in /src.
make_system() {
  cp -a --reflink=auto "$1" "$work/root" &&
    cp /etc/resolv.conf "$work/root/etc/resolv.conf" &&
    mkdir "$work/root/src" &&
    git archive HEAD | tar -x -C "$work/root/src"
}

remove_system() {
  # What was killed may still be about to end.
  for _ in 1 2 3 4 5; do
    rm -rf --one-file-system "$work/root" 2>/dev/null && return 0
    read -r -t 0.5 <> <(:) || true
  done
  rm -rf --one-file-system "$work/root"
}

# --- a row --------------------------------------------------------------------------------------

# run_row RELEASE ARCHITECTURE KIND
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

# add_line NAME LOG STATUS SECONDS
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
    [ -n "$found" ] || fail "there is no row $row; --list names them"
  done
}

check_host() {
  [ "$(id -u)" -eq 0 ] || fail 'only root may make systems: sudo ./build_all/matrix.sh'
  command -v debootstrap >/dev/null || fail 'apt-get install debootstrap, please'
  [[ $cache/ != $PWD/* ]] || fail "--cache $cache: outside the source tree, please"
  mirror=${mirror:-$(mirror_of_host Debian)}
  [ -n "$mirror" ] || fail 'no mirror of Debian in the configuration of apt: --mirror URL, please'
  [ -z "$(git status --porcelain)" ] || echo 'matrix.sh: what is not committed is left out' >&2
}

main() {
  read_arguments "$@"
  check_wanted
  check_host
  mkdir -p "$cache/logs"
  exec 9>"$cache/lock" # which ends with the script
  flock -n 9 || fail "--cache $cache: another matrix.sh is at work with it"
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
    echo "matrix.sh: not green: ${red[*]}" >&2
    exit 1
  fi
}

main "$@"
exit # for bash reads on, and the file may have changed by now
