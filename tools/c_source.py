"""Reads C sources for check_layers.py and check_writers.py: their tokens, and which file defines what.

It is not a compiler: it expects sources that clang-format has formatted and that a compiler has
accepted, and it does not run the preprocessor.
"""

import re
from dataclasses import dataclass

_COMMENT_OR_TEXT = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_TOKEN = re.compile(
    r"[A-Za-z_]\w*|0[xX][0-9a-fA-F]+\w*|\d[\w.]*|\"\"|''|<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\|"
    r"|[-+*/%&|^]=|[^\s\w]")
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Token:
    text: str
    line: int

    @property
    def is_name(self):
        return _NAME.fullmatch(self.text) is not None


def _blank(match):
    """Keeps the number of lines; each string is replaced by an empty string."""
    found = match.group()
    return ('""' if found[0] == '"' else "''" if found[0] == "'" else " ") + "\n" * found.count("\n")


def without_comments(text):
    """Returns the source without comments and with empty strings."""
    return _COMMENT_OR_TEXT.sub(_blank, text)


def includes(text):
    """Returns the headers that a source includes, each as its bracket and its name."""
    without = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    return _INCLUDE.findall(without)


def tokens(text):
    """Returns the tokens of a source without its preprocessor directives."""
    text = without_comments(text)
    text = _DIRECTIVE.sub(lambda m: "\n" * m.group().count("\n"), text)
    found, line, at = [], 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        found.append(Token(match.group(), line))
    return found


def names_used(text):
    """Returns the names in a source, including those in its macros, but not the names of members (a.name,
    a->name).
    """
    text = _INCLUDE.sub("", without_comments(text))
    return set(re.findall(r"(?<![\w.])(?<!->)[A-Za-z_]\w*", text))


def closing(all_tokens, at):
    """Returns the index of the bracket that closes the one at an index."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    depth, opens, closes = 0, all_tokens[at].text, pairs[all_tokens[at].text]
    for i in range(at, len(all_tokens)):
        depth += (all_tokens[i].text == opens) - (all_tokens[i].text == closes)
        if depth == 0:
            return i
    return len(all_tokens) - 1


@dataclass(frozen=True)
class Declaration:
    """The tokens of one declaration or definition outside of functions."""
    head: tuple  # tokens before the braces or the end
    body: tuple  # tokens between the braces; None: there are no braces

    @property
    def words(self):
        return [t.text for t in self.head]


def declarations(all_tokens):
    """Returns the declarations and definitions of a source, in their order."""
    found, head, i = [], [], 0
    while i < len(all_tokens):
        text = all_tokens[i].text
        if text == "{":
            if [t.text for t in head[:2]] == ["extern", '""']:  # the start of extern "C" {
                head, i = [], i + 1
                continue
            end = closing(all_tokens, i)
            body = tuple(all_tokens[i + 1:end])
            words = [t.text for t in head]
            if ")" in words and "=" not in words and words[0] != "typedef":  # a function
                found.append(Declaration(tuple(head), body))
                head = []
            else:  # a type or a value, which may be followed by names
                head += [all_tokens[i], *body, all_tokens[end]]
            i = end + 1
            continue
        if text == "}":  # the end of extern "C"
            head = []
        elif text == ";":
            if head:
                found.append(Declaration(tuple(head), None))
            head = []
        else:
            head.append(all_tokens[i])
        i += 1
    return found


def function_name(declaration):
    """Returns the name of the function that is defined or declared, or None if it is something else."""
    words = declaration.words
    if not words or words[0] == "typedef" or "=" in words:
        return None
    depth = 0
    for i, token in enumerate(declaration.head):
        if token.text == "{":
            return None
        if token.text == "(" and depth == 0 and i > 0:
            before = declaration.head[i - 1]
            if before.is_name and before.text not in ("__attribute__", "_Static_assert"):
                return before.text
        depth += (token.text == "(") - (token.text == ")")
    return None


def definitions(all_tokens):
    """Returns the names with external linkage that a .c file defines, and the static ones."""
    extern, static = set(), set()
    for declaration in declarations(all_tokens):
        words = declaration.words
        name = function_name(declaration)
        if declaration.body is not None:
            (static if "static" in words else extern).add(name)
        elif name is None and words and words[0] not in ("typedef", "extern", "_Static_assert"):
            variable = _variable(declaration.head)
            if variable is not None:
                (static if "static" in words else extern).add(variable)
    return extern - {None}, static - {None}


def _variable(head):
    """Returns the name of the variable that a declaration outside of functions defines."""
    words = [t.text for t in head]
    end = words.index("=") if "=" in words else len(words)
    while end > 0 and words[end - 1] == "]":
        end = max(i for i in range(end) if words[i] == "[")
    if end >= 2 and head[end - 1].is_name and words[0] not in ("struct", "union", "enum") or (
            end >= 3 and words[0] in ("struct", "union", "enum") and head[end - 1].is_name):
        return words[end - 1]
    return None
