#!/usr/bin/env python3
"""Tests how a device reaches a host whose addresses or ports are blocked, in a network of its own.

usage: test_addresses.py BIN_DIR

It needs network namespaces, ip (package iproute2) and nft (nftables); without them it is skipped.
"""

import os
import shutil
import subprocess
import sys
import time
import unittest

from emulator import PATIENCE_S, Background, Emulator

BIN_DIR = sys.argv.pop(1)
INSIDE = "HUB_TEST_OWN_NETWORK"
SOON_S = 10  # far below connect_timeout_ms, which a blocked address would take


def enter_network_namespace():
    """Runs the tests again in a network namespace, if that is allowed."""
    wrapper = ["unshare", "--map-root-user", "--net"]
    may = shutil.which("nft") is not None and subprocess.run(
        [*wrapper, "sh", "-c", "ip link set lo up && nft add table inet t"],
        stderr=subprocess.DEVNULL, check=False).returncode == 0
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1" if may else "0"
        if may:
            os.execvp(wrapper[0], [*wrapper, sys.executable, "-B", __file__, BIN_DIR, *sys.argv[1:]])


def nft(*words):
    subprocess.run(["nft", " ".join(words)], check=True)


class Addresses(unittest.TestCase):
    def setUp(self):
        nft("add table inet test")
        nft("add chain inet test out { type filter hook output priority 0 ; }")
        self.addCleanup(nft, "delete table inet test")
        self.hub = Emulator(BIN_DIR)
        self.addCleanup(self.hub.__exit__)
        self.hub.start()

    def block(self, *rule):
        nft("add rule inet test out", *rule)

    def unblock(self):
        nft("flush chain inet test out")

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
                self.block(f"ip6 daddr ::1 tcp dport {self.hub.port} {verdict}")
                self.assert_delivers_soon()
                self.unblock()

    def test_a_dead_ipv4_route_is_no_obstacle(self):
        self.block(f"ip daddr 127.0.0.1 tcp dport {self.hub.port} drop")
        self.assert_delivers_soon()

    def test_a_source_address_is_used(self):
        self.block(f"ip saddr != 127.0.0.9 ip daddr 127.0.0.1 tcp dport {self.hub.port} drop")
        self.assert_delivers_soon(IOTHUB_BIND="127.0.0.9")

    def test_an_interface_is_used(self):
        self.assert_delivers_soon(IOTHUB_BIND="lo")
        status, said, _ = self.send(IOTHUB_BIND="nope0")
        self.assertNotEqual(status, 0)
        self.assertIn("bound to nope0: no such device", said)

    def test_a_blocked_port_leads_to_websocket_at_once(self):
        for verdict in ("drop", "reject"):
            with self.subTest(verdict):
                self.block(f"tcp dport {self.hub.port} {verdict}")
                self.assert_delivers_soon(IOTHUB_TRANSPORT="auto")
                self.unblock()


if __name__ == "__main__":
    enter_network_namespace()
    if os.environ[INSIDE] == "0":
        print("SKIPPED: no network namespace, or no ip (package iproute2) or nft (nftables)")
        sys.exit(77)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    unittest.main()
