#!/usr/bin/env python3
"""Tests how the emulator refuses AMQP, over TLS and over WebSocket.

usage: test_emulator_amqp.py HUB_EMULATOR
"""

import os
import pathlib
import socket
import sys
import time
import unittest

from emulator import API, PATIENCE_S, Emulator

PROGRAM = ""


class Amqp(unittest.TestCase):
    """Tests the answers to clients that use an unsupported protocol."""

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
        return body[6], body[4:]  # the code of the descriptor, and the rest of the frame

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
        for arguments in [{"protocol": "AMQPWSB09"}, {"path": "/devices?" + API}]:
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
        for number in range(40):  # more connections than are served at a time
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

    def endings_take(self):
        """Returns the seconds until the emulator has closed three connections: those with a wrong header,
        and one whose close was not answered.
        """
        wrong, unanswered = self.connect(), self.connect()
        by_websocket, _ = self.upgrade()
        begun = time.monotonic()
        wrong.sendall(b"hello")
        unanswered.sendall(self.AMQP)
        by_websocket.sendall(self.masked(self.AMQP))
        self.assertEqual(self.exactly(wrong, 8), self.SASL)
        self.assertEqual(wrong.recv(1), b"")
        self.expect_reason(unanswered)
        self.assertEqual(unanswered.recv(1), b"")
        while by_websocket.recv(1000):
            pass
        return time.monotonic() - begun

    def test_a_wrong_header_and_an_unanswered_close_end_the_connection(self):
        # A client that sends nothing is disconnected after ten seconds. On a busy machine the other three may take that
        # long as well, so the test repeats until they were faster.
        while self.endings_take() >= 9:
            pass

    def test_what_is_too_many_is_closed_and_room_comes_back(self):
        crowd = [socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
                 for _ in range(17)]
        self.assertEqual(crowd[-1].recv(1), b"")
        for raw in crowd:
            raw.close()
        secure = self.connect()
        secure.sendall(self.AMQP)
        self.expect_reason(secure)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
