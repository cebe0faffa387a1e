#!/usr/bin/env python3
"""Checks that mqtt_core/MQTT-3.1.1.md lists every normative statement once, and platform/WEBSOCKET.md every
group of cases of the Autobahn test suite, and that the tests that they name exist.

usage: check_statements.py SOURCE_DIR
"""

import pathlib
import re
import sys

# Number of statements in appendix B for each section.
STATEMENTS = {
    "1.5.3": 3, "2.2.2": 2, "2.3.1": 7,
    "3.1.0": 2, "3.1.2": 24, "3.1.3": 11, "3.1.4": 5, "3.2.0": 1, "3.2.2": 6,
    "3.3.1": 12, "3.3.2": 3, "3.3.4": 1, "3.3.5": 2, "3.6.1": 1,
    "3.8.1": 1, "3.8.3": 4, "3.8.4": 6, "3.9.3": 2, "3.10.1": 1, "3.10.3": 2, "3.10.4": 6,
    "3.12.4": 1, "3.14.1": 1, "3.14.4": 3,
    "4.1.0": 2, "4.3.1": 1, "4.3.2": 2, "4.3.3": 2, "4.4.0": 1, "4.5.0": 2, "4.6.0": 6,
    "4.7.1": 3, "4.7.2": 1, "4.7.3": 4, "4.8.0": 2, "6.0.0": 4, "7.0.0": 2, "7.1.1": 1, "7.1.2": 1,
}


# The groups of cases for a client; a group with sub-groups is listed by these.
CASES = ("1.1 1.2 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 2.9 2.10 2.11 3 4.1 4.2 "
         "5.1 5.2 5.3 5.4 5.5 5.6 5.7 5.8 5.9 5.10 5.11 5.12 5.13 5.14 5.15 5.16 5.17 5.18 5.19 5.20 "
         "6 7.1 7.3 7.5 7.7 7.9 7.13 9.1 9.2 9.3 9.4 9.5 9.6 9.7 9.8 10.1 12 13").split()


def tests_of(path):
    """Returns the tests in a file that are run: a cmocka test that main names, or a method of a unittest."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return set(re.findall(r"^    def (test_\w+)\(", text, re.M))
    return set(re.findall(r"cmocka_unit_test\(\s*(\w+)\)", text))


def row_faults(source, what, where):
    """Checks the tests that a row names."""
    named = re.findall(r"`(\w+\.(?:c|py)): (\w+)`", where)
    if not named and not where.startswith("none"):
        yield f"{what}: neither a test nor the reason why there is none"
    for name, test in named:
        found = sorted((source / "tests").rglob(name))
        if not found:
            yield f"{what}: no file {name}"
        elif not any(test in tests_of(path) for path in found):
            yield f"{what}: no test {test} in {name}"


def statement_faults(source):
    lines = (source / "mqtt_core/MQTT-3.1.1.md").read_text(encoding="utf-8").splitlines()
    known = {f"{section}-{n}" for section, count in STATEMENTS.items()
             for n in range(1, count + 1)}
    listed = []
    for line in lines:
        if line.startswith("| ["):
            statement, _, where = line.strip("| ").split(" | ", 2)
            listed += re.findall(r"\[MQTT-([\d.]+-\d+)\]", statement)
            yield from row_faults(source, statement, where)
        else:
            listed += re.findall(r"\[MQTT-([\d.]+-\d+)\]", line)
    for statement in sorted(known | set(listed)):
        if statement not in known:
            yield f"[MQTT-{statement}]: there is no such statement"
        elif listed.count(statement) != 1:
            yield f"[MQTT-{statement}]: listed {listed.count(statement)} times"


def case_faults(source):
    lines = (source / "platform/WEBSOCKET.md").read_text(encoding="utf-8").splitlines()
    listed = []
    for line in lines:
        if line.startswith("| ") and not line.startswith(("| case ", "| --- ")):
            cases, _, where = line.strip("| ").split(" | ", 2)
            listed += re.findall(r"\d[\d.]*", cases)
            yield from row_faults(source, f"case {cases}", where)
    for case in CASES:
        if listed.count(case) != 1:
            yield f"case {case}: listed {listed.count(case)} times"
    for case in set(listed) - set(CASES):
        yield f"case {case}: there is no such case"


def faults(source):
    yield from statement_faults(source)
    yield from case_faults(source)


def main():
    found = list(faults(pathlib.Path(sys.argv[1])))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
