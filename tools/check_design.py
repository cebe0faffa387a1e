#!/usr/bin/env python3
"""Fails if the walks in iothub_client/DESIGN.md, or a table of a README, describe code that does not
exist.

usage: check_design.py ROOT

1. DESIGN.md has walks: sections with a numbered list. Each item names one or more functions with their
   files, as `function` (`folder/file.c`). Each of these files must define that function.
2. The walk must be connected: each function is used in its own file or in a file of an earlier item of
   the list. Exceptions are the first function and those that the application calls (iothub_...).
3. Each file that DESIGN.md or a README of README_FILES names with its folder, between backticks, must
   exist.

Names of files are relative to iothub_client/src, to mqtt_core/src, to an include folder, or to the
root.
"""

import pathlib
import re
import sys

from c_source import definitions, names_used, tokens

DESIGN = "iothub_client/DESIGN.md"
README_FILES = ("iothub_client/README.md", "mqtt_core/README.md", "platform/README.md", "CONTRIBUTING.md")
PLACES = ("iothub_client/src", "mqtt_core/src", "platform/src", "iothub_client/include", "mqtt_core/include",
          "platform/include", "")
ITEM = re.compile(r"^\d+\. (.*(?:\n(?!\d+\. |\n|#).*)*)", re.MULTILINE)
FUNCTION = re.compile(r"`(\w+)`\s\(`([\w./]+)`\)")
FILE = re.compile(r"`((?:[\w.]+/)+[\w]+\.[ch])`")


def find(root, base, name):
    """Returns the path of the file with this name, or None if there is none."""
    for place in (*PLACES, base):
        path = root / place / name
        if path.is_file():
            return path
    return None


def sections(text):
    """Returns the sections of a page, each with its heading."""
    for part in re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        yield title, body


class Walk:
    """Checks the items of one list, in their order."""

    def __init__(self, root, title):
        self.root, self.title = root, title
        self.names = set()  # names that the files of earlier items use
        self.begun = False

    def check(self, item):
        found = FUNCTION.findall(item)
        if not found:
            yield f"{self.title}: no function in: {' '.join(item.split())[:60]}"
        for function, name in found:
            path = find(self.root, "iothub_client", name)
            if path is None:
                yield f"{self.title}: no file {name}"
                continue
            yield from self.check_function(function, name, path.read_text(encoding="utf-8"))

    def check_function(self, function, name, text):
        extern, static = definitions(tokens(text))
        if function not in extern | static:
            yield f"{self.title}: {name} does not define {function}"
        used = names_used(text)
        calls = len(re.findall(rf"\b{function}\b", text))
        if self.begun and function not in self.names and calls < 2 and not function.startswith("iothub_"):
            yield f"{self.title}: no earlier step uses {function} ({name})"
        self.names |= used - extern
        self.begun = True


def check_walks(root, text):
    walks = 0
    for title, body in sections(text):
        items = ITEM.findall(body)
        walk = Walk(root, title)
        for item in items:
            yield from walk.check(item)
        walks += len(items) > 0
    if walks == 0:
        yield f"{DESIGN} has no walk"


def check_files(root, page):
    text = (root / page).read_text(encoding="utf-8")
    for name in dict.fromkeys(FILE.findall(text)):
        if find(root, pathlib.PurePath(page).parent, name) is None:
            yield f"{page}: no file {name}"


def check(root):
    faults = list(check_walks(root, (root / DESIGN).read_text(encoding="utf-8")))
    for page in (DESIGN, *README_FILES):
        faults += check_files(root, page)
    return faults


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    faults = check(pathlib.Path(sys.argv[1]))
    for fault in faults:
        print(f"check_design.py: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
