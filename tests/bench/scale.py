#!/usr/bin/env python3
"""Measures many devices in one process: the cost of each, whether it grows with their number, and what
happens when their hub ends and returns.

usage: scale.py PROGRAMS [--devices N ...] [--transport plain|tls|tls-resumed|tls-certificate] [--storm N] [--update]
                [--json FILE] [--from FILE] ...

PROGRAMS is the folder with bench_many and null_broker. build_all/bench.sh --scale builds them and runs
this script; README.md in this folder shows the results, and --update writes them there.
"""

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

from bench import describe, start_broker
from results import Failure, add_options, conclude
from scale_plot import draw
from table import aligned, put_between

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE_S = 600  # a time-out that is far longer than any run
SIZES = (10, 100, 1000, 10000)
OTHER_DESCRIPTORS = 64  # the same number as in many.c
STORMS = (("plain TCP", "plain"), ("TLS, full handshakes", "tls"),
          ("TLS, sessions resumed", "tls-resumed"))
TITLES = {
    "plain": "plain TCP",
    "tls": "TLS 1.3",
    "tls-resumed": "TLS 1.3, sessions resumed",
    "tls-certificate": "TLS 1.3, devices with client certificates",
}

# Each column has a name, a title, the number of digits, and a function that computes it from one run.
COLUMNS = (
    ("devices", "devices", 0),
    ("kb", "memory, KB", 1),
    ("connect_us", "connect, us of CPU", 0),
    ("message_us", "message, us of CPU", 1),
    ("calls", "system calls a message", 2),
    ("allocations", "allocations a message", 2),
    ("median_us", "latency, median, us", 0),
    ("p99_us", "latency, 99 %, us", 0),
    ("idle_us", "idle, us of CPU a second", 2),
)
STORM_COLUMNS = (
    ("last_s", "all back after, s", 1),
    ("reconnect_us", "reconnect, us of CPU", 0),
    ("broker_us", "broker, us of CPU", 0),
    ("resumed", "resumed", 0),
    ("failed_attempts", "attempts refused", 0),
    ("off_percent", "furthest from expected, %", 1),
)


class Scale:
    """Starts brokers and devices in a folder of its own."""

    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.programs = arguments.programs
        self.folder = folder
        self.stack = contextlib.ExitStack()

    def broker(self, transport, port="0"):
        options = ["--stay", "--port", port]
        if transport != "plain":
            options += ["--tls", self.folder]
        if transport == "tls-resumed":
            options.append("--tickets")
        if transport == "tls-certificate":
            options.append("--ask")
        broker, port = start_broker(self.programs, *options)
        self.stack.callback(broker.wait)
        self.stack.callback(broker.kill)
        return broker, port

    def devices(self, count, transport, port, *options):
        arguments = self.arguments
        command = [os.path.join(self.programs, "bench_many"), "--port", port,
                   "--devices", str(count), "--messages", str(arguments.messages),
                   "--rate", str(arguments.rate), *options]
        if transport != "plain":
            command += ["--ca", os.path.join(self.folder, "ca.crt")]
        if transport == "tls-certificate":
            command += ["--certificate", os.path.join(self.folder, "server.crt"),
                        "--key", os.path.join(self.folder, "server.key")]
        environment = dict(os.environ)
        if arguments.counts:
            environment["LD_PRELOAD"] = os.path.join(self.programs, "libbench_count.so")
        devices = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env=environment)
        self.stack.callback(devices.wait)
        self.stack.callback(devices.kill)
        return devices


def stop(broker):
    """Waits for the broker to end and returns its report."""
    broker.terminate()
    said, _ = broker.communicate(timeout=PATIENCE_S)
    if broker.returncode != 0:
        raise Failure(f"null_broker: {broker.returncode}")
    return json.loads(said)


def finish(devices):
    said, errors = devices.communicate(timeout=PATIENCE_S)
    if devices.returncode != 0:
        raise Failure(errors or f"bench_many: {devices.returncode}")
    report = json.loads(said)
    if report["sent"] != report["acknowledged"]:
        raise Failure(f"{report['sent']} sent, {report['acknowledged']} acknowledged")
    return report


def expect(what, there, wanted):
    if there != wanted:
        raise Failure(f"{what}: {there} of {wanted}")


# --- cost for a number of devices ---------------------------------------------------------


