#!/usr/bin/env python3
"""Tests telemetry over a network with faults: no accepted message is lost, and each message ends once.

usage: test_faults.py BIN_DIR FLOOD FAULT_PROXY
"""

import json
import sys
import unittest

from emulator import ALLOCATIONS_PER_ATTEMPT, DIRECT, Background, Emulator, Proxy, first_seen, numbers

BIN_DIR, FLOOD, FAULT_PROXY = (sys.argv.pop(1) for _ in range(3))
SEEDS = range(3) if DIRECT else range(1)
only_direct = unittest.skipUnless(DIRECT, "slow, and no other on this way")


class Faults(unittest.TestCase):
    def flood(self, fault, n, count, keep_alive_s=60, seed=1, size=0):
        """Checks that everything arrives, new messages in order. Returns the report of the client."""
        with Emulator(BIN_DIR) as hub, Proxy(FAULT_PROXY, hub, fault, n, seed) as proxy:
            flood = Background([FLOOD, proxy.device_port, str(count), str(keep_alive_s), str(size)],
                               proxy.environment())
            report = json.loads(flood.end()[-1])
            monitor = hub.monitor()
            monitor.wait_for(lambda lines: any(f'{count}}}' in line for line in lines))
            monitor.stop()
        self.assertEqual(report["ended"], count)
        attempts = report["connects"] + report["failed_attempts"]
        self.assertLessEqual(report["allocations"], ALLOCATIONS_PER_ATTEMPT * attempts, report)
        self.assertEqual(first_seen(numbers(monitor.lines)), list(range(1, count + 1)))
        return report

    def test_a_quiet_network(self):
        self.assertEqual(self.flood("pass", 1, 1000)["losses"], 0)

    def test_every_record_is_split(self):
        self.assertEqual(self.flood("split", 100, 500)["losses"], 0)

    @only_direct
    def test_a_slow_line(self):
        self.assertEqual(self.flood("trickle", 20, 50)["losses"], 0)

    @only_direct
    def test_a_large_message_that_takes_longer_than_the_keep_alive_allows(self):
        self.assertEqual(self.flood("drip", 1, 1, keep_alive_s=10, size=18000)["losses"], 0)

    def test_a_long_line(self):
        self.assertEqual(self.flood("delay", 30, 500)["losses"], 0)

    def test_connections_are_cut(self):
        for seed in SEEDS:
            self.assertGreater(self.flood("cut", 30000, 2000, seed=seed)["losses"], 2)

    def test_connections_are_reset(self):
        for seed in SEEDS:
            self.assertGreater(self.flood("reset", 30000, 2000, seed=seed)["losses"], 2)

    def test_a_connection_that_goes_silent_is_given_up(self):
        self.assertGreater(self.flood("stall", 10000, 1000, keep_alive_s=1)["connects"], 1)

    @only_direct
    def test_a_connection_on_which_nothing_comes_back_is_given_up(self):
        self.assertGreater(self.flood("half-open", 10000, 1000, keep_alive_s=1)["connects"], 1)

    def test_a_hub_that_hangs_up_at_first(self):
        self.assertEqual(self.flood("refuse", 5, 100)["connects"], 1)


if __name__ == "__main__":
    unittest.main()
