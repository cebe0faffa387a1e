#!/usr/bin/env python3
"""Tests client certificates with a broker that demands them: logins, refusals, and replacements.

usage: test_x509.py BIN_DIR DEVICE_PKI RENEWALS
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from broker import PATIENCE_S, Broker
from emulator import Background

BIN_DIR, DEVICE_PKI, RENEWALS = (sys.argv.pop(1) for _ in range(3))
SHORT_S = 12


class Certificates(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="iothub-x509-")
        self.addCleanup(self.folder.cleanup)
        subprocess.run([DEVICE_PKI, self.folder.name, "device1", str(SHORT_S)], check=True)
        self.log = self.path("broker.log")
        # Without this, Mosquitto gives up the rights of root, and cannot read the private folder.
        self.broker = Broker("user root", "cafile " + self.path("root.crt"), "certfile " + self.path("server.crt"),
                             "keyfile " + self.path("server.key"), "require_certificate true",
                             "use_identity_as_username true", "connection_messages true",
                             "log_dest file " + self.log)
        self.addCleanup(self.broker.__exit__)
        self.broker.__enter__()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def environment(self, name):
        return {**os.environ, "IOTHUB_PORT": self.broker.port, "IOTHUB_CA_FILE": self.path("root.crt"),
                "IOTHUB_DEVICE_CONNECTION_STRING": "HostName=localhost;DeviceId=device1;x509=true",
                "IOTHUB_X509_CERTIFICATE_FILE": self.path(name + ".pem"),
                "IOTHUB_X509_KEY_FILE": self.path(name + ".key")}

    def sample(self, name, *arguments, **changes):
        return subprocess.run([os.path.join(BIN_DIR, "x509"), *arguments], text=True,
                              env={**self.environment(name), **changes}, capture_output=True,
                              timeout=PATIENCE_S, check=False)

    def logins(self):
        """The names in the certificates that the broker has accepted, in order."""
        with open(self.log, encoding="utf-8") as f:
            return re.findall(r"as device1 \(.* u'([^']*)'", f.read())

    def test_a_certificate_with_its_intermediate_logs_in(self):
        result = self.sample("first", "--count", "3")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines()[-1], "message 3 is at the hub")
        self.assertEqual(self.logins(), ["device1"])

    def test_a_wrong_certificate_ends_with_one_sentence_in_time(self):
        cases = {
            "expired": "the client certificate has expired: pass a new one",
            "early": "the client certificate is not valid yet: set the clock",
            "stranger": "certificate",
            "bare": "certificate",
        }
        for name, says in cases.items():
            with self.subTest(name):
                began = time.monotonic()
                result = self.sample(name, "--count", "1")
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
                self.assertIn(says, result.stderr)
                self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(self.logins(), [])

    def test_files_that_do_not_fit_are_named(self):
        cases = [{"IOTHUB_X509_KEY_FILE": self.path("second.key")},
                 {"IOTHUB_X509_CERTIFICATE_FILE": self.path("missing.pem")},
                 {"IOTHUB_X509_KEY_FILE": self.path("root.crt")}]
        for changes in cases:
            with self.subTest(changes):
                result = self.sample("first", "--count", "1", **changes)
                self.assertEqual((result.returncode, result.stdout), (1, ""))
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_without_a_certificate_the_connection_string_names_the_remedy(self):
        result = subprocess.run([os.path.join(BIN_DIR, "telemetry"), "--count", "1"], text=True,
                                env=self.environment("first"), capture_output=True,
                                timeout=PATIENCE_S, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("iothub_x509_credential", result.stderr)

    def test_a_certificate_that_expires_is_replaced_from_its_files(self):
        for suffix in (".pem", ".key"):
            shutil.copy(self.path("short" + suffix), self.path("device" + suffix))
        device = Background([os.path.join(BIN_DIR, "x509"), "--count", "1000000", "--duration", str(4 * SHORT_S)],
                            self.environment("device"))
        device.wait_line("connected")
        for suffix in (".pem", ".key"):
            shutil.copy(self.path("second" + suffix), self.path("device" + suffix))
        device.wait_line("replacing the certificate")
        device.wait_for(lambda lines: lines.count("connected") == 2)
        device.stop()
        self.assertEqual(self.logins(), ["device1", "device1"])

    def renew(self, count, *names):
        files = [self.path(name + suffix) for name in names for suffix in (".pem", ".key")]
        device = Background([RENEWALS, self.broker.port, str(count), "0", *files], self.environment("first"))
        report = json.loads(device.end()[-1])
        self.assertGreaterEqual(report["renewals"], count)
        for name in ("failed", "surprises", "losses", "failed_attempts", "allocations"):
            self.assertEqual(report[name], 0, name)
        self.assertEqual(report["ended"], report["sent"])
        self.assertEqual(*report["descriptors"])
        return report

    def test_certificates_are_replaced_in_turn_while_messages_are_sent(self):
        report = self.renew(40, "first", "second")
        self.assertGreater(report["sent"], 1000)

    def test_each_connection_presents_its_own_certificate(self):
        self.renew(10, "first", "other")
        names = self.logins()
        self.assertEqual(names[:4], ["device1", "another-device"] * 2)
        self.assertEqual(set(zip(names, names[1:])),
                         {("device1", "another-device"), ("another-device", "device1")})


if __name__ == "__main__":
    unittest.main()
