#!/usr/bin/env python3
"""Tests client certificates with the emulator: by thumbprint and by CA, and what a hub refuses.

usage: test_x509_hub.py BIN_DIR
"""

import os
import subprocess
import sys
import tempfile
import time
import unittest

from emulator import PATIENCE_S, Emulator, numbers

BIN_DIR = sys.argv.pop(1)
ANOTHER_PRINT = "0123456789abcdef0123456789abcdef01234567"


class Hub(unittest.TestCase):
    """The emulator has the devices meter (by thumbprint), pump (by CA) and device1 (with a key)."""

    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(BIN_DIR, arguments=("--x509", "meter", "--x509-ca", "pump"))
        cls.addClassCleanup(cls.hub.__exit__)
        cls.hub.start()

    def environment(self, number="", **changes):
        """number is "" for the device meter and "_2" for the device pump."""
        values = self.hub.values
        return {**self.hub.environment(),
                "IOTHUB_DEVICE_CONNECTION_STRING": values["IOTHUB_X509_CONNECTION_STRING" + number],
                "IOTHUB_X509_CERTIFICATE_FILE": values["IOTHUB_X509_CERTIFICATE_FILE" + number],
                "IOTHUB_X509_KEY_FILE": values["IOTHUB_X509_KEY_FILE" + number], **changes}

    def sample(self, environment, *arguments):
        return subprocess.run([os.path.join(BIN_DIR, "x509"), "--count", "1", *arguments], text=True,
                              env=environment, capture_output=True, timeout=PATIENCE_S, check=False)

    def refused(self, says, environment):
        """The sample must end soon, and print one sentence."""
        began = time.monotonic()
        result = self.sample(environment)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn(says, result.stderr)
        self.assertLess(time.monotonic() - began, 30)

    def test_certificates_and_keys_log_in_on_one_port(self):
        monitor = self.hub.monitor()
        for environment in (self.environment(), self.environment("_2")):
            result = self.sample(environment, "--count", "3")
            self.assertEqual(result.returncode, 0, result.stderr)
        self.hub.sample("telemetry", "--count", "3").end()
        monitor.wait_for(lambda lines: len(lines) >= 9)
        monitor.stop()
        self.assertEqual(sorted(numbers(monitor.lines)), [1, 1, 1, 2, 2, 2, 3, 3, 3])

    def upload(self, environment):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x" * 100000)
            file.flush()
            return subprocess.run([os.path.join(BIN_DIR, "upload"), "--name", "b", "--block-size", "30000", file.name],
                                  text=True, env=environment, capture_output=True, timeout=PATIENCE_S, check=False)

    @unittest.skipUnless(os.path.exists(os.path.join(BIN_DIR, "upload")), "uploads are not built")
    def test_a_certificate_uploads_a_file(self):
        for environment, device in ((self.environment(), "meter"), (self.environment("_2"), "pump")):
            result = self.upload(environment)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            found = [u for u in self.hub.request("GET", "/emulator/uploads") if u["deviceId"] == device]
            self.assertEqual([u["state"] for u in found], ["succeeded"])
        pump = self.environment("_2")
        result = self.upload(self.environment(IOTHUB_X509_CERTIFICATE_FILE=pump["IOTHUB_X509_CERTIFICATE_FILE"],
                                              IOTHUB_X509_KEY_FILE=pump["IOTHUB_X509_KEY_FILE"]))
        self.assertEqual(result.returncode, 1)
        self.assertIn("the hub refuses the credential", result.stderr)

    def test_a_certificate_of_another_device_is_refused(self):
        pump = self.environment("_2")
        self.refused("register the certificate's thumbprint",
                     self.environment(IOTHUB_X509_CERTIFICATE_FILE=pump["IOTHUB_X509_CERTIFICATE_FILE"],
                                      IOTHUB_X509_KEY_FILE=pump["IOTHUB_X509_KEY_FILE"]))

    def test_the_certificate_of_another_name_is_refused(self):
        self.refused("register the certificate's thumbprint",
                     self.environment("_2", IOTHUB_DEVICE_CONNECTION_STRING=
                                      "HostName=localhost;DeviceId=device1;x509=true"))

    def test_a_device_that_was_deleted_and_a_thumbprint_that_was_revoked_are_refused(self):
        path = "/devices/meter?api-version=2021-04-12"
        other = {"authentication": {"type": "selfSigned", "x509Thumbprint": {
            "primaryThumbprint": ANOTHER_PRINT, "secondaryThumbprint": ANOTHER_PRINT}}}
        with Emulator(BIN_DIR, arguments=("--x509", "meter")) as hub:
            environment = {**hub.environment(), "IOTHUB_DEVICE_CONNECTION_STRING":
                           hub.values["IOTHUB_X509_CONNECTION_STRING"]}
            self.assertEqual(self.sample(environment).returncode, 0)
            hub.request("DELETE", path)
            self.refused("CONNACK 5: not authorized", environment)
            hub.put(path, {"deviceId": "meter", **other})
            self.refused("CONNACK 5: not authorized", environment)

    def test_an_unknown_device_is_refused(self):
        self.refused("CONNACK", self.environment(IOTHUB_DEVICE_CONNECTION_STRING=
                                                 "HostName=localhost;DeviceId=nobody;x509=true"))

    def test_a_key_with_x509_is_a_contradiction(self):
        device = self.hub.values["IOTHUB_DEVICE_CONNECTION_STRING"]
        self.refused("exclude each other",
                     self.environment(IOTHUB_DEVICE_CONNECTION_STRING=device + ";x509=true"))


if __name__ == "__main__":
    unittest.main()
