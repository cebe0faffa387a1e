#!/usr/bin/env python3
"""Tests renewals while telemetry is sent: nothing is lost, repeated or noticed, and nothing grows.

usage: test_renewals.py BIN_DIR RENEWALS FAULT_PROXY
"""

import json
import sys
import unittest

from emulator import ALLOCATIONS_PER_ATTEMPT, DIRECT, Background, Emulator, Proxy, first_seen, numbers

BIN_DIR, RENEWALS, FAULT_PROXY = (sys.argv.pop(1) for _ in range(3))


class Renewals(unittest.TestCase):
    def renew(self, hub, way, count, lifetime_s, *more):
        device = Background([RENEWALS, way.device_port, str(count), str(lifetime_s), *more], way.environment())
        report = json.loads(device.end()[-1])
        monitor = hub.monitor()
        monitor.wait_for(lambda lines: any(f'{report["sent"]}}}' in line for line in lines))
        monitor.stop()
        self.assertGreaterEqual(report["renewals"], count)
        for name in ("failed", "surprises", "losses", "failed_attempts"):
            self.assertEqual(report[name], 0, name)
        self.assertLessEqual(report["allocations"], ALLOCATIONS_PER_ATTEMPT * report["renewals"])
        self.assertEqual(report["ended"], report["sent"])
        self.assertEqual(*report["descriptors"])
        self.assertEqual(first_seen(numbers(monitor.lines)), list(range(1, report["sent"] + 1)))
        return report

    def test_one_after_the_other(self):
        with Emulator(BIN_DIR) as hub:
            self.renew(hub, hub, 30, 0)

    def test_over_a_long_line(self):
        with Emulator(BIN_DIR) as hub, Proxy(FAULT_PROXY, hub, "delay", 20) as proxy:
            self.renew(hub, proxy, 5, 0)

    def test_with_tokens_that_live_two_seconds(self):
        with Emulator(BIN_DIR) as hub:
            self.renew(hub, hub, 2, 2)

    def test_a_thousand_tokens_of_a_provider(self):
        with Emulator(BIN_DIR) as hub:
            self.renew(hub, hub, 1000 if DIRECT else 30, 0, "provider")

    def test_tokens_of_a_provider_that_live_two_seconds(self):
        with Emulator(BIN_DIR) as hub:
            self.renew(hub, hub, 1, 2, "provider")


if __name__ == "__main__":
    unittest.main()