def measure(scale, count, transport):
    broker, port = scale.broker(transport)
    devices = scale.devices(count, transport, port,
                            *(() if scale.arguments.idle else ("--no-idle",)))
    report = finish(devices)
    there = stop(broker)
    expect("messages at the broker", there["published"], report["sent"])
    expect("connections at the broker", there["connects"], count + report["passing"])
    return {"transport": transport, "broker_share": there["share"], **report}


def figures(report):
    """Returns the costs of one device. The first device was made before memory and connects were measured."""
    count, messages, send = report["devices"], report["sent"], report["send"]
    row = {
        "devices": count,
        "kb": report["bytes"] / (count - 1) / 1024,
        "connect_us": report["connect"]["cpu_ns"] / (count - 1) / 1000,
        "message_us": send["cpu_ns"] / messages / 1000,
        "calls": send["calls"] / messages,
        "allocations": send["allocations"] / messages,
        "median_us": report["median_us"],
        "p99_us": report["p99_us"],
    }
    if "idle" in report:
        idle = report["idle"]
        row["idle_us"] = idle["cpu_ns"] / idle["wall_ns"] * 1e6 / count
    return row


# --- a hub that ends and is started again -------------------------------------------------------


def wait_line(devices, wanted):
    line = devices.stderr.readline()
    if line.strip() != wanted:
        raise Failure(line + devices.stderr.read())


def storm(scale, name, transport):
    arguments = scale.arguments
    broker, port = scale.broker(transport)
    devices = scale.devices(arguments.storm, transport, port, "--no-idle", "--storm", "--retry-min",
                            str(arguments.retry_min), "--retry-max", str(arguments.retry_max))
    wait_line(devices, "READY")
    before = stop(broker)
    gone = time.monotonic()
    wait_line(devices, "LOST")
    time.sleep(max(arguments.down - (time.monotonic() - gone), 0))
    broker, _ = scale.broker(transport, port)
    down = time.monotonic() - gone
    devices.send_signal(signal.SIGUSR1)
    report = finish(devices)
    after = stop(broker)
    expect("messages at the broker", before["published"] + after["published"], report["sent"])
    expect("devices that came back", len(report["storm"]["back_ms"]), arguments.storm)
    if (report["storm"]["resumed"] > 0) != (transport == "tls-resumed"):
        raise Failure(f"{name}: {report['storm']['resumed']} TLS sessions resumed")
    return {"name": name, "down_s": down, "broker_cpu_s": after["cpu_s"],
            "retry_ms": [arguments.retry_min, arguments.retry_max], **report}


def expected_back(result, rounds=100000):
    """Simulates back-off with full jitter. Returns the sorted times in ms at which the devices connect."""
    least, most = result["retry_ms"]
    dice = random.Random(1)
    times = []
    for _ in range(rounds):
        now, limit = 0, least
        while True:
            now += limit / 16 + dice.random() * limit * 15 / 16
            if now >= result["down_s"] * 1000:
                break
            limit = min(2 * limit, most)
        times.append(now - result["down_s"] * 1000)
    return sorted(times)


def share_before(times, end_ms):
    return sum(t < end_ms for t in times) / len(times)


def storm_figures(result):
    it, count = result["storm"], result["devices"]
    back, expected = it["back_ms"], expected_back(result)
    steps = range(0, int(max(back)) + 100, 100)
    return {
        "last_s": max(back) / 1000,
        "reconnect_us": it["cpu_ns"] / count / 1000,
        "broker_us": result["broker_cpu_s"] * 1e6 / count,
        "resumed": it["resumed"],
        "failed_attempts": it["failed_attempts"],
        "off_percent": 100 * max(abs(share_before(back, t) - share_before(expected, t))
                                 for t in steps),
    }


# --- output ------------------------------------------------------------------------------


def cell(value, digits):
    return "" if value is None else f"{value:.{digits}f}"


def sizes_table(reports):
    rows = [[title for _, title, _ in COLUMNS]]
    for row in map(figures, reports):
        rows.append([cell(row.get(key), digits) for key, _, digits in COLUMNS])
    return aligned(rows)


def storm_table(results):
    rows = [["", *(title for _, title, _ in STORM_COLUMNS)]]
    for result in results:
        row = storm_figures(result)
        rows.append([result["name"], *(cell(row[key], digits) for key, _, digits in STORM_COLUMNS)])
    return aligned(rows)


