#!/usr/bin/env python3
"""Tests tools/check_design.py: each kind of fault, in a small source tree made for the test."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools"))
import check_design  # noqa: E402

DESIGN = """# Walks

## Telemetry

1. `send` (`drive/api.c`): takes the lock, calls `put`.
2. `put` (`telemetry/queue.c`): encodes the message
   and calls `note` (`telemetry/queue.c`).
"""
SOUND = {
    "iothub_client/DESIGN.md": DESIGN,
    "iothub_client/README.md": "| a change | `telemetry/queue.c` |",
    "mqtt_core/README.md": "",
    "platform/README.md": "",
    "CONTRIBUTING.md": "",
    "iothub_client/src/drive/api.c": "int send(void)\n{\n    return put();\n}\n",
    "iothub_client/src/telemetry/queue.c":
        "static int note(void)\n{\n    return 0;\n}\n\nint put(void)\n{\n    return note();\n}\n",
}


class CheckDesign(unittest.TestCase):
    def faults(self, **changes):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {**SOUND, **changes.get("files", {})}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return check_design.check(root)

    def test_a_sound_tree_has_no_fault(self):
        self.assertEqual(self.faults(), [])

    def test_a_renamed_function_is_found(self):
        for file in ("drive/api.c", "telemetry/queue.c"):
            source = SOUND[f"iothub_client/src/{file}"]
            for name in ("send", "put", "note"):
                if f"int {name}(" in source:
                    with self.subTest(name=name):
                        changed = source.replace(f"int {name}(", f"int {name}_it(")
                        found = self.faults(files={f"iothub_client/src/{file}": changed})
                        self.assertIn(f"Telemetry: {file} does not define {name}", found)

    def test_a_function_that_is_only_called_does_not_count_as_defined(self):
        found = self.faults(files={"iothub_client/DESIGN.md": DESIGN.replace("`put` (`telemetry/queue.c`)",
                                                                             "`put` (`drive/api.c`)")})
        self.assertIn("Telemetry: drive/api.c does not define put", found)

    def test_a_moved_file_is_found_in_walk_and_table(self):
        moved = {"iothub_client/DESIGN.md": DESIGN.replace("telemetry/queue.c", "telemetry/line.c"),
                 "iothub_client/README.md": "`telemetry/line.c`"}
        found = self.faults(files=moved)
        self.assertIn("Telemetry: no file telemetry/line.c", found)
        self.assertIn("iothub_client/README.md: no file telemetry/line.c", found)

    def test_a_step_that_no_earlier_step_uses_is_found(self):
        found = self.faults(files={"iothub_client/src/drive/api.c": "int send(void)\n{\n    return 0;\n}\n"})
        self.assertEqual(found, ["Telemetry: no earlier step uses put (telemetry/queue.c)"])

    def test_an_item_without_a_function_and_a_page_without_walks_are_found(self):
        found = self.faults(files={"iothub_client/DESIGN.md": DESIGN + "3. The end.\n"})
        self.assertEqual(found, ["Telemetry: no function in: The end."])
        self.assertIn("iothub_client/DESIGN.md has no walk",
                      self.faults(files={"iothub_client/DESIGN.md": "# Nothing\n"}))


if __name__ == "__main__":
    unittest.main()
