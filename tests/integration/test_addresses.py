#!/usr/bin/env python3
"""Tests how a device reaches a host whose addresses or ports are blocked, in a network of its own.

usage: test_addresses.py BIN_DIR

It runs in a network namespace of its own; see own_network.py.
"""

import sys
import time
import unittest

import own_network
from emulator import PATIENCE_S, Background, Emulator

ARGUMENTS = [__file__, *sys.argv[1:]]
BIN_DIR = sys.argv.pop(1)
SOON_S = 10  # far below connect_timeout_ms, which a blocked address would take


class Addresses(unittest.TestCase):
    def setUp(self):
        self.filter = own_network.Filter()
        self.addCleanup(self.filter.close)
        self.hub = Emulator(BIN_DIR)
        self.addCleanup(self.hub.__exit__)
        self.hub.start()

    def send(self, **variables):
        """Sends two messages with the sample. Returns its exit status, what it said, and how long it took."""
        began = time.monotonic()
        sample = Background(self.hub.command("telemetry", "--count", "2", "--duration", "60"),
                            {**self.hub.environment(), **variables})
        status = sample.process.wait(PATIENCE_S)
        sample.reader.join()
        said = "\n".join(sample.lines) + sample.said()
        sample.close()
        return status, said, time.monotonic() - began

    def assert_delivers_soon(self, **variables):
        status, said, took_s = self.send(**variables)
        self.assertEqual(status, 0, said)
        self.assertLess(took_s, SOON_S, said)
        return said

    def test_a_dead_ipv6_route_is_no_obstacle(self):
        for verdict in ("drop", "reject"):
            with self.subTest(verdict):
                self.filter.block(f"ip6 daddr ::1 tcp dport {self.hub.port} {verdict}")
                self.assert_delivers_soon()
                self.filter.unblock()

    def test_a_dead_ipv4_route_is_no_obstacle(self):
        self.filter.block(f"ip daddr 127.0.0.1 tcp dport {self.hub.port} drop")
        self.assert_delivers_soon()

    def test_a_source_address_is_used(self):
        self.filter.block(f"ip saddr != 127.0.0.9 ip daddr 127.0.0.1 tcp dport {self.hub.port} drop")
        self.assert_delivers_soon(IOTHUB_BIND="127.0.0.9")

    def test_an_interface_is_used(self):
        self.assert_delivers_soon(IOTHUB_BIND="lo")
        status, said, _ = self.send(IOTHUB_BIND="nope0")
        self.assertNotEqual(status, 0)
        self.assertIn("bound to nope0: no such device", said)

    def test_a_blocked_port_leads_to_websocket_at_once(self):
        for verdict in ("drop", "reject"):
            with self.subTest(verdict):
                self.filter.block(f"tcp dport {self.hub.port} {verdict}")
                self.assert_delivers_soon(IOTHUB_TRANSPORT="auto")
                self.filter.unblock()


if __name__ == "__main__":
    own_network.enter(ARGUMENTS)
    unittest.main()
