#!/usr/bin/env python3
"""Tests what anybody may send to the provisioning service: each case has its answer, and the service still
works in the next one.

usage: test_hostile_dps.py HUB_EMULATOR
"""

import json
import sys
import unittest

import test_hostile
from emulator import Device, Emulator, parts, sas_token
from test_hostile import Hostile, packet, publish, raw_text, subscribe

API = "api-version=2021-10-01"
ANSWERS = "$dps/registrations/res/#"
REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid="
POLL = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid="
ISSUE = "$iothub/credentials/POST/issueCertificate/?$rid="


class HostileProvisioning(Hostile):
    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(test_hostile.PROGRAM, "--enroll", "dev", "--enroll-group", "g",
                           "--dps-assigning", "0")
        cls.scope = cls.hub.env["IOTHUB_DPS_ID_SCOPE"]
        cls.owner = parts(cls.hub.env["IOTHUB_DPS_CONNECTION_STRING"])["SharedAccessKey"]
        cls.descriptors = cls.open_descriptors()

    def user(self, registration_id="dev", version="2019-03-31"):
        return f"{self.scope}/registrations/{registration_id}/api-version={version}"

    def token(self):
        return sas_token(f"{self.scope}/registrations/dev", self.hub.env["IOTHUB_DPS_KEY"],
                         policy="registration")

    def device(self, version="2019-03-31"):
        device = Device(self.hub, "dev", self.user(version=version), self.token())
        self.assertEqual(device.code, 0)
        return device


class Login(HostileProvisioning):
    def code(self, client_id, user, password="x"):
        device = Device(self.hub, client_id, user, password)
        device.abort()
        return device.code

    def test_logins(self):
        user = self.user()
        long_id = "d" * 128
        cases = [
            ("dev", user, 0), ("DEV", user, 0), ("dev", user + "&ClientVersion=" + "x" * 1000, 0),
            ("dev", user + "&api-version=1", 0), (long_id, self.user(long_id), 0),
            ("dev", "0ne00000000" + user[11:], 0), ("dev", "/" + user, 5), ("dev", user[11:], 5),
            ("other", user, 5), ("dev", self.user("de"), 5), ("dev", self.user(version=""), 5),
            ("dev", self.user(version="x"), 5), ("dev", self.user(version="2019-99-31"), 5),
            ("dev", self.user(version="2019-03-31?"), 5), ("dev", user.replace("/api", "/?api"), 5),
            ("dev", user.replace("/api", "//api"), 5), ("dev", f"{self.scope}/registrations/dev", 5),
            ("dev", f"{self.scope}/registrations//api-version=2019-03-31", 5),
            ("dev/m", self.user("dev/m"), 5), ("d" * 129, self.user("d" * 129), 5),
            ("-dev", self.user("-dev"), 5), ("dev.", self.user("dev."), 5),
            ("dév", self.user("dév"), 5), ("d v", self.user("d v"), 5), ("d*v", self.user("d*v"), 5),
        ]
        for client_id, name, expected in cases:
            with self.subTest(f"{client_id[:20]} {name[:80]}"):
                self.assertEqual(self.code(client_id, name), expected)

    def test_passwords_are_judged_when_the_device_registers(self):
        for password in ["x", "SharedAccessSignature ", self.token() + "x", self.token()[:-1], "&" * 5000,
                         self.token().replace("skn=registration", "skn=iothubowner"),
                         sas_token(f"{self.scope}/registrations/dev", self.hub.env["IOTHUB_DPS_KEY"], -5,
                                   "registration"),
                         sas_token(f"{self.scope}/registrations/dev2",
                                   self.hub.env["IOTHUB_DPS_KEY"], policy="registration"),
                         sas_token(self.scope, self.owner, policy="provisioningserviceowner")]:
            with self.subTest(password[:60]):
                device = Device(self.hub, "dev", self.user(), password)
                self.assertEqual(device.code, 0)
                device.subscribe(ANSWERS)
                device.publish(REGISTER + "1", "{}", qos=0)
                topic, body, _ = device.receive()
                self.assertEqual(topic, "$dps/registrations/res/401/?$rid=1")
                self.assertEqual(json.loads(body)["errorCode"], 401000)
                device.disconnect()


