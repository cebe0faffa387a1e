#!/usr/bin/env python3
"""Tests what strangers may send to the hub emulator: each case must get its answer, and the emulator must
go on serving.

A case with several accepted answers depends on the version of libmicrohttpd.

usage: test_hostile.py HUB_EMULATOR
"""

import concurrent.futures
import os
import pathlib
import socket
import struct
import sys
import unittest

from emulator import API, PATIENCE_S, Device, Emulator, sas_token

PROGRAM = ""
EVENTS = "devices/device1/messages/events/"
BOUND = "devices/device1/messages/devicebound/#"
ANSWERS = "$iothub/twin/res/#"
REPORT = "$iothub/twin/PATCH/properties/reported/?$rid=1"
GET = "$iothub/twin/GET/?$rid="
STATUS = "$iothub/methods/res/"
USER = "localhost/device1/?" + API
CLOSED = None  # the connection ended without an answer


def raw_text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(data)) + data


def packet(first, body=b""):
    length = b""
    left = len(body)
    while True:
        length += bytes([left % 128 | (0x80 if left >= 128 else 0)])
        left //= 128
        if not left:
            return bytes([first]) + length + body


def publish(topic, body=b"", qos=0, flags=0, number=1):
    return packet(0x30 | qos << 1 | flags,
                  raw_text(topic) + (struct.pack(">H", number) if qos else b"") + body)


def subscribe(*filters, qos=0, number=1, first=0x82):
    return packet(first, struct.pack(">H", number) +
                  b"".join(raw_text(f) + bytes([qos]) for f in filters))


class Hostile(unittest.TestCase):
    """All tests share one emulator."""

    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(PROGRAM)
        cls.descriptors = cls.open_descriptors()

    @classmethod
    def tearDownClass(cls):
        assert cls.hub.stop() == 0

    @classmethod
    def broker(cls):
        parent = cls.hub.process.pid
        return int(pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])

    @classmethod
    def open_descriptors(cls):
        return len(os.listdir(f"/proc/{cls.broker()}/fd"))

    def tearDown(self):
        """Checks that clients are still served and that no connection is left open."""
        device = Device(self.hub)
        self.assertEqual(device.code, 0)
        device.publish(EVENTS, "alive")
        device.disconnect()
        self.assertEqual(self.hub.rest("GET", f"/devices/device1?{API}")[0], 200)
        for _ in range(200):
            if self.open_descriptors() <= self.descriptors:
                return
            self.assertEqual(self.hub.rest("GET", f"/devices/device1?{API}")[0], 200)
        self.fail(f"{self.open_descriptors()} descriptors are open, {self.descriptors} were")


