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
from emulator import Background, Proxy

_, EXACTLY_ONCE, FAULT_PROXY = (sys.argv.pop(1) for _ in range(3))
COUNT = 400


class ExactlyOnce(unittest.TestCase):
    def trial(self, fault, n, seed):
        with Broker() as broker, Proxy(FAULT_PROXY, broker, fault, n, seed) as proxy:
            trial = Background([EXACTLY_ONCE, proxy.port, str(COUNT), str(PATIENCE_S)], os.environ)
            report = json.loads(trial.end()[-1])
        self.assertEqual((report["done"], report["arrived"]), (COUNT, COUNT), report)
        return report

    def test_a_quiet_network(self):
        report = self.trial("pass", 1, 1)
        self.assertEqual((report["connections"], report["twice"]), (1, 0), report)

    def test_connections_are_cut(self):
        for seed in range(3):
            self.assertGreater(self.trial("cut", 1500, seed)["connections"], 10)

    def test_connections_are_reset(self):
        for seed in range(3):
            self.assertGreater(self.trial("reset", 1500, seed)["connections"], 10)


if __name__ == "__main__":
    unittest.main()
