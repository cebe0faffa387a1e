#!/usr/bin/env python3
"""Tests `iothub derive-key` as a user runs it.

usage: test_derive_key.py IOTHUB
"""

import base64
import hashlib
import hmac
import os
import subprocess
import sys
import unittest

PROGRAM = ""
# The values come from Microsoft's page "Symmetric key attestation".
GROUP_KEY = ("8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==")
ID = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6"
KEY = "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc="


def run(*args, stdin="", env=None):
    """Exit status, standard output, standard error of one call."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("IOTHUB_")}
    environment.update(env or {})
    done = subprocess.run([PROGRAM, "derive-key", *args], input=stdin.encode(), env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Keys(unittest.TestCase):

    def test_the_known_answer_from_each_place_of_the_key(self):
        self.assertEqual(run("--key", GROUP_KEY, ID), (0, KEY + "\n", ""))
        self.assertEqual(run("--key", "-", ID, stdin=f"\n {GROUP_KEY}\r\n"), (0, KEY + "\n", ""))
        self.assertEqual(run(ID, env={"IOTHUB_DPS_GROUP_KEY": GROUP_KEY}), (0, KEY + "\n", ""))

    def test_one_line_for_each_device_in_order(self):
        ids = [f"device:{n}" for n in range(5)]
        macs = [hmac.new(base64.b64decode(GROUP_KEY), i.encode(), hashlib.sha256).digest() for i in ids]
        wanted = "".join(base64.b64encode(m).decode() + "\n" for m in macs)
        self.assertEqual(run("--key", "-", *ids, stdin=GROUP_KEY), (0, wanted, ""))


class Refusals(unittest.TestCase):

    def refused(self, status, word, *args, **more):
        code, out, err = run(*args, **more)
        self.assertEqual((code, out), (status, ""), err)
        self.assertIn(word, err)
        self.assertNotIn(GROUP_KEY[:12], err)

    def test_what_is_missing_is_named(self):
        self.refused(2, "no group key", ID)
        self.refused(2, "registration id is missing", "--key", GROUP_KEY)
        self.refused(1, "group key", "--key", "-", ID)

    def test_a_wrong_id_or_key_is_not_repeated(self):
        self.refused(1, "registration id", "--key", GROUP_KEY, GROUP_KEY)
        self.refused(1, "not base64", "--key", GROUP_KEY[:20] + "!", ID)
        self.refused(2, "", "--group", GROUP_KEY, ID)

    def test_an_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([PROGRAM, "derive-key", "--key", GROUP_KEY, ID], stdout=full,
                                  stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
