#!/usr/bin/env python3
"""Tests WebSocket connections to the emulator apart from MQTT: upgrades, fragments, control frames, and
frames that are not allowed. The other files test what devices do, with HUB_TEST_TRANSPORT=websocket.

usage: test_emulator_websocket.py HUB_EMULATOR
"""

import os
import socket
import struct
import sys
import unittest

from emulator import API, PATIENCE_S, Device, Emulator, WebSocket, text

PROGRAM = ""
EVENTS = "devices/device1/messages/events/"


class WebSockets(unittest.TestCase):
    """All tests share one emulator."""

    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(PROGRAM)

    @classmethod
    def tearDownClass(cls):
        assert cls.hub.stop() == 0

    def secure(self):
        raw = socket.create_connection(("localhost", self.hub.rest_port), PATIENCE_S)
        secure = self.hub.tls.wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(secure.close)
        return secure

    def connect_packet(self):
        payload = text("device1") + text(self.hub.user_name()) + text(self.hub.token())
        body = text("MQTT") + bytes([4, 0xC2, 0, 60]) + payload
        assert 127 < len(body) < 16384
        return b"\x10" + bytes([len(body) % 128 | 128, len(body) // 128]) + body

    def open(self, **arguments):
        client = WebSocket(self.secure(), **arguments)
        self.assertIn("101", client.head.decode().split("\r\n")[0])
        self.assertIn(f"Sec-WebSocket-Accept: {WebSocket.ACCEPT}\r\n", client.head.decode())
        return client

    def log_in(self):
        client = self.open()
        client.sendall(self.connect_packet())
        self.assertEqual(client.receive(), (0x82, b"\x20\x02\0\0"))
        return client

    @staticmethod
    def publish(number, body):
        inner = text(EVENTS) + struct.pack(">H", number) + body
        assert len(inner) < 128
        return bytes([0x32, len(inner)]) + inner

    def expect_close(self, client, code):
        first, data = client.receive()
        self.assertEqual((first, int.from_bytes(data[:2], "big")), (0x88, code))
        self.assertEqual(client.secure.recv(1), b"")

    def test_the_path_may_have_a_query(self):
        self.open(path=WebSocket.PATH + "?iothub-no-client-cert=true").close()

    def test_wrong_upgrades_are_refused_and_the_connection_ends(self):
        head = (f"GET {WebSocket.PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                "Connection: close, upgrade\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: {WebSocket.KEY}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
        for status, old, new in [(400, "Protocol: mqtt", "Protocol: mqttv3.1"), (426, "13", "12"),
                                 (400, WebSocket.KEY, "short"), (400, "Host: localhost\r\n", ""),
                                 (400, "close, upgrade", "close"), (400, "HTTP/1.1", "HTTP/1.0"),
                                 (401, "Upgrade: websocket", "Upgrade: h2c")]:
            with self.subTest(new):
                secure = self.secure()
                self.assertIn(old, head)
                secure.sendall(head.replace(old, new).encode())
                answer = b""
                while piece := secure.recv(1000):
                    answer += piece
                self.assertEqual(int(answer.split()[1]), status)

    def test_a_packet_may_arrive_in_fragments_with_pings_between_them(self):
        client = self.log_in()
        packet = self.publish(7, b"fragments")
        parts = [packet[:1], packet[1:2], b"", packet[2:20], packet[20:]]
        for i, part in enumerate(parts):
            first = (2 if i == 0 else 0) | (0x80 if i + 1 == len(parts) else 0)
            client.secure.sendall(client.frame(part, first) + client.frame(b"%d" % i, client.PING))
        for i in range(len(parts)):
            self.assertEqual(client.receive(), (0x8A, b"%d" % i))
        self.assertEqual(client.receive(), (0x82, b"\x40\x02\0\x07"))
        client.close()

    def test_one_message_may_hold_many_packets_and_one_record_many_messages(self):
        client = self.log_in()
        bodies = [b"%d" % n for n in range(200)]
        before = len(self.hub.events())
        client.sendall(b"".join(self.publish(n + 1, body) for n, body in enumerate(bodies[:100])))
        client.secure.sendall(b"".join(client.frame(self.publish(n + 101, body))
                                       for n, body in enumerate(bodies[100:])))
        acknowledged = b""
        while len(acknowledged) < 4 * len(bodies):
            acknowledged += client.recv(10000)
        self.assertEqual([event["body"].encode() for event in self.hub.events()[before:]], bodies)
        client.close()

    def test_a_close_is_answered_with_its_code(self):
        for client in (self.open(), self.log_in()):
            for_code = 1000 if client.payload else 4000
            client.secure.sendall(client.frame(struct.pack(">H", for_code) + b"bye", client.CLOSE))
            self.assertEqual(client.receive(), (0x88, struct.pack(">H", for_code) + b"bye"))
            self.assertEqual(client.secure.recv(1), b"")

    def test_frames_that_are_not_allowed_end_the_connection_with_their_code(self):
        frame = WebSocket.frame
        unmasked = b"\x82\x02\xC0\0"
        for code, data in [(1003, frame(b"text", 0x81)), (1002, unmasked), (1002, frame(b"x", 0x80)),
                           (1002, frame(b"x", 0xC2)), (1002, frame(b"x", 0x02) + frame(b"y", 0x82)),
                           (1002, frame(b"\0\0", 0x88))]:
            for client in (self.open(), self.log_in()):
                with self.subTest(data=data):
                    client.secure.sendall(data)
                    self.expect_close(client, code)

    def test_a_frame_that_cannot_be_one_ends_the_connection(self):
        for data in [WebSocket.frame(b"x", 0x83), WebSocket.frame(b"x" * 126, 0x89),
                     WebSocket.frame(b"x", 0x09), b"\x82\xFF" + b"\xFF" * 8 + b"mask",
                     b"\x82\xFE\0\x05mask12345"]:
            with self.subTest(data=data):
                client = self.log_in()
                client.secure.sendall(data)
                self.assertEqual(client.receive()[0], 0x88)
                self.assertEqual(client.secure.recv(1), b"")

    def test_what_is_not_mqtt_ends_the_connection(self):
        client = self.open()
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.expect_close(client, 1000)

    def test_a_refused_login_is_told_before_the_close(self):
        client = self.open()
        client.sendall(self.connect_packet().replace(b"sig=", b"gis="))
        self.assertEqual(client.receive(), (0x82, b"\x20\x02\0\x05"))
        self.expect_close(client, 1000)

    def test_one_device_may_change_from_one_port_to_the_other(self):
        by_websocket = self.log_in()
        device = Device(self.hub)
        self.assertEqual(device.code, 0)
        self.expect_close(by_websocket, 1000)
        by_websocket = self.log_in()
        device.wait_closed()
        by_websocket.close()

    def test_rest_requests_of_one_connection_are_still_served(self):
        connection = self.hub.connect()
        for _ in range(3):
            connection.request("GET", "/devices/device1?" + API)
            response = connection.getresponse()
            self.assertEqual(response.status, 401)
            response.read()
        connection.close()


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
