#!/usr/bin/env python3
"""Sends 10,000 messages while the hub is killed and restarted: no accepted message is lost.

usage: test_restart.py BIN_DIR FLOOD
"""

import json
import sys
import unittest

from emulator import ALLOCATIONS_PER_ATTEMPT, Background, Emulator, first_seen, numbers

BIN_DIR, FLOOD = sys.argv.pop(1), sys.argv.pop(1)
COUNT = 10000


class Restart(unittest.TestCase):
    def test_nothing_accepted_is_lost(self):
        with Emulator(BIN_DIR) as hub:
            monitor = hub.monitor()
            flood = Background([FLOOD, hub.device_port, str(COUNT), "60", "0", "1"], hub.environment())
            monitor.wait_for(lambda lines: len(lines) > COUNT // 3)
            hub.kill()
            monitor.stop()
            hub.start()
            report = json.loads(flood.end()[-1])
            monitor = hub.monitor()
            monitor.wait_for(lambda lines: len(lines) > 0 and str(COUNT) in lines[-1])
            monitor.stop()
            arrived = numbers(monitor.lines)

        print(report)
        self.assertEqual(report["ended"], COUNT)
        attempts = report["connects"] + report["failed_attempts"]
        self.assertLessEqual(report["allocations"], ALLOCATIONS_PER_ATTEMPT * attempts)
        self.assertEqual(report["connects"], 2)
        self.assertEqual(first_seen(arrived), list(range(1, COUNT + 1)), "all, new ones in order")


if __name__ == "__main__":
    unittest.main()
