"""Tests the complete emulator on a full disk, without free descriptors, and killed while it writes. What
it answered with success must be there afterwards, what it answered with a failure must not.
"""

import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from emulator import API, Closed, Device, Emulator, sas_token

PROGRAM = sys.argv.pop(1)
EVENTS = "devices/device1/messages/events/"
REPORT = "$iothub/twin/PATCH/properties/reported/?$rid=1"
ROUNDS = 8
INSIDE = "HUB_TEST_MAY_MOUNT"


def enter_mount_namespace():
    """Runs the tests again in a namespace where a file system of one megabyte can be mounted, if that is
    allowed.
    """
    wrapper = ["unshare", "--map-root-user", "--mount"]
    may = subprocess.run([*wrapper, "mount", "-t", "tmpfs", "none", "/mnt"],
                         stderr=subprocess.DEVNULL, check=False).returncode == 0
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1" if may else "0"
        if may:
            os.execvp(wrapper[0], [*wrapper, sys.executable, "-B", __file__, PROGRAM, *sys.argv[1:]])


def broker_of(hub):
    """Returns the process that holds the state, which is a child of the launcher."""
    children = pathlib.Path(f"/proc/{hub.process.pid}/task/{hub.process.pid}/children")
    return int(children.read_text(encoding="ascii").split()[0])


