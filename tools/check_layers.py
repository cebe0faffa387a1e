#!/usr/bin/env python3
"""Fail when a source file includes what its layer may not see.

usage: check_layers.py ROOT

The layers and their direction are in the README of the project: mqtt_core and
iothub_client compile without an operating system, and one library is wrapped
by one folder of platform/src.
"""

import pathlib
import re
import sys

C_STANDARD = {
    "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "stdarg.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "time.h",
}
FREESTANDING = C_STANDARD - {"errno.h", "stdio.h", "stdlib.h", "time.h"}
OURS = ("mqtt_core/", "platform/", "iothub/")
CLI = "cli/"  # what the programs share

# folder -> (system headers allowed, or None for any; own public prefixes allowed)
RULES = [
    ("mqtt_core/", FREESTANDING, ("mqtt_core/",)),
    ("platform/include/", FREESTANDING, ("platform/",)),
    ("platform/src/", None, ("platform/",)),
    ("iothub_client/src/heap", FREESTANDING | {"stdlib.h"}, OURS),
    ("iothub_client/", FREESTANDING, OURS),
    ("tools/cli/", None, (CLI,)),
    ("samples/", None, (*OURS, CLI)),
    ("tools/", None, (*OURS, CLI)),
]
# A library appears in one folder only.
LIBRARIES = {
    "wolfssl/": "platform/src/wolfssl/",
    "nettle/": "platform/src/nettle/",
    "sqlite3.h": "platform/src/sqlite/",
    "wslay/": "platform/src/websocket/",
    "gnutls/": "tools/hub_emulator/",
    "microhttpd.h": "tools/hub_emulator/rest_server",
    "mosquitto": "tools/hub_emulator/plugin",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def complaints(root, path):
    name = path.relative_to(root).as_posix()
    rule = next((r for r in RULES if name.startswith(r[0])), None)
    if rule is None:
        return
    _, system, own = rule
    for bracket, header in INCLUDE.findall(path.read_text(encoding="utf-8")):
        home = next((h for lib, h in LIBRARIES.items() if header.startswith(lib)), None)
        if home is not None:
            if not name.startswith(home):
                yield f"{name}: {header} belongs to {home}"
        elif header.startswith((*OURS, CLI)):
            if not header.startswith(own):
                yield f"{name}: {header} is above or beside this layer"
        elif bracket == "<":
            if system is not None and header not in system:
                yield f"{name}: <{header}> is not for this layer"
        elif not (path.parent / header).is_file() and not private(root, name, header):
            yield f'{name}: "{header}" is not a header of this layer'


def private(root, name, header):
    """A private header is looked up from the src folder of its own layer."""
    src = root / name.split("/")[0] / "src"
    return (src / header).is_file()


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    files = [p for top in {r[0].split("/")[0] for r in RULES}
             for p in sorted((root / top).rglob("*.[ch]"))]
    found = [line for path in files for line in complaints(root, path)]
    print("\n".join(found) if found else f"layers intact in {len(files)} files")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
