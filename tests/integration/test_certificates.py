#!/usr/bin/env python3
"""Tests a device that renews its certificate while it publishes: nothing is lost, repeated or noticed.

usage: test_certificates.py BIN_DIR CERTIFICATES [DEVICE_PKI SOFTHSM]

With the last two arguments, the key in a token of SoftHSM is tested, too.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

from emulator import Background, Emulator, first_seen, numbers

BIN_DIR, CERTIFICATES = (sys.argv.pop(1) for _ in range(2))
DEVICE_PKI, SOFTHSM = (sys.argv.pop(1) for _ in range(2)) if len(sys.argv) > 2 and os.path.isfile(sys.argv[1]) else (None, None)
X509 = 3  # IOTHUB_CREDENTIAL_X509


class Certificates(unittest.TestCase):
    def setUp(self):
        self.cache = tempfile.TemporaryDirectory()
        self.addCleanup(self.cache.cleanup)

    def hub(self, *arguments):
        return Emulator(BIN_DIR, arguments=("--enroll", "sensor-1", *arguments))

    def device(self, hub, renewals, how):
        return Background([CERTIFICATES, hub.port, str(renewals), how, self.cache.name], hub.environment())

    def check(self, hub, report, renewals):
        monitor = hub.monitor()
        monitor.wait_for(lambda lines: any(f'{report["sent"]}}}' in line for line in lines))
        monitor.stop()
        self.assertGreaterEqual(report["renewals"], renewals)
        self.assertEqual((report["failed"], report["kind"], report["saved"]), (0, X509, True))
        self.assertEqual(report["ended"], report["sent"])
        self.assertEqual(first_seen(numbers(monitor.lines)), list(range(1, report["sent"] + 1)))

    def test_renewals_one_after_the_other(self):
        with self.hub() as hub:
            report = json.loads(self.device(hub, 20, "dps").end()[-1])
            self.check(hub, report, 20)
        self.assertEqual((report["surprises"], report["failures"]), (0, 0))
        self.assertEqual(*report["descriptors"])

    def test_renewals_in_the_course_of_short_lives(self):
        with self.hub("--cert-life", "6") as hub:
            report = json.loads(self.device(hub, 3, "dps:life").end()[-1])
            self.check(hub, report, 3)
        self.assertEqual((report["surprises"], report["failures"]), (0, 0))

    def make_token(self, folder):
        """Puts the key of a device into a new token. Returns what a program needs to use it."""
        tokens = os.path.join(folder, "tokens")
        os.mkdir(tokens)
        variables = {"SOFTHSM2_CONF": os.path.join(folder, "softhsm2.conf")}
        with open(variables["SOFTHSM2_CONF"], "w", encoding="utf-8") as file:
            file.write(f"directories.tokendir = {tokens}\n")
        subprocess.run([DEVICE_PKI, folder, "device1", "60"], check=True)
        key = os.path.join(folder, "first.p8")
        for arguments in (["--init-token", "--free", "--label", "t", "--so-pin", "5678"],
                          ["--import", key, "--token", "t", "--label", "k", "--id", "01"]):
            subprocess.run(["softhsm2-util", *arguments, "--pin", "1234"], env={**os.environ, **variables},
                           stdout=subprocess.DEVNULL, check=True)
        uri = f"pkcs11:token=t;object=k?module-path={SOFTHSM}&pin-value=1234"
        return {**variables, "IOTHUB_TOKEN_KEY": uri}

    @unittest.skipUnless(SOFTHSM, "this build has no PKCS #11, or there is no SoftHSM")
    def test_renewals_with_a_key_that_stays_in_a_token(self):
        with tempfile.TemporaryDirectory() as folder, self.hub() as hub:
            variables = self.make_token(folder)
            for renewals in (5, 2):  # the second run begins with the saved certificate
                device = Background([CERTIFICATES, hub.port, str(renewals), "dps", self.cache.name],
                                    {**hub.environment(), **variables})
                report = json.loads(device.end()[-1])
                self.assertEqual((report["renewals"], report["failed"], report["failures"]), (renewals, 0, 0))
                self.assertEqual((report["kind"], report["surprises"], report["saved"]), (X509, 0, True))
        with open(os.path.join(self.cache.name, "certificate"), "rb") as file:
            self.assertIn(b"\0\0\x30", file.read())  # a key of 0 bytes, and the chain

    def test_requests_that_the_hub_refuses_delays_or_loses(self):
        faults = ({"kind": "status", "status": 429, "retryAfter": 1}, {"kind": "status", "status": 503},
                  {"kind": "status", "status": 400}, {"kind": "nonsense"}, {"kind": "half"},
                  {"kind": "silence"}, {"kind": "close"})
        with self.hub() as hub:
            hub.put("/emulator/dps/settings", {"issueExpires": 2})
            for on in ("request", "result"):
                for fault in faults:
                    with self.subTest(on=on, **fault):
                        self.run_with(hub, {"on": on, "count": 1, **fault})

    def run_with(self, hub, fault):
        """The first certificate comes with the registration, the second from the hub with the fault."""
        with tempfile.TemporaryDirectory() as cache:
            device = Background([CERTIFICATES, hub.port, "2", "dps", cache], hub.environment())
            hub.put("/emulator/credentials/faults", fault)
            report = json.loads(device.end()[-1])
        self.assertEqual((report["renewals"], report["failed"], report["kind"]), (2, 0, X509))
        self.assertEqual(report["ended"], report["sent"])

    def test_a_hub_that_does_not_accept_the_certificate(self):
        """device1 has keys only, so its issued certificate is refused, and the key stays in use."""
        with Emulator(BIN_DIR, arguments=("--dps",)) as hub:
            device = Background([CERTIFICATES, hub.port, "1", "key", self.cache.name], hub.environment())
            try:
                said = "the earlier credentials stay in use"
                device.wait_for(lambda lines: sum(said in line for line in lines) > 2)
            finally:
                device.stop()
        self.assertEqual(os.listdir(self.cache.name), [])

    def test_after_a_kill_at_each_step_the_saved_pair_logs_in(self):
        """The program logs each step of a registration and of a renewal, and is killed after one more each time."""
        with self.hub() as hub:
            for lines in range(1, 22):
                device = subprocess.Popen(
                    [CERTIFICATES, str(hub.port), "1000", "dps", self.cache.name],
                    env=hub.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                for _ in range(lines):
                    self.assertNotEqual(device.stderr.readline(), "")
                device.kill()
                device.wait()
                device.stderr.close()
            report = json.loads(self.device(hub, 1, "dps").end()[-1])
            self.assertEqual((report["failed"], report["kind"]), (0, X509))


if __name__ == "__main__":
    unittest.main()
