#!/usr/bin/env python3
"""The hub emulator as a whole, against clients that know nothing of this SDK.

usage: test_emulator.py HUB_EMULATOR
"""

import json
import os
import pathlib
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

from emulator import API, PATIENCE_S, Closed, Device, Emulator, sas_token

PROGRAM = ""
EVENTS = "devices/device1/messages/events/"
BOUND = "devices/device1/messages/devicebound/"
TWIN_ANSWERS = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
METHODS = "$iothub/methods/POST/#"


class Rules(unittest.TestCase):
    """One emulator for all: each test leaves device1 disconnected and without messages."""

    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(PROGRAM)

    @classmethod
    def tearDownClass(cls):
        assert cls.hub.stop() == 0

    def last_event(self):
        return self.hub.events()[-1]

    def test_telemetry_arrives_with_its_properties(self):
        device = Device(self.hub)
        device.publish(EVENTS + "%24.ct=text%2Fplain&a=1&alone&empty=&%C3%A4=%26", "hello")
        event = self.last_event()
        self.assertEqual(event["deviceId"], "device1")
        identity = self.hub.rest("GET", f"/devices/device1?{API}")[1]
        method = event["systemProperties"].pop("iothub-connection-auth-method")
        self.assertEqual(json.loads(method), {"scope": "device", "type": "sas", "issuer": "iothub",
                                              "acceptingIpFilterRule": None})
        self.assertEqual(event["systemProperties"],
                         {"content-type": "text/plain", "iothub-connection-device-id": "device1",
                          "iothub-connection-auth-generation-id": identity["generationId"],
                          "iothub-enqueuedtime": event["enqueuedTime"],
                          "iothub-message-source": "Telemetry"})
        self.assertEqual(event["properties"], {"a": "1", "alone": None, "empty": "", "ä": "&"})
        self.assertEqual(event["body"], "hello")
        for topic in [EVENTS.rstrip("/"), EVENTS + "//"]:
            device.publish(topic, "bare")
            self.assertEqual((self.last_event()["body"], self.last_event()["properties"]),
                             ("bare", {}))
        device.publish(EVENTS + "x=1&a=/", "")
        self.assertEqual(self.last_event()["properties"], {"x": "1", "a": None})
        device.publish(EVENTS, b"\xff\x00")
        self.assertEqual(self.last_event()["bodyBase64"], "/wA=")
        device.publish(EVENTS, b"x" * (256 * 1024))
        self.assertEqual(self.last_event()["bodyLength"], 256 * 1024)
        device.disconnect()

    def test_the_model_of_a_device_is_announced_at_its_login(self):
        model = "dtmi:com:example:Thermostat;1"
        device = Device(self.hub, user_name=self.hub.user_name() +
                        "&DeviceClientType=x&model-id=" + urllib.parse.quote(model, safe=""))
        device.publish(EVENTS + "%24.sub=part", "x")
        system = self.last_event()["systemProperties"]
        self.assertEqual((system["dt-dataschema"], system["dt-subject"]), (model, "part"))
        device.disconnect()
        self.assertEqual(self.hub.rest("GET", f"/twins/device1?{API}")[1]["modelId"], model)
        Device(self.hub).disconnect()
        self.assertEqual(self.hub.rest("GET", f"/twins/device1?{API}")[1]["modelId"], "")

    def test_a_watcher_sees_telemetry_as_it_arrives(self):
        device = Device(self.hub)
        device.publish(EVENTS, "before")
        first = self.last_event()["sequence"]
        seen = []
        watcher = threading.Thread(target=lambda: seen.extend(self.hub.events(first, 3)))
        watcher.start()
        device.publish(EVENTS, "one")
        device.publish(EVENTS, "two")
        watcher.join(PATIENCE_S)
        self.assertEqual([event["body"] for event in seen], ["before", "one", "two"])
        device.disconnect()

    def test_retain_and_will_become_properties(self):
        device = Device(self.hub, will=(EVENTS + "w=1", "gone", 1, True))
        device.publish(EVENTS, "kept?", retain=True)
        last = self.last_event()
        self.assertEqual(last["properties"], {"mqtt-retain": "true"})
        device.abort()
        will = self.hub.events(last["sequence"] + 1, 1)[0]
        self.assertEqual(will["body"], "gone")
        self.assertEqual(will["properties"],
                         {"w": "1", "mqtt-retain": "true", "iothub-MessageType": "Will"})
        device = Device(self.hub, user_name="localhost/device1/api-version=2016-11-14")
        device.publish(EVENTS, "kept?", retain=True)
        self.assertEqual(self.last_event()["properties"], {"x-opt-retain": "true"})
        device.disconnect()

    def test_what_the_hub_does_not_allow_closes_the_connection(self):
        for topic, body in [
                ("elsewhere", ""), ("$SYS/x", ""), ("devices/device2/messages/events/", ""),
                (EVENTS.rstrip("/") + "x", ""), (EVENTS + "a=%zz", ""), (EVENTS + "a b=c", ""),
                (EVENTS + "a=b/c", ""), (EVENTS + "a=b=c", ""), (EVENTS + "a=b#c", ""),
                (EVENTS + "a=b&", ""), (EVENTS + "a/b=c", ""), (EVENTS + "a=b+c", ""),
                (EVENTS + "a=1&a=2", ""), (EVENTS + "%24.mid=a%20b", ""), (BOUND, ""),
                ("$iothub/twin/GET/", ""), ("$iothub/methods/res/x/?$rid=1", ""),
                (EVENTS, "x" * (256 * 1024 + 1)), (EVENTS, "x" * (1024 * 1024)),
                (EVENTS + "a=b", "x" * (256 * 1024 - 1))]:
            with self.subTest(topic=topic, size=len(body)):
                device = Device(self.hub)
                device.publish(topic, body, qos=0)
                self.assertTrue(device.closed())
        device = Device(self.hub)
        device.publish(EVENTS, "", qos=2)
        self.assertTrue(device.closed())
        for topic in ["#", "$SYS/#", "devices/device2/messages/devicebound/#", "$iothub/#",
                      "$iothub/twin/res/+", BOUND + "+"]:
            with self.subTest(filter=topic):
                device = Device(self.hub)
                with self.assertRaises(Closed):
                    device.subscribe(topic)
                device.abort()

    def test_no_more_than_quality_one_is_granted(self):
        device = Device(self.hub)
        self.assertEqual(device.subscribe(BOUND + "#", TWIN_ANSWERS, qos=2), [1, 1])
        self.assertEqual(device.subscribe(METHODS, qos=0), [0])
        device.disconnect()

    def test_logins_that_the_hub_refuses(self):
        hub = self.hub
        key = hub.device_key
        for named in [
                {"password": hub.token(-1)},
                {"password": "nonsense"},
                {"password": hub.token(resource="localhost/devices/device11")},
                {"password": hub.token(resource="localhost/devices/device")},
                {"password": hub.token(resource="other/devices/device1")},
                {"password": sas_token("localhost", hub.service_key, policy="service")},
                {"password": sas_token("localhost/devices/device1", key, policy="iothubowner")},
                {"user_name": "localhost/device1"},
                {"user_name": "localhost/device2/?" + API},
                {"client_id": "nobody"},
                {"client_id": "device2", "user_name": hub.user_name()}]:
            with self.subTest(**named):
                device = Device(hub, **named)
                self.assertEqual(device.code, 5)
                device.abort()
        device = Device(hub, password=sas_token("localhost", hub.service_key, policy="device"))
        self.assertEqual(device.code, 5)  # another policy's key
        device.abort()
        device = Device(hub, password=sas_token("localhost", hub.service_key, policy="iothubowner"))
        self.assertEqual(device.code, 0)
        device.disconnect()

    def test_a_connection_ends_with_its_token(self):
        device = Device(self.hub, password=self.hub.token(2))
        self.assertEqual(device.code, 0)
        device.wait_closed()

    def test_a_second_connection_takes_over(self):
        first = Device(self.hub)
        second = Device(self.hub)
        first.wait_closed()
        second.publish(EVENTS, "mine")
        second.disconnect()

    def test_twins(self):
        device = Device(self.hub)
        device.subscribe(TWIN_ANSWERS, DESIRED, qos=0)
        device.publish("$iothub/twin/PATCH/properties/reported/?$rid=1", '{"a":{"b":1}}', qos=0)
        self.assertEqual(device.receive()[0], "$iothub/twin/res/204/?$rid=1&$version=2")
        device.publish("$iothub/twin/PATCH/properties/reported/?$rid=2", '{"a"', qos=0)
        self.assertEqual(device.receive()[0], "$iothub/twin/res/400/?$rid=2")
        device.publish("$iothub/twin/PATCH/properties/reported/?$rid=3",
                       "{" + ",".join(f'"k{i}":"{"x" * 4000}"' for i in range(9)) + "}", qos=0)
        self.assertEqual(device.receive()[0], "$iothub/twin/res/413/?$rid=3")
        self.assertEqual(self.hub.rest("PUT", "/emulator/throttle", {"twinRequests": 1})[0], 204)
        device.publish("$iothub/twin/GET/?$rid=4", " ", qos=0)
        self.assertEqual(device.receive()[0], "$iothub/twin/res/429/?$rid=4")
        status, twin = self.hub.rest("PATCH", f"/twins/device1?{API}",
                                     {"tags": {"t": 1}, "properties": {"desired": {"d": [1]}}})
        self.assertEqual(status, 200)
        self.assertEqual(twin["properties"]["reported"]["a"], {"b": 1})
        self.assertEqual(device.receive()[:2], ("$iothub/twin/PATCH/properties/desired/?$version=2",
                                                '{"d":[1],"$version":2}'))
        device.publish("$iothub/twin/GET/?x=y&$rid=a%20b", " ", qos=0)
        self.assertEqual(device.receive()[:2], (
            "$iothub/twin/res/200/?$rid=a%20b",
            '{"desired":{"d":[1],"$version":2},"reported":{"a":{"b":1},"$version":2}}'))
        status, _ = self.hub.rest("PATCH", f"/twins/device1?{API}", {},
                                  headers={"If-Match": '"AAAAAAAAAAE="'})
        self.assertEqual(status, 412)
        device.disconnect()

    def invoke(self, results, **members):
        results.append(self.hub.rest("POST", f"/twins/device1/methods?{API}",
                                     {"methodName": "go", **members}))

    def test_numbers_pass_unchanged_in_both_directions(self):
        payload = ('{ "n" :1796056886123456789,"z":[-0,1.0, 1e400,0.1000000000000000055],'
                   '"b":"\\u0041\\/","a":1,\n"a":2,"long":' + "9" * 80 + "}")
        self.assertEqual(self.hub.rest("PUT", f"/devices/counter?{API}", {})[0], 200)
        device = Device(self.hub, "counter", password=self.hub.policy_token())
        device.subscribe(METHODS, TWIN_ANSWERS, DESIRED, qos=0)
        texts = []

        def invoke(body):
            response = self.hub.open("POST", f"/twins/counter/methods?{API}", raw=body)
            texts.append(response.read().decode())

        caller = threading.Thread(target=invoke,
                                  args=('{"methodName":"go","payload":%s}' % payload,))
        caller.start()
        topic, body, _ = device.receive()
        self.assertEqual(body, payload)
        rid = topic.split("$rid=")[1]
        device.publish(f"$iothub/methods/res/200/?$rid={rid}", payload, qos=0)
        caller.join(PATIENCE_S)
        self.assertEqual(texts[0], '{"status":200,"payload":%s}' % payload)
        numbers = '{"x":-0,"y":1.0,"z":[0.1000000000000000055,5E-1]}'
        response = self.hub.open("PATCH", f"/twins/counter?{API}",
                                 raw='{"properties":{"desired":{"numbers":%s}}}' % numbers)
        self.assertIn('"numbers":' + numbers, response.read().decode())
        self.assertIn('"numbers":' + numbers, device.receive()[1])
        device.publish("$iothub/twin/PATCH/properties/reported/?$rid=1",
                       '{"numbers":%s}' % numbers, qos=0)
        device.receive()
        device.publish("$iothub/twin/GET/?$rid=2", "", qos=0)
        self.assertEqual(device.receive()[1].count('"numbers":' + numbers), 2)
        device.disconnect()
        self.assertEqual(self.hub.rest("DELETE", f"/devices/counter?{API}")[0], 204)

    def test_methods(self):
        results = []
        self.invoke(results)
        self.assertEqual(results[0][0], 404)
        self.assertIn("404103", results[0][1]["Message"])
        caller = threading.Thread(target=self.invoke, args=(results,),
                                  kwargs={"payload": [1], "connectTimeoutInSeconds": 20})
        caller.start()
        device = Device(self.hub)
        device.subscribe(METHODS, qos=0)
        topic, body, _ = device.receive()
        self.assertEqual((topic.split("?")[0], body), ("$iothub/methods/POST/go/", "[1]"))
        rid = topic.split("$rid=")[1]
        device.publish("$iothub/methods/res/299/?$rid=nobody", "{}", qos=0)
        device.publish(f"$iothub/methods/res/201/?$rid={rid}", '{"ok":true}', qos=0)
        caller.join(PATIENCE_S)
        self.assertEqual(results[1], (200, {"status": 201, "payload": {"ok": True}}))
        self.invoke(results, responseTimeoutInSeconds=5)
        self.assertEqual(results[2][0], 504)
        device.disconnect()

    def test_messages_wait_for_the_device(self):
        device = Device(self.hub, clean=False)
        self.assertEqual(device.subscribe(BOUND + "#"), [1])
        device.disconnect()
        self.assertEqual(self.hub.send("one", messageId="m~1", properties={"k": "ä", "n": None})[0],
                         201)
        for i in range(20):
            self.hub.send(f"more {i}")
        device = Device(self.hub, clean=False)
        self.assertTrue(device.session_present)
        topic, body, again = device.receive()
        self.assertEqual(topic, BOUND + "%24.mid=m%7E1&%24.to=%2Fdevices%2Fdevice1%2Fmessages%2F"
                         "devicebound&k=%C3%A4&n")
        self.assertEqual((body, again), ("one", False))
        self.assertEqual([device.receive()[1] for _ in range(20)], [f"more {i}" for i in range(20)])
        self.hub.wait_until_none_waits()
        device.quiet()
        device.disconnect()

    def test_a_message_without_acknowledgement_comes_again(self):
        device = Device(self.hub, clean=False)
        device.subscribe(BOUND + "#")
        self.hub.send("one")
        self.assertEqual(device.receive(acknowledge=False)[1:], ("one", False))
        device.abort()
        device = Device(self.hub, clean=False)
        self.assertEqual(device.receive(acknowledge=False)[1:], ("one", True))
        device.abort()
        device = Device(self.hub, clean=True)
        device.subscribe(BOUND + "#")
        self.assertEqual(device.receive()[1:], ("one", False))
        self.hub.wait_until_none_waits()
        device.quiet()
        device.disconnect()

    def test_an_unsubscribed_device_gets_no_message(self):
        device = Device(self.hub)
        device.subscribe(BOUND + "#")
        device.unsubscribe(BOUND + "#")
        self.hub.send("one")
        device.quiet()
        device.subscribe(BOUND + "#")
        self.assertEqual(device.receive()[1], "one")
        self.hub.wait_until_none_waits()
        device.disconnect()

    def test_modules(self):
        status, module = self.hub.rest("PUT", f"/devices/device1/modules/mod?{API}",
                                       {"deviceId": "device1", "moduleId": "mod"})
        self.assertEqual(status, 200)
        key = module["authentication"]["symmetricKey"]["primaryKey"]
        token = sas_token("localhost/devices/device1/modules/mod", key)
        device = Device(self.hub, "device1/mod", password=token)
        self.assertEqual(device.code, 0)
        device.publish("devices/device1/modules/mod/messages/events/%24.on=out", "x")
        event = self.last_event()
        system = event["systemProperties"]
        self.assertEqual((event["moduleId"], system["iothub-connection-module-id"],
                          system["iothub-connection-device-id"], system["iothub-output-name"]),
                         ("mod", "mod", "device1", "out"))
        self.assertEqual(self.hub.rest("DELETE", f"/devices/device1/modules/mod?{API}")[0], 204)
        device.wait_closed()

    def register(self, name):
        """Its token."""
        status, body = self.hub.rest("PUT", f"/devices/{name}?{API}", {})
        self.assertEqual(status, 200)
        key = body["authentication"]["symmetricKey"]["primaryKey"]
        return sas_token(f"localhost/devices/{name}", key)

    def test_the_filter_for_any_device_brings_its_own_messages_only(self):
        other = Device(self.hub, "other", password=self.register("other"))
        other.subscribe("devices/other/messages/devicebound/#")
        device = Device(self.hub)
        self.assertEqual(device.subscribe("devices/+/messages/devicebound/#"), [1])
        self.hub.send("for the other", device="other")
        self.assertEqual(other.receive()[1], "for the other")
        self.hub.send("mine")
        self.assertEqual(device.receive()[1], "mine")
        self.hub.wait_until_none_waits()
        for each in (device, other):
            each.quiet()
            each.disconnect()
        self.assertEqual(self.hub.rest("DELETE", f"/devices/other?{API}")[0], 204)

    def test_a_device_that_is_registered_again_inherits_nothing(self):
        bound = "devices/again/messages/devicebound/#"
        will = ("devices/again/messages/events/", "its will", 0, False)
        for online in (False, True):
            with self.subTest(online=online):
                device = Device(self.hub, "again", password=self.register("again"), clean=False,
                                will=will)
                self.assertFalse(device.session_present)
                device.subscribe(bound, METHODS)
                self.hub.send("of the old one", "again")
                self.assertEqual(device.receive(acknowledge=False)[1], "of the old one")
                results = []
                caller = threading.Thread(target=lambda: results.append(self.hub.rest(
                    "POST", f"/twins/again/methods?{API}", {"methodName": "go"})))
                if online:
                    caller.start()
                    device.receive()  # the call; it is never answered
                else:
                    device.disconnect()
                self.assertEqual(self.hub.rest("DELETE", f"/devices/again?{API}")[0], 204)
                token = self.register("again")
                if online:
                    caller.join(PATIENCE_S)
                    self.assertEqual(results[0][0], 404)
                    self.assertIn("DeviceNotFound", results[0][1]["Message"])
                if online:
                    device.wait_closed()
                device = Device(self.hub, "again", password=token, clean=False)
                self.assertFalse(device.session_present)
                device.quiet()
                self.hub.send("of the new one", "again")
                device.quiet()
                device.subscribe(bound)
                self.assertEqual(device.receive()[1:], ("of the new one", False))
                device.disconnect()
                self.assertEqual(self.hub.rest("DELETE", f"/devices/again?{API}")[0], 204)
        self.assertNotIn("its will", [e["body"] for e in self.hub.events()])

    def test_a_disabled_device_is_dropped_and_refused(self):
        self.assertEqual(self.hub.rest("PUT", f"/devices/other?{API}", {"deviceId": "other"})[0],
                         200)
        key = self.hub.rest("GET", f"/devices/other?{API}")[1]["authentication"]["symmetricKey"]
        token = sas_token("localhost/devices/other", key["secondaryKey"])
        device = Device(self.hub, "other", password=token)
        self.assertEqual(device.code, 0)
        self.hub.rest("PUT", f"/devices/other?{API}", {"status": "disabled"},
                      headers={"If-Match": "*"})
        device.wait_closed()
        device = Device(self.hub, "other", password=token)
        self.assertEqual(device.code, 5)
        device.abort()
        self.assertEqual(self.hub.rest("DELETE", f"/devices/other?{API}")[0], 204)

    def test_services_need_a_token(self):
        for token in ["nonsense", sas_token("localhost", self.hub.service_key),
                      sas_token("localhost", self.hub.service_key, -1, "iothubowner"),
                      sas_token("other", self.hub.service_key, policy="iothubowner"),
                      self.hub.token()]:
            status, body = self.hub.rest("GET", f"/devices?{API}", token=token)
            self.assertEqual(status, 401)
            self.assertTrue(body["Message"].startswith("ErrorCode:IotHubUnauthorizedAccess;"))
            self.assertNotIn(self.hub.service_key, body["Message"])

    def mosquitto(self, name, *arguments):
        return subprocess.run(
            [name, "-h", "localhost", "-p", str(self.hub.port), "--cafile", self.hub.ca_file,
             "-i", "device1", "-u", self.hub.user_name(), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S,
            check=False)

    def test_a_client_that_nobody_here_wrote(self):
        done = self.mosquitto("mosquitto_pub", "-P", self.hub.token(), "-t", EVENTS + "by=mosquitto",
                              "-m", "hello", "-q", "1")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.last_event()["properties"], {"by": "mosquitto"})
        self.hub.send("for you")
        done = self.mosquitto("mosquitto_sub", "-P", self.hub.token(), "-t", BOUND + "#", "-q", "1",
                              "-C", "1")
        self.assertEqual((done.returncode, done.stdout), (0, "for you\n"))
        self.hub.wait_until_none_waits()
        done = self.mosquitto("mosquitto_pub", "-P", self.hub.token(-1), "-t", EVENTS, "-m", "x")
        self.assertEqual(done.returncode, 5, done.stdout)


