#!/usr/bin/env python3
"""Tests tools/check_writers.py: what counts as writing to a struct of another file, and what does not."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools"))
import check_writers  # noqa: E402

PART = """
/** One part. */
typedef struct span { const char *at; size_t len; } span;
typedef struct part {
    unsigned count : 4;
    int a, *next, list[3];
    char name[8];
    span text;
    struct { int x; } inner;
    union { int by; void *p; };
    struct part *peer;
    void (*done)(int n);
} part;
struct plain { int n; };
typedef unsigned long number;
void part_feed(part *p, int n);
part *part_of(int n);
static inline void part_count(part *p) { p->count++; }
"""
# Each case adds a function to this file.
WHOLE = """
#include "part.h"
typedef struct whole {
    part first;
    part *second;
    struct plain plain;
    int own;
} whole;
void get(int *out);
void fill(char *text, size_t cap);
void look(const int *in, const char *text);
"""
OWNER = '#include "part.h"\nvoid part_feed(part *p, int n) { p->a = n; *p = (part){ 0 }; part_of(1)->a = 2; }\n'

WRITES = [
    "w->first.a = 1;",
    "w->first.count += 1;",
    "w->second->a--;",
    "++w->second->a;",
    "--w->first.list[2];",
    "w->second->peer->peer->a <<= 1;",
    "part *p = w->second; p->a = 1;",
    "if (w->own) p2->a = 1;",
    "for (part *p = w->second; p != NULL; p->a = 1) { }",
    "(&w->first)->a = 1;",
    "(*w->second).a = 1;",
    "((part *)v)->a = 1;",
    "*(w->first.list) = 1;",
    "part_of(1)->a = 1;",
    "ps[3].a |= 1;",
    "ps[w->own].list[w->own + 1] = 1;",
    "w->first.inner.x = 1;",
    "w->first.by = 1;",
    "w->first.text.len = 3;",
    "w->first = (part){ .a = 1 };",
    "*w->second = (part){ 0 };",
    "memset(&w->first, 0, sizeof w->first);",
    "memset(w->second, 0, sizeof *w->second);",
    "memcpy(w->first.name + 1, \"a\", 1);",
    "(void)snprintf(w->first.name, 8, \"%d\", 1);",
    "get(&w->first.a);",
    "get(w->first.list);",
    "fill(w->second->name, 8);",
    "int *n = &w->first.a; *n = 1;",
    "int *n; n = &w->second->a;",
    "return &w->first.a;",
    "static_part.a = 1;",
]
NO_WRITES = [
    "w->own = 1; w->plain = (struct plain){ 2 }; w->second = NULL;",
    "part_feed(&w->first, w->first.a);",
    "part_feed(w->second, 2);",
    "part_count(&w->first);",
    "int a = w->first.a; a = w->second->a == 1; a++;",
    "part p = { .a = 1 }; p.a = 2; p.list[1]++; memset(&p, 0, sizeof p); get(&p.a);",
    "look(&w->first.a, w->first.name);",
    "const int *n = &w->first.a; (void)n;",
    "w->first = *w->second;",
    "part *p = &w->first; p = w->second; (void)p;",
    "int list[2]; list[w->first.a] = w->first.list[1];",
    "if (w->first.a <= 1 || w->first.a != 3) { w->own = w->first.a; }",
    "/* w->first.a = 1; */ look(NULL, \"w->first.a = 1;\");",
    "struct plain *s = &w->plain; (void)s;",
    "whole o = { .own = 1, .first = *p2 }; (void)o;",
]


class Case(unittest.TestCase):
    def check(self, files, checked=("platform",), **tables):
        """Returns (exit code, output) for a tree of files in the layer platform."""
        with tempfile.TemporaryDirectory() as directory:
            for name, text in files.items():
                path = pathlib.Path(directory) / (name if "/" in name else f"platform/src/{name}")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            tables = {"CHECKED": checked, "OPAQUE": (), "OWNERS": {}, "VALUES": {"span", "plain"}, **tables}
            before = sys.argv, {name: getattr(check_writers, name) for name in tables}
            sys.argv = ["check_writers.py", directory]
            for name, value in tables.items():
                setattr(check_writers, name, value)
            printed = io.StringIO()
            try:
                with contextlib.redirect_stdout(printed):
                    code = check_writers.main()
            finally:
                sys.argv = before[0]
                for name, value in before[1].items():
                    setattr(check_writers, name, value)
        return code, printed.getvalue()

    def with_body(self, body, **settings):
        source = ('#include "whole.h"\nstatic part static_part;\n'
                  f"int *run(whole *w, void *v, part *p2, part ps[4])\n{{\n    {body}\n    return 0;\n}}\n")
        return self.check({"part.h": PART, "part.c": OWNER, "whole.h": WHOLE, "whole.c": source}, **settings)

    def test_each_write_to_a_struct_of_another_file_is_found(self):
        for body in WRITES:
            with self.subTest(body):
                code, printed = self.with_body(body)
                self.assertEqual(code, 1, printed)
                self.assertIn("platform/src/whole.c: writes part, which is for platform/src/part.c (lines 5)", printed)

    def test_what_is_no_write_passes(self):
        for body in NO_WRITES:
            with self.subTest(body):
                code, printed = self.with_body(body)
                self.assertEqual(code, 0, printed)

    def test_an_inline_function_of_another_header_is_searched_too(self):
        code, printed = self.check({"part.h": PART, "part.c": OWNER,
                                    "other.h": '#include "part.h"\nstatic inline void f(part *p) { p->a = 1; }'})
        self.assertEqual(code, 1)
        self.assertIn("platform/src/other.h: writes part", printed)

    def test_a_struct_without_a_file_beside_its_header_has_one_writer(self):
        writer = '#include "state.h"\nvoid {0}(state *s) {{ s->n = 1; }}'
        header = "typedef struct state { int n; } state;"
        code, printed = self.check({"state.h": header, "a.c": writer.format("a")})
        self.assertEqual(code, 0, printed)
        two = {"state.h": header, "a.c": writer.format("a"), "b.c": writer.format("b")}
        code, printed = self.check(two)
        self.assertEqual(code, 1)
        self.assertIn("state is written by 2 files (times): platform/src/a.c (1), platform/src/b.c (1)", printed)
        code, printed = self.check(two, OWNERS={"state": "platform/src/a.c"})
        self.assertEqual(code, 1)
        self.assertIn("platform/src/b.c: writes state, which is for platform/src/a.c", printed)

    def test_the_owner_may_write_in_its_header_as_well(self):
        code, printed = self.check({
            "state.h": "typedef struct state { int n; } state;",
            "a.h": '#include "state.h"\nstatic inline void f(state *s) { s->n = 2; }',
            "a.c": '#include "a.h"\nvoid a(state *s) { s->n = 1; }'})
        self.assertEqual(code, 0, printed)

    def test_a_plain_value_is_filled_by_anybody(self):
        code, printed = self.with_body("w->first.a = 1;", VALUES={"part", "span", "plain"})
        self.assertEqual(code, 0, printed)

    def test_a_member_of_a_plain_value_counts_for_the_struct_around_it(self):
        code, printed = self.check({
            "part.h": PART, "part.c": OWNER, "whole.h": WHOLE, "whole.c": '#include "whole.h"\n',
            "x.c": '#include "whole.h"\nvoid x(whole *w) { w->plain.n = 1; }'}, VALUES={"plain"})
        self.assertEqual(code, 1)
        self.assertIn("platform/src/x.c: writes whole, which is for platform/src/whole.c", printed)

    def test_structs_of_public_headers_are_for_the_callers(self):
        files = {"platform/include/platform/options.h": "typedef struct options { int n; } options;",
                 "a.c": '#include "platform/options.h"\nvoid a(options *o) { o->n = 1; }',
                 "b.c": '#include "platform/options.h"\nvoid b(options *o) { o->n = 1; }'}
        code, printed = self.check(files)
        self.assertEqual(code, 0, printed)
        code, printed = self.check(files, OPAQUE=("platform/include/platform/options.h",))
        self.assertEqual(code, 1, printed)

    def test_a_layer_that_is_not_checked_yet_is_counted_only(self):
        code, printed = self.with_body("w->first.a = 1;", checked=())
        self.assertEqual(code, 0)
        self.assertIn("platform: faults found: 1", printed)

    def test_an_empty_tree_fails(self):
        code, _ = self.check({})
        self.assertEqual(code, 1)


class TheTree(unittest.TestCase):
    def test_each_entry_of_the_tables_exists(self):
        root = pathlib.Path(__file__).parents[2]
        texts = check_writers.read(root)
        structs = {name for layer in check_writers.LAYERS for name in check_writers.types_of(texts, layer).structs}
        for struct in [*check_writers.OWNERS, *check_writers.VALUES]:
            self.assertIn(struct, structs)
        for file in [*check_writers.OWNERS.values(), *check_writers.OPAQUE]:
            self.assertIn(file, texts)


if __name__ == "__main__":
    unittest.main()
