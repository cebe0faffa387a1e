#!/usr/bin/env python3
"""The TLS front of the emulator: devices with certificates, refused logins, and many devices at the same time.

usage: test_emulator_x509.py HUB_EMULATOR
"""

import os
import pathlib
import resource
import ssl
import sys
import tempfile
import unittest

from emulator import API, Device, Emulator

PROGRAM = ""
MANY = 1000
PRINT = "0123456789abcdef0123456789abcdef01234567"


class Certificates(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.state = os.path.join(directory.name, "state")
        self.hub = self.start()

    def tearDown(self):
        self.assertEqual(self.hub.stop(), 0)

    def start(self):
        hub = Emulator(PROGRAM, "--state", self.state, "--x509", "print", "--x509-ca", "named")
        self.addCleanup(hub.process.kill)
        return hub

    def context(self, number="", version=None):
        """number: which of the ready-made devices, as in the names of the variables."""
        context = ssl.create_default_context(cafile=self.hub.ca_file)
        context.load_cert_chain(self.hub.env["IOTHUB_X509_CERTIFICATE_FILE" + number],
                                self.hub.env["IOTHUB_X509_KEY_FILE" + number])
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def code(self, client_id, tls, **named):
        device = Device(self.hub, client_id, tls=tls, **named)
        if device.code == 0:
            device.publish(f"devices/{client_id}/messages/events/", "hello")
            device.disconnect()
        else:
            device.wait_closed()
        return device.code

    def put(self, device, body):
        status, _ = self.hub.rest("PUT", f"/devices/{device}?{API}", body, headers={"If-Match": "*"})
        self.assertEqual(status, 200)

    def test_ready_made_devices_log_in_beside_those_with_keys(self):
        self.assertEqual(self.hub.env["IOTHUB_X509_CONNECTION_STRING"],
                         "HostName=localhost;DeviceId=print;x509=true")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            by_print, by_name = self.context("", version), self.context("_2", version)
            self.assertEqual(self.code("print", by_print), 0)
            self.assertEqual(self.code("named", by_name), 0)
            self.assertEqual(self.code("print", by_name), 5)
            self.assertEqual(self.code("named", by_print), 5)
            self.assertEqual(self.code("print", self.hub.tls), 5)
            self.assertEqual(self.code("device1", by_print), 5)
            self.assertEqual(self.code("device1", by_print, password=self.hub.token()), 0)
            self.assertEqual(self.code("device1", self.hub.tls, password=self.hub.token()), 0)
        for event in self.hub.events():
            method = event["systemProperties"]["iothub-connection-auth-method"]
            self.assertIn('"type":"%s"' % ("sas" if event["deviceId"] == "device1" else "x509"), method)

    def test_the_registry_decides(self):
        prints = self.hub.rest("GET", f"/devices/print?{API}")[1]["authentication"]["x509Thumbprint"]
        mine = prints["primaryThumbprint"]
        for thumbprint, code in [({"secondaryThumbprint": mine.lower()}, 0),
                                 ({"primaryThumbprint": PRINT}, 5),
                                 ({"primaryThumbprint": PRINT, "secondaryThumbprint": mine}, 0)]:
            self.put("print", {"authentication": {"type": "selfSigned", "x509Thumbprint": thumbprint}})
            self.assertEqual(self.code("print", self.context()), code)
        for status, code in [("disabled", 5), ("enabled", 0)]:
            self.put("named", {"status": status})
            self.assertEqual(self.code("named", self.context("_2")), code)
        self.put("named", {"authentication": {"type": "sas"}})
        self.assertEqual(self.code("named", self.context("_2")), 5)

    def test_certificates_stay_and_are_made_again_after_damage(self):
        files = [pathlib.Path(self.hub.env[f"IOTHUB_X509_{kind}_FILE{number}"])
                 for kind in ("CERTIFICATE", "KEY") for number in ("", "_2")]
        before = [file.read_bytes() for file in files]
        self.assertEqual(self.hub.stop(), 0)
        self.hub = self.start()
        self.assertEqual([file.read_bytes() for file in files], before)
        for file in files[:2]:
            self.assertEqual(self.hub.stop(), 0)
            file.write_text("damaged")
            self.hub = self.start()
            self.assertEqual(self.code("print", self.context()), 0)
            self.assertEqual(self.code("named", self.context("_2")), 0)
        self.assertNotEqual([file.read_bytes() for file in files], before)

    def test_a_ca_of_ones_own(self):
        """The certificate of a device is signed by the CA of another emulator."""
        other = Emulator(PROGRAM, "--x509-ca", "guest")
        self.addCleanup(other.process.kill)
        context = ssl.create_default_context(cafile=self.hub.ca_file)
        context.load_cert_chain(other.env["IOTHUB_X509_CERTIFICATE_FILE"],
                                other.env["IOTHUB_X509_KEY_FILE"])
        body = {"authentication": {"type": "certificateAuthority"}}
        self.assertEqual(self.hub.rest("PUT", f"/devices/guest?{API}", body)[0], 200)
        self.assertEqual(self.code("guest", context), 5)
        self.assertEqual(self.hub.stop(), 0)
        hub = Emulator(PROGRAM, "--state", self.state, "--ca", other.ca_file)
        self.addCleanup(hub.process.kill)
        self.hub = hub
        self.assertEqual(self.code("guest", context), 0)
        self.assertEqual(self.hub.stop(), 0)
        self.hub = self.start()  # the device stays registered
        self.assertEqual(self.code("guest", context), 0)
        self.assertEqual(other.stop(), 0)


class Refusals(unittest.TestCase):
    def test_logins_are_refused_with_any_code_on_request(self):
        hub = Emulator(PROGRAM)
        self.addCleanup(hub.process.kill)
        for body, codes in [({"logins": 2}, [3, 3, 0]), ({"logins": 0, "twinRequests": 0}, [0])] + [
                ({"logins": 1, "code": code}, [code, 0]) for code in range(1, 6)]:
            self.assertEqual(hub.rest("PUT", "/emulator/throttle", body)[0], 204)
            for code in codes:
                device = Device(hub)
                self.assertEqual(device.code, code)
                device.disconnect()
        for body in [{}, {"logins": -1}, {"logins": 1, "code": 0}, {"logins": 1, "code": 6}]:
            self.assertEqual(hub.rest("PUT", "/emulator/throttle", body)[0], 400)
        self.assertEqual(hub.stop(), 0)


class Many(unittest.TestCase):
    def test_a_thousand_devices_at_the_same_time(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 3 * MANY:
            self.skipTest(f"only {hard} descriptors are allowed here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        hub = Emulator(PROGRAM)
        self.addCleanup(hub.process.kill)
        names = [f"d{i}" for i in range(MANY)]
        for i in range(0, MANY, 100):
            entries = [{"id": name, "importMode": "create"} for name in names[i:i + 100]]
            self.assertEqual(hub.rest("POST", f"/devices?{API}", entries)[0], 200)
        token = hub.policy_token()
        devices = [Device(hub, name, password=token) for name in names]
        self.assertEqual({device.code for device in devices}, {0})
        for device, name in zip(devices, names):
            device.publish(f"devices/{name}/messages/events/", name)
        self.assertEqual([event["body"] for event in hub.events()], names)
        for device in devices:
            device.disconnect()
        self.assertEqual(hub.stop(), 0)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
