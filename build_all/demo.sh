#!/usr/bin/env bash
# The demo: installs the packages that are missing, builds, starts the local hub emulator, runs the samples against it, and shows
# the output of the device and of the service side.
#
# One of the packages, Debian's mosquitto, starts a system service on port 1883. If setup.sh installed the package, it stops and
# disables that service. The emulator starts the broker itself, on other ports, and stops it at the end.
#
# If IOTHUB_DEVICE_CONNECTION_STRING is set, the samples use that hub instead. If IOTHUB_CONNECTION_STRING is set, too, the demo also
# shows the service side of that hub (twin, methods).
set -euo pipefail
cd "$(dirname "$0")/.."

started=$SECONDS
bin=build/release/bin
work=$(mktemp -d)
jobs_to_end=()
worked=()

if [ -t 1 ]; then
  bold=$'\e[1m' blue=$'\e[36m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' blue='' green='' red='' plain=''
fi

title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
device() { sed -u "s/^/${blue}device  |${plain} /"; }
service() { sed -u "s/^/${green}service |${plain} /"; }

# show_log FILE: prints a log without the keys in it.
show_log() { sed 's/\(SharedAccessKey=\).*/\1***/' "$1"; }

finish() {
  status=$?
  for job in ${jobs_to_end[@]+"${jobs_to_end[@]}"}; do
    kill "$job" 2>/dev/null || true
    wait "$job" 2>/dev/null || true
  done
  if [ "$status" -ne 0 ]; then
    printf '\n%sdemo.sh: failed%s\n' "$red" "$plain"
    if [ -s "$work/emulator.log" ]; then
      echo 'output of the emulator:'
      show_log "$work/emulator.log"
    fi
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# wait_for FILE PATTERN: waits until a line of the file matches; fails after 30 seconds.
wait_for() {
  for _ in $(seq 300); do
    grep -q -e "$2" "$1" 2>/dev/null && return 0
    read -r -t 0.1 <> <(:) || true
  done
  echo "demo.sh: waited 30 s without success for \"$2\"" >&2
  show_log "$1" >&2
  return 1
}

# on_device NAME ARGUMENTS...: runs a sample in the background, shows its lines and keeps them in a log.
# `wait "$sample"` waits for the last line, too, and returns the exit status of the sample.
on_device() {
  : >"$work/$1.log"
  ("$bin/$1" "${@:2}" --port "$port" 2>&1 | tee "$work/$1.log" | device) &
  sample=$!
}

title 'Build'
./build_all/setup.sh
cmake --preset release >"$work/build.log" || { cat "$work/build.log"; exit 1; }
cmake --build --preset release --target demo >"$work/build.log" || { cat "$work/build.log"; exit 1; }
echo "samples and tools are in $bin"

if [ -z "${IOTHUB_DEVICE_CONNECTION_STRING:-}" ]; then
  title 'A local hub: hub_emulator'
  "$bin/hub_emulator" --port 0 --rest-port 0 --device device1 >"$work/emulator.log" 2>&1 &
  jobs_to_end=($!)
  wait_for "$work/emulator.log" '^READY$'
  # The lines are NAME=value; a value contains no quotes, but ';' and '='.
  while IFS='=' read -r name value; do
    case $name in IOTHUB_*) export "$name=$value" ;; esac
  done <"$work/emulator.log"
  local_hub=yes
  echo "ready on port $IOTHUB_PORT, REST on port $IOTHUB_REST_PORT"
fi
port=${IOTHUB_PORT:-8883}
rest=(--rest-port "${IOTHUB_REST_PORT:-443}")
device_id=$(sed -n 's/.*;DeviceId=\([^;]*\).*/\1/p' <<<"$IOTHUB_DEVICE_CONNECTION_STRING")

title 'A SAS token'
"$bin/iothub" sas-token --ttl 3600 >"$work/token"
"$bin/iothub" sas-token --inspect "$(cat "$work/token")" 2>&1 | device
worked+=(sas-token)

title 'Telemetry'
if [ -n "${local_hub:-}" ]; then
  ("$bin/iothub" service monitor "$device_id" --from 1 --count 3 "${rest[@]}" 2>&1 | service) &
  monitor=$!
fi
on_device telemetry --count 3
wait "$sample"
if [ -n "${local_hub:-}" ]; then
  wait "$monitor"
fi
worked+=(telemetry)

title 'Store and forward: three messages without a network, and the next run'
{ "$bin/store_and_forward" --port 1 --store "$work/telemetry.db" --count 3 --duration 1 2>&1 || true; } |
  device
on_device store_and_forward --store "$work/telemetry.db" --first 4 --count 1
wait "$sample"
worked+=(store_and_forward)

if [ -n "${local_hub:-}" ]; then
  title 'A cloud-to-device message, sent while the device is offline'
  "$bin/iothub" service c2d "$device_id" 'hello device' --property colour=blue "${rest[@]}" 2>&1 | service
  on_device c2d --count 1
  wait "$sample"
  worked+=(c2d)
fi

if [ -n "${IOTHUB_CONNECTION_STRING:-}" ]; then
  title 'The device twin: desired and reported properties'
  on_device twin --count 2
  wait_for "$work/twin.log" 'complete'
  "$bin/iothub" service twin update "$device_id" '{"properties":{"desired":{"interval":10}}}' \
    "${rest[@]}" >/dev/null
  wait "$sample"
  "$bin/iothub" service twin get "$device_id" "${rest[@]}" 2>&1 | sed -n '/"properties"/,$p' | service
  worked+=(twin)

  title 'Direct methods: answered immediately, answered later, and unknown'
  on_device methods --count 3
  wait_for "$work/methods.log" '^connected$'
  "$bin/iothub" service method "$device_id" ping '{"x":1}' "${rest[@]}" 2>&1 | service
  "$bin/iothub" service method "$device_id" selftest "${rest[@]}" 2>&1 | service
  { "$bin/iothub" service method "$device_id" nonsense "${rest[@]}" 2>&1 || true; } | service
  "$bin/iothub" service method "$device_id" ping "${rest[@]}" 2>&1 | service
  wait "$sample"
  worked+=(methods)

  title 'Plug and Play: a thermostat answers a desired temperature and reports its extremes'
  on_device thermostat --count 2
  wait_for "$work/thermostat.log" '^report: ok$'
  "$bin/iothub" service twin update "$device_id" '{"properties":{"desired":{"targetTemperature":25}}}' \
    "${rest[@]}" >/dev/null
  wait_for "$work/thermostat.log" 'temperature 25'
  "$bin/iothub" service method "$device_id" getMaxMinReport '"2026-01-01T00:00:00Z"' "${rest[@]}" 2>&1 | service
  wait "$sample"
  worked+=(thermostat)
fi

title "A poll loop of the application, static memory"
on_device event_loop --count 2
wait "$sample"
worked+=(event_loop)

title "Several threads, one client with a runner"
on_device runner --count 2
wait "$sample"
worked+=(runner)

printf '\n%sworked in %d s: %s%s\n' "$bold$green" $((SECONDS - started)) "${worked[*]}" "$plain"
