#!/usr/bin/env python3
"""Fails if a member of a private struct is written outside the file that owns the struct.

usage: check_writers.py ROOT [--all]

The struct in foo.h is written by foo.c (and by inline functions of foo.h). A struct whose header has no
.c file with the same name belongs to the one file that writes it, or to the file that OWNERS names.
Private structs are those in headers in the source folders and in the headers of OPAQUE. Structs inside
a .c file need no check, and those in public headers belong to the callers. VALUES lists private structs
that are plain values.

These count as writes: =, op=, ++ and -- on a member, or on the struct as a whole; the address of a
member, or a member that is an array, if it is passed to a function, stored in a pointer or returned
without const; memset and the like. Members of a local variable belong to its function. Passing a whole
private struct to a function (session_feed(&c->session)) is not a write here, because the writes of that
function are checked in its own file. Copying a whole struct (a->span = *b) is a write only to the
struct that contains it; setting a struct to new values (= (type){...}, memset) is a write to it.

The script determines the types of expressions from the declarations in the tree. It does not see writes
in macros of the system, or through a pointer of another type (void *, uint8_t *).

--all: list the faults of all layers, not only of those in CHECKED.
"""

import pathlib
import sys
from dataclasses import dataclass, field

from c_source import closing, declarations, function_name, tokens
from check_layers import LAYERS, layer_of

# Faults in these layers make the script fail; in others they are only counted.
CHECKED = ("mqtt_core", "platform", "iothub_client", "tools/cli", "tools/json", "tools/hub_emulator", "tools/iothub")

# Public headers whose structs are nevertheless private; they are public only so that their size is known.
OPAQUE = (
    "mqtt_core/include/mqtt_core/engine_struct.h",
)

# Maps a struct to the file that writes it, if that is not the .c file with the name of its header.
OWNERS = {}

# Private structs without a state, such as parameters and results; any file may fill them.
VALUES = {
    "dps_outcome", "flash_entry", "flash_place", "flash_step", "plat_address", "plat_chain_verdict", "plat_der",
    "plat_roots_fault", "plat_signed", "plat_trust", "store_meta", "store_row",
}

