#!/usr/bin/env python3
"""Test platform/service_roots.py: it must make C code of the certificates that a table names, and of no
others.
"""
import base64
import hashlib
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = sys.argv.pop()
DER = bytes(range(1, 100))
PEM = "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(DER).decode() + "-----END CERTIFICATE-----\n"
SHA256 = hashlib.sha256(DER).hexdigest()


class ServiceRoots(unittest.TestCase):
    def run_with(self, table, pem):
        """Returns the exit code, the error text and the output; the output is None if there is none."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("table", table), ("root.crt", pem)):
                if text is not None:
                    with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                        file.write(text)
            output = f"{folder}/out.c"
            run = subprocess.run([sys.executable, "-B", SCRIPT, f"{folder}/table", folder, output],
                                 capture_output=True, text=True, check=False)
            if not os.path.exists(output):
                return run.returncode, run.stderr, None
            with open(output, encoding="ascii") as file:
                return run.returncode, run.stderr, file.read()

    def test_a_certificate_with_the_right_fingerprint_becomes_an_array(self):
        code, _, text = self.run_with(f"# a comment\n\n{SHA256} root.crt A Root\n", PEM)
        self.assertEqual(code, 0)
        self.assertIn('{ "A Root", root_0, sizeof root_0 }', text)
        self.assertIn("0x01, 0x02, 0x03", text)

    def test_another_fingerprint_is_refused(self):
        code, error, text = self.run_with(f"{'0' * 64} root.crt A Root\n", PEM)
        self.assertNotEqual(code, 0)
        self.assertIn(SHA256, error)
        self.assertIsNone(text)

    def test_a_missing_certificate_names_package_and_option(self):
        code, error, text = self.run_with(f"{SHA256} root.crt A Root\n", None)
        self.assertNotEqual(code, 0)
        self.assertIn("ca-certificates", error)
        self.assertIn("IOTHUB_COMPILED_IN_ROOTS", error)
        self.assertIsNone(text)

    def test_a_file_with_several_certificates_is_refused(self):
        code, error, text = self.run_with(f"{SHA256} root.crt A Root\n", PEM + PEM)
        self.assertNotEqual(code, 0)
        self.assertIn("2 certificates", error)
        self.assertIsNone(text)


if __name__ == "__main__":
    unittest.main()