def spread_table(results):
    """Returns a table with the number of devices that connected in each second."""
    expected = expected_back(results[0])
    end_s = int(max(max(r["storm"]["back_ms"]) for r in results) / 1000) + 1
    rows = [["second", "expected", *(r["name"] for r in results)]]
    for second in range(end_s):
        def between(times, at=1000 * second):
            return share_before(times, at + 1000) - share_before(times, at)
        rows.append([str(second + 1), f"{between(expected) * results[0]['devices']:.0f}",
                     *(f"{between(r['storm']['back_ms']) * r['devices']:.0f}" for r in results)])
    return aligned(rows)


def tables(results, with_spread=True):
    lines = []
    for transport in dict.fromkeys(r["transport"] for r in results["sizes"]):
        lines += [f"### many devices: {TITLES[transport]}", "",
                  *sizes_table([r for r in results["sizes"] if r["transport"] == transport]), ""]
    if results["storms"]:
        one = results["storms"][0]
        lines += [f"### a hub that is gone for {one['down_s']:.1f} s: {one['devices']} devices, "
                  f"waits of {one['retry_ms'][0] / 1000:g} to {one['retry_ms'][1] / 1000:g} s", "",
                  *storm_table(results["storms"]), ""]
        if with_spread:
            lines += ["How many came back in each second:", "", *spread_table(results["storms"]), ""]
    return "\n".join([*lines, results["machine"], ""])


def update(results):
    """Writes the plot, and the main tables into README.md."""
    with open(os.path.join(HERE, "scale.svg"), "w", encoding="utf-8") as file:
        file.write(draw([{"transport": r["transport"], **figures(r)} for r in results["sizes"]]))
    put_between(os.path.join(HERE, "README.md"), "scale.py", tables(results, with_spread=False))


# --- main ------------------------------------------------------------------------------------


def possible(sizes):
    """Returns the sizes for which there are enough descriptors; bench_many needs some for other purposes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for count in sizes:
        if count + OTHER_DESCRIPTORS <= hard or hard == resource.RLIM_INFINITY:
            yield count
        else:
            print(f"scale: left out: {count} devices; ulimit -Hn is {hard}", file=sys.stderr)


def run(arguments):
    results = {"machine": describe(), "sizes": [], "storms": []}
    transports = arguments.transport or TITLES
    with tempfile.TemporaryDirectory(prefix="iothub-scale-") as folder:
        for transport in transports:
            for count in possible(arguments.devices or SIZES):
                print(f"{transport}: {count} devices", file=sys.stderr, flush=True)
                scale = Scale(arguments, folder)
                with scale.stack:
                    results["sizes"].append(measure(scale, count, transport))
        for name, transport in STORMS if arguments.storm else ():
            if transport in transports:
                print(f"storm: {name}", file=sys.stderr, flush=True)
                scale = Scale(arguments, folder)
                with scale.stack:
                    results["storms"].append(storm(scale, name, transport))
    return results


def parse():
    parser = argparse.ArgumentParser(description="Measure many devices in one process.")
    parser.add_argument("programs", help="folder with the programs of the bench")
    parser.add_argument("--devices", action="append", type=int,
                        help=f"how many, 2 or more; may be given again ({SIZES})")
    parser.add_argument("--transport", action="append", choices=TITLES)
    parser.add_argument("--messages", type=int, default=20000, help="of all devices (20000)")
    parser.add_argument("--rate", type=int, default=2000,
                        help="messages a second, of all devices (2000)")
    parser.add_argument("--storm", type=int, default=1000,
                        help="devices whose hub goes away; 0: none (1000)")
    parser.add_argument("--down", type=float, default=5, help="seconds that it is away (5)")
    parser.add_argument("--retry-min", type=int, default=1000, help="ms (1000)")
    parser.add_argument("--retry-max", type=int, default=8000, help="ms (8000)")
    parser.add_argument("--no-idle", dest="idle", action="store_false",
                        help="leave out ten seconds in which nothing is sent")
    parser.add_argument("--no-counts", dest="counts", action="store_false",
                        help="no allocations and system calls")
    add_options(parser, "the tables into README.md and the plot into scale.svg, in the folder of this script")
    return parser.parse_args()


if __name__ == "__main__":
    conclude("scale", parse(), run, tables, update)