QUALIFIERS = {"const", "static", "volatile", "register", "extern", "inline", "restrict", "_Atomic", "_Thread_local"}
WORDS = {"void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "bool", "_Bool"}
NO_TYPE = {"return", "goto", "else", "case", "sizeof", "do", "break", "continue", "typedef", "default"}
ASSIGN = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
# Maps functions of C to the indexes of the arguments that they write to.
WRITING = {name: {0} for name in ("memset", "memcpy", "memmove", "snprintf", "vsnprintf", "strcpy", "strncpy",
                                  "strcat", "explicit_bzero", "bzero", "clock_gettime")}
WRITING["clock_gettime"] = {1}


@dataclass(frozen=True)
class Type:
    name: str  # name of the type or struct; "" if it does not matter
    pointers: int = 0
    arrays: int = 0
    const: bool = False  # the type is const, or points to const

    def element(self):
        if self.arrays:
            return Type(self.name, self.pointers, self.arrays - 1, self.const)
        return Type(self.name, max(0, self.pointers - 1), 0, self.const)


NOTHING = Type("")


@dataclass
class Struct:
    name: str
    file: str
    members: dict = field(default_factory=dict)
    outer: str = None  # the struct that contains an unnamed struct or union


@dataclass
class Function:
    returns: Type
    params: list


@dataclass
class Place:
    """What an expression refers to."""
    type: Type
    struct: str = None  # the private struct that contains the memory
    local: bool = False  # the expression is part of a local variable
    address: bool = False  # the expression is its address


def parse_type(words):
    """Returns (type, number of words) of a type at the beginning of words, or None if there is no type."""
    i, const, name = 0, False, None
    while i < len(words):
        word = words[i]
        if word in QUALIFIERS:
            const = const or word == "const"
        elif word in ("struct", "union", "enum"):
            i += 1
            name = words[i] if i < len(words) else ""
        elif word in WORDS:
            name = word if name is None or name in WORDS else name
        elif name is None and (word[0].isalpha() or word[0] == "_") and word not in NO_TYPE:
            name = word
        else:
            break
        i += 1
    if name is None:
        return None
    pointers = 0
    while i < len(words) and words[i] in ("*", "const", "restrict"):
        pointers += words[i] == "*"
        i += 1
    return Type(name, pointers, 0, const), i


def split(all_tokens, separator):
    """Splits tokens at separators outside of brackets."""
    parts, part, depth = [], [], 0
    for token in all_tokens:
        depth += (token.text in "([{") - (token.text in ")]}")
        if token.text == separator and depth == 0:
            parts.append(part)
            part = []
        else:
            part.append(token)
    return [*parts, part]


def declarators(all_tokens):
    """Returns (name, type) of each variable in a declaration such as "const char *a[2], b = 3"."""
    words = [t.text for t in all_tokens]
    parsed = parse_type(words)
    if parsed is None:
        return
    base = parsed[0]
    first = parsed[1] - base.pointers
    while first > 0 and words[first - 1] in ("*", "const", "restrict"):
        first -= 1
    start = parse_type([w for w in words[:parsed[1]] if w != "*"])[1]
    for part in split(all_tokens[start:], ","):
        texts = [t.text for t in part]
        pointers = 0
        while texts and texts[0] in ("*", "const", "restrict"):
            pointers += texts[0] == "*"
            texts = texts[1:]
        if not texts or not (texts[0][0].isalpha() or texts[0][0] == "_"):
            continue  # a pointer to a function, or a bit-field without a name
        arrays = 0
        rest = texts[1:]
        while rest and rest[0] == "[":
            arrays += 1
            rest = rest[rest.index("]") + 1:]
        if not rest or rest[0] in ("=", ":"):
            yield texts[0], Type(base.name, pointers, arrays, base.const)


class Types:
    """The structs and functions that the files of a layer can name."""

    def __init__(self):
        self.structs, self.functions, self.alias, self.variables = {}, {}, {}, {}

    def add_file(self, name, text):
        for declaration in declarations(tokens(text)):
            words = declaration.words
            function = function_name(declaration)
            if function is not None:
                self._add_function(function, declaration.head)
            elif "{" in words and words[0] in ("typedef", "struct", "union"):
                self._add_struct(name, declaration.head)
            elif words[0] == "typedef" and "(" not in words and len(words) >= 3:
                parsed = parse_type(words[1:-1])
                if parsed is not None and parsed[0].name != words[-1]:
                    self.alias[words[-1]] = parsed[0]
            elif words[0] not in ("typedef", "_Static_assert"):
                self.variables.update({(name, n): t for n, t in declarators(list(declaration.head))})

    def _add_function(self, name, head):
        words = [t.text for t in head]
        at = words.index(name)
        returns = parse_type(words[:at])
        end = closing(list(head), at + 1)
        params = []
        for part in split(list(head[at + 2:end]), ","):
            found = list(declarators(part))
            if found:
                params.append(Type(found[0][1].name, found[0][1].pointers + found[0][1].arrays, 0, found[0][1].const))
            else:
                parsed = parse_type([t.text for t in part])
                params.append(parsed[0] if parsed and "(" not in [t.text for t in part] else NOTHING)
        known = self.functions.get(name)
        if known is None or len(known.params) <= len(params):
            self.functions[name] = Function(returns[0] if returns else NOTHING, params)

    def _add_struct(self, file, head):
        words = [t.text for t in head]
        at = words.index("{")
        if words[at - 1] == "enum" or "enum" in words[:at]:
            return
        end = closing(list(head), at)
        tag = words[at - 1] if words[at - 1] not in ("struct", "union") else None
        after = words[end + 1:]
        typedef = after[0] if words[0] == "typedef" and after else None
        name = tag or typedef
        if name is None:
            return
        if typedef is not None and typedef != name:
            self.alias[typedef] = Type(name)
        self.structs[name] = Struct(name, file)
        self._add_members(self.structs[name], head[at + 1:end], name)

    def _add_members(self, struct, body, outer):
        for part in split(list(body), ";"):
            words = [t.text for t in part]
            if "{" not in words:
                struct.members.update(declarators(part))
                continue
            if words[0] not in ("struct", "union", "const"):
                continue
            at = words.index("{")
            end = closing(part, at)
            inner = Struct(f"{struct.name}.{len(self.structs)}", struct.file, {}, outer)
            self._add_members(inner, part[at + 1:end], outer)
            rest = part[end + 1:]
            if not rest:  # its members belong to the struct that contains it
                struct.members.update(inner.members)
                continue
            self.structs[inner.name] = inner
            named = [type(rest[0])(inner.name, 0), *rest]
            name, kind = next(iter(declarators([type(rest[0])("inner", 0), *named[1:]])))
            struct.members[name] = Type(inner.name, kind.pointers, kind.arrays)

    def real(self, kind):
        """Returns the type with typedefs resolved."""
        seen = set()
        while kind.name in self.alias and kind.name not in seen and kind.name not in self.structs:
            seen.add(kind.name)
            base = self.alias[kind.name]
            kind = Type(base.name, base.pointers + kind.pointers, kind.arrays, kind.const or base.const)
        return kind


class Body:
    """Finds the writes in one function."""

    def __init__(self, types, file, private, head, body):
        self.types, self.file, self.private = types, file, private
        self.tokens = list(body)
        self.words = [t.text for t in body]
        self.scope = {}
        words = [t.text for t in head]
        opens = next(i for i, w in enumerate(words) if w == "(" and i > 0 and words[i - 1] not in ("__attribute__",))
        self.name = words[opens - 1]
        returns = parse_type(words[:opens - 1])
        self.returns = returns[0] if returns else NOTHING
        for part in split(list(head[opens + 1:closing(list(head), opens)]), ","):
            for name, kind in declarators(part):
                self.scope[name] = Type(kind.name, kind.pointers + kind.arrays, 0, kind.const)

    # --- expressions ---

    def private_struct(self, name):
        """Returns the private struct that is written if a member of the struct `name` is written, or None."""
        struct = self.types.structs.get(name)
        if struct is None:
            return None
        if struct.outer is not None:
            return self.private_struct(struct.outer)
        return struct.name if struct.name in self.private else None

    def is_type(self, words):
        words = [w for w in words if w not in QUALIFIERS]
        if not words:
            return False
        if words[0] in WORDS or words[0] in ("struct", "union", "enum"):
            return True
        return all(w == "*" for w in words[1:]) and words[0] not in self.scope and (
            words[0] in self.types.structs or words[0] in self.types.alias or words[-1] == "*" or words[0].endswith("_t"))

    def evaluate(self, lo, hi):
        """Returns what the expression in tokens [lo, hi) refers to, or None if that cannot be determined."""
        words = self.words
        if lo >= hi:
            return None
        if words[lo] == "&":
            inner = self.evaluate(lo + 1, hi)
            return None if inner is None else Place(inner.type, inner.struct, inner.local, True)
        if words[lo] == "*":
            return self.follow(self.evaluate(lo + 1, hi))
        if words[lo] in ("++", "--"):
            return self.evaluate(lo + 1, hi)
        at, place = lo, None
        if words[at] == "(":
            end = closing(self.tokens, at)
            if self.is_type(words[at + 1:end]):
                return self.cast(words[at + 1:end], end + 1, hi)
            place, at = self.evaluate(at + 1, end), end + 1
        elif self.tokens[at].is_name:
            place, at = self.primary(at, hi)
        return self.postfix(place, at, hi)

    def cast(self, words, lo, hi):
        parsed = parse_type(words)
        if parsed is None:
            return None
        kind = self.types.real(parsed[0])
        if lo < hi and self.words[lo] == "{":
            return Place(kind, None, True)
        return Place(kind)

    def primary(self, at, hi):
        name = self.words[at]
        if at + 1 < hi and self.words[at + 1] == "(":
            function = self.types.functions.get(name)
            end = closing(self.tokens, at + 1)
            return (Place(self.types.real(function.returns)) if function else None), end + 1
        if name in self.scope:
            return Place(self.types.real(self.scope[name]), None, True), at + 1
        kind = self.types.variables.get((self.file, name))
        return (Place(self.types.real(kind)) if kind else None), at + 1

    def postfix(self, place, at, hi):
        while at < hi:
            word = self.words[at]
            if word in (".", "->"):
                place = self.member(place, word, self.words[at + 1])
                at += 2
            elif word == "[":
                at = closing(self.tokens, at) + 1
                place = self.follow(place)
            elif word in ("++", "--"):
                at += 1
            else:
                return None  # several operands, so it refers to no memory
        return place

    def follow(self, place):
        """Returns what an element of an array is, or what a pointer points to."""
        if place is None:
            return None
        if place.address:
            return Place(place.type, place.struct, place.local)
        if place.type.arrays:
            return Place(place.type.element(), place.struct, place.local)
        if place.type.pointers == 0:
            return None
        return Place(place.type.element())

    def member(self, place, operator, name):
        if place is None:
            return None
        if operator == "->":
            place = self.follow(place)
        if place is None or place.type.pointers or place.type.arrays:
            return None
        struct = self.types.structs.get(place.type.name)
        if struct is None or name not in struct.members:
            return None
        return Place(self.types.real(struct.members[name]), self.private_struct(struct.name) or place.struct, place.local)

    # --- statements ---

    def writes(self):
        """Returns (struct, line) of each write to a private struct."""
        for at in range(len(self.words)):
            self.declare(at)
            word = self.words[at]
            if word in ASSIGN:
                lo = self.operand_before(at)
                if lo is not None:
                    place = self.evaluate(lo, at)
                    yield from self.written(place, at, self.copies(at))
                    yield from self.pointer_taken(place.type if place else NOTHING, at)
                else:
                    yield from self.pointer_taken(self.declared(at), at)
            elif word in ("++", "--"):
                yield from self.stepped(at)
            elif word == "return":
                yield from self.pointer_taken(self.types.real(self.returns), at)
            elif word == "(" and at > 0 and self.tokens[at - 1].is_name:
                yield from self.called(at)

    def declared(self, at):
        """Returns the type of the variable that is initialised here."""
        return self.types.real(self.scope.get(self.words[at - 1], NOTHING))

    def declare(self, at):
        """Records local variables if a statement begins here."""
        if at > 0 and self.words[at - 1] not in (";", "{", "}", ":", "(") or self.words[at] in NO_TYPE:
            return
        if at > 0 and self.words[at - 1] == "(" and (at < 2 or self.words[at - 2] != "for"):
            return
        end, depth = at, 0
        while end < len(self.words) and (depth or self.words[end] != ";"):
            depth += (self.words[end] in "([{") - (self.words[end] in ")]}")
            if depth < 0:
                return
            end += 1
        statement = self.tokens[at:end]
        words = [t.text for t in statement]
        parsed = parse_type(words)
        if parsed is None or parsed[1] >= len(words):
            return
        follows = words[parsed[1]]
        if not (follows[0].isalpha() or follows[0] == "_"):
            return
        if parsed[1] + 1 < len(words) and words[parsed[1] + 1] not in ("=", ",", "["):
            return
        self.scope.update(declarators(statement))

    def operand_before(self, at):
        """Returns where the operand that ends before a token begins, or None if this is a declaration."""
        i = at - 1
        while i >= 0:
            word = self.words[i]
            if word == "]":
                i = self.opening(i) - 1
            elif word == ")":
                i = self.opening(i)
                if i > 0 and self.tokens[i - 1].is_name and self.words[i - 1] not in ("if", "while", "for", "switch"):
                    i -= 1
                if not self.continues(i):
                    break
                i -= 2
            elif self.tokens[i].is_name:
                if not self.continues(i):
                    break
                i -= 2
            else:
                return None
        while i > 0 and self.words[i - 1] == "*":
            i -= 1
        if i > 0 and self.tokens[i - 1].is_name and self.words[i - 1] not in ("else", "do", "return"):
            return None
        return i

    def continues(self, i):
        return i > 0 and self.words[i - 1] in (".", "->")

    def opening(self, at):
        pairs = {")": "(", "]": "[", "}": "{"}
        depth, closes = 0, self.words[at]
        for i in range(at, -1, -1):
            depth += (self.words[i] == closes) - (self.words[i] == pairs[closes])
            if depth == 0:
                return i
        return 0

    def stepped(self, at):
        if at > 0 and (self.tokens[at - 1].is_name or self.words[at - 1] in (")", "]")):
            lo = self.operand_before(at)
            if lo is not None:
                yield from self.written(self.evaluate(lo, at), at)
            return
        end = at + 1
        while end < len(self.words) and (self.tokens[end].is_name or self.words[end] in (".", "->", "*", "(", "[")):
            end = closing(self.tokens, end) + 1 if self.words[end] in "([" else end + 1
        yield from self.written(self.evaluate(at + 1, end), at)

    def copies(self, at):
        """Returns whether the assigned value is a copy of a struct and not a new one, (type){...}."""
        if self.words[at] != "=" or at + 1 >= len(self.words) or self.words[at + 1] != "(":
            return True
        end = closing(self.tokens, at + 1)
        return end + 1 >= len(self.words) or self.words[end + 1] != "{"

    def written(self, place, at, copied=False):
        """Records a write. A struct that is copied as a whole keeps the values that its own file has set."""
        if place is None or place.local:
            return
        whole = self.private_struct(place.type.name) if not place.type.pointers and not place.type.arrays else None
        struct = place.struct if copied else whole or place.struct
        if struct is not None:
            yield struct, self.tokens[at].line

    def pointer_taken(self, kind, at):
        """Records a write if a pointer to a member is stored where the type allows writing through it."""
        if kind.pointers == 0 or kind.const or at + 1 >= len(self.words):
            return
        yield from self.lent(at + 1, self.expression_end(at + 1), at)

    def expression_end(self, at):
        depth = 0
        for i in range(at, len(self.words)):
            if depth == 0 and self.words[i] in (";", ",", ")", "}"):
                return i
            depth += (self.words[i] in "([{") - (self.words[i] in ")]}")
        return len(self.words)

    def lent(self, lo, hi, at):
        """Records a write if the expression is used as a pointer that is not const."""
        place = self.evaluate(lo, hi)
        if place is None or place.local or place.struct is None:
            return
        if not place.address and not place.type.arrays:
            return
        if self.private_struct(place.type.name) is not None and not place.type.pointers:
            return  # a whole private struct, whose writes are checked in its own file
        yield place.struct, self.tokens[at].line

    def called(self, at):
        name = self.words[at - 1]
        end = closing(self.tokens, at)
        function = self.types.functions.get(name)
        lo = at + 1
        for number, part in enumerate(split(self.tokens[at + 1:end], ",")):
            hi = lo + len(part)
            if number in WRITING.get(name, ()):
                yield from self.filled(lo, hi, at)
            elif function is not None and number < len(function.params):
                kind = self.types.real(function.params[number])
                if kind.pointers and not kind.const:
                    yield from self.lent(lo, hi, at)
            lo = hi + 1

    def filled(self, lo, hi, at):
        """Handles memset(&s->member, ...), memset(s, ...), memcpy(s->array + n, ...) and the like."""
        depth = 0
        for i in range(lo, hi):
            depth += (self.words[i] in "([") - (self.words[i] in ")]")
            if depth == 0 and i > lo and self.words[i] in ("+", "-"):
                hi = i
                break
        place = self.evaluate(lo, hi)
        if place is None:
            return
        if place.address or place.type.arrays:
            yield from self.written(Place(place.type, place.struct, place.local), at)
        elif place.type.pointers == 1:
            yield from self.written(self.follow(place), at)


def is_private_header(name):
    return name.endswith(".h") and ("/include/" not in name or name in OPAQUE)


def types_of(texts, layer):
    """Returns what files of a layer can name: the declarations of the layer and of public headers."""
    types = Types()
    for name, text in texts.items():
        if name.endswith(".h") and "/include/" in name and layer_of(name) != layer:
            types.add_file(name, text)
    for name, text in sorted(texts.items(), key=lambda pair: pair[0].endswith(".h")):
        if layer_of(name) == layer:
            types.add_file(name, text)
    return types


def owner_of(struct, texts):
    """Returns the file that may write a struct. None means that any file may, if it is the only one."""
    if struct.name in OWNERS:
        return OWNERS[struct.name]
    beside = struct.file[:-2] + ".c"
    return beside if beside in texts else None


def faults(texts, layer):
    """Returns (struct, text) of each write to a private struct in a file that does not own it."""
    types = types_of(texts, layer)
    private = {s.name for s in types.structs.values()
               if is_private_header(s.file) and layer_of(s.file) == layer and s.outer is None and s.name not in VALUES}
    writers = {}
    for name, text in texts.items():
        if layer_of(name) != layer:
            continue
        for declaration in declarations(tokens(text)):
            if declaration.body is not None and function_name(declaration) is not None:
                body = Body(types, name, private, declaration.head, declaration.body)
                for struct, line in body.writes():
                    writers.setdefault(struct, {}).setdefault(name, []).append(line)
    for struct, files in sorted(writers.items()):
        owner = owner_of(types.structs[struct], texts)
        own_header = types.structs[struct].file
        others = {f: sorted(set(lines)) for f, lines in files.items()
                  if f != own_header and (owner is None or stem(f) != stem(owner))}
        if owner is not None:
            for file, lines in sorted(others.items()):
                yield f"{file}: writes {struct}, which is for {owner} (lines {', '.join(map(str, lines))})"
        elif len({stem(f) for f in others}) > 1:
            counts = ", ".join(f"{f} ({len(lines)})" for f, lines in sorted(others.items()))
            yield f"{own_header}: {struct} is written by {len(others)} files (times): {counts}"


def stem(file):
    """Returns one name for foo.c and foo.h, which count as one file."""
    return file.rsplit(".", 1)[0]


def read(root):
    tops = sorted({layer.split("/")[0] for layer in LAYERS})
    return {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8")
            for top in tops for p in sorted((root / top).rglob("*.[ch]"))}


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    texts = read(root)
    failed = not texts
    for layer in LAYERS:
        found = list(faults(texts, layer))
        if layer in CHECKED or "--all" in sys.argv:
            print(*found, sep="\n", end="\n" if found else "")
        failed = failed or (layer in CHECKED and bool(found))
        print(f"{layer}: faults found: {len(found)}" + ("" if layer in CHECKED else " (do not count yet)"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
