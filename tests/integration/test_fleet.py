#!/usr/bin/env python3
"""Tests `iothub fleet` with the emulator: its report must agree with what the hub received.

usage: test_fleet.py BIN_DIR
"""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import unittest

from emulator import PATIENCE_S, Background, Emulator

BIN_DIR = sys.argv.pop(1)


class Fleet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(BIN_DIR)
        cls.hub.start()

    @classmethod
    def tearDownClass(cls):
        cls.hub.__exit__()

    def fleet(self, *arguments):
        return Background(self.hub.command("iothub", "fleet", "--report", "1", "--ramp", "1000",
                                           *arguments), self.hub.environment())

    def interrupt(self, fleet):
        """Returns the lines of the summary, by their first word."""
        fleet.process.send_signal(signal.SIGINT)
        return {line.partition(":")[0]: line for line in fleet.end()}

    def file(self, name, lines):
        path = os.path.join(self.hub.folder.name, name)
        with open(path, "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in lines)
        return path

    def test_what_was_sent_arrives_and_is_counted(self):
        monitor = self.hub.monitor()
        self.addCleanup(monitor.stop)
        fleet = self.fleet("--create", "20", "--prefix", "all-", "--rate", "5", "--size", "100")
        monitor.wait_for(lambda lines: sum('"all-' in line for line in lines) >= 100)
        summary = self.interrupt(fleet)
        self.assertRegex(summary["devices"],
                         r"20, of which 20 were connected; 20 connects \(\d+ resumed TLS\), 0 losses")
        sent, arrived = map(int, re.search(r"(\d+) sent, (\d+) arrived, 0 failed",
                                           summary["messages"]).groups())
        self.assertEqual(sent, arrived)
        monitor.wait_for(lambda lines: sum('"all-' in line for line in lines) >= sent)
        events = [json.loads(line) for line in monitor.lines if '"all-' in line]
        self.assertEqual(len(events), sent)
        seen = collections.defaultdict(list)
        for event in events:
            self.assertEqual(event["bodyLength"], 100)
            seen[event["deviceId"]].append(json.loads(event["body"])["number"])
        self.assertEqual(set(seen), {f"all-{i}" for i in range(20)})
        for numbers in seen.values():
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertIn("p99", summary["latency, send to acknowledged"])

    def test_methods_and_twin_changes_are_answered(self):
        fleet = self.fleet("--create", "3", "--prefix", "twin-", "--rate", "0")
        fleet.wait_line("3 of 3 connected")
        self.assertEqual(json.loads(self.hub.service("method", "twin-1", "anything")), {"sent": 0})
        self.hub.service("twin", "update", "twin-2", '{"properties":{"desired":{"interval":5}}}')
        while True:
            twin = json.loads(self.hub.service("twin", "get", "twin-2"))["properties"]
            if twin["reported"].get("desiredVersion") == twin["desired"]["$version"]:
                break
        self.assertIn("1 methods, 1 twin changes", self.interrupt(fleet)["answered"])

    def test_shards_are_disjoint_and_together_the_whole(self):
        monitor = self.hub.monitor()
        self.addCleanup(monitor.stop)
        for shard, devices in (("0/3", 3), ("1/3", 2), ("2/3", 2)):
            fleet = self.fleet("--create", "7", "--prefix", "shard-", "--rate", "20",
                               "--shard", shard)
            own = {f"shard-{i}" for i in range(int(shard[0]), 7, 3)}
            self.assertEqual(len(own), devices)
            monitor.wait_for(lambda lines, own=own: all(
                any(f'"{name}"' in line for line in lines) for name in own))
            self.assertIn(f"{devices}, of which {devices} were", self.interrupt(fleet)["devices"])

    def test_a_file_is_dealt_out_line_by_line(self):
        """If a shard read a line of another shard, it would find an invalid connection string."""
        good = self.hub.values["IOTHUB_DEVICE_CONNECTION_STRING"]
        for shard in range(3):
            lines = [good if i % 3 == shard else f"of shard {i % 3}" for i in range(8)]
            path = self.file("dealt.txt", ["# eight devices", "", *lines[:4], " ", *lines[4:]])
            fleet = self.fleet("--rate", "0", "--shard", f"{shard}/3", path)
            fleet.wait_line("connected")
            fleet.stop()
            self.assertTrue(any(line.startswith(f"devices: {lines.count(good)},")
                                for line in fleet.lines), fleet.lines)

    def test_a_refused_device_is_an_error_by_kind_and_the_others_go_on(self):
        good = self.hub.values["IOTHUB_DEVICE_CONNECTION_STRING"]
        path = self.file("some.txt", ["# two devices", "", good, good.replace("device1", "nobody")])
        fleet = self.fleet("--rate", "20", path)
        self.addCleanup(fleet.close)
        fleet.wait_for(lambda lines: any(
            re.search(r"1 of 2 connected, \d+ sent, [1-9]\d* arrived, [1-9]", line) for line in lines))
        fleet.process.send_signal(signal.SIGTERM)
        self.assertEqual(fleet.process.wait(PATIENCE_S), 1)
        fleet.reader.join()
        self.assertTrue(any(re.match(r"connection error: \d+ x credential refused", line)
                            for line in fleet.lines), fleet.lines)

    def test_a_duration_ends_it(self):
        lines = self.fleet("--create", "2", "--duration", "1").end()
        self.assertTrue(any(line.startswith("devices: 2, of which 2") for line in lines), lines)

    def test_wrong_usage_ends_with_2_and_bad_input_with_1(self):
        bad = self.file("bad.txt", ["HostName=localhost;DeviceId=d"])
        for status, text, arguments in (
                (2, "give either", ()),
                (2, "give either", ("--create", "1", bad)),
                (2, "--shard", ("--shard", "3/3", bad)),
                (2, "--shard", ("--shard", "1", bad)),
                (2, "--rate", ("--rate", "fast", bad)),
                (2, "--ramp", ("--ramp", "0", bad)),
                (2, "--size", ("--size", "0", bad)),
                (1, "No such file", ("/nowhere",)),
                (1, "bad.txt, line 1: ", (bad,)),
                (1, "no devices in this shard", ("--shard", "1/2", self.file("one.txt", [
                    self.hub.values["IOTHUB_DEVICE_CONNECTION_STRING"]])))):
            how, errors = self.hub.fail("iothub", "fleet", *arguments)
            self.assertEqual((how, text in errors), (status, True), errors)

    def test_a_hub_that_refuses_the_service_is_said(self):
        how, errors = self.hub.fail(
            "iothub", "fleet", "--create", "1",
            IOTHUB_CONNECTION_STRING="HostName=localhost;SharedAccessKeyName=iothubowner;"
                                     "SharedAccessKey=AAAA")
        self.assertEqual(how, 1)
        self.assertIn("refused the token (401)", errors)

    def test_help_is_complete(self):
        text = subprocess.run(self.hub.command("iothub", "fleet", "--help"), check=True, text=True,
                              capture_output=True).stdout
        for option in ("create", "prefix", "rate", "size", "ramp", "duration", "report", "shard",
                       "telemetry-only", "port", "rest-port"):
            self.assertIn("--" + option, text)


if __name__ == "__main__":
    unittest.main()
