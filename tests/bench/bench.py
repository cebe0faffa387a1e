#!/usr/bin/env python3
"""Runs the same jobs with every client library that is installed, in turns, and compares them.

usage: bench.py PROGRAMS [--rounds N] [--messages N] [--peer NAME ...] [--job NAME ...]
                [--transport plain|tls|websocket] [--software PROGRAMS] [--aes PROGRAMS]
                [--no-counts] [--no-instructions] [--json FILE] [--from FILE] [--update]

PROGRAMS is the folder with bench_engine, null_broker and so on. build_all/bench.sh builds them and runs
this script; README.md in this folder explains the tables.
"""

import argparse
import dataclasses
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from results import Failure, add_options, conclude
from table import TITLES, put_between, summary, tables

HERE = os.path.dirname(os.path.abspath(__file__))
TRANSPORTS = tuple(TITLES)
PATIENCE_S = 300  # a time-out that is far longer than any run
CALLGRIND_MESSAGES = 2000
# Most payload bytes in a run under callgrind, because it slows down ciphers written in C.
CALLGRIND_BYTES = 2**20
BYTES = 128 * 2**20  # most payload bytes in a run
LIBRARIES = ("libwolfssl-dev", "nettle-dev", "libmosquitto-dev", "libpaho-mqtt-dev", "libssl3",
             "libgnutls28-dev", "valgrind")


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    program: str
    options: tuple = ()
    messages: int = 100000  # enough for some tenths of a second over plain TCP
    connections: int = 200
    tls_only: bool = False
    websocket: bool = False
    folder: str = ""  # folder of its program; empty: the folder of the others
    cipher: str = "+AES-128-GCM"  # the only cipher that the broker accepts


@dataclasses.dataclass(frozen=True)
class Job:
    name: str
    kind: str
    qos: int
    window: int
    size: int = 256
    one_by_one: bool = False  # the broker acknowledges each message with a separate write


PEERS = (
    Peer("limit", "bench_limit", messages=1000000),
    Peer("engine", "bench_engine", messages=1000000, websocket=True),
    Peer("client", "bench_client", messages=500000, websocket=True),
    Peer("client, runner", "bench_client", ("--thread",), messages=300000, websocket=True),
    Peer("libmosquitto", "bench_mosquitto"),
    Peer("libmosquitto, thread", "bench_mosquitto", ("--thread",)),
    # No connections, since each takes 1.5 s.
    Peer("Paho C", "bench_paho", messages=50000, connections=0),
)

JOBS = (
    Job("publish QoS 0", "publish", 0, 200),
    Job("publish QoS 1, window 20", "publish", 1, 20),
    Job("publish QoS 1, window 100", "publish", 1, 100),
    Job("window 100, answered one by one", "publish", 1, 100, one_by_one=True),
    Job("window 100, 16 B", "publish", 1, 100, size=16),
    Job("window 20, 4 KB", "publish", 1, 20, size=4096),
    Job("window 20, 64 KB", "publish", 1, 20, size=65536),
    Job("receive QoS 0", "receive", 0, 1),
    Job("receive QoS 1", "receive", 1, 100),
    Job("receive QoS 1, 16 B", "receive", 1, 100, size=16),
    Job("receive QoS 1, 4 KB", "receive", 1, 20, size=4096),
    Job("receive QoS 1, 64 KB", "receive", 1, 20, size=65536),
    Job("QoS 0, one at a time", "publish", 0, 1),
    Job("QoS 1, one at a time", "publish", 1, 1),
    Job("latency QoS 1", "latency", 1, 1),
    Job("idle", "idle", 1, 1),
)


def start_broker(programs, *options):
    """Starts a broker. Returns the process and its port."""
    command = [os.path.join(programs, "null_broker"), *options]
    broker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return broker, broker.stdout.readline().strip().removeprefix("PORT=")


