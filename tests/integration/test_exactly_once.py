#!/usr/bin/env python3
"""Tests QoS 2 with Mosquitto over connections that break anywhere: no message is lost, and none arrives
twice unless Mosquitto sent it again after its PUBREL, which exactly_once detects in the received bytes.

usage: test_exactly_once.py BIN_DIR EXACTLY_ONCE FAULT_PROXY
"""

import json
import os
import sys
import unittest

from broker import PATIENCE_S, Broker
from emulator import DIRECT, TRANSPORT, Background, Proxy

_, EXACTLY_ONCE, FAULT_PROXY = (sys.argv.pop(1) for _ in range(3))
COUNT = 400
SEEDS = range(3) if DIRECT else range(1)
# Bytes until a connection breaks, at most. Over WebSocket more, since Mosquitto takes a quarter of a second for
# each of those connections.
LIFE = 1500 if DIRECT else 8000
LEAST_CONNECTIONS = 10 if DIRECT else 5


class ExactlyOnce(unittest.TestCase):
    def trial(self, fault, n, seed):
        path = ["/mqtt"] if TRANSPORT == "ws" else []
        with (Broker(websocket=TRANSPORT == "ws") as broker,
              Proxy(FAULT_PROXY, broker, fault, n, seed) as proxy):
            trial = Background([EXACTLY_ONCE, proxy.device_port, str(COUNT), str(PATIENCE_S), *path], os.environ)
            report = json.loads(trial.end()[-1])
        self.assertEqual((report["done"], report["arrived"]), (COUNT, COUNT), report)
        return report

    def test_a_quiet_network(self):
        report = self.trial("pass", 1, 1)
        self.assertEqual((report["connections"], report["twice"]), (1, 0), report)

    def test_connections_are_cut(self):
        for seed in SEEDS:
            self.assertGreater(self.trial("cut", LIFE, seed)["connections"], LEAST_CONNECTIONS)

    def test_connections_are_reset(self):
        for seed in SEEDS:
            self.assertGreater(self.trial("reset", LIFE, seed)["connections"], LEAST_CONNECTIONS)


if __name__ == "__main__":
    unittest.main()
