#!/usr/bin/env python3
"""Tests which mutants mutants.py finds in a few lines of C, and that equivalent.txt can be read."""

import os
import sys

import mutate
from mutants import File, mutants_of

SOURCE = r"""
#include "a.h" /* 1 < 2 */
#define TWO 2

enum { THREE = 3 };

static bool is_less(const thing *t, unsigned n)
{
    const thing *other = t + 1; // a + b
    if (t->count < n && !t->off) {
        note(t, "1 < 2");
        return true;
    }
    for (unsigned i = 0; i != n; i++) {
        *t->at = i;
    }
    return n > TWO ? other == t : false;
}

thing *next_of(thing *t)
{
    return t->next;
}
"""

WANTED = {
    ("is_less", "if (t->count < n && !t->off) {", "if (t->count <= n && !t->off) {"),
    ("is_less", "if (t->count < n && !t->off) {", "if (t->count >= n && !t->off) {"),
    ("is_less", "if (t->count < n && !t->off) {", "if (t->count < n || !t->off) {"),
    ("is_less", "if (t->count < n && !t->off) {", "if (t->count < n && t->off) {"),
    ("is_less", "if (t->count < n && !t->off) {", "if (!(t->count < n && !t->off)) {"),
    ("is_less", 'note(t, "1 < 2");', ";"),
    ("is_less", 'note(t, "1 < 2");', 'note("1 < 2", t);'),
    ("is_less", "return true;", "return false;"),
    ("is_less", "return true;", "return !(true);"),
    ("is_less", "for (unsigned i = 0; i != n; i++) {", "for (unsigned i = 1; i != n; i++) {"),
    ("is_less", "for (unsigned i = 0; i != n; i++) {", "for (unsigned i = 0; i == n; i++) {"),
    ("is_less", "for (unsigned i = 0; i != n; i++) {", "for (unsigned i = 0; i != n; i--) {"),
    ("is_less", "*t->at = i;", ";"),
    ("is_less", "const thing *other = t + 1; // a + b", "const thing *other = t - 1; // a + b"),
    ("is_less", "const thing *other = t + 1; // a + b", "const thing *other = t + 2; // a + b"),
    ("is_less", "const thing *other = t + 1; // a + b", "const thing *other = t + 0; // a + b"),
    ("is_less", "return n > TWO ? other == t : false;", "return n >= TWO ? other == t : false;"),
    ("is_less", "return n > TWO ? other == t : false;", "return n <= TWO ? other == t : false;"),
    ("is_less", "return n > TWO ? other == t : false;", "return n > TWO || 1 ? other == t : false;"),
    ("is_less", "return n > TWO ? other == t : false;", "return n > TWO && 0 ? other == t : false;"),
    ("is_less", "return n > TWO ? other == t : false;", "return n > TWO ? other != t : false;"),
    ("is_less", "return n > TWO ? other == t : false;", "return n > TWO ? other == t : true;"),
    ("is_less", "return n > TWO ? other == t : false;", "return !(n > TWO ? other == t : false);"),
    ("", "enum { THREE = 3 };", "enum { THREE = 4 };"),
    ("", "enum { THREE = 3 };", "enum { THREE = 2 };"),
    ("next_of", "return t->next;", "return NULL;"),
}
# No compiler accepts this mutant, because a type and a pointer look like a product.
NO_PROGRAM = ("is_less", "const thing *other = t + 1; // a + b", "const thing /other = t + 1; // a + b")


def check(what, good):
    if not good:
        sys.exit(f"test_mutants: {what}")


found = {(m.function, m.before, m.after) for m in mutants_of("a.c", SOURCE)} - {NO_PROGRAM}
check(f"missing: {WANTED - found}", WANTED <= found)
check(f"not wanted: {found - WANTED}", found <= WANTED)
check("functions", [f.name for f in File("a.c", SOURCE).functions] == ["is_less", "next_of"])

for path, function, before, after in mutate.listed():
    check(f"equivalent.txt: {path} {function}: {before}", path in mutate.all_sources() and before != after)
for key, reason in mutate.listed().items():
    check(f"equivalent.txt: no reason for {key}", len(reason) > 10 and os.path.exists(os.path.join(mutate.ROOT, key[0])))
