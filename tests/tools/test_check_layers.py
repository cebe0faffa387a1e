#!/usr/bin/env python3
"""Tests tools/check_layers.py: each kind of fault, in a small source tree made for the test."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools"))
import check_layers  # noqa: E402

SOUND = {
    "mqtt_core/src/wire.h": "static inline int one(void) { return 1; }",
    "mqtt_core/src/packet.h": '#include "wire.h"\nint packet_len(void);',
    "mqtt_core/src/packet.c": '#include "packet.h"\n#include <string.h>\nint packet_len(void) { return one(); }',
    "platform/include/platform/clock.h": "#include <stdint.h>\n",
    "platform/src/posix/clock.c": '#include <unistd.h>\n#include "platform/clock.h"\n',
    "iothub_client/include/iothub/client.h": "typedef struct iothub_client iothub_client;",
    "iothub_client/src/text/decimal.h": "int decimal_read(const char *text);",
    "iothub_client/src/text/decimal.c": '#include "text/decimal.h"\nint decimal_read(const char *text)\n{ return *text; }',
    "iothub_client/src/hub/topics.h": "int topics_read(void);",
    "iothub_client/src/hub/topics.c":
        '#include "hub/topics.h"\n#include "text/decimal.h"\nint topics_read(void) { return decimal_read(""); }',
    "iothub_client/src/context/context.h": "int context_now(void);\nstruct options { int a; };",
    "iothub_client/src/context/context.c": '#include "context/context.h"\nint context_now(void) { return 0; }',
    "iothub_client/src/connection/session.h": "int session_feed(void);",
    "iothub_client/src/connection/session.c":
        '#include "connection/session.h"\n#include "context/context.h"\nint session_feed(void) { return context_now(); }',
    "iothub_client/src/telemetry/telemetry.c": '#include "context/context.h"\nint telemetry_on_done(void) { return 1; }',
    "iothub_client/src/features/twin.h": "int twin_look(void);",
    "iothub_client/src/features/twin.c": '#include "features/twin.h"\nint twin_look(void) { return 0; }',
    "iothub_client/src/drive/client.h": "struct iothub_client { int all; };",
    "iothub_client/src/drive/loop.c":
        '#include "drive/client.h"\n#include "features/twin.h"\n#include "connection/session.h"\n'
        "int loop(void) { return twin_look() + session_feed(); }",
    "tools/cli/args.h": "int args_next(void);",
    "tools/json/json_text.h": "int json_text(void);",
    "tools/iothub/main.c": '#include "cli/args.h"\n#include "json/json_text.h"\n#include "iothub/client.h"\n',
}


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)

    def check(self, changes=None, without_circles=tuple(check_layers.LAYERS), known_by=None):
        """Returns (exit code, output) for the correct tree with some files changed; None removes a file."""
        for name, text in {**SOUND, **(changes or {})}.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(text, encoding="utf-8")
        before = sys.argv, check_layers.WITHOUT_CIRCLES, check_layers.KNOWN_BY
        sys.argv = ["check_layers.py", str(self.root)]
        check_layers.WITHOUT_CIRCLES = without_circles
        check_layers.KNOWN_BY = known_by or {"iothub_client": ("iothub_client/src", 10)}
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                code = check_layers.main()
        finally:
            sys.argv, check_layers.WITHOUT_CIRCLES, check_layers.KNOWN_BY = before
        return code, printed.getvalue()

    def refused(self, changes, *texts, **settings):
        code, printed = self.check(changes, **settings)
        self.assertEqual(code, 1, printed)
        for text in texts:
            self.assertIn(text, printed)

    def test_a_sound_tree_passes(self):
        code, printed = self.check()
        self.assertEqual(code, 0, printed)
        self.assertIn("2 of 13 files of iothub_client/src know the struct iothub_client", printed)

    def test_an_empty_tree_fails(self):
        code, _ = self.check(dict.fromkeys(SOUND))
        self.assertEqual(code, 1)

    # --- layers ---

    def test_the_client_may_not_include_a_header_of_the_system(self):
        self.refused({"iothub_client/src/hub/topics.c": "#include <unistd.h>"},
                     "hub/topics.c: <unistd.h> is not for this layer")

    def test_a_layer_may_not_include_a_layer_above_it(self):
        self.refused({"mqtt_core/src/packet.c": '#include "platform/clock.h"'},
                     "packet.c: platform/clock.h is above or beside this layer")

    def test_a_program_may_not_include_a_private_header_of_the_sdk(self):
        self.refused({"tools/iothub/main.c": '#include "../../iothub_client/src/hub/topics.h"'},
                     "is not a header of this layer")

    def test_only_the_programs_share_the_text_of_json(self):
        self.refused({"tools/cli/args.c": '#include "json/json_text.h"'}, "is not a header of this layer")
        self.refused({"tools/cli/args.c": "", "iothub_client/src/hub/topics.c": '#include "json/json_text.h"'},
                     "hub/topics.c: \"json/json_text.h\" is not a header of this layer")

    def test_a_library_belongs_to_one_folder(self):
        self.refused({"platform/src/posix/clock.c": "#include <wolfssl/ssl.h>"},
                     "wolfssl/ssl.h belongs to platform/src/wolfssl/")

    def test_a_private_header_in_the_folder_of_a_library_is_not_the_library(self):
        code, printed = self.check({"platform/src/wolfssl/tls.h": "int tls(void);",
                                    "platform/src/posix/clock.c": '#include "wolfssl/tls.h"'})
        self.assertEqual(code, 0, printed)

    def test_an_include_inside_a_comment_does_not_count(self):
        code, printed = self.check({"mqtt_core/src/packet.c": "/*\n#include <unistd.h>\n*/\n// #include <poll.h>\n"})
        self.assertEqual(code, 0, printed)

    # --- levels ---

    def test_a_header_of_a_higher_level_is_refused(self):
        self.refused({"iothub_client/src/hub/topics.c": '#include "context/context.h"'},
                     'hub/topics.c: includes "context/context.h", and context is above hub')

    def test_folders_of_one_level_do_not_include_each_other(self):
        self.refused({"iothub_client/src/telemetry/telemetry.c": '#include "features/twin.h"'},
                     'includes "features/twin.h", and features is beside telemetry')

    def test_a_header_looked_up_beside_the_file_has_a_level_too(self):
        self.refused({"iothub_client/src/hub/topics.c": '#include "../context/context.h"'}, "context is above hub")

    def test_a_function_of_a_higher_level_is_refused_without_its_header(self):
        self.refused({"iothub_client/src/hub/topics.c": "int context_now(void);\nint f(void) { return context_now(); }"},
                     "hub/topics.c: names context_now, and context is above hub")

    def test_a_function_of_a_higher_level_is_refused_inside_a_header(self):
        self.refused({"iothub_client/src/hub/topics.h":
                      "int context_now(void);\nstatic inline int f(void) { return context_now(); }"},
                     "hub/topics.h: names context_now, and context is above hub")

    def test_a_member_or_static_function_of_that_name_is_no_use_of_it(self):
        code, printed = self.check({"iothub_client/src/hub/topics.c":
                                    "static int context_now(void) { return 2; }\nint f(void) { return context_now(); }",
                                    "iothub_client/src/text/decimal.c": "int g(struct s *s) { return s->twin_look; }"})
        self.assertEqual(code, 0, printed)

    def test_a_file_outside_of_the_folders_is_refused_once_all_folders_exist(self):
        self.refused({"iothub_client/src/odd.c": "int odd;", "iothub_client/src/pnp/pnp.c": "int pnp;",
                      "iothub_client/src/edge/edge.c": "int edge;",
                      "iothub_client/src/upload/upload.c": "int upload;",
                      "iothub_client/src/provisioning/room.c": "int room;",
                      "iothub_client/src/certificate/slots.c": "int slots;"},
                     "odd.c: stands in none of the folders")

    def test_while_folders_are_missing_files_may_stand_outside(self):
        code, printed = self.check({"iothub_client/src/odd.c": '#include "drive/client.h"',
                                    "iothub_client/src/features/twin.h": None, "iothub_client/src/features/twin.c": None,
                                    "iothub_client/src/drive/loop.c": "int loop;"})
        self.assertEqual(code, 0, printed)

    def test_a_single_file_may_have_a_level(self):
        main = '#include "fleet/fleet.h"\n#include "service/service.h"\n'
        tree = {"tools/iothub/main.c": main, "tools/iothub/command/c.h": "", "tools/iothub/hub/h.h": "",
                "tools/iothub/sas/s.h": "", "tools/iothub/service/service.h": "int service(void);",
                "tools/iothub/fleet/fleet.h": "int fleet(void);"}
        code, printed = self.check(tree)
        self.assertEqual(code, 0, printed)
        self.refused({**tree, "tools/iothub/fleet/fleet.h": "int main_of(void) { return run(); }",
                      "tools/iothub/main.c": main + "int run(void) { return 0; }"},
                     "fleet/fleet.h: names run, and main.c is above fleet")
        self.refused({**tree, "tools/iothub/odd.c": ""}, "odd.c: stands in none of the folders")

    # --- circles ---

    CIRCLE = {
        "mqtt_core/src/a.h": "int a(void);", "mqtt_core/src/a.c": '#include "a.h"\n#include "b.h"\nint a(void) { return 1; }',
        "mqtt_core/src/b.h": '#include "c.h"', "mqtt_core/src/c.c": '#include "a.h"\n', "mqtt_core/src/c.h": "int c(void);",
    }

    def test_a_circle_of_includes_is_refused(self):
        self.refused(self.CIRCLE, "mqtt_core: 3 files use each other in a circle",
                     'mqtt_core/src/b includes "c.h" of mqtt_core/src/c')

    def test_a_circle_of_calls_behind_one_shared_header_is_refused(self):
        self.refused({
            "platform/src/all.h": "int a(void);\nint b(void);",
            "platform/src/a.c": '#include "all.h"\nint a(void) { return b(); }',
            "platform/src/b.c": '#include "all.h"\nint b(void) { return a(); }',
        }, "platform: 2 files use each other in a circle", "platform/src/a names b of platform/src/b")

    def test_a_circle_through_a_variable_is_refused(self):
        self.refused({
            "platform/src/a.c": "extern const int b_limit;\nint a_count[2] = { 0 };\nint a(void) { return b_limit; }",
            "platform/src/b.c": "extern int a_count[2];\nconst int b_limit = 3;\nint b(void) { return a_count[0]; }",
        }, "platform: 2 files use each other in a circle")

    def test_an_inline_function_of_a_public_header_may_use_what_the_header_declares(self):
        public = "void clock_of(int size);\nstatic inline void clock_now(void) { clock_of(4); }\n"
        body = '#include "platform/clock.h"\nvoid clock_of(int size) { (void)size; }\n'
        changes = {"platform/include/platform/clock.h": public, "platform/src/posix/clock.c": body}
        self.assertEqual(self.check(changes)[0], 0)
        changes["platform/include/platform/clock.h"] = public.replace("void clock_of(int size);\n", "")
        self.assertEqual(self.check(changes)[0], 1)

    def test_circles_of_a_layer_that_still_has_some_are_listed_only(self):
        code, printed = self.check(self.CIRCLE, without_circles=("platform",))
        self.assertEqual(code, 0)
        self.assertIn("mqtt_core: 3 files use each other in a circle", printed)

    def test_equal_names_in_two_programs_make_no_circle(self):
        code, printed = self.check({
            "tools/iothub/rest.c": "int rest(void) { return 0; }\nint other(void);\nint f(void) { return other(); }",
            "tools/hub_emulator/rest.c": "int other(void) { return 0; }\nint rest(void);\nint g(void) { return rest(); }",
        })
        self.assertEqual(code, 0, printed)

    # --- who knows a struct ---

    def test_too_many_files_that_name_a_struct_are_refused(self):
        self.refused({"iothub_client/src/hub/topics.c": "void f(const iothub_client *c);"},
                     "3 of 13 files of iothub_client/src know the struct iothub_client, and 2 may: ", "hub/topics.c",
                     known_by={"iothub_client": ("iothub_client/src", 2)})

    def test_a_file_knows_a_struct_that_it_sees_through_other_headers(self):
        self.refused({"iothub_client/src/drive/parts.h": '#include "drive/client.h"',
                      "iothub_client/src/drive/loop.c": '#include "drive/parts.h"'},
                     "3 of 14 files", "drive/loop.c", known_by={"iothub_client": ("iothub_client/src", 2)})

    def test_a_struct_named_in_a_comment_is_not_known(self):
        code, printed = self.check({"iothub_client/src/hub/topics.c": "/* iothub_client */ // iothub_client\n"})
        self.assertEqual(code, 0)
        self.assertIn("2 of 13 files", printed)


class TheTree(unittest.TestCase):
    def test_each_rule_of_the_tables_is_about_a_folder_that_exists(self):
        root = pathlib.Path(__file__).parents[2]
        for folder in [*check_layers.LAYERS, *check_layers.LAYERS.values(), *check_layers.LEVELS,
                       *check_layers.WITHOUT_CIRCLES]:
            self.assertTrue((root / folder).is_dir(), folder)


if __name__ == "__main__":
    unittest.main()