class Session(HostileProvisioning):
    def check(self, cases):
        for name, ends, data in cases:
            with self.subTest(name):
                device = self.device()
                try:
                    device.socket.sendall(data)
                except OSError:
                    pass
                self.assertEqual(device.closed(), ends)

    def test_packets_and_topics(self):
        self.check([
            ("QoS 2", True, publish(REGISTER + "1", b"{}", qos=2)),
            ("retain", False, publish(REGISTER + "1", b"{}", flags=1)),
            ("64 KB", False, publish(REGISTER + "1", b" " * 65536)),
            ("64 KB and 1", True, publish(REGISTER + "1", b" " * 65537)),
            ("no body", False, publish(REGISTER + "1")),
            ("bytes that are no UTF-8", False, publish(REGISTER + "1", b"\xff\0")),
            ("the other filter", True, subscribe("$dps/registrations/#")),
            ("everything", True, subscribe("#")),
            ("a filter of the hub", True, subscribe("$iothub/twin/res/#")),
            ("a filter twice", False, subscribe(ANSWERS, ANSWERS)),
            ("UNSUBSCRIBE from what was never there", False, packet(0xA2, b"\0\1" + raw_text("nope"))),
            ("telemetry", True, publish("devices/dev/messages/events/", b"x")),
            ("a twin", True, publish("$iothub/twin/GET/?$rid=1")),
            ("a certificate request of the hub", True, publish(ISSUE + "1", b"{}")),
            ("no rid", True, publish("$dps/registrations/PUT/iotdps-register/", b"{}")),
            ("an empty rid", True, publish(REGISTER, b"{}")),
            ("a poll without its operation", True, publish(POLL + "1")),
            ("an answer", True, publish("$dps/registrations/res/200/?$rid=1", b"{}")),
            ("a wildcard in the rid", True, publish(REGISTER + "#", b"{}")),
        ])

    def test_bodies(self):
        device = self.device("2025-07-01-preview")
        device.subscribe(ANSWERS)
        cases = [
            (b"", 200), (b"{}", 200), (b'{"registrationId":"DEV"}', 200), (b'{"unknown":[1]}', 200),
            (b'{"payload":' + b"[" * 60 + b"]" * 60 + b"}", 200), (b'{"payload":1e400}', 200),
            (b'{"payload":"' + b"x" * 60000 + b'"}', 200), (b'{"csr":null}', 200), (b'{"payload":null}', 200),
            (b"{", 400), (b"[]", 400), (b"null", 400), (b"7", 400), (b'"x"', 400), (b"\xff", 400), (b"{}{}", 400),
            (b'{"payload":' + b"[" * 70 + b"]" * 70 + b"}", 400), (b'{"payload":"\\u0000"}', 400),
            (b'{"registrationId":"dev2"}', 400), (b'{"registrationId":null}', 400), (b'{"csr":7}', 400),
            (b'{"csr":""}', 400), (b'{"csr":"AAAA"}', 400), (b'{"csr":"' + b"A" * 9000 + b'"}', 400),
        ]
        for body, status in cases:
            with self.subTest(body[:50]):
                device.publish(REGISTER + "1", body, qos=0)
                topic, answer, _ = device.receive()
                self.assertEqual(topic, f"$dps/registrations/res/{status}/?$rid=1")
                json.loads(answer)
        device.disconnect()

    def test_polls_of_others(self):
        device = self.device()
        device.subscribe(ANSWERS)
        for operation in ["x", "4." + "0" * 16 + ".00000000-0000-0000-0000-000000000000", "y" * 60000, "%00", "\u00e4"]:
            with self.subTest(operation[:50]):
                device.publish(POLL + "1&operationId=" + operation, " ", qos=0)
                self.assertEqual(device.receive()[0], "$dps/registrations/res/404/?$rid=1")
        device.disconnect()

    def test_a_flood_of_registrations(self):
        device = self.device()
        device.subscribe(ANSWERS, qos=0)
        for i in range(500):
            device.publish(f"{REGISTER}{i}", "{}", qos=0)
        for i in range(500):
            self.assertEqual(device.receive()[0], f"$dps/registrations/res/200/?$rid={i}")
        device.disconnect()

    def test_a_client_that_leaves_without_reading(self):
        for _ in range(20):
            device = self.device()
            device.socket.sendall(subscribe(ANSWERS) +
                                  b"".join(publish(f"{REGISTER}{i}", b"{}") for i in range(20)))
            device.abort()


