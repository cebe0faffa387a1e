#!/usr/bin/env python3
"""Fails if a source file uses a file that it must not use.

usage: check_layers.py ROOT

1. Layers (RULES, LIBRARIES): mqtt_core and iothub_client compile without an operating system, and each
   library is used by one folder of platform/src only.
2. Levels inside a layer (LEVELS): a file uses its own folder and folders of lower levels. Folders of
   the same level do not use each other.
3. No circle: files of a layer do not use each other in a circle. A .c file and the header with the same
   name in the same folder count as one file.
4. Few files know the whole of a large struct (KNOWN_BY).

A file uses another one if it includes its header, or names a function or variable that the other one
defines. So a header that several .c files share does not hide who uses whom.
"""

import pathlib
import sys

from c_source import declarations, definitions, includes, names_used, tokens, without_comments

C_STANDARD = {
    "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "stdarg.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "time.h",
}
FREESTANDING = C_STANDARD - {"errno.h", "stdio.h", "stdlib.h", "time.h"}
OURS = ("mqtt_core/", "platform/", "iothub/")
CLI = "cli/"  # folder that the programs and the samples share

# Maps a folder to the system headers that it may include (None: any) and the public prefixes of this project.
RULES = [
    ("mqtt_core/", FREESTANDING, ("mqtt_core/",)),
    ("platform/include/", FREESTANDING, ("platform/",)),
    ("platform/src/conformance/", FREESTANDING, ("platform/",)),
    ("platform/src/flash_store/", FREESTANDING, ("platform/",)),
    ("platform/src/", None, ("platform/",)),
    ("iothub_client/src/heap", FREESTANDING | {"stdlib.h"}, OURS),
    ("iothub_client/src/drive/heap", FREESTANDING | {"stdlib.h"}, OURS),
    ("iothub_client/src/edge/", FREESTANDING | {"stdlib.h"}, OURS),
    ("iothub_client/src/upload/", FREESTANDING | {"stdlib.h"}, OURS),
    ("iothub_client/", FREESTANDING, OURS),
    ("tools/cli/", None, (CLI,)),
    ("samples/", None, (*OURS, CLI)),
    ("tools/", None, (*OURS, CLI)),
]
# Each of these libraries is used in one folder only, or in one folder of each layer.
LIBRARIES = {
    "wolfssl/": "platform/src/wolfssl/",
    "nettle/": "platform/src/nettle/",
    "sqlite3.h": "platform/src/sqlite/",
    "p11-kit/": "platform/src/pkcs11/",
    "curl/": ("platform/src/curl/", "tools/iothub/"),
    "lwip/": ("platform/src/lwip/", "samples/firmware/"),
    "netif/": "samples/firmware/",
    "wslay/": ("platform/src/websocket/", "tools/hub_emulator/front/websocket_line"),
    "gnutls/": "tools/hub_emulator/",
    "microhttpd.h": ("tools/hub_emulator/server/rest_server", "tools/hub_emulator/server/blob_call"),
    "mosquitto": "tools/hub_emulator/broker/plugin",
}

# The folders in which the private headers of each layer are looked up.
LAYERS = {
    "mqtt_core": "mqtt_core/src",
    "platform": "platform/src",
    "iothub_client": "iothub_client/src",
    "tools/cli": "tools",
    "tools/json": "tools",
    "tools/hub_emulator": "tools/hub_emulator",
    "tools/iothub": "tools/iothub",
}

# Maps a folder to its subfolders (or single files), the lowest level first. Those in the same line have the same level.
# Every file of the folder must be in one of them.
LEVELS = {
    "platform/src": [
        ["failure", "memory", "conformance"],
        ["posix", "nettle", "sqlite", "flash_store", "lwip", "websocket"],
        ["wolfssl/crypto"],
        ["wolfssl/x509"],
        ["wolfssl/identity"],
        ["wolfssl/tls", "pkcs11", "curl"],
        ["port"],
    ],
    "iothub_client/src": [
        ["text"],
        ["hub"],
        ["context"],
        ["connection", "telemetry", "features", "pnp"],
        ["provisioning", "certificate"],
        ["drive"],
        ["edge", "upload"],
    ],
    "tools/hub_emulator": [
        ["base"],
        ["state", "amqp"],
        ["messages", "twins"],
        ["registry", "blobs"],
        ["dps"],
        ["hub", "query"],
        ["rest"],
        ["front"],
        ["server"],
        ["broker"],
        ["launcher"],
    ],
    "tools/iothub": [
        ["command"],
        ["hub"],
        ["sas", "service", "fleet"],
        ["main.c"],
    ],
}

