#!/usr/bin/env python3
"""Measures how many faults the unit tests find: makes small changes to the sources, one at a time, and
runs the tests.

build_all/mutate.sh calls it; tests/mutation/README.md describes how it works.
"""

import argparse
import filecmp
import glob
import os
import random
import shutil
import subprocess
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from builds import LAYERS, Build, Change, covered, drop_dependencies, fail, measured
from mutants import apply, mutants_of

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BASE = os.path.join(ROOT, "build", "mutation")
LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "equivalent.txt")

SLOW_S = 2  # a test that takes longer runs only without sanitizers, and not at all with --quick

INVALID = "does not compile"
SAME = "same object code"
LISTED = "listed as equivalent"
SURVIVED = "survived"
KILLED = "killed"


# --- choosing mutants --------------------------------------------------------------------------


def all_sources():
    found = []
    for layer in LAYERS:
        for end in ("c", "h"):
            found += glob.glob(os.path.join(ROOT, layer, "src", "**", "*." + end), recursive=True)
    return sorted(os.path.relpath(p, ROOT) for p in found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def wanted(places):
    """Returns the mutants of the files, or of the lines FILE:LINE, in the order of the sources."""
    chosen = []
    for place in places or all_sources():
        path, _, line = place.partition(":")
        if path not in all_sources():
            fail(f"{path} is no source of {' or '.join(LAYERS)}")
        if line and not line.isdigit():
            fail(f"{place}: not FILE:LINE")
        chosen += [m for m in mutants_of(path, read(path)) if not line or m.line == int(line)]
    return chosen


def shuffled(mutants, seed):
    """Returns the mutants in random order; a second mutant of a line comes after one of each line."""
    random.Random(seed).shuffle(mutants)
    first, later, lines = [], [], set()
    for m in mutants:
        place = (m.path, m.line)
        (later if place in lines else first).append(m)
        lines.add(place)
    return first + later


def listed():
    """Returns {key: reason} of the mutants that were judged equivalent."""
    entries = {}
    head = before = after = None
    with open(LIST, encoding="utf-8") as f:
        for line in f:
            text = line.rstrip("\n")
            if text.startswith("- "):
                before = text[2:]
            elif text.startswith("+ "):
                after = text[2:]
            elif text.startswith("  ") and head and before is not None and after is not None:
                key = (*head, before, after)
                entries[key] = (entries.get(key, "") + " " + text.strip()).strip()
            elif text and not text.startswith("#"):
                path, _, function = text.partition(" ")
                head, before, after = (path, function), None, None
    return entries


# --- judging one mutant ------------------------------------------------------------------------


class Bench:
    """What the workers share: the builds, and which test found most mutants."""

    def __init__(self, jobs, quick):
        self.plain = Build(ROOT, BASE, "plain", jobs)
        self.asan = None if quick else Build(ROOT, BASE, "asan", jobs)
        self.coverage = Build(ROOT, BASE, "coverage", jobs)
        place = os.path.join(BASE, "baseline")
        measured(self.plain, place)
        names = {t.name: t for t in self.plain.tests if not quick or t.seconds < SLOW_S}
        self.plain.tests = list(names.values())
        with ThreadPoolExecutor(jobs) as pool:
            tests = [t for t in self.coverage.tests if t.name in names]
            for t, lines in zip(tests, pool.map(lambda t: covered(self.coverage, t, place), tests)):
                names[t.name].lines = lines
        self.stages = [self.plain] if quick else [self.plain, self.sanitized(names)]
        self.kills = {}
        self.lock = threading.Lock()
        self.includes = {p: direct_includes(p) for p in all_sources()}

    def sanitized(self, names):
        self.asan.tests = [t for t in self.asan.tests if t.name in names and names[t.name].seconds < SLOW_S]
        for t in self.asan.tests:
            t.seconds, t.lines = names[t.name].seconds, names[t.name].lines
        return self.asan

    def sources_with(self, path):
        """Returns the C files that are compiled differently if this file changes."""
        if path.endswith(".c"):
            return [path]
        touched = {path}
        while True:
            more = {p for p, names in self.includes.items() if names & touched} - touched
            if not more:
                return sorted(p for p in touched if p.endswith(".c"))
            touched |= more

    def tests_for(self, build, m):
        """Returns the tests that execute the line; those that found most mutants come first."""
        chosen = [t for t in build.tests if executes(t, m)]
        own = "test_" + os.path.basename(m.path).split(".")[0]
        with self.lock:
            kills = dict(self.kills)
        return sorted(chosen, key=lambda t: (t.seconds - kills.get((m.path, t.name), 0), t.name != own))

    def note(self, m, test):
        with self.lock:
            key = (m.path, test.name)
            self.kills[key] = self.kills.get(key, 0) + 0.2


def direct_includes(path):
    """Finds a private header beside the file or, if it is not there, from the src folder of its layer."""
    folders = [os.path.dirname(path), os.path.join(path.split(os.sep)[0], "src")]
    names = [line.split('"')[1] for line in read(path).splitlines() if line.startswith('#include "')]
    return {os.path.join(f, n) for n in names for f in folders}


def executes(test, m):
    """Returns the line, or the line above it to which the compiler assigns the statement. A line without
    code, such as one of a table or an enum, counts as executed if anything of its file is.
    """
    lines = test.lines.get(m.path, {})
    if not m.function:
        return any(lines.values()) or m.path.endswith(".h")
    at = m.line
    while at > m.line - 20 and at not in lines:
        at -= 1
    return lines.get(at, 0) > 0


class Worker:
    """A folder with a copy of the sources, in which one of them is changed."""

    def __init__(self, bench, number):
        self.bench = bench
        self.folder = os.path.join(BASE, f"worker{number}")
        shutil.rmtree(self.folder, ignore_errors=True)
        for layer in LAYERS:
            shutil.copytree(os.path.join(ROOT, layer, "src"), os.path.join(self.folder, layer, "src"))

    def write(self, path, text):
        with open(os.path.join(self.folder, path), "w", encoding="utf-8") as f:
            f.write(text)

    def judge(self, m):
        source = read(m.path)
        self.write(m.path, apply(source, m.edits))
        try:
            return self.judge_written(m)
        finally:
            self.write(m.path, source)

    def judge_written(self, m):
        copies = {s: os.path.join(self.folder, s) for s in self.bench.sources_with(m.path)}
        change = Change(self.bench.plain, copies, self.folder)
        if not change.compiles():
            return INVALID, ""
        if self.is_same(m, copies):
            return SAME, ""
        for build in self.bench.stages:
            change = Change(build, copies, self.folder)
            for test in self.bench.tests_for(build, m):
                if change.kills(test):
                    self.bench.note(m, test)
                    return KILLED, f"{test.name} ({build.mode})"
        return SURVIVED, "" if self.bench.tests_for(self.bench.plain, m) else "no test executes it"

    def is_same(self, m, copies):
        """Returns whether both sources compile to the same object code."""
        return all(filecmp.cmp(self.optimised(s, ROOT), self.optimised(s, self.folder), False) for s in copies)

    def optimised(self, source, root):
        to = os.path.join(self.folder, "changed.o" if root == self.folder else "original.o")
        obj = self.bench.plain.objects[source][0]
        words = drop_dependencies(self.bench.plain.compile[obj]) + ["-O2", "-w"]
        words[words.index("-o") + 1] = to
        words[words.index("-c") + 1] = os.path.basename(source)
        subprocess.run(words, cwd=os.path.join(root, os.path.dirname(source)), check=True)
        return to


# --- main -----------------------------------------------------------------------------------------


def judge_all(bench, mutants, known, count, jobs):
    """Returns [(mutant, verdict, by)] until `count` of them are mutants that a test could detect."""
    results = {}
    free = [Worker(bench, n) for n in range(jobs)]
    running = {}
    ahead = enumerate(mutants)
    with ThreadPoolExecutor(jobs) as pool:
        while True:
            valid = sum(v in (KILLED, SURVIVED) for _, v, _ in results.values())
            while free and valid + len(running) < count:
                n, m = next(ahead, (None, None))
                if m is None:
                    break
                if m.key in known:
                    results[n] = (m, LISTED, known[m.key])
                    continue
                worker = free.pop()
                running[pool.submit(worker.judge, m)] = (n, m, worker)
            if not running:
                return [results[n] for n in sorted(results)]
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                n, m, worker = running.pop(done)
                free.append(worker)
                results[n] = (m, *done.result())
                show_progress(results[n])


def show_progress(result):
    m, verdict, by = result
    print(f"{m.path}:{m.line}: {verdict} {by}", flush=True)
    if verdict == SURVIVED:
        print(f"    - {m.before}\n    + {m.after}", flush=True)


def report(results):
    survivors = [(m, by) for m, v, by in results if v == SURVIVED]
    count = {v: sum(w == v for _, w, _ in results) for v in (INVALID, SAME, LISTED, SURVIVED, KILLED)}
    print(f"\n{len(survivors)} survived:")
    for m, by in sorted(survivors, key=lambda s: (s[0].path, s[0].line)):
        print(f"\n{m.path} {m.function}".rstrip() + f"\n- {m.before}\n+ {m.after}\n  line {m.line} {by}")
    valid = count[KILLED] + count[SURVIVED]
    share = 100.0 * count[KILLED] / valid if valid else 0.0
    print(f"\n{count[INVALID]} did not compile, {count[SAME]} gave the same object code, ", end="")
    print(f"{count[LISTED]} are listed as equivalent.")
    print(f"{count[KILLED]} of {valid} were killed: {share:.1f} %")


def report_stale(known):
    """Returns listed mutants that cannot be made any more, because their line has changed or is gone."""
    there = {m.key for m in wanted([])}
    for path, function, before, after in sorted(k for k in known if k not in there):
        print(f"\nlisted in {os.path.basename(LIST)}, and no longer there:")
        print(f"{path} {function}".rstrip() + f"\n- {before}\n+ {after}")


def options():
    parser = argparse.ArgumentParser(prog="mutate.sh", usage="see --help", add_help=False)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--print", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("places", nargs="*")
    o = parser.parse_args()
    if o.jobs < 1 or (o.count is not None and o.count < 1):
        fail("--jobs and --count are numbers from 1")
    if o.count is None:
        o.count = sys.maxsize if o.check or any(":" in p for p in o.places) else 300
    return o


def main():
    o = options()
    mutants = wanted(o.places)
    known = listed()
    if o.print:
        for m in mutants:
            print(f"{m.path}:{m.line} {m.function}\n- {m.before}\n+ {m.after}")
        print(f"{len(mutants)} changes", file=sys.stderr)
        return
    if o.check:
        mutants = [m for m in mutants if m.key in known]
    else:
        mutants = shuffled(mutants, o.seed)
    os.makedirs(BASE, exist_ok=True)
    results = judge_all(Bench(o.jobs, o.quick), mutants, {} if o.check else known, o.count, o.jobs)
    report(results)
    report_stale(known)
    if o.check and any(verdict == KILLED for _, verdict, _ in results):
        fail(f"what is killed makes a difference, and does not belong into {os.path.basename(LIST)}")


if __name__ == "__main__":
    main()
