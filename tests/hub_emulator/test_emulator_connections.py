#!/usr/bin/env python3
"""Tests faults of connections that are requested over REST: drops, delays, cuts, and handshakes and upgrades that are
refused.

usage: test_emulator_connections.py HUB_EMULATOR
"""

import os
import socket
import ssl
import struct
import sys
import time
import unittest

from emulator import OVER_WEBSOCKET, PATIENCE_S, Device, Emulator, WebSocket, text

PROGRAM = ""
EVENTS = "devices/device1/messages/events/"


class Connections(unittest.TestCase):
    """All tests share one emulator."""

    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(PROGRAM)

    @classmethod
    def tearDownClass(cls):
        assert cls.hub.stop() == 0

    def order(self, **faults):
        self.assertEqual(self.hub.rest("PUT", "/emulator/devices/device1/faults", faults)[0], 204)

    def order_next(self, **faults):
        self.assertEqual(self.hub.rest("PUT", "/emulator/faults", faults)[0], 204)

    def test_a_device_is_dropped(self):
        for how in ("close", "reset"):
            device = Device(self.hub)
            self.order(drop=how)
            device.wait_closed()
        self.assertEqual(self.hub.rest("PUT", "/emulator/devices/device1/faults", {"drop": "close"})[0], 404)

    def test_answers_are_delayed(self):
        device = Device(self.hub)
        self.order(delayMs=200)
        begun = time.monotonic()
        device.quiet()
        self.assertGreater(time.monotonic() - begun, 0.19)
        self.order(delayMs=0)
        device.quiet()
        device.disconnect()

    def test_pubacks_are_delayed_and_other_packets_are_not(self):
        device = Device(self.hub)
        self.order(delayPubacksMs=200)
        device.write(0x32, text(EVENTS) + struct.pack(">H", 7) + b"late")
        device.write(0xC0, b"")
        device.expect(Device.PINGRESP)
        self.assertEqual(device.expect(Device.PUBACK), b"\0\7")
        self.assertIn("late", [event.get("body") for event in self.hub.events()])
        device.disconnect()

    def test_a_connection_is_cut_after_bytes_to_the_device(self):
        device = Device(self.hub)
        self.order(cutToDevice=3)
        device.write(0xC0, b"")
        device.expect(Device.PINGRESP)
        device.write(0xC0, b"")
        self.assertEqual(device.packet()[0], 0)
        device.abort()

    def test_a_connection_is_cut_after_bytes_from_the_device(self):
        count = len(self.hub.events())
        device = Device(self.hub)
        packet_len = 2 + 2 + len(EVENTS) + 2 + len("cut")
        self.order(cutFromDevice=packet_len + 5)
        device.publish(EVENTS, "cut")
        device.write(0x32, text(EVENTS) + struct.pack(">H", 9) + b"cut")
        device.wait_closed()
        self.assertEqual(len(self.hub.events()), count + 1)

    def test_handshakes_are_refused(self):
        self.order_next(tls={"count": 2, "alert": 40})
        for _ in range(2):
            with self.assertRaises(ssl.SSLError) as caught:
                Device(self.hub)
            self.assertIn("HANDSHAKE_FAILURE", str(caught.exception).upper())
        Device(self.hub).disconnect()

    def upgrade(self):
        raw = socket.create_connection(("localhost", self.hub.rest_port), PATIENCE_S)
        secure = self.hub.tls.wrap_socket(raw, server_hostname="localhost")
        client = WebSocket(secure)
        client.close()
        return int(client.head.split()[1])

    @unittest.skipIf(OVER_WEBSOCKET, "it uses WebSocket in any case")
    def test_upgrades_are_refused_and_delayed(self):
        self.order_next(upgrades={"count": 2, "status": 429})
        self.assertEqual([self.upgrade() for _ in range(3)], [429, 429, 101])
        self.order_next(upgrades={"delayMs": 200})
        begun = time.monotonic()
        self.assertEqual(self.upgrade(), 101)
        self.assertGreater(time.monotonic() - begun, 0.19)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
