#!/usr/bin/env python3
"""Fails if a public function may run without the lock, or a callback may run with it.

usage: check_lock.py ROOT

Checks that every function of the headers HEADERS that takes a client is in the table of test_lock.c; that
callbacks are called only in callbacks.c; and that the lock is taken and released only at the front
door (also renewed_certificate.c, whose functions take no client), around callbacks, around calls of a stream (context.h) and by the runner's thread, but not in any
part.
"""

import pathlib
import re
import sys

DECLARED = re.compile(r"^[\w *]+?\b(iothub_\w+)\((?:const )?iothub_client \*c\b", re.MULTILINE)
CALLED = re.compile(r"callbacks\.\w+\(")
LOCKED = re.compile(r"\b(?:context|lock)_(?:enter|leave)\(")
LOCKING = {"api.c", "callbacks.c", "renewed_certificate.c", "context.h", "lock.c", "lock.h", "runner.c"}
# The headers of a client's functions.
HEADERS = ("client.h", "stats.h", "telemetry.h")
# These functions begin and end the life of a client, when no other thread uses it.
LIFE = {"iothub_init", "iothub_deinit", "iothub_free"}


def main():
    client = pathlib.Path(sys.argv[1]) / "iothub_client"
    tests = pathlib.Path(__file__).parent
    header = "".join((client / "include/iothub" / name).read_text("utf-8") for name in HEADERS)
    # A function NAME that is inline calls NAME_sized, so both count as one entry.
    declared = {name.removesuffix("_sized") for name in DECLARED.findall(header)} - LIFE
    table = (tests / "test_lock.c").read_text("utf-8")
    found = [f"{name}: not in the table of test_lock.c" for name in sorted(declared)
             if f'"{name}"' not in table]
    found += [f"{path.name}: calls a callback, which is for callbacks.c" for path in
              sorted((client / "src").rglob("*.c"))
              if path.name != "callbacks.c" and CALLED.search(path.read_text("utf-8"))]
    found += [f"{path.name}: enters or leaves the lock, which is for {', '.join(sorted(LOCKING))}"
              for path in sorted((client / "src").rglob("*.[ch]"))
              if path.name not in LOCKING and LOCKED.search(path.read_text("utf-8"))]
    print("\n".join(found) if found else f"{len(declared)} functions take the lock")
    return 1 if found or not declared else 0


if __name__ == "__main__":
    sys.exit(main())
