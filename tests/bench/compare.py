#!/usr/bin/env python3
"""Compares two trees: the cost of a message, and the size of the code.

usage: compare.py BASE NEW [--rounds N] [--job NAME ...] [--limit PERCENT] [--json FILE]

BASE and NEW are folders that build_all/costs.sh has made, one for each commit. callgrind counts the
instructions of the programs of each tree with the broker of NEW. All processes run on one processor, so
that broker and client take turns in the same way each time. Counts of a client without a thread then
vary by 0.1 %. With the runner's thread they vary by 3 %, so the median of --rounds runs is used.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

import bench
from results import Failure

LIMIT = 2  # percent, as CONTRIBUTING.md allows


class Side:
    def __init__(self, folder):
        self.folder = folder
        self.name = os.path.basename(os.path.normpath(folder))
        self.programs = os.path.join(folder, "release", "bench")


class Cost:
    """One row of the table."""

    def __init__(self, name, peer, job, messages, threaded=False):
        self.name = name
        self.peer = peer
        self.job = job
        self.messages = messages
        self.threaded = threaded

    def measure(self, side, runner):
        peer = bench.Peer(self.peer, "bench_engine" if self.peer == "engine" else "bench_client",
                          ("--thread",) if self.threaded else (), folder=side.programs)
        return bench.measure_instructions(runner, peer, self.job, "plain",
                                          self.messages)["instructions"]


def costs():
    jobs = (bench.Job("publish QoS 0", "publish", 0, 200),
            bench.Job("publish QoS 1, window 20", "publish", 1, 20),
            bench.Job("publish QoS 1, one at a time", "publish", 1, 1),
            bench.Job("receive QoS 1", "receive", 1, 100))
    rows = [Cost(f"{peer}: {job.name}", peer, job, 2000)
            for peer in ("engine", "client") for job in jobs]
    rows += [Cost(f"client, runner: {job.name}", "client, runner", job, messages, True)
             for job, messages in ((jobs[1], 4000), (jobs[3], 2000))]
    return rows


def measure(cost, sides, runner, rounds):
    """Returns the median of each side; the runs of the two sides alternate."""
    values = {side: [] for side in sides}
    for _ in range(rounds if cost.threaded else 1):
        for side in sides:
            values[side].append(cost.measure(side, runner))
    return [statistics.median(values[side]) for side in sides]


def code_size(side, library):
    """Returns the bytes of code and constants of a library that is optimised for size."""
    for folder, _, files in os.walk(os.path.join(side.folder, "min-size")):
        if library in files:
            said = subprocess.run(["size", os.path.join(folder, library)], capture_output=True,
                                  text=True, check=True).stdout
            return sum(int(line.split()[0]) for line in said.splitlines()[1:])
    raise Failure(f"{side.name} has no {library}")


def sizes(sides):
    return [(f"code of {library}, bytes", [code_size(side, f"lib{library}.a") for side in sides])
            for library in ("mqtt_core", "iothub_client", "iothub_platform_posix")]


def show(sides, rows):
    width = max(len(name) for name, _ in rows)
    lines = [f"| {'':{width}} | {sides[0].name:>9} | {sides[1].name:>9} | change |",
             f"| {'-' * width} | --------: | --------: | -----: |"]
    for name, (base, new) in rows:
        lines.append(f"| {name:{width}} | {base:9,.0f} | {new:9,.0f} | {new / base - 1:+6.1%} |")
    return "\n".join(lines)


def parse():
    parser = argparse.ArgumentParser(description="Compare the costs of two trees.")
    parser.add_argument("base", type=Side)
    parser.add_argument("new", type=Side)
    parser.add_argument("--rounds", type=bench.positive, default=9,
                        help="runs with the runner, of which the median counts (9)")
    parser.add_argument("--job", metavar="TEXT", default="",
                        help="only the rows whose name matches this regular expression")
    parser.add_argument("--limit", type=float, default=LIMIT, metavar="PERCENT",
                        help=f"fail when a row has grown by more ({LIMIT})")
    return parser.parse_args()


def main():
    arguments = parse()
    sides = (arguments.base, arguments.new)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = []
    try:
        with tempfile.TemporaryDirectory(prefix="iothub-costs-") as folder:
            runner = bench.Bench(arguments.new.programs, folder)
            for cost in costs():
                if re.search(arguments.job, cost.name):
                    rows.append((cost.name, measure(cost, sides, runner, arguments.rounds)))
        rows += [row for row in sizes(sides) if re.search(arguments.job, row[0])]
    except Failure as failure:
        sys.exit(f"costs: {failure}")
    if not rows:
        sys.exit(f"costs: no row matches {arguments.job}")
    print(show(sides, rows))
    grown = [name for name, (base, new) in rows if new > base * (1 + arguments.limit / 100)]
    if grown:
        sys.exit(f"costs: more than {arguments.limit:g} % above {sides[0].name}: {'; '.join(grown)}")


if __name__ == "__main__":
    main()
