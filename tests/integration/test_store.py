#!/usr/bin/env python3
"""Tests store and forward with the real store: programs and hubs are killed, and there is an outage.

usage: test_store.py BIN_DIR [--kills N] [--hub-kills N] [--outage N] [--seed N] [unittest arguments]

Without options the numbers are small enough for each test run; the full size is 200, 50 and 1000000.
"""

import argparse
import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import unittest

from emulator import PATIENCE_S, Background, Emulator

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("bin_dir")
parser.add_argument("--kills", type=int, default=10, help="of the program")
parser.add_argument("--hub-kills", type=int, default=3, help="of the emulator, meanwhile")
parser.add_argument("--outage", type=int, default=20000, help="messages stored without a hub")
parser.add_argument("--seed", type=int, default=1)
OPTIONS, REST = parser.parse_known_args()


class Sender:
    """Runs store_and_forward and reads all of its output, which names the messages that were stored."""

    def __init__(self, hub, store, first, count, port=None):
        command = hub.command("store_and_forward", "--port", port or hub.device_port, "--store", store,
                              "--first", str(first), "--count", str(count),
                              "--duration", "100000")
        self.stored = first - 1
        self.last_line = ""
        self.changed = threading.Condition()
        self.process = subprocess.Popen(command, env=hub.environment(), text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            if not line.endswith("\n"):
                return  # the last line is incomplete, because the program was killed
            self.last_line = line
            word, _, rest = line.partition(" ")
            if word == "stored":
                with self.changed:
                    assert int(rest) == self.stored + 1, line
                    self.stored = int(rest)
                    self.changed.notify_all()

    def wait_stored(self, number):
        with self.changed:
            assert self.changed.wait_for(lambda: self.stored >= number, 10 * PATIENCE_S)

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    def kill(self):
        self.process.kill()
        self.end()

    def end(self):
        status = self.process.wait(10 * PATIENCE_S)
        self.reader.join()
        self.process.stdout.close()
        return status


class Watcher:
    """Reads all telemetry that the hub has accepted, as it arrives, also across restarts of the hub."""

    def __init__(self, hub):
        self.hub = hub
        self.next = 1  # number of the next event in the hub's log
        self.newest = 0  # the highest number that has arrived
        self.repeats = 0
        self.disorder = []  # numbers that arrived before a lower one
        self.ids = {}  # message ids of the numbers that may arrive again
        # Numbers that may have been stored without being reported; the next program begins with
        # these.
        self.unsaid = set()
        self.changed = threading.Condition()
        self.start()

    def start(self):
        self.monitor = Background(
            self.hub.command("iothub", "service", "monitor", "--from", str(self.next)),
            self.hub.environment(), take=self.take)

    def take(self, line):
        if not line.startswith("{"):
            return
        event = json.loads(line)
        body = event["body"]
        number = (body if isinstance(body, dict) else json.loads(body))["number"]
        with self.changed:
            self.next = event["sequence"] + 1
            self.repeats += number <= self.newest
            if number > self.newest + 1:
                self.disorder.append((self.newest, number))
            self.newest = max(self.newest, number)
            name = event["systemProperties"]["message-id"]
            if self.ids.setdefault(number, name) != name and number not in self.unsaid:
                self.disorder.append((number, "has two message ids"))
            self.ids.pop(number - 20000, None)
            self.changed.notify_all()

    def stop(self):
        self.monitor.stop()

    def wait_for(self, number):
        with self.changed:
            assert self.changed.wait_for(lambda: self.newest >= number, 10 * PATIENCE_S), \
                f"{number} is not at the hub, only {self.newest}"


def fill(folder):
    """Fills the remaining space of the disk."""
    with open(os.path.join(folder, "stranger"), "ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError as error:
            assert error.errno == errno.ENOSPC


class Store(unittest.TestCase):
    def setUp(self):
        self.hub = Emulator(OPTIONS.bin_dir)
        self.addCleanup(self.hub.__exit__)
        self.hub.start()
        self.file = os.path.join(self.hub.folder.name, "telemetry.db")
        self.watcher = Watcher(self.hub)
        self.addCleanup(lambda: self.watcher.stop())

    def disk_kb(self):
        return sum(os.path.getsize(self.file + end) for end in ("", "-wal", "-shm")
                   if os.path.exists(self.file + end)) // 1024

    def restart_hub(self):
        self.hub.kill()
        self.watcher.stop()
        self.hub.start()
        self.watcher.start()

    def check(self, stored):
        self.watcher.wait_for(stored)
        self.assertEqual(self.watcher.disorder, [], "each came, and new ones in order")

    def test_nothing_stored_is_lost_by_kills(self):
        self.kill_again_and_again(lambda: None)

    def test_nothing_stored_is_lost_on_a_full_disk(self):
        disk = os.path.join(self.hub.folder.name, "disk")
        os.mkdir(disk)
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk]
        if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("this process may not mount")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", disk], check=True))
        self.file = os.path.join(disk, "telemetry.db")
        self.kill_again_and_again(lambda: fill(disk))

    def kill_again_and_again(self, between):
        """`between` is called when a program has stored some messages, and when it was killed."""
        dice = random.Random(OPTIONS.seed)
        hub_kills = set(dice.sample(range(OPTIONS.kills), OPTIONS.hub_kills))
        stored = 0
        began = time.monotonic()
        for kill in range(OPTIONS.kills):
            sender = Sender(self.hub, self.file, stored + 1, 10**9)
            sender.wait_stored(stored + dice.randrange(1, 1500))
            between()
            if kill in hub_kills:
                self.restart_hub()
                sender.wait_stored(sender.stored + dice.randrange(1, 1500))
            sender.kill()
            between()
            stored = sender.stored
            self.watcher.unsaid.add(stored + 1)
        last = Sender(self.hub, self.file, stored + 1, 1)
        self.assertEqual(last.end(), 0)
        self.check(stored + 1)
        self.assertIn(" 0 waiting", last.last_line)
        print(f"{OPTIONS.kills} kills, {OPTIONS.hub_kills} of the hub: {stored + 1} stored, "
              f"{self.watcher.repeats} repeats, {time.monotonic() - began:.0f} s")

    def test_a_message_that_was_never_stored_is_a_failure(self):
        """The program has ended. Returns also if all stored messages have arrived, or if it was asked to
        end.
        """
        sender = Background(self.hub.command(
            "store_and_forward", "--port", self.hub.device_port, "--store", self.file, "--count",
            "1000000000"), self.hub.environment())
        self.addCleanup(sender.close)
        sender.wait_line("stored 1")
        sender.process.send_signal(signal.SIGTERM)
        self.assertEqual(sender.process.wait(PATIENCE_S), 1)
        sender.reader.join()
        self.assertRegex(sender.said(), r"^store_and_forward: message \d+ was not stored: ")

    def test_an_outage_is_stored_and_drained_in_order(self):
        count = OPTIONS.outage
        began = time.monotonic()
        away = Sender(self.hub, self.file, 1, count, port="1")
        away.wait_stored(count)
        stored_s = time.monotonic() - began
        memory_kb, disk_kb = away.memory_kb(), self.disk_kb()
        away.kill()

        began = time.monotonic()
        sender = Sender(self.hub, self.file, count + 1, 1)
        sender.wait_stored(count + 1)
        started_s = time.monotonic() - began
        self.watcher.wait_for(count // 2)
        draining_kb = sender.memory_kb()
        self.assertEqual(sender.end(), 0)
        self.check(count + 1)
        self.assertIn(f"{count} found, 1 stored, {count + 1} at the hub", sender.last_line)
        print(f"{count} messages stored in {stored_s:.1f} s ({memory_kb} KB of memory, {disk_kb} KB "
              f"of disk); the next run began in {started_s:.2f} s and drained them in "
              f"{time.monotonic() - began:.0f} s ({draining_kb} KB of memory), "
              f"{self.watcher.repeats} repeats, {self.disk_kb()} KB of disk are left")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST])
