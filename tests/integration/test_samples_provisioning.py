#!/usr/bin/env python3
"""Tests the sample "provisioning" with the emulator's Device Provisioning Service.

usage: test_samples_provisioning.py BIN_DIR PROVISIONED
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

from emulator import PATIENCE_S, TRANSPORT, Background, Emulator, numbers

BIN_DIR, PROVISIONED = (sys.argv.pop(1) for _ in range(2))


class Provisioning(unittest.TestCase):
    def setUp(self):
        self.hub = Emulator(BIN_DIR, arguments=("--enroll", "sensor-1", "--enroll-group", "line-1",
                                                 "--x509", "meter", "--x509-ca", "pump"))
        self.addCleanup(self.hub.__exit__)
        self.hub.start()
        self.cache = tempfile.TemporaryDirectory(prefix="iothub-test-")
        self.addCleanup(self.cache.cleanup)

    def environment(self, **changes):
        names = ("IOTHUB_DPS_ID_SCOPE", "IOTHUB_DPS_HOST", "IOTHUB_CA_FILE", "IOTHUB_PORT",
                 "IOTHUB_REST_PORT")
        values = {name: self.hub.values[name] for name in names}
        clean = {k: v for k, v in os.environ.items() if not k.startswith("IOTHUB_")}
        return {**clean, "IOTHUB_TRANSPORT": TRANSPORT, **self.hub.proxy_environment(), **values, **changes}

    def individual(self, **changes):
        return self.environment(IOTHUB_DPS_REGISTRATION_ID="sensor-1",
                                IOTHUB_DPS_KEY=self.hub.values["IOTHUB_DPS_KEY"], **changes)

    def run_sample(self, environment, *arguments):
        return subprocess.run([os.path.join(BIN_DIR, "provisioning"), *arguments], env=environment,
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def arrives(self, environment, *arguments):
        result = self.run_sample(environment, "--count", "3", *arguments)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("3 messages arrived", result.stdout)
        return result.stdout

    def test_messages_of_an_individual_enrolment_arrive_in_order(self):
        monitor = self.hub.monitor()
        self.assertIn("assigned to localhost as sensor-1\n", self.arrives(self.individual()))
        monitor.wait_for(lambda lines: len(lines) >= 3)
        monitor.stop()
        self.assertEqual(numbers(monitor.lines), [1, 2, 3])

    def test_a_device_of_a_group_uses_the_group_key_or_the_key_derived_from_it(self):
        group_key = self.hub.values["IOTHUB_DPS_GROUP_KEY"]
        output = self.arrives(self.environment(IOTHUB_DPS_REGISTRATION_ID="line-1-device:7",
                                               IOTHUB_DPS_GROUP_KEY=group_key))
        self.assertIn("assigned to localhost as line-1-device:7\n", output)
        derived = subprocess.run([os.path.join(BIN_DIR, "iothub"), "derive-key", "--key", "-", "other"],
                                 input=group_key, capture_output=True, text=True, check=True).stdout
        self.arrives(self.environment(IOTHUB_DPS_REGISTRATION_ID="other", IOTHUB_DPS_KEY=derived.strip()))

    def test_the_next_run_finds_the_hub_in_the_cache(self):
        directory = os.path.join(self.cache.name, "cache")
        self.assertNotIn("cache", self.arrives(self.individual(), "--cache", directory))
        # With a cached assignment, the service need not be reachable.
        output = self.arrives(self.individual(IOTHUB_DPS_HOST="dps.invalid"), "--cache", directory)
        self.assertIn("(from the cache)", output)
        files = os.listdir(directory)
        self.assertEqual(len(files), 1)
        with open(os.path.join(directory, files[0]), "rb") as file:
            self.assertNotIn(self.hub.values["IOTHUB_DPS_KEY"][:16].encode(), file.read())

    def certificate_device(self, *arguments, **changes):
        """Runs the sample whose device gets its certificate from the service."""
        result = subprocess.run([os.path.join(BIN_DIR, "issued_certificate"), "--count", "3", *arguments],
                                env=self.individual(**changes), capture_output=True, text=True,
                                timeout=PATIENCE_S, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("3 messages arrived", result.stdout)
        return result.stdout

    def authentication(self):
        """Returns how the hub authenticates the device."""
        device = self.hub.request("GET", "/devices/sensor-1?api-version=2021-04-12")
        return device["authentication"]["type"]

    def test_a_device_logs_in_with_the_certificate_that_it_has_requested(self):
        for encoding in ("der", "pem"):
            self.hub.put("/emulator/dps/settings", {"certificateEncoding": encoding})
            self.assertIn("received a certificate", self.certificate_device())
            self.assertEqual(self.authentication(), "certificateAuthority")

    def test_the_next_run_logs_in_with_the_saved_certificate(self):
        directory = os.path.join(self.cache.name, "cache")
        self.assertIn("received a certificate", self.certificate_device("--cache", directory))
        output = self.certificate_device("--cache", directory, IOTHUB_DPS_HOST="dps.invalid")
        self.assertNotIn("received", output)
        # Key and chain are one file, so that a loss of power leaves the old pair or the new one.
        saved = [name for name in os.listdir(directory) if name.startswith("issued")]
        self.assertEqual(saved, ["issued-certificate"])
        path = os.path.join(directory, saved[0])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) - 1)
        self.assertIn("received a certificate", self.certificate_device("--cache", directory))
        self.assertNotIn("received a certificate", self.certificate_device("--cache", directory))

    def test_a_certificate_that_expires_soon_is_replaced(self):
        directory = os.path.join(self.cache.name, "cache")
        self.hub.put("/emulator/dps/settings", {"certificateLife": 15})
        self.assertIn("received a certificate", self.certificate_device("--cache", directory))
        self.hub.put("/emulator/dps/settings", {"certificateLife": 86400})
        give_up_at = time.monotonic() + PATIENCE_S
        while "received a certificate" not in self.certificate_device("--cache", directory):
            self.assertLess(time.monotonic(), give_up_at)
            time.sleep(0.5)
        self.assertNotIn("received a certificate", self.certificate_device("--cache", directory))

    def enrol(self, registration_id, **members):
        """Enrols a device with the key of sensor-1."""
        key = self.hub.values["IOTHUB_DPS_KEY"]
        enrolment = {"registrationId": registration_id, **members, "attestation": {
            "type": "symmetricKey", "symmetricKey": {"primaryKey": key, "secondaryKey": key}}}
        self.hub.request("PUT", f"/enrollments/{registration_id}?api-version=2021-10-01", enrolment,
                         service="IOTHUB_DPS_CONNECTION_STRING")

    def refused(self, words, environment):
        result = self.run_sample(environment)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(words, result.stderr)

    def test_an_enrolment_may_name_another_device_id(self):
        self.enrol("sensor-2", deviceId="a-device-id-that-is-longer")
        environment = {**self.individual(), "IOTHUB_DPS_REGISTRATION_ID": "sensor-2"}
        self.assertIn("assigned to localhost as a-device-id-that-is-longer", self.arrives(environment))

    def certificate(self, number=""):
        """The environment of a device that has a certificate in place of a key."""
        names = {"IOTHUB_X509_CERTIFICATE_FILE", "IOTHUB_X509_KEY_FILE"}
        return {name: self.hub.values[name + number] for name in names}

    def test_certificates_are_enrolled_one_by_one_or_by_their_ca(self):
        monitor = self.hub.monitor()
        for device, number in ("meter", ""), ("pump", "_2"):
            environment = self.environment(IOTHUB_DPS_REGISTRATION_ID=device, **self.certificate(number))
            self.assertIn(f"assigned to localhost as {device}\n", self.arrives(environment))
        monitor.wait_for(lambda lines: len(lines) >= 6)
        monitor.stop()

    def test_a_wrong_certificate_ends_with_its_remedy(self):
        other = self.environment(IOTHUB_DPS_REGISTRATION_ID="meter-2", **self.certificate())
        self.refused("the certificate is for the common name meter", other)
        self.hub.request("DELETE", "/enrollments/meter?api-version=2021-10-01",
                         service="IOTHUB_DPS_CONNECTION_STRING")
        self.enrol("meter")  # from now on the device is enrolled by a key
        self.refused("DPS error 401", {**other, "IOTHUB_DPS_REGISTRATION_ID": "meter"})

    def test_a_disabled_or_missing_enrolment_ends_with_its_remedy(self):
        self.enrol("sensor-3", provisioningStatus="disabled")
        self.refused("the enrolment is disabled; enable it",
                     {**self.individual(), "IOTHUB_DPS_REGISTRATION_ID": "sensor-3"})
        self.hub.request("DELETE", "/enrollmentGroups/line-1?api-version=2021-10-01",
                         service="IOTHUB_DPS_CONNECTION_STRING")
        self.refused("there is no enrolment for this registration id",
                     {**self.individual(), "IOTHUB_DPS_REGISTRATION_ID": "sensor-4"})

    def one_round(self, directory):
        program = Background([PROVISIONED, self.hub.device_port, "1", directory], self.hub.environment())
        return json.loads(program.end()[-1])

    def test_a_device_that_was_deleted_is_registered_again(self):
        directory = os.path.join(self.cache.name, "cache")
        self.assertEqual(self.one_round(directory)["failedAttempts"], 0)
        self.hub.request("DELETE", "/devices/sensor-1?api-version=2021-04-12")
        report = self.one_round(directory)  # the cached assignment is refused twice
        self.assertEqual((report["acknowledged"], report["failed"]), (3, 0))
        self.assertEqual((report["failedAttempts"], report["assigned"]), (2, 2))

    def test_a_killed_program_leaves_a_cache_that_the_next_one_can_use(self):
        directory = os.path.join(self.cache.name, "cache")
        for delay_ms in range(0, 400, 20):
            program = subprocess.Popen([os.path.join(BIN_DIR, "provisioning"), "--cache", directory],
                                       env=self.individual(), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                program.wait(delay_ms / 1000)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        self.arrives(self.individual(), "--cache", directory)

    def test_each_refusal_names_its_remedy(self):
        group_key = self.hub.values["IOTHUB_DPS_GROUP_KEY"]
        cases = [
            (self.environment(IOTHUB_DPS_REGISTRATION_ID="line-1-device", IOTHUB_DPS_KEY=group_key),
             "iothub derive-key"),
            (self.environment(IOTHUB_DPS_REGISTRATION_ID="a b", IOTHUB_DPS_KEY=group_key),
             "registration id"),
            (self.environment(IOTHUB_DPS_REGISTRATION_ID="sensor-1"), "IOTHUB_DPS_KEY"),
            (self.individual(IOTHUB_DPS_ID_SCOPE="0ne00000BAD"), "DPS"),
        ]
        for environment, words in cases:
            result = self.run_sample(environment)
            self.assertNotEqual(result.returncode, 0, words)
            self.assertIn(words, result.stderr)
            self.assertNotIn(group_key[:12], result.stderr + result.stdout)


if __name__ == "__main__":
    unittest.main()
