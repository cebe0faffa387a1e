#!/usr/bin/env python3
"""Tests the Device Provisioning Service over a network with faults, and with a service that answers
badly: each message of a device that does not know its hub yet arrives.

usage: test_provisioning_faults.py BIN_DIR PROVISIONED FAULT_PROXY
"""

import json
import sys
import unittest

from emulator import DIRECT, Background, Emulator, Proxy, first_seen, numbers

BIN_DIR, PROVISIONED, FAULT_PROXY = (sys.argv.pop(1) for _ in range(3))
ROUNDS, CUT_ROUNDS, TIMES = (2, 5, 3) if DIRECT else (1, 3, 1)


class Faults(unittest.TestCase):
    """A client that is made again and again while the network or the service fails."""

    def run_rounds(self, way, count):
        program = Background([PROVISIONED, way.device_port, str(count)], way.environment())
        report = json.loads(program.end()[-1])
        self.assertEqual((report["acknowledged"], report["failed"]), (3 * count, 0))
        self.assertGreaterEqual(report["assigned"], count)
        attempts = report["failedAttempts"] + 2 * count
        self.assertLess(report["turns"], 400 * attempts)  # no busy loop
        return report

    def rounds(self, count, fault, n=1, seed=1):
        """Checks that each message arrives. Returns what the clients report."""
        with Emulator(BIN_DIR, arguments=("--enroll", "sensor-1")) as hub:
            with Proxy(FAULT_PROXY, hub, fault, n, seed) as proxy:
                report = self.run_rounds(proxy, count)
            monitor = hub.monitor()
            monitor.wait_for(lambda lines: any(f'{3 * count}}}' in line for line in lines))
            monitor.stop()
        self.assertEqual(first_seen(numbers(monitor.lines)), list(range(1, 3 * count + 1)))
        return report

    def test_a_quiet_network(self):
        self.assertEqual(self.rounds(3, "pass")["failedAttempts"], 0)

    def test_pieces_and_delays(self):
        self.rounds(3, "split", 20)
        if DIRECT:
            self.rounds(2, "trickle", 10)
            self.rounds(2, "delay", 100)

    def test_connections_are_cut_or_reset_at_any_byte(self):
        for seed in range(ROUNDS):
            self.assertGreater(self.rounds(CUT_ROUNDS, "cut", 6000, seed)["failedAttempts"], 1)
            self.assertGreater(self.rounds(CUT_ROUNDS, "reset", 6000, seed)["failedAttempts"], 1)

    def test_a_connection_that_goes_silent_is_given_up(self):
        for n in (500, 3500)[:ROUNDS]:
            self.rounds(1, "stall", n)
            self.rounds(1, "half-open", n)

    def test_a_service_that_hangs_up_at_first(self):
        self.rounds(2, "refuse", 5)

    def test_a_service_that_answers_badly(self):
        faults = ({"kind": "status", "status": 429, "retryAfter": 1}, {"kind": "status", "status": 500},
                  {"kind": "status", "status": 503}, {"kind": "nonsense"}, {"kind": "half"},
                  {"kind": "silence"}, {"kind": "close"})
        with Emulator(BIN_DIR, arguments=("--enroll", "sensor-1")) as hub:
            for fault in faults:
                hub.put("/emulator/dps/faults", {"count": TIMES, **fault})
                self.run_rounds(hub, ROUNDS)


if __name__ == "__main__":
    unittest.main()
