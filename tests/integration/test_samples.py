#!/usr/bin/env python3
"""Tests that every sample works with the emulator as its file comment describes.

usage: test_samples.py BIN_DIR
"""

import json
import os
import signal
import subprocess
import sys
import unittest

from emulator import PATIENCE_S, PROXY, Background, Emulator, numbers

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

    def test_a_hub_that_throttles_is_waited_out(self):
        for status in (429, 503):
            self.hub.put("/emulator/throttle", {"twinRequests": 2, "status": status})
            lines = self.hub.sample("twin", "--count", "1").end()
            self.assertTrue(any("complete" in line for line in lines), lines)
            self.assertTrue(any("reported" in line for line in lines), lines)
            self.assertFalse(any("refused" in line for line in lines), lines)

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

    def test_what_was_stored_without_a_hub_arrives_in_the_next_run(self):
        store = os.path.join(self.hub.folder.name, "telemetry.db")
        away = self.hub.command("store_and_forward", "--port", "1", "--count", "5", "--store", store,
                                "--duration", "1")
        result = subprocess.run(away, env=self.hub.environment(), text=True, capture_output=True,
                                timeout=PATIENCE_S, check=False)
        self.assertIn("0 found, 5 stored, 0 at the hub, 0 expired, 0 dropped, 5 waiting",
                      result.stdout)
        self.assertEqual(result.returncode, 1, result.stderr)
        monitor = self.hub.monitor()
        lines = self.hub.sample("store_and_forward", "--count", "3", "--first", "6",
                                "--store", store).end()
        self.assertIn("5 found, 3 stored, 8 at the hub, 0 expired, 0 dropped, 0 waiting", lines)
        monitor.wait_for(lambda seen: len(seen) >= 8)
        monitor.stop()
        self.assertEqual(numbers(monitor.lines), list(range(1, 9)))

    def test_the_poll_loop_delivers(self):
        self.assertIn("message 2: ok", self.hub.sample("event_loop", "--count", "2").end())

    def test_the_epoll_loop_delivers(self):
        self.assertIn("message 2: ok", self.hub.sample("epoll_loop", "--count", "2").end())

    def test_each_thread_sends_in_order(self):
        monitor = self.hub.monitor()
        self.assertIn("60 messages arrived", self.hub.sample("runner", "--count", "20").end())
        monitor.wait_for(lambda lines: len(lines) >= 60)
        monitor.stop()
        for sensor in ("temperature", "pressure", "humidity"):
            own = [line for line in monitor.lines if sensor in line]
            self.assertEqual(numbers(own), list(range(1, 21)))

    def test_what_other_sdks_accept_connects(self):
        """Accepts a connection string with a policy of the hub, the flag that .NET adds, and white space;
        the port comes from the environment.
        """
        device = self.hub.values["IOTHUB_DEVICE_CONNECTION_STRING"]
        policy = self.hub.values["IOTHUB_CONNECTION_STRING"]
        for text in (policy + ";DeviceId=device1", device + ";X509Cert=False",
                     "\ufeff " + device.replace(";", " ; ") + "\r\n"):
            environment = {**self.hub.environment(), "IOTHUB_DEVICE_CONNECTION_STRING": text}
            sample = Background(self.hub.command("telemetry", "--count", "1"), environment)
            self.assertIn("1 messages arrived", sample.end())

    def fails(self, status, text, name, *arguments, **changes):
        """Expects that the program fails with one line that contains the text and shows no key."""
        key = self.hub.values["IOTHUB_DEVICE_CONNECTION_STRING"].rpartition("SharedAccessKey=")[2]
        how, errors = self.hub.fail(name, *arguments, **changes)
        self.assertIn(text, errors)
        self.assertTrue(errors.startswith(name + ": "), errors)
        if how == 1:  # wrong usage is followed by a hint
            self.assertEqual(errors.count("\n"), 1, errors)
        self.assertNotIn(key, errors)
        self.assertEqual(how, status, errors)

    def test_a_duration_that_is_over_is_said(self):
        for name in ("c2d", "twin", "methods", "epoll_loop", "event_loop", "telemetry", "runner"):
            self.fails(1, "--duration ended", name, "--port", self.hub.device_port,
                       "--count", "1000000", "--duration", "1")

    def test_bad_input_gets_one_line_that_names_the_part(self):
        good = self.hub.values["IOTHUB_DEVICE_CONNECTION_STRING"]
        key = good.rpartition("SharedAccessKey=")[2]
        for text, bad in {
                "SharedAccessKey is missing": good.replace("SharedAccessKey=" + key, ""),
                "DeviceId is given twice": good.replace(";Shared", ";DeviceId=d;Shared"),
                "HostName is empty": good.replace("localhost", ""),
                "unknown part Colour": good + ";Colour=red",
                "part 4 has an unknown name": good + ";" + key,
                "SharedAccessKey is not base64": good + "!",
                "DeviceId contains '+'": good.replace("device1", "dev+1"),
                "DeviceId contains '#'": good.replace("device1", "dev#1"),
                "DeviceId contains '/'": good.replace("device1", "dev/1"),
                "nowhere.invalid": good.replace("localhost", "nowhere.invalid"),
                "not authorized": good.replace("device1", "stranger"),
        }.items():
            self.fails(1, text, "telemetry", "--port", self.hub.device_port,
                       IOTHUB_DEVICE_CONNECTION_STRING=bad)
        refused = "connection refused" if PROXY is None else "proxy 127.0.0.1:"
        self.fails(1, refused, "telemetry", "--port", "1")
        self.fails(1, "/nowhere.pem", "telemetry", "--port", self.hub.device_port,
                   IOTHUB_CA_FILE="/nowhere.pem")
        self.fails(1, "ca_file is empty", "telemetry", IOTHUB_CA_FILE="")

    def test_wrong_usage_ends_with_2(self):
        for name in ("telemetry", "c2d", "twin", "methods", "epoll_loop", "event_loop", "runner"):
            self.fails(2, "is not a number from 1", name, "--port", "0")
            self.fails(2, "Too many arguments", name, "more")
            self.fails(2, "IOTHUB_TRANSPORT is not", name, IOTHUB_TRANSPORT="pigeon")

    def test_websocket_on_the_port_of_mqtt_is_explained(self):
        self.fails(1, "WebSocket", "telemetry", "--port", self.hub.port, IOTHUB_TRANSPORT="ws")

    def test_an_interrupt_ends_a_sample_well(self):
        for name in ("telemetry", "c2d", "twin", "methods", "epoll_loop", "event_loop", "runner"):
            sample = self.hub.sample(name, "--count", "1000")
            sample.wait_line("connected")
            sample.process.send_signal(signal.SIGINT)
            sample.end()


if __name__ == "__main__":
    unittest.main()
