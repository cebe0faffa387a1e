"""Makes small changes of C sources, one at a time, like mistakes of a programmer."""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<directive>^[ \t]*\#(?:\\\n|[^\n])*)
    |(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<number>0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)

# Each operator and its replacements.
OTHERS = {
    "<": ["<=", ">="],
    "<=": ["<", ">"],
    ">": [">=", "<="],
    ">=": [">", "<"],
    "==": ["!="],
    "!=": ["=="],
    "&&": ["||"],
    "||": ["&&"],
    "++": ["--"],
    "--": ["++"],
    "+=": ["-="],
    "-=": ["+="],
    "*=": ["/="],
    "|=": ["&="],
    "&=": ["|="],
    "<<": [">>"],
    ">>": ["<<"],
}
BINARY = {"+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["*"], "&": ["|"], "|": ["&"]}
FORCED = {"always": "|| 1 ?", "never": "&& 0 ?"}

KEYWORDS = set(
    "return if else for while do switch case default break continue goto sizeof struct union enum "
    "static const volatile unsigned signed int char bool void long short typedef extern inline".split()
)
INTEGERS = set("int unsigned size_t mqc_time uint8_t uint16_t uint32_t uint64_t int32_t int64_t char".split())
# Values that a mutant returns instead, for functions of these types.
RESULTS = {
    "mqc_result": ("MQC_OK", "MQC_ERR_STATE"),
    "iothub_result": ("IOTHUB_OK", "IOTHUB_ERR_STATE"),
    "plat_result": ("PLAT_OK", "PLAT_ERR_IO"),
}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Function:
    name: str
    returns: tuple  # the words before the name
    first: int  # index of the token '{'
    last: int  # index of the token '}'


@dataclass(frozen=True)
class Mutant:
    path: str
    line: int
    function: str
    edits: tuple  # pairs of positions and the new text, in order
    before: str  # the lines that change, joined to one line with single spaces
    after: str  # the changed lines

    @property
    def key(self):
        return (self.path, self.function, self.before, self.after)


def tokens_of(source):
    found = []
    for m in TOKEN.finditer(source):
        if m.lastgroup not in ("space", "comment", "directive"):
            found.append(Token(m.lastgroup, m.group(), m.start(), m.end()))
    return found


def pairs_of(tokens):
    """Returns the closing token of each opening bracket."""
    closes = {}
    waiting = []
    for i, t in enumerate(tokens):
        if t.kind == "sign" and t.text in "([{":
            waiting.append(i)
        elif t.kind == "sign" and t.text in ")]}" and waiting:
            closes[waiting.pop()] = i
    return closes


def functions_of(tokens, closes):
    """Returns the functions that are defined at file level: words, a name, (...), {...}."""
    found = []
    i = begin = 0
    while i < len(tokens):
        t = tokens[i]
        if t.text == "(" and t.kind == "sign":
            end = closes[i]
            if i > begin and end + 1 < len(tokens) and tokens[end + 1].text == "{":
                words = tuple(w.text for w in tokens[begin : i - 1])
                found.append(Function(tokens[i - 1].text, words, end + 1, closes[end + 1]))
                i = begin = closes[end + 1] + 1
                continue
            i = end
        elif t.text == "{" and t.kind == "sign":
            i = closes[i]
            begin = i + 1
        elif t.text == ";":
            begin = i + 1
        i += 1
    return found


class File:
    def __init__(self, path, source):
        self.path = path
        self.source = source
        self.tokens = tokens_of(source)
        self.closes = pairs_of(self.tokens)
        self.functions = functions_of(self.tokens, self.closes)
        self.inside = {}  # token -> its function
        for f in self.functions:
            for i in range(f.first, f.last):
                self.inside[i] = f

    # --- finding changes ----------------------------------------------------------

    def signs(self, i):
        t = self.tokens[i]
        if t.kind != "sign" or i == 0:
            return
        before = self.tokens[i - 1]
        value_before = before.kind in ("name", "number") and before.text not in KEYWORDS or before.text in (")", "]")
        for other in OTHERS.get(t.text, []):
            yield ((t.start, t.end, other),)
        if value_before and i in self.inside:
            for other in BINARY.get(t.text, []):
                yield ((t.start, t.end, other),)
        if t.text in "!~" and not value_before:
            yield ((t.start, t.end, ""),)
        if t.text == "?":
            for text in FORCED.values():
                yield ((t.start, t.end, text),)

    def constants(self, i):
        t = self.tokens[i]
        if t.kind == "number":
            digits = t.text.rstrip("uUlL")
            value = int(digits, 0) if digits.lower().startswith("0x") else int(digits)
            for other in (value + 1, value - 1):
                if other >= 0:
                    text = hex(other) if digits.lower().startswith("0x") else str(other)
                    yield ((t.start, t.end, text + t.text[len(digits) :]),)
        elif t.text in ("true", "false"):
            yield ((t.start, t.end, "false" if t.text == "true" else "true"),)

    def conditions(self, i):
        t = self.tokens[i]
        if t.text in ("if", "while") and self.tokens[i + 1].text == "(":
            first, last = self.tokens[i + 1], self.tokens[self.closes[i + 1]]
            yield ((first.start, first.end, "(!("), (last.start, last.end, "))"))

    def end_of_statement(self, i):
        while self.tokens[i].text != ";":
            i = self.closes[i] + 1 if i in self.closes else i + 1
        return i

    def statements(self, i):
        """Removes a statement: a call, an assignment or a jump, but not a valid check."""
        t = self.tokens[i]
        if i not in self.inside or i == self.inside[i].first or t.text == "assert":
            return
        if self.tokens[i - 1].text not in ("{", "}", ";", ":", ")", "else"):
            return
        jump = t.text in ("break", "continue") or (t.text == "return" and self.tokens[i + 1].text == ";")
        begins = (t.kind == "name" and t.text not in KEYWORDS) or t.text in ("*", "(", "++", "--")
        if not jump and (not begins or self.declares(i) or self.is_part(i)):
            return
        end = self.tokens[self.end_of_statement(i)]
        lines = self.source[t.start : end.start].count("\n")
        yield ((t.start, end.start, "\n" * lines),)

    def declares(self, i):
        """Returns whether a type and a name follow."""
        a, b, c = self.tokens[i], self.tokens[i + 1], self.tokens[i + 2]
        return a.kind == "name" and (b.kind == "name" or (b.text == "*" and c.kind == "name"))

    def is_part(self, i):
        """Returns whether the token belongs to an expression or a label, so that no statement begins here."""
        if self.tokens[i - 1].text == ")":
            return self.control_before(i - 1) is None
        if self.tokens[i - 1].text in ":;":
            back = i - 1
            while self.tokens[back].text not in ("{", "}", "?", "case", "default") and back > self.inside[i].first:
                if self.tokens[back].text == "(" and self.closes[back] > i:
                    return True  # inside the parentheses of a for
                back -= 1
            return self.tokens[i - 1].text == ":" and self.tokens[back].text == "?"
        return self.tokens[i + 1].text == ":" or not self.in_block(i)

    def control_before(self, close):
        """Returns the if, while or for whose parenthesis ends there."""
        for first, last in self.closes.items():
            if last == close and self.tokens[first - 1].text in ("if", "while", "for", "switch"):
                return self.tokens[first - 1]
        return None

    def in_block(self, i):
        """Returns whether this is outside the braces of an initialiser."""
        for first in sorted(self.closes, reverse=True):
            if first < i < self.closes[first] and self.tokens[first].text == "{":
                return self.tokens[first - 1].text in (")", "else", "do", ":", ";", "{", "}")
        return True

    def returns(self, i):
        t = self.tokens[i]
        if t.text != "return" or i not in self.inside or self.tokens[i + 1].text == ";":
            return
        first = self.tokens[i + 1]
        end = self.tokens[self.end_of_statement(i)]
        value = self.source[first.start : end.start]
        types = self.inside[i].returns
        others = []
        if "*" in types:
            others = ["NULL"]
        elif "bool" in types:
            others = [f"!({value})"]
        elif INTEGERS & set(types):
            others = ["0", f"({value}) + 1"]
        for name, (good, bad) in RESULTS.items():
            if name in types:
                others = [bad] if value == good else [good]
        for other in others:
            if other != value:
                yield ((first.start, end.start, other),)

    def swaps(self, i):
        """Swaps two adjacent arguments."""
        t = self.tokens[i]
        if t.kind != "name" or t.text in KEYWORDS or i not in self.inside or self.tokens[i + 1].text != "(":
            return
        parts = []
        at = first = i + 2
        while at <= self.closes[i + 1]:
            if self.tokens[at].text == "," or at == self.closes[i + 1]:
                parts.append((self.tokens[first].start, self.tokens[at - 1].end))
                first = at + 1
            at = self.closes[at] + 1 if at in self.closes else at + 1
        for a, b in zip(parts, parts[1:]):
            left, right = self.source[a[0] : a[1]], self.source[b[0] : b[1]]
            if left != right:
                yield (a + (right,), b + (left,))

    # --- all changes ----------------------------------------------------------------

    def mutants(self):
        makers = (
            self.signs,
            self.constants,
            self.conditions,
            self.statements,
            self.returns,
            self.swaps,
        )
        for i in range(len(self.tokens)):
            for make in makers:
                for edits in make(i):
                    yield self.mutant(i, edits)

    def mutant(self, i, edits):
        function = self.inside.get(i)
        first = self.source.rfind("\n", 0, edits[0][0]) + 1
        last = self.source.find("\n", edits[-1][1])
        after = apply(self.source, edits)
        grown = len(after) - len(self.source)
        return Mutant(
            path=self.path,
            line=self.source.count("\n", 0, edits[0][0]) + 1,
            function=function.name if function else "",
            edits=edits,
            before=" ".join(self.source[first:last].split()),
            after=" ".join(after[first : last + grown].split()),
        )


def apply(source, edits):
    for start, end, text in reversed(edits):
        source = source[:start] + text + source[end:]
    return source


def mutants_of(path, source):
    return list(File(path, source).mutants())
