#!/usr/bin/env python3
"""A device uses all features at the same time while the network and the hub fail at random; nothing may be
lost.

usage: soak.py BIN_DIR SOAK_DEVICE FAULT_PROXY [--minutes N] [--rate N] [--seed N]

build_all/soak.sh builds these programs and runs the soak for hours.

soak_device.c checks the device's side. This program checks the hub's side: each accepted message
arrives, new ones in order; each C2D message reaches the device; each answer belongs to its method; at
the end the device has the hub's desired properties, and the hub has the device's report. It prints a
summary in one line. --seed repeats the faults and their order, but not their times.
"""

import argparse
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "integration"))

from emulator import PATIENCE_S, Background, Emulator  # noqa: E402
from service import Service, ServiceError  # noqa: E402

DEVICE = "device1"
SETTLE_S = 120
# The faults of the network and the largest N of each; most of them break connections, some let bytes pass.
FAULTS = (("pass", 1), ("pass", 1), ("split", 200), ("trickle", 400), ("drip", 1), ("delay", 200),
          ("stall", 20000), ("half-open", 20000), ("refuse", 5),
          *3 * (("cut", 40000), ("reset", 40000), ("cut", 15000), ("reset", 15000)))


class Failure(Exception):
    pass


class Network:
    """Runs fault_proxy, and changes its fault."""

    def __init__(self, program, hub, seed):
        self.process = subprocess.Popen([program, hub.port, "pass", "1", str(seed)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self.process.stdout.readline().strip()

    def fail(self, fault, n):
        self.process.stdin.write(f"{fault} {n}\n")
        self.process.stdin.flush()

    def end(self):
        self.process.communicate(timeout=PATIENCE_S)


class Hub(Emulator):
    """Runs the emulator. Callers can wait while it is restarted."""

    def __init__(self, bin_dir):
        super().__init__(bin_dir)
        self.up = threading.Event()

    def start(self):
        super().start()
        self.up.set()

    def kill(self):
        self.up.clear()
        super().kill()


class Watcher(threading.Thread):
    """A thread that works while faults happen, until the soak ends or the thread finds that something was
    lost.
    """

    def __init__(self, hub, found):
        super().__init__(daemon=True)
        self.hub = hub
        self.found = found  # an event that is set when any watcher finds a fault
        self.fault = None
        self.ending = threading.Event()

    def report(self, fault):
        self.fault = self.fault or fault
        self.found.set()
        self.ending.set()

    def run(self):
        while not self.ending.is_set():
            self.step()


class Telemetry(Watcher):
    """Reads the messages as they arrive at the hub, across restarts of the hub."""

    def __init__(self, hub, found):
        super().__init__(hub, found)
        self.next_event = 1
        self.highest = 0
        self.repeats = 0
        self.arrived = threading.Condition()

    def step(self):
        try:
            for event in Service(self.hub).events(self.next_event, seconds=2):
                with self.arrived:
                    self.take(event)
                    self.arrived.notify_all()
        except (OSError, http.client.HTTPException, ServiceError):
            self.hub.up.wait(PATIENCE_S)

    def take(self, event):
        if event["sequence"] != self.next_event:
            self.report(f"the hub's log lost events from {self.next_event} on")
        self.next_event = event["sequence"] + 1
        number = json.loads(event["body"])["number"]
        if number <= self.highest:
            self.repeats += 1
        elif number == self.highest + 1:
            self.highest = number
        else:
            self.report(f"message {number} arrived after {self.highest}")

    def await_message(self, number):
        """Waits until this message and all earlier ones have arrived, or a fault was found."""
        with self.arrived:
            self.arrived.wait_for(lambda: self.highest >= number or self.fault is not None,
                                  SETTLE_S)


class Calls(Watcher):
    """Calls methods one after the other."""

    def __init__(self, hub, found, seed):
        super().__init__(hub, found)
        self.random = random.Random(seed)
        self.number = self.answered = self.failed = 0

    def step(self):
        self.number += 1
        try:
            answer = Service(self.hub).method(DEVICE, "echo", {"number": self.number})
        except (OSError, http.client.HTTPException, ServiceError):
            # A method may fail if the device is not connected or does not answer in time.
            self.failed += 1
            self.ending.wait(0.1)
            return
        if answer != {"status": 200, "payload": {"number": self.number}}:
            self.report(f"method {self.number} was answered {answer}")
        self.answered += 1
        self.ending.wait(self.random.random() / 10)


class Soak:
    def __init__(self, arguments):
        self.arguments = arguments
        self.random = random.Random(arguments.seed)
        self.sent_c2d = []
        self.kills = self.deaths = 0
        self.faults = 0
        self.number = 0
        self.device = None
        self.found = threading.Event()

    def run(self):
        with Hub(self.arguments.bin_dir) as self.hub:
            self.network = Network(self.arguments.fault_proxy, self.hub, self.arguments.seed)
            self.telemetry = Telemetry(self.hub, self.found)
            self.calls = Calls(self.hub, self.found, self.arguments.seed)
            self.lines = []
            self.start_device()
            self.telemetry.start()
            self.calls.start()
            try:
                self.trouble()
                self.peace()
                self.compare()
            except Exception:
                print(self.device.said()[-4000:], file=sys.stderr)
                raise
            finally:
                self.telemetry.ending.set()
                self.calls.ending.set()
                if self.device.process.poll() is None:
                    self.device.process.kill()
                self.network.end()
            self.summarise()

    # --- during the soak ------------------------------------------------------------------

    def check(self):
        """Raises the first fault that any watcher has found."""
        for watcher in (self.telemetry, self.calls):
            if watcher.fault is not None:
                raise Failure(watcher.fault)
        if self.device.process.poll() is not None:
            raise Failure("the device ended")

    def trouble(self):
        end = time.monotonic() + self.arguments.minutes * 60
        next_fault = next_kill = 0
        next_death = time.monotonic() + self.random.uniform(5, 20)
        while time.monotonic() < end:
            now = time.monotonic()
            if now >= next_fault:
                self.change_network()
                next_fault = now + self.random.uniform(0.3, 2.5)
            if now >= next_kill:
                if next_kill > 0:
                    self.kill_hub()
                next_kill = now + self.random.uniform(5, 30)
            if now >= next_death:
                self.kill_device()
                next_death = now + self.random.uniform(60, 600)
            self.disturb_twin()
            self.send_c2d()
            self.pause(self.random.random() / 5)
            self.check()

    def pause(self, seconds):
        """Waits while a fault lasts, or until the next step. Ends early if a watcher has found a fault."""
        self.found.wait(seconds)

    def change_network(self):
        fault, most = self.random.choice(FAULTS)
        self.network.fail(fault, self.random.randint(1, most))
        self.faults += 1

    def kill_hub(self):
        self.hub.kill()
        self.pause(self.random.random() * 2)
        self.hub.start()
        self.kills += 1

    def start_device(self):
        """The new device continues after the last number that was certainly accepted."""
        first = max(self.reports("accepted"), default=0) + 1
        store = os.path.join(self.hub.folder.name, "telemetry.db")
        self.device = Background(
            [self.arguments.soak_device, self.network.port, str(self.arguments.rate),
             str(self.arguments.seed), str(first), store], self.hub.environment())

    def kill_device(self):
        self.device.stop(signal.SIGKILL)
        self.lines += self.device.lines
        self.start_device()
        self.deaths += 1

    def disturb_twin(self):
        if self.random.random() < 0.7:
            return
        self.number += 1
        name = f"k{self.random.randrange(8)}"
        value = self.random.choice((self.number, None, "x" * self.random.randrange(500)))
        try:
            Service(self.hub).patch_desired(DEVICE, {name: value, "number": self.number})
            if self.random.random() < 0.1:
                Service(self.hub).throttle(self.random.randint(1, 3))
        except (OSError, http.client.HTTPException, ServiceError):
            pass  # only the hub's version at the end matters

    def send_c2d(self):
        if self.random.random() < 0.7:
            return
        name = f"m{len(self.sent_c2d) + 1}-{self.random.randrange(10 ** 6)}"
        try:
            Service(self.hub).send(DEVICE, name, "x" * self.random.randrange(2000))
            self.sent_c2d.append(name)
        except (OSError, http.client.HTTPException, ServiceError):
            pass  # the queue is full, or the answer was lost

    # --- at the end ---------------------------------------------------------------------------

    def reports(self, name):
        """Returns all values with that name that the device has printed, across its restarts."""
        printed = list(self.lines)
        if self.device is not None:
            with self.device.changed:
                printed += self.device.lines
        lines = [json.loads(line) for line in printed if line.endswith("}")]  # whole ones
        return [line[name] for line in lines if name in line]

    def await_report(self, what, holds):
        """Waits until the output of the device fulfils the condition."""
        end = time.monotonic() + SETTLE_S
        with self.device.changed:
            while not holds():
                self.check()
                if time.monotonic() > end:
                    raise Failure(f"{what}, after {SETTLE_S} s of good network")
                # A device that has ended prints nothing, so the condition is checked once a second.
                self.device.changed.wait(1)

    def peace(self):
        self.network.fail("pass", 1)
        self.calls.ending.set()
        self.calls.join(SETTLE_S)
        twin = Service(self.hub).twin(DEVICE)
        version = twin["properties"]["desired"]["$version"]
        self.await_report(f"desired version {version} did not reach the device",
                          lambda: self.reports("desired")[-1:] == [version])
        self.await_report("a C2D message did not reach the device",
                          lambda: set(self.sent_c2d) <= set(self.reports("c2d")))
        self.device.process.terminate()
        self.device.wait_for(lambda lines: len(lines) > 0 and "document" in lines[-1])
        self.summary = json.loads(self.device.end()[-1])
        self.await_last_message()

    def await_last_message(self):
        self.telemetry.await_message(self.summary["accepted"])
        if self.telemetry.fault is not None:
            raise Failure(self.telemetry.fault)
        if self.telemetry.highest < self.summary["accepted"]:
            raise Failure(f"{self.telemetry.highest} of {self.summary['accepted']} arrived")

    def compare(self):
        properties = Service(self.hub).twin(DEVICE)["properties"]
        desired = {k: v for k, v in properties["desired"].items() if not k.startswith("$meta")}
        if self.summary["document"] != desired:
            raise Failure(f"desired properties: {self.summary['document']} on the device, "
                          f"{desired} at the hub")
        if properties["reported"].get("number", 0) != self.summary["reports"]:
            raise Failure(f"reported properties: {self.summary['reports']} on the device, "
                          f"{properties['reported']} at the hub")
        if self.telemetry.highest != self.summary["accepted"]:
            raise Failure(f"{self.summary['accepted']} accepted, {self.telemetry.highest} arrived")
        arrived = list(dict.fromkeys(i for i in self.reports("arrived") if i in self.sent_c2d))
        if arrived != self.sent_c2d:
            raise Failure("C2D messages did not arrive in the order in which they were sent")

    def summarise(self):
        s = self.summary
        print(f"soak: {self.arguments.minutes * 60:.0f} s, seed {self.arguments.seed}: "
              f"{self.faults} faults, {self.kills} kills of the hub, {self.deaths} of the device, {s['connects']} connects, "
              f"{s['losses']} losses, {s['renewals']} renewals; "
              f"telemetry {s['accepted']} accepted, all arrived (+{self.telemetry.repeats} repeats); "
              f"{s['reports']} reports; desired version {s['desired']} ({s['gaps']} gaps); "
              f"{self.calls.answered} methods answered, {self.calls.failed} failed; "
              f"{len(self.sent_c2d)} C2D; {s['levels']} levels, heap {self.between('heap')}, "
              f"of SQLite {self.between('sqlite')}")

    def between(self, name):
        levels = self.reports(name)
        return f"{min(levels)} to {max(levels)} bytes"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin_dir")
    parser.add_argument("soak_device")
    parser.add_argument("fault_proxy")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10 ** 6))
    arguments = parser.parse_args()
    try:
        Soak(arguments).run()
    except Failure as failure:
        sys.exit(f"soak: seed {arguments.seed}: {failure}")


if __name__ == "__main__":
    main()