class Bench:
    def __init__(self, programs, folder):
        self.programs = programs
        self.certificates = os.path.join(folder, "tls")

    def start_broker(self, peer, job, transport, count):
        options = []
        if transport != "plain":
            options = ["--tls", self.certificates, "--ciphers", peer.cipher]
        if transport == "websocket":
            options.append("--websocket")
        if job.one_by_one:
            options.append("--one-by-one")
        if job.kind == "receive":
            options += ["--send", str(count), "--size", str(job.size), "--qos", str(job.qos),
                        "--window", str(job.window)]
        return start_broker(self.programs, *options)

    def run(self, peer, job, transport, count, before=(), environment=None):
        """Runs one job with one peer. Returns the reports of the peer and of the broker."""
        broker, port = self.start_broker(peer, job, transport, count)
        program = os.path.join(peer.folder or self.programs, peer.program)
        command = [*before, program, "--port", port, "--kind", job.kind, "--qos",
                   str(job.qos), "--window", str(job.window), "--size", str(job.size),
                   "--count", str(count), *peer.options]
        if transport != "plain":
            command += ["--ca", os.path.join(self.certificates, "ca.crt")]
        if transport == "websocket":
            command.append("--websocket")
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False,
                                    timeout=PATIENCE_S, env={**os.environ, **(environment or {})})
            if result.returncode != 0:
                raise Failure(f"{peer.name}, {job.name}: {result.stderr or result.returncode}")
            said, _ = broker.communicate(timeout=PATIENCE_S)
        finally:
            broker.kill()
            broker.wait()
        report = json.loads(result.stdout.splitlines()[-1])
        report["broker"] = json.loads(said)
        report["stderr"] = result.stderr
        self.check(peer, job, count, report)
        return report

    @staticmethod
    def check(peer, job, count, report):
        """Checks that every message was sent, so that no peer is fast because it does less."""
        broker = report["broker"]
        published = count if job.kind in ("publish", "latency") else 0
        if broker["published"] != published:
            raise Failure(f"{peer.name}, {job.name}: {broker['published']} of {published} arrived")
        if job.kind == "receive" and job.qos > 0 and broker["acknowledged"] > count:
            raise Failure(f"{peer.name}, {job.name}: more acknowledgements than messages")


def per_message(report, what):
    return report[what] / max(report["messages"], 1)


def measure_time(bench, peer, job, transport, count):
    report = bench.run(peer, job, transport, count)
    if job.kind == "idle":
        return {"bytes": report["bytes_each"]}
    values = {
        "cpu_ns": per_message(report, "cpu_ns"),
        "per_s": report["messages"] * 1e9 / max(report["wall_ns"], 1),
        "broker_share": report["broker"]["share"],
    }
    for name in ("median_ns", "p99_ns"):
        if name in report:
            values[name] = report[name]
    return values


def measure_counts(bench, peer, job, transport, count):
    preload = {"LD_PRELOAD": os.path.join(bench.programs, "libbench_count.so")}
    report = bench.run(peer, job, transport, count, environment=preload)
    return {name: per_message(report, name) for name in ("allocations", "calls")}


