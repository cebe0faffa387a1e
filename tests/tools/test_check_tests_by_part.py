#!/usr/bin/env python3
"""Tests check_tests_by_part.py on small source trees: which faults it finds, and what it accepts."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools"))

import check_tests_by_part  # noqa: E402

LAYERS = {"core/src": (("core",), ("core_",))}


class Parts(unittest.TestCase):
    def check(self, parts, tests, shared=None):
        """Returns the faults of a tree with these files, one text for each."""
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(check_tests_by_part, "LAYERS", LAYERS), \
                mock.patch.object(check_tests_by_part, "TESTED_BY", {"core/src": shared or {}}):
            root = pathlib.Path(folder)
            for path in [f"core/src/{part}" for part in parts] + [f"tests/{test}" for test in tests]:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).touch()
            return check_tests_by_part.check_layer(root, "core/src", False)

    def test_a_part_with_a_test_of_its_own_passes(self):
        self.assertEqual(self.check(["a.c"], ["core/test_a.c"]), [])
        self.assertEqual(self.check(["a.c"], ["core/test_a.py"]), [])
        self.assertEqual(self.check(["folder/a.c"], ["core/test_a_topic.c"]), [])
        self.assertEqual(self.check(["result.c"], ["core/test_core_result.c"]), [])

    def test_a_part_without_a_test_is_named(self):
        self.assertEqual(self.check(["folder/a.c"], ["core/test_b.c"]),
                         ["core/src/folder/a.c: no test_a.c in tests/core"])
        self.assertEqual(len(self.check(["a.c"], ["core/test_ab.c"])), 1)
        self.assertEqual(len(self.check(["a.c"], ["core/a.c", "core/test_a.txt"])), 1)

    def test_a_test_of_another_layer_does_not_count(self):
        self.assertEqual(len(self.check(["a.c"], ["other/test_a.c"])), 1)

    def test_a_test_belongs_to_the_part_with_the_longest_name(self):
        self.assertEqual(self.check(["name.c", "name_rules.c"], ["core/test_name_rules.c"]),
                         ["core/src/name.c: no test_name.c in tests/core"])

    def test_headers_need_no_test(self):
        self.assertEqual(self.check(["a.h"], []), [])

    def test_a_part_may_be_tested_with_others(self):
        shared = {"a*": (["core/test_b.c"], "reason")}
        self.assertEqual(self.check(["a.c", "ab.c", "b.c"], ["core/test_b.c"], shared), [])

    def test_an_entry_that_is_out_of_date_is_named(self):
        entry = (["core/test_b.c"], "reason")
        tests = ["core/test_b.c"]
        self.assertEqual(self.check(["b.c"], tests, {"gone": entry}),
                         ["TESTED_BY: no part gone in core/src"])
        self.assertEqual(self.check(["a.c"], ["core/test_c.c"], {"a": entry}),
                         ["TESTED_BY: a: no test tests/core/test_b.c"])
        self.assertEqual(self.check(["b.c"], tests, {"b": entry}),
                         ["TESTED_BY: b of core/src has a test of its own: test_b.c"])

    def test_the_table_names_the_tests_of_each_part(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(check_tests_by_part, "LAYERS", LAYERS), \
                mock.patch.object(check_tests_by_part, "TESTED_BY", {}), \
                contextlib.redirect_stdout(io.StringIO()) as out:
            root = pathlib.Path(folder)
            for path in ("core/src/a.c", "core/src/b.c", "tests/core/test_a.c"):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).touch()
            check_tests_by_part.check_layer(root, "core/src", True)
        self.assertEqual(out.getvalue(), "core/src/a.c: test_a.c\ncore/src/b.c: -\n")


if __name__ == "__main__":
    unittest.main()
