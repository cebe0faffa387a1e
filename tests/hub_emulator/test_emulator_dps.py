#!/usr/bin/env python3
"""Tests the provisioning service of a complete emulator: devices register over MQTT and connect to their
hub.

usage: test_emulator_dps.py HUB_EMULATOR
"""

import base64
import hashlib
import hmac
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import unittest

from emulator import API, Device, Emulator, parts, sas_token

PROGRAM = ""
ANSWERS = "$dps/registrations/res/#"


def derive(key, registration_id):
    mac = hmac.new(base64.b64decode(key), registration_id.encode(), hashlib.sha256).digest()
    return base64.b64encode(mac).decode()


class Registration:
    """A device that is connected to the provisioning service."""

    def __init__(self, hub, registration_id, key=None, scope=None, tls=None):
        """key: the key of a symmetric enrolment; tls: a context with the certificate of the device."""
        scope = scope or hub.env["IOTHUB_DPS_ID_SCOPE"]
        resource = f"{scope}/registrations/{registration_id}"
        self.rid = 0
        self.device = Device(hub, registration_id, resource + "/api-version=2019-03-31",
                             sas_token(resource, key, policy="registration") if key else None, tls=tls)
        assert self.device.code == 0
        assert self.device.subscribe(ANSWERS) == [1]

    def ask(self, topic, body):
        """Returns status, retry-after and body of the answer."""
        self.rid += 1
        self.device.publish(f"$dps/registrations/{topic}&$rid={self.rid}".replace("?&", "?"), body, qos=0)
        answer, text, _ = self.device.receive()
        path, query = answer.split("?")
        values = dict(pair.split("=") for pair in query.split("&"))
        assert values["$rid"] == str(self.rid), answer
        return int(path.split("/")[3]), values.get("retry-after"), json.loads(text)

    def register(self, **body):
        return self.ask("PUT/iotdps-register/?", json.dumps(body))

    def finish(self, **body):
        status, _, answer = self.register(**body)
        while status == 202:
            status, _, answer = self.ask(
                f"GET/iotdps-get-operationstatus/?operationId={answer['operationId']}", " ")
        self.device.disconnect()
        return status, answer


