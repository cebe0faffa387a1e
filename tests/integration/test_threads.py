#!/usr/bin/env python3
"""Tests threads, TLS and a hub together, so that ThreadSanitizer can find data races.

usage: test_threads.py BIN_DIR EMULATOR_DIR
"""

import os
import signal
import sys
import unittest

from emulator import Background, Emulator

EMULATOR_DIR = sys.argv.pop(2)
BIN_DIR = sys.argv.pop(1)


class Threads(unittest.TestCase):
    def setUp(self):
        self.hub = Emulator(EMULATOR_DIR)
        self.addCleanup(self.hub.__exit__)
        self.hub.start()

    def runner(self, *arguments):
        return Background([os.path.join(BIN_DIR, "runner"), "--port", self.hub.device_port, *arguments],
                          self.hub.environment())

    def test_threads_send_and_each_hears_of_its_own(self):
        self.assertIn("300 messages arrived", self.runner("--count", "100").end())

    def test_a_hub_that_comes_back_ends_what_was_under_way(self):
        runner = self.runner("--count", "100000")
        runner.wait_line("message 20 is")
        self.hub.kill()
        seen = len(runner.lines)
        self.hub.start()
        runner.wait_for(lambda lines: len(lines) > seen + 50)
        runner.process.send_signal(signal.SIGINT)
        runner.end()


if __name__ == "__main__":
    unittest.main()