class Login(Hostile):
    def connect(self, client_id="device1", user=USER, password=None, flags=0xC2,
                name=b"\0\4MQTT", level=4, will=b"", behind=b""):
        password = self.hub.token() if password is None else password
        body = name + bytes([level, flags, 0, 60]) + raw_text(client_id) + will
        body += raw_text(user) if flags & 0x80 else b""
        body += raw_text(password) if flags & 0x40 else b""
        return packet(0x10, body + behind)

    def answer(self, data):
        """Returns the return code of the CONNACK, or CLOSED."""
        raw = socket.create_connection(("localhost", self.hub.port), PATIENCE_S)
        with self.hub.tls.wrap_socket(raw, server_hostname="localhost") as connection:
            got = b""
            try:
                connection.sendall(data)
                while len(got) < 4:
                    piece = connection.recv(4 - len(got))
                    if not piece:
                        return CLOSED
                    got += piece
            except OSError:
                return CLOSED
            self.assertEqual(got[:2], b"\x20\x02")
            return got[3]

    def check(self, cases):
        for name, expected, data in cases:
            with self.subTest(name):
                self.assertEqual(self.answer(data), expected)

    def test_the_packet(self):
        c = self.connect
        self.check([
            ("level 3 of the protocol", 5, c(name=b"\0\6MQIsdp", level=3)),
            ("level 6", 1, c(level=6)),
            ("another protocol", CLOSED, c(name=b"\0\4MQTX")),
            ("no protocol", CLOSED, c(name=b"\0\0")),
            ("the reserved flag", CLOSED, c(flags=0xC3)),
            ("a password without a user name", CLOSED, c(flags=0x42)),
            ("a user name without a password", 5, c(flags=0x82)),
            ("neither of both", 5, c(flags=0x02)),
            ("bytes behind the end", CLOSED, c(behind=b"xx")),
            ("less than it announces", CLOSED, packet(0x10, c()[3:60])),
            ("a length of five bytes", CLOSED, b"\x10\xff\xff\xff\xff\x01"),
            ("a length of 256 MB", CLOSED, b"\x10\xff\xff\xff\x7f"),
            ("HTTP", CLOSED, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            ("a PUBLISH first", CLOSED, publish(EVENTS)),
            ("a PINGREQ first", CLOSED, b"\xc0\0"),
            ("a DISCONNECT first", CLOSED, b"\xe0\0"),
            ("packet type 0", CLOSED, b"\0\0"),
            ("packet type 15", CLOSED, b"\xf0\0"),
        ])

    def test_wills(self):
        c = self.connect

        def will(topic, flags=0xC6, body="x"):
            return c(flags=flags, will=raw_text(topic) + raw_text(body))

        self.check([
            ("a flag and no Will", CLOSED, c(flags=0xC6)),
            ("QoS 2", CLOSED, will(EVENTS, 0xD6)),
            ("QoS 3", CLOSED, will(EVENTS, 0xDE)),
            ("QoS without a Will", CLOSED, c(flags=0xCA)),
            ("retain without a Will", CLOSED, c(flags=0xE2)),
            ("an empty topic", CLOSED, will("")),
            ("a wildcard", CLOSED, will(EVENTS + "#")),
            ("a NUL", CLOSED, will(EVENTS + "\0")),
            ("no UTF-8", CLOSED, will(EVENTS.encode() + b"\xff")),
            ("64 KB", 0, will(EVENTS, body="x" * 65535)),
        ])

    def test_a_will_that_breaks_a_rule_is_dropped(self):
        last = self.hub.events()[-1]["sequence"] if self.hub.events() else 0
        for topic in ["elsewhere", "$SYS/x", "devices/device2/messages/events/", EVENTS + "a=%zz",
                      EVENTS + "a=b/c", EVENTS + "a=1&a=2", "$iothub/twin/GET/?$rid=1", BOUND[:-1]]:
            device = Device(self.hub, will=(topic, "x", 1, False))
            self.assertEqual(device.code, 0)
            device.abort()
        device = Device(self.hub, will=(EVENTS + "good=1", "x", 1, False))
        device.abort()
        event = self.hub.events(last + 1, 1)[0]
        self.assertEqual(event["properties"], {"good": "1", "iothub-MessageType": "Will"})

    def test_client_ids(self):
        c = self.connect
        cases = [(repr(name), expected, c(name)) for name, expected in [
            ("", 2), ("device1/", 5), ("/device1", 5), ("device1/x", 5), ("device1/x/y", 5),
            ("DEVICE1", 5), ("device1 ", 5), ("device1\0", CLOSED), (b"\xff\xfe", CLOSED),
            (b"\xed\xa0\x80", CLOSED), ("+", 5), ("#", 5), ("$SYS", 5), ("..", 5),
            ("../device1", 5), ("device1%00", 5), ("\x01", CLOSED), ("device1\n", CLOSED),
            ("x" * 65535, 5)]]
        cases += [("with its own user name: " + name[:20], 5,
                   c(name, user=f"localhost/{name}/?{API}"))
                  for name in ["device1/", "device1/x", "x" * 200, "../device1", "a b"]]
        self.check(cases)

    def test_user_names(self):
        head = "localhost/device1/"
        good = head + "?" + API
        self.check([(repr(name[:60]), expected, self.connect(user=name)) for name, expected in [
            ("", 5), ("/", 5), ("//", 5), ("localhost", 5), (head, 5), (head + "?", 5),
            (head + "?api-version", 5), (head + "?api-version=", 5), (head + API, 0),
            (good + "&" + API, 5), (head + "?api-version=2021-4-12", 5),
            (head + "?api-version=2021-13-12", 5), (head + "?api-version=9999-99-99", 5),
            (good + "-preview", 0), (good + "-Preview", 5), (head + "?API-VERSION=2021-04-12", 5),
            (head + "?&&" + API + "&&", 0), (head + "/?" + API, 5), (head + "??" + API, 5),
            ("other/device1/?" + API, 5), ("localhost:8883/device1/?" + API, 5), (good + "#x", 5),
            (good + "&model-id=%", 5), (good + "&model-id=%FF", 5), (good + "&model-id=%00", 5),
            (good + "&model-id=a&model-id=b", 5), (good + "&model-id=" + "x" * 5000, 5),
            (good + "&model-id=", 0), (good + "&x=" + "y" * 60000, 0), (b"\xff", CLOSED),
            (good + "\0", CLOSED), ("a" * 65535, 5)]])

    def test_passwords(self):
        good = self.hub.token()
        self.check([(repr(p[:60]), expected, self.connect(password=p)) for p, expected in [
            ("", 5), ("x", 5), (good[:-1], 5), (good + "0", 5), (good.replace("sig=", "sig=%"), 5),
            (good + "&se=9999999999", 5), (good.replace("&se=", "&se=-"), 5),
            (good.replace("&se=", "&se=99999999999999999999"), 5), (good.upper(), 5),
            (" " + good, 5), (good + " ", 5), (good + "&skn=iothubowner", 5), (good + "&skn=%00", 5),
            ("SharedAccessSignature", 5), ("SharedAccessSignature ", 5),
            ("SharedAccessSignature &&&&===", 5), ("SharedAccessSignature sr=&sig=&se=", 5),
            (b"\0", 5), (b"\xff" * 100, 5), ("A" * 65535, 5), (good.replace("sr=", "sr=%2"), 5),
            (good.replace("%2F", "/"), 5), (good + "&x=y", 5)]])


class Session(Hostile):
    """Tests packets of a client that has logged in."""

    def ends(self, data):
        """Returns whether the emulator closes the connection."""
        device = Device(self.hub)
        self.assertEqual(device.code, 0)
        try:
            device.socket.sendall(data)
        except OSError:
            pass
        return device.closed()

    def check(self, cases):
        for name, ends, data in cases:
            with self.subTest(name):
                self.assertEqual(self.ends(data), ends)

    def test_packets(self):
        self.check([
            ("a second CONNECT", True, packet(0x10, b"\0\4MQTT\4\2\0\0" + raw_text("x"))),
            ("CONNACK", True, b"\x20\2\0\0"),
            ("PUBACK of nothing", False, b"\x40\2\0\7"),
            ("PUBACK of packet 0", True, b"\x40\2\0\0"),
            ("a short PUBACK", True, b"\x40\1\0"),
            ("PUBREC of nothing", False, b"\x50\2\0\1"),
            ("PUBREL of nothing", False, b"\x62\2\0\1"),
            ("PUBREL with other flags", True, b"\x60\2\0\1"),
            ("packet type 0", True, b"\0\0"),
            ("packet type 15", True, b"\xf0\0"),
            ("DISCONNECT with flags", True, b"\xe1\0"),
            ("QoS 2", True, publish(EVENTS, qos=2)),
            ("QoS 3", True, publish(EVENTS, qos=3)),
            ("packet id 0", True, publish(EVENTS, qos=1, number=0)),
            ("no topic", True, b"\x30\0"),
            ("a topic that is longer than the packet", True, b"\x30\2\0\5"),
            ("no packet id", True, b"\x32\4\0\2ab"),
            ("retain without a body", False, publish(EVENTS, flags=1)),
            ("256 KB", False, publish(EVENTS, b"x" * 262144)),
            ("256 KB and 1", True, publish(EVENTS, b"x" * 262145)),
            ("1 MB", True, publish(EVENTS, b"x" * 1048576)),
        ])

    def test_filters(self):
        self.check([
            ("flags", True, subscribe(ANSWERS, first=0x80)),
            ("no filter", True, packet(0x82, b"\0\1")),
            ("packet id 0", True, subscribe(ANSWERS, number=0)),
            ("QoS 3", True, subscribe(ANSWERS, qos=3)),
            ("an empty filter", True, subscribe("")),
            ("a cut filter", True, packet(0x82, b"\0\1\0\5abc")),
            ("no QoS", True, packet(0x82, b"\0\1" + raw_text(ANSWERS))),
            ("one of two is not allowed", True, subscribe(ANSWERS, "x")),
            ("a shared subscription", True, subscribe("$share/g/" + BOUND)),
            ("everything", True, subscribe("#")),
            ("everything of the hub", True, subscribe("$iothub/#")),
            ("the broker", True, subscribe("$SYS/#")),
            ("another device", True, subscribe("devices/device2/messages/devicebound/#")),
            ("any device, as azure-sdk-for-c has it", False,
             subscribe("devices/+/messages/devicebound/#")),
            ("the telemetry of any device", True, subscribe("devices/+/messages/events/#")),
            ("one level", True, subscribe("$iothub/twin/res/+")),
            ("a NUL", True, subscribe("$iothub/twin/res/\0#")),
            ("no UTF-8", True, subscribe(b"\xff")),
            ("64 KB", True, subscribe("a/" * 32767)),
            ("200 levels", True, subscribe("/" * 201)),
            ("the same one 100 times", False, subscribe(*[ANSWERS] * 100)),
            ("UNSUBSCRIBE from nothing", True, packet(0xA2, b"\0\1")),
            ("UNSUBSCRIBE with flags", True, packet(0xA0, b"\0\1" + raw_text("x"))),
            ("UNSUBSCRIBE from what was never there", False,
             packet(0xA2, b"\0\1" + raw_text("nope"))),
        ])

    def test_topics(self):
        cases = {True: [
            "", "#", "+", EVENTS + "#", EVENTS + "+", EVENTS + "\0", EVENTS + "a=\0", b"\xff",
            EVENTS.encode() + b"\xff", EVENTS.encode() + b"\xed\xa0\x80", EVENTS + "a=%",
            EVENTS + "a=%4", EVENTS + "a=%00", EVENTS + "a=%ff", EVENTS + "\u00e4=1",
            EVENTS + "a=1&a=2", EVENTS + "a&%61", EVENTS + "=1", EVENTS + "&", EVENTS + "a=1&",
            EVENTS + "a=b=c", EVENTS + "a=b/c", EVENTS + "a/b=c", EVENTS + "x/y",
            EVENTS + "a=b c", EVENTS + "a=\x7f", EVENTS + "a=\x01", EVENTS + "%24.mid=a%20b",
            EVENTS + "%24.mid=" + "x" * 129, BOUND[:-1], "devices/device1/messages/",
            "devices/device1/", "devices//messages/events/", "devices/./messages/events/",
            "devices/%64evice1/messages/events/", "DEVICES/device1/messages/events/",
            "/" + EVENTS, "devices/device2/messages/events/",
            "devices/device1/modules/m/messages/events/", "$SYS/broker/x", "$iothub", "$iothub/",
            "$iothub/twin/GET", "$iothub/twin/GET/", "$iothub/twin/GET/?", "$iothub/twin/GET/?$rid",
            GET, "$iothub/twin/GET/?rid=1", "$iothub/twin/GET/$rid=1", GET + "#",
            "$iothub/twin/get/?$rid=1", "$iothub/twin/GET/x/?$rid=1",
            "$iothub/twin/PATCH/properties/desired/?$rid=1", REPORT.replace("/?", "?"),
            "$iothub/twin/res/200/?$rid=1", "$iothub/methods/POST/x/?$rid=1", STATUS + "/?$rid=1",
            STATUS + "+1/?$rid=1", STATUS + " 1/?$rid=1", STATUS + "1.5/?$rid=1",
            STATUS + "99999999999999999999/?$rid=1", STATUS + "2147483648/?$rid=1",
            STATUS + "--1/?$rid=1", STATUS + "200", "a" * 65535, "/" * 300,
        ], False: [
            EVENTS, EVENTS[:-1], EVENTS + "//", EVENTS + "a=/", EVENTS + "a/", EVENTS + "?a=1",
            EVENTS + "a=%C3%A4", EVENTS + "a=%2F%3D%23%26", GET + "1&$rid=2", GET + "%zz",
            GET + "a/b", GET + "a=b", GET + "x" * 60000, STATUS + "200/?$rid=1",
            STATUS + "-1/?$rid=nobody", STATUS + "200/?x=y&$rid=1&z",
        ]}
        for ends, topics in cases.items():
            for topic in topics:
                with self.subTest(repr(topic)[:80]):
                    self.assertEqual(self.ends(publish(topic)), ends)

    def test_reports(self):
        device = Device(self.hub)
        device.subscribe(ANSWERS, qos=0)
        for body, status in [
                (b"", 400), (b"null", 400), (b"[]", 400), (b"5", 400), (b"{", 400), (b"{} x", 400),
                (b'{"a":"\\u0000"}', 400), (b'{"a":"\0"}', 400), (b'{"a":"\xff"}', 400),
                (b"\xef\xbb\xbf{}", 400), ('{"a":1}'.encode("utf-16"), 400), (b'{"a":NaN}', 400),
                (b'{"a":01}', 400), (b'{"a":1e400}', 400), (b'{"a":"\\ud800"}', 400),
                (b'{"a":4503599627370496}', 400), (b'{"$version":1}', 400), (b'{"a.b":1}', 400),
                (b'{"a b":1}', 400), (b'{"":1}', 400), (b'{"a":[null]}', 400),
                (b'{"a":[{"b":null}]}', 400), (b'{"a":' * 12 + b"1" + b"}" * 12, 400),
                (b'{"a":' * 100 + b"1" + b"}" * 100, 400),
                (b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}", 400),
                (b'{"a":"' + b"x" * 200000 + b'"}', 400),
                (b"{" + b",".join(b'"k%d":"%s"' % (i, b"x" * 4000) for i in range(9)) + b"}", 413),
                (b'{"a":1,"a":2}', 204), (b'{"a":null}', 204), (b'{"a":[[]]}', 204),
                (b'{"__proto__":{"x":1}}', 204), (b'{"a":null,"__proto__":null}', 204)]:
            with self.subTest(body[:40]):
                device.publish(REPORT, body, qos=0)
                self.assertEqual(device.receive()[0].split("/")[3], str(status))
        device.publish(REPORT, b'{"a":"' + b"x" * 300000 + b'"}', qos=0)
        self.assertTrue(device.closed())

    def test_half_a_packet_and_a_flood(self):
        device = Device(self.hub)
        device.socket.sendall(publish(EVENTS, b"x" * 1000)[:100])
        device.abort()
        device = Device(self.hub)
        device.socket.sendall(publish(EVENTS, b"flood", qos=1) * 2000)
        for _ in range(2000):
            device.expect(Device.PUBACK)
        device.disconnect()


class Rest(Hostile):
    def answer(self, data):
        """Returns the status, or CLOSED."""
        raw = socket.create_connection(("localhost", self.hub.rest_port), PATIENCE_S)
        with self.hub.tls.wrap_socket(raw, server_hostname="localhost") as connection:
            got = b""
            try:
                connection.sendall(data)
            except OSError:
                pass  # refused before all of it was sent
            try:
                while b"\r\n" not in got:
                    piece = connection.recv(4096)
                    if not piece:
                        return CLOSED
                    got += piece
            except OSError:
                return CLOSED
            return int(got.split()[1])

    def request(self, method="GET", path="/devices/device1?" + API, body=b"", headers=(), host="localhost",
                token=None, version="HTTP/1.1", length=True):
        """If host or token is None, the request has no such header."""
        lines = [f"{method} {path} {version}", "Connection: close"]
        lines += [f"Host: {host}"] if host is not None else []
        if token is None:
            token = sas_token("localhost", self.hub.service_key, policy="iothubowner")
        lines += [f"Authorization: {token}"] if token else []
        if length and (body or method in ("POST", "PUT", "PATCH")):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines + list(headers)).encode("latin-1") + b"\r\n\r\n" + body

    def check(self, cases):
        """Runs many cases (name, accepted status or statuses, bytes) at the same time."""
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda case: self.answer(case[2]), cases))
        for (name, expected, _), answer in zip(cases, answers):
            with self.subTest(name):
                self.assertIn(answer, expected if isinstance(expected, tuple) else (expected,))

    def test_methods(self):
        paths = {"/devices/device1": ["POST", "PATCH", "HEAD", "OPTIONS", "TRACE", "get", "DELETEX"],
                 "/twins/device1": ["POST", "DELETE"], "/twins/device1/methods": ["GET", "PUT"],
                 "/devices/query": ["PATCH"], "/statistics/devices": ["POST", "DELETE"],
                 "/emulator/events": ["PUT"], "/emulator/throttle": ["GET"],
                 "/devices/device1/commands": ["GET"]}
        self.check([(f"{method} {path}", 405, self.request(method, f"{path}?{API}"))
                    for path, methods in paths.items() for method in methods])
        self.check([("no method", (400, 501, CLOSED), b" / HTTP/1.1\r\n\r\n"),
                    ("nothing at all", (400, CLOSED), b"\r\n" * 3 + b"x\r\n\r\n")])

    def test_paths(self):
        q = "?" + API
        self.check([(path[:60], status, self.request(path=path + q)) for path, status in [
            ("/", 404), ("//", 404), ("*", 404), ("devices", 404), ("/devices/", 200),
            ("/devices/device1/", 200), ("/devices//device1", 404), ("//devices/device1", 404),
            ("/devices/device1//", 404), ("/devices/./device1", 404), ("/./devices/device1", 404),
            ("/devices/../devices/device1", 404), ("/devices/x/../device1", 404),
            ("/../../etc/passwd", 404), ("/devices/%2e%2e/devices/device1", 404),
            ("/devices%2fdevice1", 404), ("/devices/device1%2f", 404),
            ("/devices/device1%2Fmodules", 404), ("/devices/device1%5c", 404),
            ("/devices/device1%00", 400), ("/devices/device1%00x", 400), ("/devices/device1%", 400),
            ("/devices/device1%4", 400), ("/devices/device1%zz", 400), ("/devices/%ff", 404),
            ("/devices/%64evice1", 200), ("/%64evices/device1", 200), ("/devices/device1;x=y", 404),
            ("/devices/DEVICE1", 404), ("/devices/" + "x" * 129, 404),
            ("/devices/" + "x" * 30000, 404), ("/devices/" + "x" * 70000, (413, 414, 431, CLOSED)),
            ("/a/b/c/d/e/f/g/h", 404), ("/devices/a/b/c", 404), ("/twins//methods", (404, 405)),
            ("https://localhost/devices/device1", 200), ("http://other", (401, 404)),
            ("/devices/\xff", 404), ("\\devices\\device1", 404), ("/emulator/", 404),
            ("/emulator/../devices/device1", 404), ("/emulator/devices/device1/../x/messages", 404),
        ]])

    def test_api_versions(self):
        self.check([(query[:40], status, self.request(path="/devices/device1" + query))
                    for query, status in [
            ("", 400), ("?", 400), ("?api-version", 400), ("?api-version=", 400),
            ("?api-version=x", 400), ("?api-version=2021-4-12", 400),
            ("?api-version=2021-13-01", 400), ("?api-version=9999-99-99", 400),
            ("?api-version=1999-01-01", 400), ("?api-version=2021-04-12%00", 400),
            ("?api-version=%zz", 400), ("??api-version=2021-04-12", 400),
            ("?api-version=2021-04-12-preview", 200), ("?&&&" + API, 200),
            ("?api%2Dversion=2021-04-12", 200),
            ("?" + API + "&a=b" * 10000, (200, 414, 431, CLOSED)),
        ]])
        status, body = self.hub.rest("GET", "/devices/device1?api-version=2018-06")
        self.assertEqual((status, body["Message"].split(";")[0]),
                         (400, "ErrorCode:InvalidProtocolVersion"))

    def test_tokens(self):
        good = sas_token("localhost", self.hub.service_key, policy="iothubowner")
        self.check([(token[:40], 401, self.request(token=token)) for token in [
            "x", "SharedAccessSignature", "Bearer x", "Basic YTpi", good[:-3], good + "x",
            good.replace("&skn=iothubowner", ""), good.replace("iothubowner", "nobody"),
            good.replace("iothubowner", "device"), good.replace("sr=localhost", "sr=other"),
            good + "&sr=x", good + "&se=1", "A" * 30000, good.lower(), "\x01",
            good.replace("&se=", "&se=-"), good.replace("&sig=", "&sig=%"),
            self.hub.token()]])
        self.check([("none", 401, self.request(token="")),
                    ("two", 400, self.request(headers=[f"Authorization: {good}"]))])

    def test_heads(self):
        r = self.request
        self.check([
            ("no Host", 400, r(host=None)), ("two Hosts", 400, r(headers=["Host: other"])),
            ("HTTP/1.0 without Host", 200, r(host=None, version="HTTP/1.0")),
            ("Host with a wrong port", 200, r(host="localhost:99999999")),
            ("Host that is no name", 200, r(host="[::1")), ("a long Host", 200, r(host="a" * 20000)),
            ("HTTP/0.9", (400, 505, CLOSED), r(version="HTTP/0.9")), ("HTTP/2.0", (400, 505, CLOSED), r(version="HTTP/2.0")),
            ("no version", (400, 505, CLOSED), b"GET /devices\r\n\r\n"), ("junk", (400, CLOSED), b"\x16\3\1\r\n\r\n"),
            ("another protocol", (400, 505, CLOSED), r(version="JUNK")), ("no colon", 400, r(headers=["NoColon"])),
            ("4,000 headers", (400, 413, 431), r(headers=[f"X{i}: y" for i in range(4000)])),
            ("a header of 64 KB", (413, 431), r(headers=["X: " + "y" * 65536])),
            ("a header of 1 MB", (413, 431, CLOSED), r(headers=["X: " + "y" * 1048576])),
            ("MQTT", (400, CLOSED), packet(0x10, b"\0\4MQTT\4\2\0\0\0\0") + b"\r\n\r\n"),
        ])

    def test_lengths_and_chunks(self):
        path = "/twins/device1?" + API

        def patch(body=b"{}", headers=(), length=False):
            return self.request("PATCH", path, body, headers, length=length)

        def chunked(body, *headers):
            return patch(body, ["Transfer-Encoding: chunked", *headers])

        self.check([
            ("no length and no body", 400, patch(b"")),
            ("no length but a body", 400, patch()),
            *[(f"length {n}", status, patch(headers=[f"Content-Length: {n}"])) for n, status in [
                ("-1", 400), ("x", 400), ("0x2", 400), ("+2", 400), ("2, 2", 400), ("", 400),
                ("1", 400), ("99999999999999999999", (400, 413)), ("18446744073709551618", (400, 413)),
                ("1048577", 413)]],
            ("two lengths", 400, patch(headers=["Content-Length: 2"], length=True)),
            ("two lengths that differ", 400, patch(headers=["Content-Length: 3"], length=True)),
            ("2 MB", 413, patch(b'{"a":"' + b"x" * 2097152 + b'"}', length=True)),
            ("chunks", 200, chunked(b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")),
            ("a chunk with an extension", (200, 400), chunked(b"2;a=b\r\n{}\r\n0\r\n\r\n")),
            ("a trailer", (200, 400), chunked(b"2\r\n{}\r\n0\r\nX: y\r\n\r\n")),
            ("no chunk", 400, chunked(b"0\r\n\r\n")),
            ("a chunk of no number", 400, chunked(b"zz\r\n{}\r\n0\r\n\r\n")),
            ("a negative chunk", 400, chunked(b"-2\r\n{}\r\n0\r\n\r\n")),
            ("a chunk without its end", 400, chunked(b"2\r\n{}0\r\n\r\n")),
            ("a chunk of 2^68", (400, 413), chunked(b"fffffffffffffffff\r\n{}")),
            ("2 MB in chunks", 413, chunked((b"10000\r\n" + b" " * 65536 + b"\r\n") * 32 + b"0\r\n\r\n")),
            ("chunks and a length", 400, chunked(b"2\r\n{}\r\n0\r\n\r\n", "Content-Length: 2")),
            ("gzip as transfer encoding", (400, 501), patch(headers=["Transfer-Encoding: gzip"])),
            ("a body with GET", 200, self.request(body=b"{}")),
            ("Expect", (100, 200), patch(headers=["Expect: 100-continue"], length=True)),
        ])

    def test_bodies(self):
        twin = "/twins/device1?" + API
        method = "/twins/device1/methods?" + API
        message = "/emulator/devices/device1/messages"

        def post(path, body, verb="POST"):
            return self.request(verb, path, body)

        self.check([(repr(body[:40]), status, post(twin, body, "PATCH")) for body, status in [
            (b"", 400), (b"[]", 400), (b"null", 400), (b"1", 400), (b'"x"', 400), (b"{", 400),
            (b"{} x", 400), (b"\xef\xbb\xbf{}", 400), ("{}".encode("utf-16"), 400),
            (b'{"tags":{"a":"\xff"}}', 400), (b'{"tags":{"a":"\\u0000"}}', 400),
            (b'{"tags":{"a":"\0"}}', 400), (b"{}\0", 400), (b"[" * 100000, 400), (b"{'a':1}", 400),
            (b"/**/{}", 400), (b'{"tags":{"a":"\\udc00"}}', 400), (b'{"tags":{"a":[null]}}', 400),
            (b'{"tags":5}', 400), (b'{"properties":5}', 400), (b'{"properties":{"desired":[]}}', 400),
            (b'{"tags":{"a":"' + b"x" * 5000 + b'"}}', 400), (b'{"tags":{"a":1e400}}', 400),
            (b'{"tags":{"a":9007199254740993}}', 400), (b'{"tags":{"$a":1}}', 400),
            (b'{"tags":{"a":{"b":' + b'{"c":' * 10 + b"1" + b"}" * 12 + b"}", 400),
            (b'{"tags":{' + b",".join(b'"k%d":"%s"' % (i, b"x" * 4000) for i in range(3)) + b"}}", 413),
            (b'{"tags":{"a":1},"tags":{"a":null}}', 200), (b"{}", 200)]])
        self.check([(repr(body[:60]), status, post(method, body)) for body, status in [
            (b"", 400), (b"{}", 400), (b"7", 400), (b'{"methodName":1}', 400),
            (b'{"methodName":""}', 400), (b'{"methodName":"a/b"}', 400),
            (b'{"methodName":"' + b"x" * 200 + b'"}', 400), (b'{"methodName":"a\\u0000"}', 400),
            (b'{"methodName":"\xc3\xa4"}', 400), (b'{"methodName":"a#"}', 400),
            (b'{"methodName":"x","responseTimeoutInSeconds":4}', 400),
            (b'{"methodName":"x","responseTimeoutInSeconds":301}', 400),
            (b'{"methodName":"x","responseTimeoutInSeconds":"5"}', 400),
            (b'{"methodName":"x","connectTimeoutInSeconds":1e400}', 400),
            (b'{"methodName":"x","connectTimeoutInSeconds":-1}', 400),
            (b'{"methodName":"x","payload":"' + b"x" * 131071 + b'"}', 413),
            (b'{"methodName":"x"}', 404)]])
        self.check([(repr(body[:60]), status, post(message, body)) for body, status in [
            (b"", 400), (b"[]", 400), (b'{"body":1}', 400), (b'{"body":"a","bodyBase64":"YQ=="}', 400),
            (b'{"bodyBase64":"****"}', 400), (b'{"body":"\\u0000"}', 400), (b'{"ttlSeconds":0}', 400),
            (b'{"ttlSeconds":1e9}', 400), (b'{"ttlSeconds":1.5}', 400), (b'{"properties":[]}', 400),
            (b'{"properties":{"":"x"}}', 400), (b'{"properties":{"$.mid":"x"}}', 400),
            (b'{"properties":{"a":1}}', 400), (b'{"messageId":"' + b"x" * 129 + b'"}', 400),
            (b'{"ack":"maybe"}', 400), (b'{"body":"' + b"x" * 65537 + b'"}', 413),
            (b'{"properties":{"a":"' + b"\xc3\xa4" * 30000 + b'"}}', 413)]])
        self.assertEqual(self.hub.waiting(), 0)

    def test_event_queries(self):
        self.check([(query, status, self.request(path="/emulator/events?" + query))
                    for query, status in [
            ("from=-1", 400), ("from=x", 400), ("from=", 400), ("from=99999999999999999999", 400),
            ("from=1.5", 400), ("timeout=-1", 400), ("timeout=99999", 400), ("limit=-1", 400),
            ("limit=0", 200), ("from=1&timeout=0&device=", 200),
            ("from=1&timeout=0&device=%00", 200)]])

    def test_etags(self):
        self.check([(etag[:20], status, self.request("PATCH", "/twins/device1?" + API, b"{}",
                                                     [f"If-Match: {etag}"]))
                    for etag, status in [("*", 200), ('"*"', 200), ("x", 412), ('"x"', 412),
                                         ('"', 412), ('""', 412), ("", 412), ('W/"x"', 412),
                                         ("a" * 10000, 412)]])

    def test_half_a_request_and_many_at_once(self):
        whole = self.request("PATCH", "/twins/device1?" + API, b'{"tags":{}}')
        for cut in range(1, len(whole), 37):
            raw = socket.create_connection(("localhost", self.hub.rest_port), PATIENCE_S)
            with self.hub.tls.wrap_socket(raw, server_hostname="localhost") as connection:
                connection.sendall(whole[:cut])
        one = self.request().replace(b"Connection: close\r\n", b"")
        raw = socket.create_connection(("localhost", self.hub.rest_port), PATIENCE_S)
        with self.hub.tls.wrap_socket(raw, server_hostname="localhost") as connection:
            connection.sendall(one * 2 + self.request())
            got = b""
            while True:
                piece = connection.recv(65536)
                if not piece:
                    break
                got += piece
        self.assertEqual(got.count(b"HTTP/1.1 200"), 3)

    def test_a_client_that_leaves_while_its_method_waits(self):
        body = b'{"methodName":"x","connectTimeoutInSeconds":300}'
        for _ in range(20):
            raw = socket.create_connection(("localhost", self.hub.rest_port), PATIENCE_S)
            with self.hub.tls.wrap_socket(raw, server_hostname="localhost") as connection:
                connection.sendall(self.request("POST", "/twins/device1/methods?" + API, body))

    def test_a_watcher_that_does_not_read(self):
        raw = socket.create_connection(("localhost", self.hub.rest_port), PATIENCE_S)
        with self.hub.tls.wrap_socket(raw, server_hostname="localhost") as connection:
            connection.sendall(self.request(path="/emulator/events?from=1"))
            device = Device(self.hub)
            for _ in range(100):
                device.publish(EVENTS, b"x" * 100000)
            device.disconnect()


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    del Hostile
    unittest.main()