def measure_instructions(bench, peer, job, transport, messages=CALLGRIND_MESSAGES):
    """Runs the job again with twice as many messages. The difference contains no costs of the start and
    the end.
    """
    totals = []
    messages = min(messages, CALLGRIND_BYTES // job.size)
    for count in (messages, 2 * messages):
        before = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
        report = bench.run(peer, job, transport, count, before)
        totals.append(int(re.search(r"Collected : (\d+)", report["stderr"]).group(1)))
    return {"instructions": (totals[1] - totals[0]) / messages}


def count_for(peer, job, transport, messages):
    if job.kind == "idle":
        return min(peer.connections, messages // 5)
    if messages < peer.messages:
        return messages
    if job.window == 1 and job.kind != "receive":
        return 10000
    most = min(peer.messages, BYTES // job.size)
    return most if transport == "plain" else min(most, 100000)


def time_in_turns(bench, peers, job, transport, arguments):
    """Runs all peers in turn in each round, so that a disturbance affects all of them."""
    values = {peer: [] for peer in peers}
    for _ in range(1 if job.kind == "idle" else arguments.rounds):
        for peer in peers:
            count = count_for(peer, job, transport, arguments.messages)
            values[peer].append(measure_time(bench, peer, job, transport, count))
    return values


def measure_job(bench, peers, job, transport, arguments):
    rows = []
    for peer, rounds in time_in_turns(bench, peers, job, transport, arguments).items():
        row = {"transport": transport, "job": job.name, "peer": peer.name, "rounds": rounds}
        row.update((name, statistics.median(r[name] for r in rounds)) for name in rounds[0])
        count = min(count_for(peer, job, transport, arguments.messages), 50000)
        if arguments.counts and job.kind != "idle":
            row.update(measure_counts(bench, peer, job, transport, count))
        if arguments.instructions and job.kind in ("publish", "receive"):
            row.update(measure_instructions(bench, peer, job, transport))
        rows.append(row)
    return rows


def run_jobs(bench, peers, jobs, arguments):
    rows = []
    for transport in arguments.transport or TRANSPORTS:
        for job in jobs:
            print(f"{transport}: {job.name}", file=sys.stderr, flush=True)
            here = [p for p in peers if (transport == "tls" or not p.tls_only) and
                    (transport != "websocket" or p.websocket) and
                    (job.kind != "idle" or p.connections > 0)]
            rows += measure_job(bench, here, job, transport, arguments)
    return rows


def all_peers(software, aes):
    """Adds variants of the client: from a build without nettle, from one with another wolfSSL, and with
    another cipher.
    """
    client = dataclasses.replace(PEERS[2], tls_only=True, websocket=False)
    again = [dataclasses.replace(client, name=f"client, {how}", folder=folder)
             for how, folder in (("no nettle", software), ("AES wolfSSL", aes)) if folder]
    chacha20 = dataclasses.replace(client, name="client, ChaCha20", cipher="+CHACHA20-POLY1305")
    return [*PEERS[:4], *again, chacha20, *PEERS[4:]]


def available(programs, wanted, software, aes):
    peers = []
    for peer in all_peers(software, aes):
        if wanted and peer.name not in wanted:
            continue
        if os.path.exists(os.path.join(peer.folder or programs, peer.program)):
            peers.append(peer)
        else:
            print(f"bench: no {peer.name}: it was not there when this was built "
                  "(build_all/setup.sh bench)", file=sys.stderr)
    return peers


def describe():
    """Describes the machine and the libraries in a few lines."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = re.findall(r"model name\s*: (.*)", file.read())
    lines = [f"{os.cpu_count()} cores, {models[0] if models else platform.machine()}, "
             f"{platform.system()} {platform.release()}"]
    if shutil.which("dpkg-query"):
        query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *LIBRARIES]
        said = subprocess.run(query, capture_output=True, text=True, check=False).stdout
        lines.append("; ".join(said.splitlines()))
    return "\n".join(lines)


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def parse():
    parser = argparse.ArgumentParser(description="Compare MQTT client libraries.")
    parser.add_argument("programs", help="folder with the programs of the bench")
    parser.add_argument("--rounds", type=positive, default=5,
                        help="rounds of which the median counts (5)")
    parser.add_argument("--messages", type=positive, default=10**9, help="the most messages of a run")
    parser.add_argument("--peer", action="append", choices=[p.name for p in all_peers("?", "?")],
                        metavar="NAME", help="a column of the tables; may be given again")
    parser.add_argument("--job", action="append", choices=[j.name for j in JOBS],
                        metavar="NAME", help="a row of the tables; may be given again")
    parser.add_argument("--transport", action="append", choices=TRANSPORTS)
    parser.add_argument("--software", default="",
                        help="programs built without nettle")
    parser.add_argument("--aes", default="",
                        help="programs built with a wolfSSL that has AES instructions")
    parser.add_argument("--no-counts", dest="counts", action="store_false",
                        help="no allocations and system calls")
    parser.add_argument("--no-instructions", dest="instructions", action="store_false",
                        help="no run under callgrind")
    add_options(parser, "the main tables into README.md in the folder of this script")
    return parser.parse_args()


def measure(arguments):
    if arguments.instructions and shutil.which("valgrind") is None:
        print("bench: no instructions: valgrind is not installed", file=sys.stderr)
        arguments.instructions = False
    peers = available(arguments.programs, arguments.peer, arguments.software, arguments.aes)
    jobs = [j for j in JOBS if not arguments.job or j.name in arguments.job]
    with tempfile.TemporaryDirectory(prefix="iothub-bench-") as folder:
        rows = run_jobs(Bench(arguments.programs, folder), peers, jobs, arguments)
    return {"machine": describe(), "rows": rows}


def show(found):
    return f"{found['machine']}\n\n{tables(found['rows'])}"


def update(found):
    put_between(os.path.join(HERE, "README.md"), "bench.py",
                f"{summary(found['rows'])}\n{found['machine']}\n")


if __name__ == "__main__":
    conclude("bench", parse(), measure, show, update)
