#!/usr/bin/env python3
"""Tests many devices in one process: the messages of all arrive, and no device disturbs another.

usage: test_gateway.py BIN_DIR
"""

import collections
import json
import os
import signal
import sys
import unittest

from emulator import Background, Emulator

BIN_DIR = sys.argv.pop(1)
DEVICES = 20


class Gateway(unittest.TestCase):
    def setUp(self):
        self.hub = Emulator(BIN_DIR, [f"device{i}" for i in range(1, DEVICES + 1)])
        self.addCleanup(self.hub.__exit__)
        self.hub.start()
        name = "IOTHUB_DEVICE_CONNECTION_STRING"
        self.strings = [self.hub.values[name if i == 1 else f"{name}_{i}"]
                        for i in range(1, DEVICES + 1)]
        self.monitor = self.hub.monitor()
        self.addCleanup(self.monitor.stop)

    def gateway(self, strings, *arguments, before=()):
        path = os.path.join(self.hub.folder.name, "devices.txt")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in strings)
        command = self.hub.command("gateway", "--port", self.hub.device_port, "--devices", path,
                                   "--interval", "1", *arguments)
        return Background([*before, *command], self.hub.environment())

    def arrived(self, count):
        """Waits until `count` messages have arrived. Returns the number of messages of each device."""
        self.monitor.wait_for(lambda lines: sum(line.startswith("{") for line in lines) >= count)
        events = (json.loads(line) for line in self.monitor.lines if line.startswith("{"))
        return collections.Counter(event["deviceId"] for event in events)

    def test_the_messages_of_all_devices_arrive(self):
        lines = self.gateway(self.strings, "--count", "3").end()
        self.assertIn(f"{DEVICES} of {DEVICES} connected", lines)
        self.assertTrue(lines[-1 - DEVICES].endswith(f"{3 * DEVICES} messages arrived"), lines)
        self.assertEqual(self.arrived(3 * DEVICES),
                         {f"device{i}": 3 for i in range(1, DEVICES + 1)})

    def test_a_low_limit_of_descriptors_is_raised(self):
        gateway = self.gateway(self.strings, before=(
            "sh", "-c", f'ulimit -S -n {DEVICES}; exec "$0" "$@"'))
        gateway.wait_line(f"{DEVICES} of {DEVICES} connected")
        gateway.process.send_signal(signal.SIGINT)
        gateway.end()

    def test_one_device_refused_does_not_disturb_the_others(self):
        strings = list(self.strings)
        strings[7] = strings[7].replace("device8", "stranger")
        gateway = self.gateway(strings)
        self.arrived(3 * (DEVICES - 1))
        gateway.wait_line(f"{DEVICES - 1} of {DEVICES} connected")
        answer = json.loads(self.hub.service("method", "device9", "status"))
        self.assertGreater(answer["sent"], 0)
        self.assertIn("device 8: ", gateway.said())
        self.assertNotIn("device 9: ", gateway.said())
        gateway.process.send_signal(signal.SIGINT)
        gateway.end()

    def test_all_return_when_the_hub_does(self):
        gateway = self.gateway(self.strings)
        full = f"{DEVICES} of {DEVICES} connected"
        gateway.wait_line(full)
        self.hub.kill()
        gateway.wait_line(f"0 of {DEVICES} connected")
        self.hub.start()
        gateway.wait_for(lambda lines: lines.count(full) >= 2)
        gateway.process.send_signal(signal.SIGINT)
        gateway.end()


if __name__ == "__main__":
    unittest.main()