class Faults(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.state = pathlib.Path(directory.name, "state")

    def start(self):
        hub = Emulator(PROGRAM, "--state", str(self.state))
        self.addCleanup(hub.process.kill)
        return hub

    def prepare(self, hub):
        """Makes a device with tags that can be changed, and a device that is connected."""
        self.assertEqual(hub.rest("PUT", f"/devices/a?{API}", {})[0], 200)
        self.assertEqual(hub.rest("PATCH", f"/twins/a?{API}", {"tags": {"t": 1}})[0], 200)
        self.assertEqual(hub.send("kept", "a")[0], 201)
        device = Device(hub)
        device.subscribe("$iothub/twin/res/#", qos=0)
        device.publish(EVENTS, "early")
        return device

    def look(self, hub):
        """Returns the visible state without times and etags."""
        devices = hub.rest("GET", f"/devices?{API}")[1]
        twins = {d["deviceId"]: hub.rest("GET", f"/twins/{d['deviceId']}?{API}")[1] for d in devices}
        return {
            "status": {d["deviceId"]: d["status"] for d in devices},
            "tags": {name: twin["tags"] for name, twin in twins.items()},
            "desired": {name: {k: v for k, v in twin["properties"]["desired"].items()
                               if k != "$metadata"} for name, twin in twins.items()},
            "reported": {name: {k: v for k, v in twin["properties"]["reported"].items()
                                if k != "$metadata"} for name, twin in twins.items()},
            "messages": {d["deviceId"]: hub.waiting(d["deviceId"]) for d in devices},
            "events": [e["body"] for e in hub.events()],
        }

    def requests_that_fail(self, rest):
        """Expects status 500 for each request, or a failure of its only entry."""
        for method, path, body, headers in [
                ("PUT", f"/devices/new?{API}", {}, {}),
                ("PUT", f"/devices/a?{API}", {"status": "disabled"}, {"If-Match": "*"}),
                ("PATCH", f"/twins/a?{API}", {"tags": {"t": 2}}, {}),
                ("PUT", f"/twins/a?{API}", {"properties": {"desired": {"x": 1}}}, {}),
                ("POST", "/emulator/devices/a/messages", {"body": "lost"}, {}),
                ("DELETE", f"/devices/a/commands?{API}", None, {})]:
            self.assertEqual(rest(method, path, body, headers), 500, (method, path))
        self.assertEqual(rest("POST", f"/devices?{API}",
                              [{"id": "a", "importMode": "updateTwin", "tags": {"t": 3}}], {}), 400)

    def device_fails(self, device, before):
        """The log may have room for a few more events; these are acknowledged and must be kept."""
        device.publish(REPORT, '{"r":1}', qos=0)
        self.assertTrue(device.receive()[0].startswith("$iothub/twin/res/500/"))
        with self.assertRaises(Closed):
            for number in range(1000):
                device.publish(EVENTS, f"more {number}")
                before["events"].append(f"more {number}")

    def check_after_failures(self, hub, before, device):
        self.assertEqual(self.look(hub), before)
        hub.process.kill()
        hub.wait()
        device.abort()
        again = self.start()
        self.assertEqual(self.look(again), before)
        return again

    @staticmethod
    def rest(hub):
        return lambda method, path, body, headers: hub.rest(method, path, body, headers=headers)[0]

    @unittest.skipUnless(os.environ.get(INSIDE) == "1", "no file system can be mounted here")
    def test_a_full_disk(self):
        self.state.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", self.state], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.state], check=True)
        filler = self.state / "filler"
        hub = self.start()
        device = self.prepare(hub)
        before = self.look(hub)
        filler.write_bytes(b"")
        with self.assertRaises(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        self.requests_that_fail(self.rest(hub))
        self.device_fails(device, before)
        # The emulator also starts on the full disk.
        again = self.check_after_failures(hub, before, device)
        self.assertEqual(again.rest("DELETE", f"/devices/a?{API}")[0], 204)
        filler.unlink()
        self.assertEqual(again.rest("PATCH", f"/twins/device1?{API}", {"tags": {"t": 5}})[0], 200)
        device = Device(again)
        device.publish(EVENTS, "late")
        self.assertEqual(self.look(again)["events"], [*before["events"], "late"])
        device.disconnect()
        self.assertEqual(again.stop(), 0)

    @unittest.skipUnless(os.environ.get(INSIDE) == "1", "no file system can be mounted here")
    def test_a_first_start_on_a_full_disk_spoils_nothing(self):
        self.state.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", self.state], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.state], check=True)
        lock = self.state / "lock"
        for pages in range(8):
            with self.assertRaises(OSError), open(lock, "wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            os.truncate(lock, lock.stat().st_size - 4096 * pages)
            done = subprocess.Popen(
                [PROGRAM, "--port", "0", "--rest-port", "0", "--state", self.state],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            started = "READY\n" in done.stdout
            done.terminate()
            why = done.communicate()[1]
            self.assertTrue(started or "No space left on device" in why, why)
            lock.unlink()
            self.assertTrue(started or pages < 7)
        hub = self.start()
        self.assertEqual(hub.rest("PUT", f"/devices/a?{API}", {})[0], 200)
        self.assertEqual(hub.stop(), 0)

    def test_no_descriptors(self):
        hub = self.start()
        device = self.prepare(hub)
        before = self.look(hub)
        connection = hub.connect()
        token = sas_token("localhost", hub.service_key, policy="iothubowner")

        def rest(method, path, body, headers):
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Authorization": token, **headers})
            response = connection.getresponse()
            response.read()
            return response.status

        self.assertEqual(rest("GET", f"/devices?{API}", None, {}), 200)
        broker = broker_of(hub)
        limits = resource.prlimit(broker, resource.RLIMIT_NOFILE)
        resource.prlimit(broker, resource.RLIMIT_NOFILE, (3, limits[1]))
        self.requests_that_fail(rest)
        device.publish(REPORT, '{"r":1}', qos=0)
        self.assertTrue(device.receive()[0].startswith("$iothub/twin/res/500/"))
        resource.prlimit(broker, resource.RLIMIT_NOFILE, limits)
        connection.close()
        self.check_after_failures(hub, before, device)

    def test_files_that_may_not_grow(self):
        hub = self.start()
        device = self.prepare(hub)
        before = self.look(hub)
        broker = broker_of(hub)
        limits = resource.prlimit(broker, resource.RLIMIT_FSIZE)
        resource.prlimit(broker, resource.RLIMIT_FSIZE, (100, limits[1]))
        self.requests_that_fail(self.rest(hub))
        self.device_fails(device, before)
        resource.prlimit(broker, resource.RLIMIT_FSIZE, limits)
        self.check_after_failures(hub, before, device)

    def test_kills_while_it_writes(self):
        known = {"devices": set(), "gone": set(), "events": [], "messages": 0, "tag": 0, "round": 0}
        for number in range(ROUNDS):
            hub = self.start()
            self.check_known(hub, known)
            known["round"] = number
            writers = [threading.Thread(target=self.write, args=(hub, known, number)),
                       threading.Thread(target=self.publish, args=(hub, known, number))]
            for writer in writers:
                writer.start()
            time.sleep(random.uniform(0.05, 0.5))
            hub.process.kill()
            for writer in writers:
                writer.join()
            hub.wait()
        hub = self.start()
        self.check_known(hub, known)
        self.assertGreater(len(known["events"]), 0)
        self.assertGreater(known["tag"], 0)
        self.assertEqual(hub.stop(), 0)

    @staticmethod
    def write(hub, known, number):
        """Makes requests until the emulator is killed, and remembers which ones were answered."""
        try:
            for i in range(10000):
                name = f"d{number}-{i}"
                if hub.rest("PUT", f"/devices/{name}?{API}", {})[0] == 200:
                    known["devices"].add(name)
                tag = known["tag"] + 1
                if hub.rest("PATCH", f"/twins/device1?{API}", {"tags": {"n": tag}})[0] == 200:
                    known["tag"] = tag
                if known["messages"] < 40 and hub.send(f"{name}")[0] == 201:
                    known["messages"] += 1
                if i % 3 == 2:
                    known["devices"].discard(f"d{number}-{i - 1}")
                    if hub.rest("DELETE", f"/devices/d{number}-{i - 1}?{API}")[0] == 204:
                        known["gone"].add(f"d{number}-{i - 1}")
        except (OSError, ValueError, EOFError):
            pass

    @staticmethod
    def publish(hub, known, number):
        device = None
        try:
            device = Device(hub)
            for i in range(100000):
                device.publish(EVENTS, f"{number}-{i}")
                known["events"].append(f"{number}-{i}")
        except (OSError, Closed):
            pass
        if device:
            device.abort()

    def check_known(self, hub, known):
        devices = {d["deviceId"] for d in hub.rest("GET", f"/devices?{API}")[1]}
        self.assertEqual(known["devices"] - devices, set())
        self.assertEqual(known["gone"] & devices, set())
        tag = hub.rest("GET", f"/twins/device1?{API}")[1]["tags"].get("n", 0)
        self.assertIn(tag, (known["tag"], known["tag"] + 1))
        known["tag"] = tag
        self.assertIn(hub.waiting(), (known["messages"], known["messages"] + 1))
        known["messages"] = hub.waiting()
        events = [e["body"] for e in hub.events()]
        self.assertEqual(set(known["events"]) - set(events), set())


if __name__ == "__main__":
    enter_mount_namespace()
    # Ignores warnings about connections that the tests break on purpose.
    unittest.main(warnings="ignore")
