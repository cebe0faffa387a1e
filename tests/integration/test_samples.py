#!/usr/bin/env python3
"""Every sample does against the emulator what its first lines say.

usage: test_samples.py BIN_DIR
"""

import json
import signal
import sys
import unittest

from emulator import Emulator, numbers

BIN_DIR = sys.argv.pop(1)


class Samples(unittest.TestCase):
    def setUp(self):
        self.hub = Emulator(BIN_DIR)
        self.addCleanup(self.hub.__exit__)
        self.hub.start()

    def test_telemetry_arrives_in_order(self):
        monitor = self.hub.monitor()
        self.hub.sample("telemetry", "--count", "3").end()
        monitor.wait_for(lambda lines: len(lines) >= 3)
        monitor.stop()
        self.assertEqual(numbers(monitor.lines), [1, 2, 3])

    def test_a_message_sent_while_the_device_is_away_waits_for_it(self):
        self.hub.service("c2d", "device1", "hello", "--property", "colour=light blue")
        lines = self.hub.sample("c2d", "--count", "1").end()
        self.assertIn("message 1: hello", lines)
        self.assertIn("  colour = light blue", lines)

    def test_an_accepted_message_does_not_come_again(self):
        self.hub.service("c2d", "device1", "once")
        self.hub.sample("c2d", "--count", "1").end()
        self.hub.service("c2d", "device1", "after")
        self.assertIn("message 1: after", self.hub.sample("c2d", "--count", "1").end())

    def test_a_desired_change_is_seen_and_reported(self):
        twin = self.hub.sample("twin", "--count", "2")
        twin.wait_line("complete")
        self.hub.service("twin", "update", "device1", '{"properties":{"desired":{"interval":10}}}')
        lines = twin.end()
        self.assertTrue(any("changed" in line and '"interval":10' in line for line in lines), lines)
        twin = json.loads(self.hub.service("twin", "get", "device1"))
        self.assertEqual(twin["properties"]["reported"]["firmware"], "1.0.0")
        self.assertEqual(twin["properties"]["reported"]["seenVersion"],
                         twin["properties"]["desired"]["$version"])

    def test_methods_are_answered_at_once_and_later(self):
        methods = self.hub.sample("methods", "--count", "2")
        methods.wait_line("connected")
        self.assertEqual(json.loads(self.hub.service("method", "device1", "ping", '{"x":1}')),
                         {"pong": True})
        self.assertEqual(json.loads(self.hub.service("method", "device1", "selftest")),
                         {"passed": True})
        self.assertIn('called: ping {"x":1}', methods.end())

    def test_an_unknown_method_is_answered_404(self):
        methods = self.hub.sample("methods")
        methods.wait_line("connected")
        with self.assertRaisesRegex(AssertionError, "404"):
            self.hub.service("method", "device1", "nonsense")
        methods.stop()

    def test_the_poll_loop_delivers(self):
        self.assertIn("message 2: ok", self.hub.sample("event_loop", "--count", "2").end())

    def test_an_interrupt_ends_a_sample_well(self):
        for name in ("telemetry", "c2d", "twin", "methods", "event_loop"):
            sample = self.hub.sample(name, "--count", "1000")
            sample.wait_line("connected")
            sample.process.send_signal(signal.SIGINT)
            sample.end()


if __name__ == "__main__":
    unittest.main()