class Rest(HostileProvisioning):
    def rest(self, method, path, body=None, raw=None, headers=()):
        return self.hub.rest(method, f"{path}?{API}", body, raw=raw, headers=headers,
                             token=sas_token("localhost", self.owner, policy="provisioningserviceowner"))

    def test_paths(self):
        for path, status in [
                ("/enrollments/dev", 200), ("/ENROLLMENTS/DEV/", 200), ("/enrollmentGroups/g", 200),
                ("/enrollments/none", 404), ("/enrollments/%2e%2e", 404), ("/enrollments/dev%00", 400),
                ("/enrollments/dev/x", 404), ("/enrollments/a/b/c/d/e/f", 404), ("/registrations/none", 404),
                ("/enrollments/" + "d" * 5000, 404), ("/enrollments/%ff", 404), ("/enrollments/%4", 400),
                ("/enrollments//", 404), ("/enrollments", 405), ("/enrollmentGroups", 404)]:
            with self.subTest(path[:60]):
                got, answer = self.rest("GET", path)
                self.assertEqual(got, status)
                if status >= 400:
                    self.assertEqual(answer["errorCode"] // 1000, status)

    def test_bodies(self):
        good = {"registrationId": "new", "attestation": {"type": "symmetricKey"}}
        for body, status in [
                (b"", 400), (b"{", 400), (b"[]", 400), (b"null", 400), (b"\xff", 400), (b"{}", 400),
                (json.dumps({**good, "registrationId": "other"}).encode(), 400),
                (json.dumps({**good, "attestation": None}).encode(), 400),
                (json.dumps({**good, "attestation": {"type": "x509", "x509": {
                    "clientCertificates": {"primary": {"certificate": "A" * 100000}}}}}).encode(), 400),
                (json.dumps({**good, "initialTwin": {"tags": {str(i): "x" * 4000 for i in range(200)}}}).encode(), 200)]:
            with self.subTest(body[:60]):
                self.assertEqual(self.rest("PUT", "/enrollments/new", raw=body)[0], status)
        # The twin is checked when the device is assigned: its tags are too large.
        key = self.rest("POST", "/enrollments/new/attestationmechanism")[1]["symmetricKey"]["primaryKey"]
        device = Device(self.hub, "new", self.user("new"),
                        sas_token(f"{self.scope}/registrations/new", key, policy="registration"))
        device.subscribe(ANSWERS)
        device.publish(REGISTER + "1", "{}", qos=0)
        topic, body, _ = device.receive()
        self.assertEqual(topic, "$dps/registrations/res/413/?$rid=1")
        self.assertEqual(json.loads(body)["errorCode"], 413000)
        device.disconnect()
        self.assertEqual(self.rest("DELETE", "/enrollments/new")[0], 204)

    def test_many_enrolments_and_pages(self):
        for i in range(30):
            entries = [{"registrationId": f"m{i}-{n}", "attestation": {"type": "symmetricKey"}} for n in range(10)]
            self.assertTrue(self.rest("POST", "/enrollments", {"mode": "create", "enrollments": entries})[1]["isSuccessful"])
        for headers, status in [({"x-ms-continuation": "x"}, 400), ({"x-ms-continuation": "////"}, 400),
                                ({"x-ms-max-item-count": "x"}, 400), ({"x-ms-max-item-count": "-1"}, 200),
                                ({"x-ms-max-item-count": "9" * 50}, 200)]:
            with self.subTest(headers):
                self.assertEqual(self.rest("POST", "/enrollments/query", {"query": "SELECT *"}, headers=headers.items())[0],
                                 status)


class Requests(HostileProvisioning):
    def test_certificate_requests_of_a_connected_device(self):
        device = Device(self.hub)
        device.subscribe("$iothub/credentials/res/#")
        for body in [b"", b"{", b"[]", b"null", b"\xff", b"{}", b'{"id":7}', b'{"id":"device1"}',
                     b'{"id":"device1","csr":""}', b'{"id":"device1","csr":"AAAA"}', b'{"id":"device2","csr":"AAAA"}',
                     b'{"id":"device1","csr":"' + b"A" * 9000 + b'"}', b'{"id":"device1","csr":[],"replace":{}}']:
            with self.subTest(body[:50]):
                device.publish(ISSUE + "1", body, qos=0)
                topic, answer, _ = device.receive()
                self.assertEqual(topic, "$iothub/credentials/res/400/?$rid=1")
                self.assertEqual(json.loads(answer)["errorCode"], 400040)
        device.disconnect()


del Hostile, HostileProvisioning  # these classes have no tests of their own

if __name__ == "__main__":
    test_hostile.PROGRAM = sys.argv.pop(1)
    unittest.main()
