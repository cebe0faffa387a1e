#!/usr/bin/env python3
"""Tests telemetry and cloud-to-device messages of devices over HTTPS at the emulator, as curl sends them.

usage: test_emulator_device_rest.py HUB_EMULATOR
"""

import http.client
import json
import os
import pathlib
import socket
import ssl
import sys
import tempfile
import time
import unittest
import urllib.parse

from emulator import API, PATIENCE_S, Device, Emulator, sas_token

PROGRAM = ""
EVENTS = f"/devices/device1/messages/events?{API}"
BOUND = "/devices/device1/messages/deviceBound"
FEEDBACK = "/messages/serviceBound/feedback"


class DeviceRest(unittest.TestCase):
    """All tests share one emulator."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.hub = Emulator(PROGRAM, "--state", cls.folder.name, "--x509", "meter", "--x509-ca", "pump")

    @classmethod
    def tearDownClass(cls):
        assert cls.hub.stop() == 0
        cls.folder.cleanup()

    def tearDown(self):
        self.hub.rest("DELETE", f"/devices/device1/commands?{API}")
        self.hub.rest("PUT", "/emulator/messages/settings", {"lockTimeout": 60, "maxDeliveryCount": 10})
        while self.feedback() is not None:
            pass

    def ask(self, method, path, body=None, headers=(), token=None):
        """Sends a request of device1. Returns the response, whose body is in `data`."""
        response = self.hub.open(method, path, raw=body, headers=headers, token=token or self.hub.token())
        response.data = response.read()
        response.close()
        return response

    def receive(self):
        return self.ask("GET", f"{BOUND}?{API}")

    def end(self, method, etag, extra="", suffix=""):
        return self.ask(method, f"{BOUND}/{urllib.parse.quote(etag.strip(chr(34)))}{suffix}?{API}{extra}").status

    def last_event(self):
        return self.hub.events()[-1]

    def feedback(self):
        """Returns the next record of feedback and completes it; None: there is none."""
        response = self.hub.open("GET", f"{FEEDBACK}?{API}")
        data = response.read()
        if response.status == 204:
            return None
        etag = response.getheader("ETag").strip('"')
        self.assertEqual(self.hub.rest("DELETE", f"{FEEDBACK}/{etag}?{API}")[0], 204)
        return json.loads(data)[0]

    def test_telemetry_arrives_with_its_properties(self):
        headers = {"iothub-app-Level": "a b", "IoTHub-MessageId": "m1", "iothub-contenttype": "application/json",
                   "iothub-contentencoding": "utf-8"}
        self.assertEqual(self.ask("POST", EVENTS, b'{"t":1}', headers).status, 204)
        event = self.last_event()
        self.assertEqual(event["properties"], {"Level": "a b"})
        self.assertEqual(event["body"], '{"t":1}')
        system = event["systemProperties"]
        self.assertEqual((system["message-id"], system["content-type"], system["content-encoding"]),
                         ("m1", "application/json", "utf-8"))

    def test_older_versions_of_the_api_are_served(self):
        for version in ("2016-11-14", "2018-06-30", "2020-03-13", "2021-11-30-preview"):
            path = f"/devices/device1/messages/events?api-version={version}"
            self.assertEqual(self.ask("POST", path, b"x").status, 204)
        for version in ("", "?api-version=", "?api-version=now"):
            self.assertEqual(self.ask("POST", "/devices/device1/messages/events" + version, b"x").status, 400)

    def test_a_large_message_arrives_whole_and_a_larger_one_is_refused(self):
        body = os.urandom(256 * 1024)
        self.assertEqual(self.ask("POST", EVENTS, body).status, 204)
        self.assertEqual(self.last_event()["bodyLength"], len(body))
        before = self.last_event()["sequence"]
        self.assertEqual(self.ask("POST", EVENTS, body + b"x").status, 413)
        self.assertEqual(self.ask("POST", EVENTS, body * 8).status, 413)
        self.assertEqual(self.last_event()["sequence"], before)

    def test_devices_with_certificates_send_telemetry(self):
        for number, name in enumerate(("meter", "pump")):
            suffix = "" if number == 0 else f"_{number + 1}"
            tls = ssl.create_default_context(cafile=self.hub.ca_file)
            tls.load_cert_chain(self.hub.env["IOTHUB_X509_CERTIFICATE_FILE" + suffix],
                                self.hub.env["IOTHUB_X509_KEY_FILE" + suffix])
            connection = http.client.HTTPSConnection("localhost", self.hub.rest_port, context=tls,
                                                     timeout=PATIENCE_S)
            connection.request("POST", f"/devices/{name}/messages/events?{API}", b"x")
            response = connection.getresponse()
            response.read()
            self.assertEqual(response.status, 204)
            event = self.last_event()
            self.assertEqual(event["deviceId"], name)
            method = json.loads(event["systemProperties"]["iothub-connection-auth-method"])
            self.assertEqual((method["scope"], method["type"]), ("device", "x509"))
            connection.request("POST", EVENTS, b"x")
            response = connection.getresponse()
            response.read()
            self.assertEqual(response.status, 401)
            connection.close()

    def test_requests_without_a_right_are_refused(self):
        service = sas_token("localhost", self.hub.service_key, policy="service")
        for token in ("x", self.hub.token(-5), self.hub.token(resource="localhost/devices/other"), service):
            for method, path in (("POST", EVENTS), ("GET", f"{BOUND}?{API}"), ("DELETE", f"{BOUND}/x?{API}"),
                                 ("POST", f"{BOUND}/x/abandon?{API}")):
                self.assertEqual(self.ask(method, path, token=token).status, 401)

    def test_a_message_is_received_and_completed(self):
        self.assertEqual(self.receive().status, 204)
        self.hub.send("hello", messageId="m1", ack="full", properties={"k": "v"})
        message = self.receive()
        self.assertEqual((message.status, message.data), (200, b"hello"))
        for name, value in (("iothub-messageid", "m1"), ("iothub-app-k", "v"), ("iothub-deliverycount", "0"),
                            ("iothub-correlationid", ""), ("iothub-userid", ""), ("iothub-ack", "full"),
                            ("iothub-to", "/devices/device1/messages/devicebound")):
            self.assertEqual(message.getheader(name), value, name)
        self.assertRegex(message.getheader("iothub-enqueuedtime"), r"^\d+/\d+/\d{4} \d+:\d\d:\d\d [AP]M$")
        self.assertEqual(self.receive().status, 204)
        etag = message.getheader("ETag")
        self.assertEqual(self.end("DELETE", etag), 204)
        self.assertEqual(self.end("DELETE", etag), 412)
        self.assertEqual(self.feedback()["statusCode"], "Success")
        self.assertEqual(self.hub.waiting(), 0)

    def test_a_message_is_rejected_or_abandoned(self):
        self.hub.send("hello", messageId="m1", ack="full")
        self.assertEqual(self.end("POST", self.receive().getheader("ETag"), suffix="/abandon"), 204)
        message = self.receive()
        self.assertEqual(message.getheader("iothub-deliverycount"), "1")
        self.assertEqual(self.end("DELETE", message.getheader("ETag"), "&reject"), 204)
        record = self.feedback()
        self.assertEqual((record["originalMessageId"], record["statusCode"], record["deviceId"]),
                         ("m1", "Rejected", "device1"))
        self.hub.send("hello")
        self.assertEqual(self.end("DELETE", self.receive().getheader("ETag"), "&reject=true"), 204)

    def test_a_lock_expires_by_itself_and_the_last_one_drops_the_message(self):
        self.hub.rest("PUT", "/emulator/messages/settings", {"lockTimeout": 1, "maxDeliveryCount": 2})
        self.hub.send("hello", messageId="m1", ack="negative")
        etag = self.receive().getheader("ETag")
        deadline = time.monotonic() + PATIENCE_S
        while (message := self.receive()).status == 204 and time.monotonic() < deadline:
            pass
        self.assertEqual(message.getheader("iothub-deliverycount"), "1")
        self.assertEqual(self.end("DELETE", etag), 412)
        while (record := self.feedback()) is None and time.monotonic() < deadline:
            pass
        self.assertEqual(record["statusCode"], "DeliveryCountExceeded")
        self.assertEqual(self.receive().status, 204)

    def test_a_message_goes_either_to_mqtt_or_to_https(self):
        self.hub.send("one")
        self.hub.send("two")
        etag = self.receive().getheader("ETag")
        device = Device(self.hub)
        device.subscribe("devices/device1/messages/devicebound/#")
        self.assertEqual(device.receive(acknowledge=False)[1], "two")
        device.quiet()
        self.assertEqual(self.receive().status, 204)
        self.assertEqual(self.end("POST", etag, suffix="/abandon"), 204)
        self.assertEqual(device.receive()[1], "one")
        device.disconnect()

    def test_a_locked_message_survives_a_kill(self):
        with tempfile.TemporaryDirectory() as folder:
            first = Emulator(PROGRAM, "--state", folder)
            try:
                first.send("hello")
                response = first.open("GET", f"{BOUND}?{API}", token=first.token())
                self.assertEqual(response.read(), b"hello")
                broker = pathlib.Path(f"/proc/{first.process.pid}/task/{first.process.pid}/children").read_text()
                os.kill(int(broker.split()[0]), 9)
            finally:
                first.wait()
            second = Emulator(PROGRAM, "--state", folder)
            try:
                response = second.open("GET", f"{BOUND}?{API}", token=second.token())
                self.assertEqual(response.read(), b"hello")
            finally:
                self.assertEqual(second.stop(), 0)

    def test_a_property_cannot_add_a_header(self):
        self.hub.send("x", properties={"a\r\nEvil: 1": "b\r\nEvil: 2\t\x7f", "\u00e9": "\u00e9"})
        message = self.receive()
        self.assertIsNone(message.getheader("Evil"))
        self.assertEqual(message.getheader("iothub-app-a%0D%0AEvil%3A%201"), "b%0D%0AEvil: 2%09%7F")
        self.assertEqual(message.getheader("iothub-app-%C3%A9").encode("latin-1"), "\u00e9".encode())
        self.assertEqual(message.data, b"x")

    def test_a_message_may_consist_of_properties(self):
        properties = {f"k{i:02}": "v" * 1000 for i in range(63)}
        self.assertEqual(self.hub.send("x", properties=properties)[0], 201)
        message = self.receive()
        self.assertEqual((message.status, message.data), (200, b"x"))
        for name, value in properties.items():
            self.assertEqual(message.getheader(f"iothub-app-{name}"), value)

    def hostile(self, data, close=False):
        """Sends bytes as device1, and returns the status of the answer; None: closed without one."""
        raw = socket.create_connection(("localhost", self.hub.rest_port), PATIENCE_S)
        with self.hub.tls.wrap_socket(raw, server_hostname="localhost") as tls:
            tls.sendall(data)
            if close:
                return None
            answer = http.client.HTTPResponse(tls)
            try:
                answer.begin()
            except (http.client.HTTPException, OSError):
                return None
            answer.read()
            return answer.status

    def head(self, *lines, target=EVENTS):
        return "\r\n".join((f"POST {target} HTTP/1.1", "Host: localhost", f"Authorization: {self.hub.token()}",
                            "Connection: close", *lines, "", "")).encode()

    def test_hostile_requests_get_their_answer_and_store_nothing(self):
        self.assertEqual(self.ask("POST", EVENTS, b"mark").status, 204)
        before = self.last_event()["sequence"]
        many = tuple(f"iothub-app-{i}: {i}" for i in range(20000))
        for lines, body, statuses in (
                (("Content-Length: 1", "iothub-app-x: 1", "iothub-app-X: 2"), b"x", {400}),
                (("Content-Length: 1", "iothub-app-: 1"), b"x", {400}),
                (("Content-Length: 1", "iothub-app-$.cdid: other"), b"x", {400}),
                (("Content-Length: 1", "iothub-messageid: a b"), b"x", {400}),
                (("Content-Length: 1", "iothub-app-x: \x01"), b"x", {400, None}),
                (("Content-Length: 1", "iothub-app-x : 1"), b"x", {400, None}),
                (("Content-Length: 1", "Content-Length: 2"), b"xy", {400, None}),
                (("Content-Length: 1", "Transfer-Encoding: chunked"), b"1\r\nx\r\n0\r\n\r\n", {400, None}),
                (("Transfer-Encoding: chunked",), b"fffffffffffffffff\r\nx", {400, None, 413}),
                (("Content-Length: 99999999999999999999",), b"x", {400, 413, None}),
                (("Content-Length: 104857600",), b"x", {413}),
                (("Content-Length: 1", "iothub-app-x: " + "y" * 100000), b"x", {431, 413, 400, None}),
                (("Content-Length: 1", *many), b"x", {431, 413, 400, None})):
            with self.subTest(lines=lines[:2]):
                self.assertIn(self.hostile(self.head(*lines) + body), statuses)
        events = self.hub.events(before + 1)
        self.assertTrue(all(not event["properties"] for event in events), events)

    def test_a_request_that_needs_too_much_memory_is_not_left_waiting(self):
        for target in (EVENTS, f"/uploads/x?{API}"):
            raw = socket.create_connection(("localhost", self.hub.rest_port), PATIENCE_S)
            with self.hub.tls.wrap_socket(raw, server_hostname="localhost") as tls:
                for query in ("", "&a=b" * 14000):  # on a connection that has served a request
                    tls.sendall(self.head("Content-Length: 0", target=target + query).replace(b"close", b"keep-alive"))
                    answer = http.client.HTTPResponse(tls)
                    begun = time.monotonic()
                    try:
                        answer.begin()
                        answer.read()
                    except (http.client.HTTPException, OSError):
                        self.assertTrue(query)  # closed without an answer
                    self.assertLess(time.monotonic() - begun, 60)

    def test_a_truncated_request_stores_nothing(self):
        self.assertEqual(self.ask("POST", EVENTS, b"mark").status, 204)
        before = self.last_event()["sequence"]
        whole = self.head("Content-Length: 4", "iothub-app-x: 1") + b"body"
        for length in range(1, len(whole), 7):
            self.hostile(whole[:length], close=True)
        self.assertEqual(self.hub.events(before + 1), [])
        self.assertEqual(self.hostile(whole), 204)

    def test_wrong_lock_tokens_are_refused(self):
        self.hub.send("hello")
        for etag in ("x", "..%2f..", "%00", "%22", "%zz", "a" * 5000, "*"):
            for method, suffix in (("DELETE", ""), ("POST", "/abandon")):
                target = f"{BOUND}/{etag}{suffix}?{API}"
                status = self.ask(method, target).status
                self.assertIn(status, (400, 401, 412), etag)
        self.assertEqual(self.receive().data, b"hello")

    def test_faults_of_their_own_kinds(self):
        for kind, method, path in (("telemetry", "POST", EVENTS), ("c2d", "GET", f"{BOUND}?{API}")):
            self.hub.rest("PUT", "/emulator/faults", {"requests": {"on": kind, "status": 503, "count": 2}})
            self.assertEqual([self.ask(method, path).status for _ in range(3)], [503, 503, 204])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