class Amqp(unittest.TestCase):
    """What is said to clients of a protocol that is not there."""

    SASL, AMQP = b"AMQP\x03\x01\0\0", b"AMQP\0\x01\0\0"
    ANONYMOUS = b"\0\0\0\x19\x02\x01\0\0\0\x53\x41\xc0\x0c\x01\xa3\x09ANONYMOUS"

    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(PROGRAM, "--amqp-port", "0")
        cls.port = int(cls.hub.env["IOTHUB_AMQP_PORT"])

    @classmethod
    def tearDownClass(cls):
        silent = socket.create_connection(("127.0.0.1", cls.port), PATIENCE_S)
        test = cls("upgrade")
        test.upgrade()
        assert cls.hub.stop() == 0
        test.doCleanups()
        silent.close()

    def connect(self):
        raw = socket.create_connection(("localhost", self.port), PATIENCE_S)
        secure = self.hub.tls.wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(secure.close)
        return secure

    @staticmethod
    def exactly(secure, count):
        data = b""
        while len(data) < count:
            piece = secure.recv(count - len(data))
            assert piece, "closed"
            data += piece
        return data

    def frame(self, secure):
        size = int.from_bytes(self.exactly(secure, 4), "big")
        body = self.exactly(secure, size - 4)
        return body[6], body[4:]  # a descriptor's code, and the performative

    def expect_reason(self, secure):
        self.assertEqual(self.exactly(secure, 8), self.AMQP)
        self.assertEqual(self.frame(secure)[0], 0x10)  # open
        code, close = self.frame(secure)
        self.assertEqual(code, 0x18)
        self.assertIn(b"amqp:not-implemented", close)

    def test_a_client_that_logs_in_learns_why_it_gets_no_further(self):
        secure = self.connect()
        secure.sendall(self.SASL)
        self.assertEqual(self.exactly(secure, 8), self.SASL)
        code, mechanisms = self.frame(secure)
        self.assertEqual(code, 0x40)
        self.assertIn(b"ANONYMOUS", mechanisms)
        secure.sendall(self.ANONYMOUS)
        self.assertEqual(self.frame(secure)[0], 0x44)
        secure.sendall(self.AMQP)
        self.expect_reason(secure)

    def upgrade(self, protocol="AMQPWSB10", path="/$iothub/websocket?iothub-no-client-cert=true"):
        raw = socket.create_connection(("localhost", self.hub.rest_port), PATIENCE_S)
        secure = self.hub.tls.wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(secure.close)
        secure.sendall((f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.exactly(secure, 1)
        return secure, head.decode()

    @staticmethod
    def masked(data):
        assert len(data) < 126
        mask = b"\x11\x22\x33\x44"
        return (bytes([0x82, 0x80 | len(data)]) + mask +
                bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def test_a_client_that_comes_by_websocket_learns_it_too(self):
        secure, head = self.upgrade("AMQPWSB10,amqp")
        self.assertTrue(head.startswith("HTTP/1.1 101 "), head)
        self.assertIn("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", head)
        self.assertIn("Sec-WebSocket-Protocol: AMQPWSB10\r\n", head)
        secure.sendall(self.masked(self.AMQP))
        self.assertEqual(self.exactly(secure, 2), b"\x82\x7e")
        length = int.from_bytes(self.exactly(secure, 2), "big")
        answer = self.exactly(secure, length)
        self.assertTrue(answer.startswith(self.AMQP))
        self.assertIn(b"amqp:not-implemented", answer)
        secure.sendall(b"\x88\x80mask")
        self.assertEqual(self.exactly(secure, 4), b"\x88\x02\x03\xe8")
        self.assertEqual(secure.recv(1), b"")

    def test_no_other_websocket_is_there(self):
        for arguments in [{"protocol": "mqtt"}, {"path": "/devices?" + API}]:
            self.assertRegex(self.upgrade(**arguments)[1], "^HTTP/1.1 40")

    def test_websockets_that_come_and_go_leave_nothing(self):
        def descriptors():
            children = pathlib.Path(f"/proc/{self.hub.process.pid}/task/{self.hub.process.pid}/"
                                    "children").read_text(encoding="ascii").split()
            return sum(len(os.listdir(f"/proc/{child}/fd")) for child in children)

        for _ in range(3):
            self.upgrade()[0].close()
        self.assertEqual(self.hub.rest("GET", "/devices?" + API)[0], 200)
        deadline = time.monotonic() + PATIENCE_S
        before = descriptors()
        for number in range(40):  # more than have room at a time
            secure, head = self.upgrade()
            self.assertTrue(head.startswith("HTTP/1.1 101 "), head)
            secure.sendall(b"\x82\x04" if number % 2 else self.masked(self.SASL))
            secure.close()
            while descriptors() > before:
                self.assertLess(time.monotonic(), deadline, "descriptors are left")
                time.sleep(0.01)

    def test_nobody_waits_for_silent_or_strange_clients(self):
        crowd = [socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) for _ in range(8)]
        for number, raw in enumerate(crowd):
            if number % 2:
                raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
        secure = self.connect()
        secure.sendall(b"x" * 100)
        self.assertEqual(self.exactly(secure, 8), self.SASL)
        secure = self.connect()
        for byte in self.AMQP:
            secure.sendall(bytes([byte]))
        self.expect_reason(secure)
        self.assertEqual(self.hub.rest("GET", "/devices?" + API)[0], 200)
        for raw in crowd:
            raw.close()

    def test_what_is_too_many_is_closed_and_room_comes_back(self):
        crowd = [socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
                 for _ in range(17)]
        self.assertEqual(crowd[-1].recv(1), b"")
        for raw in crowd:
            raw.close()
        secure = self.connect()
        secure.sendall(self.AMQP)
        self.expect_reason(secure)


class Life(unittest.TestCase):
    """Starting, stopping, and what stays."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.state = os.path.join(self.directory.name, "it's state")

    def start(self, *arguments):
        hub = Emulator(PROGRAM, *arguments)
        self.addCleanup(hub.process.kill)
        return hub

    def fails(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("hub_emulator: "), done.stderr)
        return done.returncode, done.stderr

    def test_it_says_how_to_connect(self):
        hub = self.start("--state", self.state, "--device", "first", "--device", "second")
        names = [line.split("=")[0] for line in hub.lines]
        self.assertEqual(names, ["IOTHUB_DEVICE_CONNECTION_STRING",
                                 "IOTHUB_DEVICE_CONNECTION_STRING_2", "IOTHUB_CONNECTION_STRING",
                                 "IOTHUB_CA_FILE", "IOTHUB_PORT", "IOTHUB_REST_PORT", "READY"])
        self.assertIn("HostName=localhost;DeviceId=first;",
                      hub.env["IOTHUB_DEVICE_CONNECTION_STRING"])
        shell = subprocess.run(
            ["sh", "-c", f". {shlex.quote(self.state)}/env; env"], stdout=subprocess.PIPE,
            text=True, check=True, env={"PATH": os.environ["PATH"]})
        for line in hub.lines[:-1]:
            self.assertIn(line + "\n", shell.stdout)
        self.assertEqual(hub.stop(), 0)

    def test_nothing_stays_of_a_private_directory(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            hub = self.start()
            state = pathlib.Path(hub.ca_file).parent
            self.assertTrue(state.is_dir())
            hub.process.send_signal(number)
            self.assertEqual(hub.wait(), 0)
            self.assertFalse(state.exists())
            for port in (hub.port, hub.rest_port):
                with self.assertRaises(OSError):
                    socket.create_connection(("127.0.0.1", port), PATIENCE_S)

    def test_state_survives_a_kill(self):
        hub = self.start("--state", self.state)
        hub.rest("PATCH", f"/twins/device1?{API}", {"properties": {"desired": {"a": 1}}})
        hub.rest("PUT", f"/devices/extra?{API}", {})
        device = Device(hub)
        device.subscribe(TWIN_ANSWERS, qos=0)
        device.publish("$iothub/twin/PATCH/properties/reported/?$rid=1", '{"r":2}', qos=0)
        device.receive()
        device.publish(EVENTS, "seen")
        hub.send("first")
        hub.send("second")
        hub.process.kill()
        hub.wait()
        device.wait_closed()
        again = self.start("--state", self.state)
        for name in ("IOTHUB_DEVICE_CONNECTION_STRING", "IOTHUB_CONNECTION_STRING",
                     "IOTHUB_CA_FILE"):
            self.assertEqual(hub.env[name], again.env[name])
        _, twin = again.rest("GET", f"/twins/device1?{API}")
        self.assertEqual(twin["properties"]["desired"]["a"], 1)
        self.assertEqual(twin["properties"]["reported"]["r"], 2)
        self.assertEqual(again.rest("GET", f"/devices/extra?{API}")[0], 200)
        self.assertEqual(again.events()[0]["body"], "seen")
        device = Device(again, clean=False)
        self.assertFalse(device.session_present)
        device.subscribe(BOUND + "#")
        self.assertEqual([device.receive()[1] for _ in range(2)], ["first", "second"])
        again.wait_until_none_waits()
        device.disconnect()
        self.assertEqual(again.stop(), 0)

    def spoil(self, name, kind):
        path = pathlib.Path(self.state, name)
        if kind == "directory":
            path.unlink()
            path.mkdir()
        else:
            data = bytearray(path.read_bytes())
            where = len(data) // 2
            while not chr(data[where]).isalnum():
                where += 1
            data[where] ^= 1
            path.write_bytes(data if kind == "flipped" else b"")

    def test_damaged_files_are_set_aside(self):
        hub = self.start("--state", self.state)
        self.assertEqual(hub.rest("PUT", f"/devices/kept?{API}", {})[0], 200)
        self.assertEqual(hub.stop(), 0)
        for name, kind in [("ca.crt", "flipped"), ("ca.key", "flipped"),
                           ("server.crt", "flipped"), ("server.crt", "directory"),
                           ("server.key", "flipped"), ("server.key", "empty"),
                           ("hub.json", "flipped"), ("identity-000001.json", "empty"),
                           ("lock", "directory")]:
            with self.subTest(name=name, kind=kind):
                self.spoil(name, kind)
                hub = self.start("--state", self.state)
                self.assertEqual(hub.rest("GET", f"/devices/kept?{API}")[0], 200)
                device = Device(hub)
                self.assertEqual(device.code, 0)
                device.disconnect()
                self.assertEqual(hub.stop(), 0)
                self.assertTrue(pathlib.Path(self.state, name + ".bad").exists())

    def test_one_state_serves_one_emulator(self):
        hub = self.start("--state", self.state)
        code, why = self.fails("--state", self.state, "--port", "0", "--rest-port", "0")
        self.assertEqual(code, 1)
        self.assertIn("in use by another hub_emulator", why)
        self.assertEqual(hub.stop(), 0)

    def start_aside(self, *arguments):
        """With what it says to people; its socket can be reached under any name."""
        with open(os.path.join(self.directory.name, "said"), "w+", encoding="utf-8") as said:
            hub = Emulator(PROGRAM, "--state", self.state, *arguments, stderr=said)
            self.addCleanup(hub.process.kill)
            said.seek(0)
            return hub, said.read()

    def names_of(self, hub, address="127.0.0.1", port=None):
        with socket.create_connection((address, port or hub.port), PATIENCE_S) as raw:
            context = ssl.create_default_context(cafile=hub.ca_file)
            context.check_hostname = False
            with context.wrap_socket(raw) as secure:
                return sorted(value for _, value in secure.getpeercert()["subjectAltName"])

    def test_host_names_the_hub_and_its_certificate_follows(self):
        always = ["0:0:0:0:0:0:0:1", "127.0.0.1", "localhost"]
        hub = self.start("--state", self.state)
        self.assertEqual(self.names_of(hub), always)
        roots = pathlib.Path(hub.ca_file).read_bytes()
        self.assertEqual(hub.stop(), 0)
        hub, said = self.start_aside("--host", "my.hub.test")
        self.assertIn("/etc/hosts needs: 127.0.0.1 my.hub.test\n", said)
        self.assertNotIn("warning", said)
        for port in (hub.port, hub.rest_port):
            self.assertEqual(self.names_of(hub, port=port), always + ["my.hub.test"])
        self.assertEqual(pathlib.Path(hub.ca_file).read_bytes(), roots)
        for name in ("IOTHUB_DEVICE_CONNECTION_STRING", "IOTHUB_CONNECTION_STRING"):
            self.assertTrue(hub.env[name].startswith("HostName=my.hub.test;"), name)
        token = sas_token("my.hub.test", hub.service_key, policy="iothubowner")
        status, _ = hub.rest("GET", "/devices?" + API, token=token,
                             headers={"Host": "my.hub.test"}.items())
        self.assertEqual(status, 200)
        resource = "my.hub.test/devices/device1"
        device = Device(hub, user_name=f"my.hub.test/device1/?{API}",
                        password=hub.token(resource=resource))
        self.assertEqual(device.code, 0)
        device.disconnect()
        self.assertEqual(hub.stop(), 0)
        hub = self.start("--state", self.state)
        self.assertEqual(self.names_of(hub), always + ["my.hub.test"])
        self.assertEqual(hub.stop(), 0)

    def test_listen_takes_another_address(self):
        hub, said = self.start_aside("--listen", "127.0.0.9")
        self.assertNotIn("warning", said)
        self.assertTrue(hub.env["IOTHUB_CONNECTION_STRING"].startswith("HostName=127.0.0.9;"))
        for port in (hub.port, hub.rest_port):
            self.assertIn("127.0.0.9", self.names_of(hub, "127.0.0.9", port))
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.assertEqual(hub.stop(), 0)
        hub, said = self.start_aside("--listen", "0.0.0.0", "--host", "localhost")
        self.assertIn("warning: everybody", said)
        self.assertEqual(hub.rest("GET", "/devices?" + API)[0], 200)
        self.assertEqual(hub.stop(), 0)

    def test_the_recipe_of_the_readme_works_as_it_stands(self):
        readme = pathlib.Path(__file__).parents[2] / "tools" / "hub_emulator" / "README.md"
        recipe = re.search(r"^```sh\n(rm -f ~/.hub/env\n.*?)^```$",
                           readme.read_text(encoding="utf-8"), re.M | re.S).group(1)
        # The ports are those of everybody, here any that is free.
        recipe = recipe.replace("--state", "--port 0 --rest-port 0 --state")
        self.assertIn("iothub service twin get", recipe)
        path = os.path.dirname(PROGRAM) + os.pathsep + os.environ["PATH"]
        for _ in range(2):  # in an empty directory, and with what an earlier run has left
            script = ("set -e; trap 'kill $!' EXIT\n" + recipe +
                      "trap - EXIT; kill $!; wait $!")
            done = subprocess.run(["sh", "-c", script],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=3 * PATIENCE_S, check=False,
                                  env={**os.environ, "HOME": self.directory.name, "PATH": path})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('"deviceId":"device1"', re.sub(r"\s", "", done.stdout))

    def test_the_file_for_a_shell_is_that_of_this_run(self):
        self.assertEqual(self.start("--state", self.state).stop(), 0)
        env = pathlib.Path(self.state, "env")
        self.assertTrue(env.exists())
        self.assertEqual(self.fails("--state", self.state, "--port", "0", "--rest-port", "0",
                                    "--mosquitto", "/bin/false")[0], 1)
        self.assertFalse(env.exists())

    def test_failures_have_one_line_and_a_code(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        port = str(taken.getsockname()[1])
        foreign = os.path.join(self.directory.name, "foreign")
        os.mkdir(foreign)
        pathlib.Path(foreign, "something").touch()
        free = ["--port", "0", "--rest-port", "0", "--amqp-port", "0"]  # 5671 may be taken
        for code, text, arguments in [
                (1, f"port {port} is in use", free + ["--port", port]),
                (1, f"port {port} is in use", free + ["--rest-port", port]),
                (1, f"port {port} is in use", free + ["--amqp-port", port]),
                (1, "install the package mosquitto", free + ["--mosquitto", "/nonexistent"]),
                (1, "not a state directory", free + ["--state", foreign]),
                (1, "No such file", free + ["--state", "/nonexistent/dir"]),
                (2, "not a port", ["--port", "65536"]),
                (2, "not a port", ["--rest-port", ""]),
                (2, "not a device id", ["--device", "a/b"]),
                (2, "not a device id", ["--device", "a#"]),
                (2, "the same", ["--port", "9", "--rest-port", "9"]),
                (2, "the same", ["--port", "9", "--amqp-port", "9"]),
                (2, "not a port", ["--amqp-port", "-1"]),
                (2, "not an address", ["--listen", ""]),
                (2, "not an address", ["--listen", "localhost"]),
                (2, "not an address", ["--listen", "127.0.0.1:8883"]),
                (2, "needs --host", ["--listen", "fd00::1"]),
                (1, "not an address of this machine", free + ["--listen", "192.0.2.1"]),
                (2, "not a host name", ["--host", ""]),
                (2, "not a host name", ["--host", "a..b"]),
                (2, "not a host name", ["--host", ".a"]),
                (2, "not a host name", ["--host", "a.b:8883"]),
                (2, "not a host name", ["--host", "a;DeviceId=b"]),
                (2, "not a host name", ["--host", "a" * 254]),
                (2, "no arguments", ["extra"])]:
            with self.subTest(arguments=arguments):
                got, why = self.fails(*arguments)
                self.assertEqual(got, code, why)
                self.assertIn(text, why)
                self.assertEqual(why.count("\n"), 1, why)

    def test_help_goes_to_standard_output(self):
        done = subprocess.run([PROGRAM, "--help"], stdout=subprocess.PIPE, text=True, check=True)
        for option in ("--port", "--rest-port", "--state", "--device", "--verbose", "--listen", "--host",
                       "--amqp-port"):
            self.assertIn(option, done.stdout)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