# Circles in these layers are faults; in other layers they are only listed.
WITHOUT_CIRCLES = ("mqtt_core", "platform", "iothub_client", "tools/cli", "tools/json", "tools/hub_emulator", "tools/iothub")

# Maps a struct to a folder and the number of files there that may know the struct (None: no limit).
KNOWN_BY = {
    "iothub_client": ("iothub_client/src", 10),
}
# They use the public functions as an application does, so their handle of the struct is opaque.
ABOVE_THE_API = ("iothub_client/src/edge/",)


class Tree:
    """The sources in a folder, and which of them uses which."""

    def __init__(self, root):
        self.root = root
        tops = sorted({rule[0].split("/")[0] for rule in RULES})
        paths = [p for top in tops for p in sorted((root / top).rglob("*.[ch]"))]
        self.texts = {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8") for p in paths}
        self.defines, self.static = {}, {}
        for name in self.texts:
            if name.endswith(".c"):
                extern, static = definitions(tokens(self.texts[name]))
                self.static[name] = static
                for word in extern - {"main"}:
                    self.defines.setdefault((layer_of(name), word), []).append(name)
        self.uses = {name: dict(self._used_by(name)) for name in self.texts}

    def _used_by(self, name):
        """Returns the files of its own layer that a file uses, and why."""
        layer = layer_of(name)
        if layer is None:
            return
        for word in sorted(self._words_of(name)):
            for other in self.defines.get((layer, word), []):
                if other != name:
                    yield other, f"names {word}"
        for _, header in includes(self.texts[name]):
            other = self.find(name, header)
            if other is not None and layer_of(other) == layer:
                yield other, f'includes "{header}"'

    def _words_of(self, name):
        """Returns names that may be functions of another file. In a header, only the bodies of its inline
        functions count.
        """
        text = self.texts[name]
        if name.endswith(".c"):
            return names_used(text) - self.static[name]
        found = declarations(tokens(text))
        words = {t.text for d in found if d.body is not None for t in d.body if t.is_name}
        # A public header only promises its declarations; the files that define them are not used by it.
        promised = [d.head for d in found if d.body is None] if "/include/" in name else []
        return words - {t.text for head in promised for t in head if t.is_name}

    def find(self, name, header):
        """Returns the file of an included header, found as the compiler does, or None if it is not in this
        tree.
        """
        layer = layer_of(name)
        places = [pathlib.PurePosixPath(name).parent.as_posix()]
        if layer is not None:
            places += [LAYERS[layer], f"{layer}/include"]
        places += [f"{top}/include" for top in ("mqtt_core", "platform", "iothub_client")]
        places += ["tools"]  # cli/
        for place in places:
            path = _normal(f"{place}/{header}")
            if path in self.texts:
                return path
        return None


def _normal(path):
    """Returns the path without "..": "a/b/../c" becomes "a/c"."""
    parts = []
    for part in path.split("/"):
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def layer_of(name):
    return next((layer for layer in LAYERS if name.startswith(layer + "/")), None)


# --- 1. layers -----------------------------------------------------------------------------------


def layer_faults(tree, name):
    rule = next((r for r in RULES if name.startswith(r[0])), None)
    if rule is None:
        return
    _, system, own = rule
    for bracket, header in includes(tree.texts[name]):
        own_file = bracket == '"' and is_private(tree, name, header)  # "wolfssl/.." is ours, <wolfssl/..> is not
        home = next((h for lib, h in LIBRARIES.items() if header.startswith(lib)), None)
        if home is not None and not own_file:
            if not name.startswith(home):
                yield f"{name}: {header} belongs to {home}"
        elif header.startswith((*OURS, CLI)):
            if not header.startswith(own):
                yield f"{name}: {header} is above or beside this layer"
        elif bracket == "<":
            if system is not None and header not in system:
                yield f"{name}: <{header}> is not for this layer"
        elif not is_private(tree, name, header):
            yield f'{name}: "{header}" is not a header of this layer'


def is_private(tree, name, header):
    """Returns whether the header belongs to the file's own layer; the programs share tools/json."""
    other = tree.find(name, header)
    mine = layer_of(name) or name.split("/")[0]
    shared = ("tools/json/",) if mine in ("tools/hub_emulator", "tools/iothub") else ()
    return other is not None and other.startswith((mine + "/", *shared))


# --- 2. levels -----------------------------------------------------------------------------------


def folder_of(base, levels, name):
    """Returns the folder of LEVELS that contains the file, and its level; None if there is none."""
    inner = name[len(base) + 1:]
    for level, folders in enumerate(levels):
        for folder in folders:
            if inner == folder or inner.startswith(folder + "/"):
                return folder, level
    return None


def level_faults(tree, base, levels):
    names = [name for name in tree.texts if name.startswith(base + "/")]
    missing = [f for folders in levels for f in folders
               if not any(folder_of(base, [[f]], name) for name in names)]
    for name in names:
        mine = folder_of(base, levels, name)
        if mine is None:
            if not missing:
                yield f"{name}: stands in none of the folders of {base} that have a level"
            continue
        for other, why in tree.uses[name].items():
            theirs = folder_of(base, levels, other)
            if theirs is None or theirs[0] == mine[0] or theirs[1] < mine[1]:
                continue
            place = "beside" if theirs[1] == mine[1] else "above"
            yield f"{name}: {why}, and {theirs[0]} is {place} {mine[0]} ({other})"


# --- 3. circles ----------------------------------------------------------------------------------


def node_of(name):
    """Returns one name for a .c file and its header, which count as one file."""
    return name.rsplit(".", 1)[0]


def circles(graph):
    """Returns groups of nodes in which each node reaches each other one."""
    order, low, on_stack, stack, found = {}, {}, set(), [], []

    def visit(start):
        work = [(start, iter(sorted(graph[start])))]
        order[start] = low[start] = len(order)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(graph[other]))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    group = set()
                    while node not in group:
                        group.add(stack.pop())
                    on_stack.difference_update(group)
                    if len(group) > 1:
                        found.append(group)

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def shortest_circle(graph, group):
    """Returns the shortest path from a file of the group back to itself."""
    best = None
    for start in sorted(group):
        ways, seen = [[start]], {start}
        for way in ways:
            if best is not None and len(way) >= len(best):
                break
            if start in graph[way[-1]]:
                best = way
                break
            for other in sorted(graph[way[-1]]):
                if other in group and other not in seen:
                    seen.add(other)
                    ways.append([*way, other])
    return best