class Provisioning(unittest.TestCase):
    def run_emulator(self, *arguments):
        hub = Emulator(PROGRAM, *arguments)
        self.addCleanup(hub.stop)
        return hub

    def connect(self, hub, answer, key):
        """Connects the device to the hub that it was assigned to, and sends a message."""
        state = answer["registrationState"]
        self.assertEqual(state["assignedHub"], parts(hub.env["IOTHUB_CONNECTION_STRING"])["HostName"])
        device = state["deviceId"]
        client = Device(hub, device, password=sas_token(f"localhost/devices/{device}", key))
        self.assertEqual(client.code, 0)
        client.publish(f"devices/{device}/messages/events/", "here")
        client.disconnect()

    def test_a_device_and_a_member_of_a_group_find_their_hub(self):
        hub = self.run_emulator("--enroll", "one", "--enroll", "two", "--enroll-group", "many")
        cases = [("one", hub.env["IOTHUB_DPS_KEY"]), ("two", hub.env["IOTHUB_DPS_KEY_2"]),
                 ("member", derive(hub.env["IOTHUB_DPS_GROUP_KEY"], "member"))]
        self.assertEqual(hub.env["IOTHUB_DPS_REGISTRATION_ID_2"], "two")
        for name, key in cases:
            status, answer = Registration(hub, name, key).finish(registrationId=name, payload={"n": 1})
            self.assertEqual((status, answer["status"]), (200, "assigned"))
            self.assertEqual(answer["registrationState"]["payload"], {"n": 1})
            self.connect(hub, answer, key)

    def test_a_wrong_key_is_refused_in_the_answer(self):
        hub = self.run_emulator("--enroll", "one", "--enroll-group", "many")
        for name, key in (("one", hub.env["IOTHUB_DPS_GROUP_KEY"]),
                          ("member", hub.env["IOTHUB_DPS_GROUP_KEY"])):
            status, answer = Registration(hub, name, key).finish()
            self.assertEqual((status, answer["errorCode"]), (401, 401000))
        status, answer = Registration(hub, "one", hub.env["IOTHUB_DPS_KEY"], "0ne00000000").finish()
        self.assertEqual((status, answer["errorCode"]), (401, 401000))

    def certificate(self, hub, number=""):
        """Returns a TLS context with a ready-made certificate, and its PEM."""
        names = ["IOTHUB_X509_CERTIFICATE_FILE" + number, "IOTHUB_X509_KEY_FILE" + number]
        context = ssl.create_default_context(cafile=hub.ca_file)
        context.load_cert_chain(*(hub.env[name] for name in names))
        return context, pathlib.Path(hub.env[names[0]]).read_text()

    def rest(self, hub, method, path, body=None):
        key = parts(hub.env["IOTHUB_DPS_CONNECTION_STRING"])["SharedAccessKey"]
        token = sas_token("localhost", key, policy="provisioningserviceowner")
        return hub.rest(method, path + "?api-version=2021-10-01", body, token=token)

    def enroll(self, hub, path, body):
        status, answer = self.rest(hub, "PUT", path, body)
        self.assertEqual(status, 200, answer)

    def remove(self, hub, path):
        self.assertEqual(self.rest(hub, "DELETE", path)[0], 204)

    def test_devices_with_certificates_find_their_hub(self):
        hub = self.run_emulator("--dps", "--x509", "self", "--x509-ca", "signed")
        own, own_pem = self.certificate(hub)
        signed, _ = self.certificate(hub, "_2")
        for device in ("self", "signed"):  # their registration makes them again
            self.assertEqual(hub.rest("DELETE", f"/devices/{device}?{API}", headers={"If-Match": "*"})[0], 204)
        for path in ("/enrollments/self", "/enrollments/signed"):
            self.remove(hub, path)
        self.enroll(hub, "/enrollments/self", {"registrationId": "self", "attestation": {
            "type": "x509", "x509": {"clientCertificates": {"primary": {"certificate": own_pem}}}}})
        self.enroll(hub, "/enrollmentGroups/g", {"enrollmentGroupId": "g", "attestation": {
            "type": "x509", "x509": {"signingCertificates": {"primary": {
                "certificate": pathlib.Path(hub.ca_file).read_text()}}}}})
        for device, tls in (("self", own), ("signed", signed)):
            status, answer = Registration(hub, device, tls=tls).finish()
            self.assertEqual((status, answer["status"]), (200, "assigned"), answer)
            client = Device(hub, device, tls=tls)
            self.assertEqual(client.code, 0)
            client.publish(f"devices/{device}/messages/events/", "here")
            client.disconnect()
        for device, tls in (("self", signed), ("self", hub.tls), ("other", signed)):
            status, answer = Registration(hub, device, tls=tls).finish()
            self.assertEqual((status, answer["errorCode"] // 1000), (401, 401), answer)

    def test_ready_made_devices_with_certificates_are_enrolled(self):
        hub = self.run_emulator("--dps", "--x509", "self", "--x509-ca", "signed")
        for device, number in (("self", ""), ("signed", "_2")):
            tls = self.certificate(hub, number)[0]
            status, answer = Registration(hub, device, tls=tls).finish()
            self.assertEqual((status, answer["status"]), (200, "assigned"), answer)
            client = Device(hub, device, tls=tls)
            self.assertEqual(client.code, 0)
            client.disconnect()
        run = subprocess.run([PROGRAM, "--port", "0", "--rest-port", "0", "--dps", "--x509", "a=b"],
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn("a=b: registrationId", run.stderr)

    def test_the_two_logins_of_a_device_do_not_end_each_other(self):
        hub = self.run_emulator("--enroll", "one")
        key = hub.env["IOTHUB_DPS_KEY"]
        Registration(hub, "one", key).finish()
        password = sas_token("localhost/devices/one", key)
        client = Device(hub, "one", password=password, clean=False)
        client.subscribe("devices/one/messages/devicebound/#")
        Registration(hub, "one", key).finish()
        client.quiet()
        client.disconnect()
        Registration(hub, "one", key).finish()
        client = Device(hub, "one", password=password, clean=False)
        self.assertTrue(client.session_present)
        client.disconnect()

    def test_the_options_set_how_a_device_is_told_to_wait(self):
        hub = self.run_emulator("--enroll", "one", "--dps-assigning", "2", "--dps-retry-after", "7")
        device = Registration(hub, "one", hub.env["IOTHUB_DPS_KEY"])
        status, retry_after, answer = device.register()
        for _ in range(2):
            self.assertEqual((status, retry_after, answer["status"]), (202, "7", "assigning"))
            status, retry_after, answer = device.ask(
                f"GET/iotdps-get-operationstatus/?operationId={answer['operationId']}", "")
        self.assertEqual((status, retry_after, answer["status"]), (200, None, "assigned"))
        device.device.disconnect()

    def test_scope_keys_and_registrations_survive_a_kill(self):
        with tempfile.TemporaryDirectory() as state:
            names = ("IOTHUB_DPS_ID_SCOPE", "IOTHUB_DPS_KEY", "IOTHUB_DPS_CONNECTION_STRING")
            hub = Emulator(PROGRAM, "--state", state, "--enroll", "one")
            before = [hub.env[name] for name in names]
            first = Registration(hub, "one", hub.env["IOTHUB_DPS_KEY"]).finish()[1]
            hub.process.kill()
            hub.wait()
            hub = self.run_emulator("--state", state, "--enroll", "one")
            self.assertEqual(before, [hub.env[name] for name in names])
            again = Registration(hub, "one", hub.env["IOTHUB_DPS_KEY"]).finish()[1]
            self.assertEqual(again["registrationState"]["substatus"], "deviceDataMigrated")
            self.assertEqual(again["registrationState"]["createdDateTimeUtc"],
                             first["registrationState"]["createdDateTimeUtc"])
            self.connect(hub, again, hub.env["IOTHUB_DPS_KEY"])

    def test_without_the_option_there_is_no_service(self):
        hub = self.run_emulator()
        self.assertNotIn("IOTHUB_DPS_ID_SCOPE", hub.env)
        device = Device(hub, "one", "0ne00000000/registrations/one/api-version=2019-03-31", "x")
        self.assertEqual(device.code, 5)
        device.abort()

    def test_wrong_options_are_named(self):
        for arguments, name in ((["--enroll", "a b"], "--enroll"), (["--enroll-group", "-a"], "--enroll-group"),
                                (["--dps-assigning", "x"], "--dps-assigning"),
                                (["--dps-retry-after", "-1"], "--dps-retry-after"), (["--cert-life", "0"], "--cert-life")):
            run = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 2)
            self.assertIn(name, run.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
