#!/usr/bin/env python3
"""Tests that a device finds the way that is open: TLS, or WebSocket on another port.

usage: test_auto.py BIN_DIR
"""

import os
import socket
import sys
import unittest

from emulator import PATIENCE_S, Background, Emulator

BIN_DIR = sys.argv.pop(1)


class BlackHole:
    """A port whose queue of connections is full, so that the system drops further attempts."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    def close(self):
        for s in (*self.fillers, self.listener):
            s.close()


class Auto(unittest.TestCase):
    def setUp(self):
        self.hub = Emulator(BIN_DIR)
        self.addCleanup(self.hub.__exit__)
        self.hub.start()

    def send(self, port, websocket_port):
        environment = {**self.hub.environment(), "IOTHUB_TRANSPORT": "auto",
                       "IOTHUB_PORT": str(port), "IOTHUB_REST_PORT": str(websocket_port)}
        sample = Background(self.hub.command("telemetry", "--count", "2", "--duration", "100"),
                            environment)
        status = sample.process.wait(PATIENCE_S)
        sample.reader.join()
        said = "\n".join(sample.lines) + sample.said()
        sample.close()
        return status, said

    def closed_port(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    def assert_delivers(self, port, websocket_port):
        status, said = self.send(port, websocket_port)
        self.assertIn("2 messages arrived", said)
        self.assertEqual(status, 0, said)

    def test_a_port_that_refuses_or_swallows_connections_is_passed_by(self):
        hole = BlackHole()
        self.addCleanup(hole.close)
        for shut in (self.closed_port(), hole.port):
            with self.subTest(shut=shut):
                self.assert_delivers(shut, self.hub.rest_port)
                self.assert_delivers(self.hub.port, shut)
        self.assert_delivers(self.hub.port, self.hub.rest_port)

    def test_two_closed_ports_are_both_named(self):
        status, said = self.send(self.closed_port(), self.closed_port())
        self.assertNotEqual(status, 0)
        self.assertEqual(said.count("connection refused"), 2, said)


if __name__ == "__main__":
    unittest.main()