def circle_lines(tree):
    """Returns (layer, text) of each circle."""
    graph = {node_of(name): {} for name in tree.texts if layer_of(name)}
    for name in tree.texts:
        for other, why in tree.uses[name].items():
            if node_of(other) != node_of(name):
                graph[node_of(name)].setdefault(node_of(other), why)
    for group in circles(graph):
        way = shortest_circle(graph, group)
        steps = "".join(f"\n  {a} {graph[a][b]} of {b}" for a, b in zip(way, way[1:] + way[:1]))
        layer = layer_of(way[0] + "/")
        yield layer, f"{layer}: {len(group)} files use each other in a circle; the shortest:{steps}"


# --- 4. who knows a struct -----------------------------------------------------------------------


def knows(tree, struct, folder):
    """Returns the files of a folder that name a struct or use its members, directly or through other
    headers.
    """
    private = [name for name in tree.texts if name.endswith(".h") and layer_of(name) == layer_of(folder + "/")
               and f"struct {struct} {{" in without_comments(tree.texts[name])]

    def sees(name, seen):
        if name in private:
            return True
        seen.add(name)
        return any(sees(other, seen) for other, why in tree.uses[name].items()
                   if why.startswith("includes") and other not in seen)

    def names(name):
        return not name.startswith(ABOVE_THE_API) and struct in names_used(tree.texts[name])

    return [name for name in tree.texts if name.startswith(folder + "/") and (names(name) or sees(name, set()))]


def knowledge(tree):
    """Returns whether too many files know the struct, and a text with the number."""
    for struct, (folder, most) in KNOWN_BY.items():
        files = knows(tree, struct, folder)
        total = sum(name.startswith(folder + "/") for name in tree.texts)
        text = f"{len(files)} of {total} files of {folder} know the struct {struct}"
        if most is not None and len(files) > most:
            yield True, f"{text}, and {most} may: {', '.join(n[len(folder) + 1:] for n in files)}"
        else:
            yield False, text


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    tree = Tree(root)
    faults = [line for name in tree.texts for line in layer_faults(tree, name)]
    faults += [line for base, levels in LEVELS.items() for line in level_faults(tree, base, levels)]
    notes = []
    for layer, line in circle_lines(tree):
        (faults if layer in WITHOUT_CIRCLES else notes).append(line)
    for is_fault, line in knowledge(tree):
        (faults if is_fault else notes).append(line)
    print("\n".join(notes))
    print("\n".join(faults) if faults else f"layers intact in {len(tree.texts)} files")
    return 1 if faults or not tree.texts else 0


if __name__ == "__main__":
    sys.exit(main())
