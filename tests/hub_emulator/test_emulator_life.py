#!/usr/bin/env python3
"""Tests how the emulator starts, stops and keeps its state, and its command line.

usage: test_emulator_life.py HUB_EMULATOR
"""

import os
import pathlib
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

from emulator import API, PATIENCE_S, Device, Emulator, sas_token

PROGRAM = ""
EVENTS = "devices/device1/messages/events/"
BOUND = "devices/device1/messages/devicebound/"
TWIN_ANSWERS = "$iothub/twin/res/#"
WILLS = 30


class Life(unittest.TestCase):
    """Tests the start, the stop and the state that is kept."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.state = os.path.join(self.directory.name, "it's state")

    def start(self, *arguments):
        hub = Emulator(PROGRAM, *arguments)
        self.addCleanup(hub.process.kill)
        return hub

    def fails(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("hub_emulator: "), done.stderr)
        return done.returncode, done.stderr

    def test_it_says_how_to_connect(self):
        hub = self.start("--state", self.state, "--device", "first", "--device", "second")
        names = [line.split("=")[0] for line in hub.lines]
        self.assertEqual(names, ["IOTHUB_DEVICE_CONNECTION_STRING",
                                 "IOTHUB_DEVICE_CONNECTION_STRING_2", "IOTHUB_CONNECTION_STRING",
                                 "IOTHUB_CA_FILE", "IOTHUB_PORT", "IOTHUB_REST_PORT", "READY"])
        self.assertIn("HostName=localhost;DeviceId=first;",
                      hub.env["IOTHUB_DEVICE_CONNECTION_STRING"])
        shell = subprocess.run(
            ["sh", "-c", f". {shlex.quote(self.state)}/env; env"], stdout=subprocess.PIPE,
            text=True, check=True, env={"PATH": os.environ["PATH"]})
        for line in hub.lines[:-1]:
            self.assertIn(line + "\n", shell.stdout)
        self.assertEqual(hub.stop(), 0)

    def test_nothing_stays_of_a_private_directory(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            hub = self.start()
            state = pathlib.Path(hub.ca_file).parent
            self.assertTrue(state.is_dir())
            hub.process.send_signal(number)
            self.assertEqual(hub.wait(), 0)
            self.assertFalse(state.exists())
            for port in (hub.port, hub.rest_port):
                with self.assertRaises(OSError):
                    socket.create_connection(("127.0.0.1", port), PATIENCE_S)

    def test_state_survives_a_kill(self):
        hub = self.start("--state", self.state)
        hub.rest("PATCH", f"/twins/device1?{API}", {"properties": {"desired": {"a": 1}}})
        hub.rest("PUT", f"/devices/extra?{API}", {})
        device = Device(hub)
        device.subscribe(TWIN_ANSWERS, qos=0)
        device.publish("$iothub/twin/PATCH/properties/reported/?$rid=1", '{"r":2}', qos=0)
        device.receive()
        device.publish(EVENTS, "seen")
        hub.send("first")
        hub.send("second")
        hub.process.kill()
        hub.wait()
        device.wait_closed()
        again = self.start("--state", self.state)
        for name in ("IOTHUB_DEVICE_CONNECTION_STRING", "IOTHUB_CONNECTION_STRING",
                     "IOTHUB_CA_FILE"):
            self.assertEqual(hub.env[name], again.env[name])
        _, twin = again.rest("GET", f"/twins/device1?{API}")
        self.assertEqual(twin["properties"]["desired"]["a"], 1)
        self.assertEqual(twin["properties"]["reported"]["r"], 2)
        self.assertEqual(again.rest("GET", f"/devices/extra?{API}")[0], 200)
        self.assertEqual(again.events()[0]["body"], "seen")
        device = Device(again, clean=False)
        self.assertFalse(device.session_present)
        device.subscribe(BOUND + "#")
        self.assertEqual([device.receive()[1] for _ in range(2)], ["first", "second"])
        again.wait_until_none_waits()
        device.disconnect()
        self.assertEqual(again.stop(), 0)

    def test_no_will_is_sent_when_the_emulator_ends(self):
        """If the broker outlived the connections, it would send some of these Wills. It would seldom send
        the Will of a single device, because it would end a moment later.
        """
        names = [f"willing{n}" for n in range(WILLS)]
        hub = self.start("--state", self.state, *(f"--device={name}" for name in names))
        devices = [self.with_will(hub, name) for name in names]
        devices[0].abort()  # its Will is sent, so Wills are sent as long as the emulator runs
        self.assertEqual([event["body"] for event in hub.events(count=1)], ["gone"])
        self.assertEqual(hub.stop(), 0)
        for device in devices[1:]:
            device.wait_closed()
        again = self.start("--state", self.state)
        self.assertEqual([event["body"] for event in again.events()], ["gone"])
        self.assertEqual(again.stop(), 0)

    def with_will(self, hub, name):
        device = Device(hub, name, password=hub.policy_token(),
                        will=(f"devices/{name}/messages/events/", "gone", 1, False))
        self.assertEqual(device.code, 0)
        return device

    def spoil(self, name, kind):
        path = pathlib.Path(self.state, name)
        if kind == "directory":
            path.unlink()
            path.mkdir()
        else:
            data = bytearray(path.read_bytes())
            where = len(data) // 2
            while not chr(data[where]).isalnum():
                where += 1
            data[where] ^= 1
            path.write_bytes(data if kind == "flipped" else b"")

    def test_damaged_files_are_set_aside(self):
        hub = self.start("--state", self.state)
        self.assertEqual(hub.rest("PUT", f"/devices/kept?{API}", {})[0], 200)
        self.assertEqual(hub.stop(), 0)
        for name, kind in [("ca.crt", "flipped"), ("ca.key", "flipped"),
                           ("server.crt", "flipped"), ("server.crt", "directory"),
                           ("server.key", "flipped"), ("server.key", "empty"),
                           ("hub.json", "flipped"), ("identity-000001.json", "empty"),
                           ("lock", "directory")]:
            with self.subTest(name=name, kind=kind):
                self.spoil(name, kind)
                hub = self.start("--state", self.state)
                self.assertEqual(hub.rest("GET", f"/devices/kept?{API}")[0], 200)
                device = Device(hub)
                self.assertEqual(device.code, 0)
                device.disconnect()
                self.assertEqual(hub.stop(), 0)
                self.assertTrue(pathlib.Path(self.state, name + ".bad").exists())

    def test_one_state_serves_one_emulator(self):
        hub = self.start("--state", self.state)
        code, why = self.fails("--state", self.state, "--port", "0", "--rest-port", "0")
        self.assertEqual(code, 1)
        self.assertIn("in use by another hub_emulator", why)
        self.assertEqual(hub.stop(), 0)

    def start_aside(self, *arguments):
        """Starts an emulator and returns its messages, too. Its socket can be reached under any name."""
        with open(os.path.join(self.directory.name, "said"), "w+", encoding="utf-8") as said:
            hub = Emulator(PROGRAM, "--state", self.state, *arguments, stderr=said)
            self.addCleanup(hub.process.kill)
            said.seek(0)
            return hub, said.read()

    def names_of(self, hub, address="127.0.0.1", port=None):
        with socket.create_connection((address, port or hub.port), PATIENCE_S) as raw:
            context = ssl.create_default_context(cafile=hub.ca_file)
            context.check_hostname = False
            with context.wrap_socket(raw) as secure:
                return sorted(value for _, value in secure.getpeercert()["subjectAltName"])

    def test_host_names_the_hub_and_its_certificate_follows(self):
        always = ["0:0:0:0:0:0:0:1", "127.0.0.1", "localhost"]
        hub = self.start("--state", self.state)
        self.assertEqual(self.names_of(hub), always)
        roots = pathlib.Path(hub.ca_file).read_bytes()
        self.assertEqual(hub.stop(), 0)
        hub, said = self.start_aside("--host", "my.hub.test")
        self.assertIn("add this line to /etc/hosts: 127.0.0.1 my.hub.test\n", said)
        self.assertNotIn("warning", said)
        for port in (hub.port, hub.rest_port):
            self.assertEqual(self.names_of(hub, port=port), always + ["my.hub.test"])
        self.assertEqual(pathlib.Path(hub.ca_file).read_bytes(), roots)
        for name in ("IOTHUB_DEVICE_CONNECTION_STRING", "IOTHUB_CONNECTION_STRING"):
            self.assertTrue(hub.env[name].startswith("HostName=my.hub.test;"), name)
        token = sas_token("my.hub.test", hub.service_key, policy="iothubowner")
        status, _ = hub.rest("GET", "/devices?" + API, token=token,
                             headers={"Host": "my.hub.test"}.items())
        self.assertEqual(status, 200)
        resource = "my.hub.test/devices/device1"
        device = Device(hub, user_name=f"my.hub.test/device1/?{API}",
                        password=hub.token(resource=resource))
        self.assertEqual(device.code, 0)
        device.disconnect()
        self.assertEqual(hub.stop(), 0)
        hub = self.start("--state", self.state)
        self.assertEqual(self.names_of(hub), always + ["my.hub.test"])
        self.assertEqual(hub.stop(), 0)

    def test_the_server_key_may_be_an_ecdsa_key(self):
        ec, rsa = b"\x2a\x86\x48\xce\x3d\x02\x01", b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"  # as in RFC 3279
        roots = set()
        for arguments, kind, suite in ((("--server-key", "ecdsa"), ec, "ECDHE-ECDSA"), ((), rsa, "ECDHE-RSA"),
                                       (("--server-key", "rsa"), rsa, "ECDHE-RSA")):
            hub = self.start("--state", self.state, *arguments)
            roots.add(pathlib.Path(hub.ca_file).read_text(encoding="ascii"))
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                tls = ssl.create_default_context(cafile=hub.ca_file)
                tls.maximum_version = version
                for port in (hub.port, hub.rest_port):
                    raw = socket.create_connection(("localhost", port), PATIENCE_S)
                    with tls.wrap_socket(raw, server_hostname="localhost") as secure:
                        self.assertIn(kind, secure.getpeercert(binary_form=True))
                        if version == ssl.TLSVersion.TLSv1_2:
                            self.assertIn(suite, secure.cipher()[0])
            device = Device(hub)
            self.assertEqual(device.code, 0)
            device.disconnect()
            self.assertEqual(hub.stop(), 0)
        self.assertEqual(len(roots), 1)
        self.assertEqual(self.fails("--server-key", "dsa")[0], 2)

    def test_listen_takes_another_address(self):
        hub, said = self.start_aside("--listen", "127.0.0.9")
        self.assertNotIn("warning", said)
        self.assertTrue(hub.env["IOTHUB_CONNECTION_STRING"].startswith("HostName=127.0.0.9;"))
        for port in (hub.port, hub.rest_port):
            self.assertIn("127.0.0.9", self.names_of(hub, "127.0.0.9", port))
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.assertEqual(hub.stop(), 0)
        hub, said = self.start_aside("--listen", "0.0.0.0", "--host", "localhost")
        self.assertIn("warning: anyone who can reach", said)
        self.assertEqual(hub.rest("GET", "/devices?" + API)[0], 200)
        self.assertEqual(hub.stop(), 0)

    def test_the_recipe_of_the_readme_works_as_it_stands(self):
        readme = pathlib.Path(__file__).parents[2] / "tools" / "hub_emulator" / "README.md"
        recipe = re.search(r"^```sh\n(rm -f ~/.hub/env\n.*?)^```$",
                           readme.read_text(encoding="utf-8"), re.M | re.S).group(1)
        # The README uses the default ports; this test uses free ones.
        recipe = recipe.replace("--state", "--port 0 --rest-port 0 --state")
        self.assertIn("iothub service twin get", recipe)
        path = os.path.dirname(PROGRAM) + os.pathsep + os.environ["PATH"]
        for _ in range(2):  # once in an empty directory, once with the state of the first run
            script = ("set -e; trap 'kill $!' EXIT\n" + recipe +
                      "trap - EXIT; kill $!; wait $!")
            done = subprocess.run(["sh", "-c", script],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=3 * PATIENCE_S, check=False,
                                  env={**os.environ, "HOME": self.directory.name, "PATH": path})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('"deviceId":"device1"', re.sub(r"\s", "", done.stdout))

    def test_the_file_for_a_shell_is_that_of_this_run(self):
        self.assertEqual(self.start("--state", self.state).stop(), 0)
        env = pathlib.Path(self.state, "env")
        self.assertTrue(env.exists())
        self.assertEqual(self.fails("--state", self.state, "--port", "0", "--rest-port", "0",
                                    "--mosquitto", "/bin/false")[0], 1)
        self.assertFalse(env.exists())

    def test_failures_have_one_line_and_a_code(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        port = str(taken.getsockname()[1])
        foreign = os.path.join(self.directory.name, "foreign")
        os.mkdir(foreign)
        pathlib.Path(foreign, "something").touch()
        free = ["--port", "0", "--rest-port", "0", "--amqp-port", "0"]  # port 5671 may be in use
        for code, text, arguments in [
                (1, f"port {port} is in use", free + ["--port", port]),
                (1, f"port {port} is in use", free + ["--rest-port", port]),
                (1, f"port {port} is in use", free + ["--amqp-port", port]),
                (1, "install the package mosquitto", free + ["--mosquitto", "/nonexistent"]),
                (1, "not a state directory", free + ["--state", foreign]),
                (1, "No such file", free + ["--state", "/nonexistent/dir"]),
                (2, "not a port", ["--port", "65536"]),
                (2, "not a port", ["--rest-port", ""]),
                (2, "not a device id", ["--device", "a/b"]),
                (2, "not a device id", ["--device", "a#"]),
                (2, "the same", ["--port", "9", "--rest-port", "9"]),
                (2, "the same", ["--port", "9", "--amqp-port", "9"]),
                (2, "not a port", ["--amqp-port", "-1"]),
                (2, "not an address", ["--listen", ""]),
                (2, "not an address", ["--listen", "localhost"]),
                (2, "not an address", ["--listen", "127.0.0.1:8883"]),
                (2, "needs --host", ["--listen", "fd00::1"]),
                (1, "not an address of this machine", free + ["--listen", "192.0.2.1"]),
                (2, "not a host name", ["--host", ""]),
                (2, "not a host name", ["--host", "a..b"]),
                (2, "not a host name", ["--host", ".a"]),
                (2, "not a host name", ["--host", "a.b:8883"]),
                (2, "not a host name", ["--host", "a;DeviceId=b"]),
                (2, "not a host name", ["--host", "a" * 254]),
                (2, "no arguments", ["extra"])]:
            with self.subTest(arguments=arguments):
                got, why = self.fails(*arguments)
                self.assertEqual(got, code, why)
                self.assertIn(text, why)
                self.assertEqual(why.count("\n"), 1, why)

    def test_help_goes_to_standard_output(self):
        done = subprocess.run([PROGRAM, "--help"], stdout=subprocess.PIPE, text=True, check=True)
        for option in ("--port", "--rest-port", "--state", "--device", "--verbose", "--listen", "--host",
                       "--amqp-port"):
            self.assertIn(option, done.stdout)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
