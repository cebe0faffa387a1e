#!/usr/bin/env python3
"""Tests which way connections take on a system with two uplinks, up0 and up1, of which up0 is preferred.

usage: test_uplinks.py BIN_DIR [curl] [websocket]     (what is built)

It runs in a network namespace of its own; see own_network.py. The server is in a second one, at the other end of both uplinks.
"""

import contextlib
import os
import subprocess
import sys
import unittest

import own_network
from emulator import PATIENCE_S, Background

ARGUMENTS = [__file__, *sys.argv[1:]]
BIN_DIR = sys.argv.pop(1)
BUILT = sys.argv[1:]
del sys.argv[1:]

SERVER = "10.9.0.1"
PORT = 8883
KEY = "a2V5"
# Sets up its ends of the uplinks, when they are there, and prints who connects.
SERVER_PROGRAM = f"""
import contextlib, socket, subprocess
input()
for name in ("all", "end0", "end1"):
    with contextlib.suppress(OSError), open(f"/proc/sys/net/ipv4/conf/{{name}}/rp_filter", "w") as setting:
        setting.write("0")
for command in ("link set lo up", "addr add {SERVER}/32 dev lo", "addr add 10.0.0.1/24 dev end0",
                "addr add 10.0.1.1/24 dev end1", "link set end0 up", "link set end1 up"):
    subprocess.run(["ip", *command.split()], check=True)
with socket.create_server(("{SERVER}", {PORT})) as listener:
    print("READY", flush=True)
    while True:
        connection, peer = listener.accept()
        connection.close()
        print(peer[0], flush=True)
"""


def accept_from_any_interface(name):
    """Switches the filter off that drops packets which come from another interface than answers take."""
    with contextlib.suppress(OSError), open(f"/proc/sys/net/ipv4/conf/{name}/rp_filter", "w", encoding="ascii") as setting:
        setting.write("0")


def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


def has_veth():
    command = ["ip", "link", "add", "up0", "type", "veth", "peer", "name", "end0"]
    if subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode != 0:
        return False
    ip("link delete up0")
    return True


class Server:
    """A program in a namespace of its own that prints the address of each peer."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "--net", sys.executable, "-c", SERVER_PROGRAM], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1)
        self.await_namespace()
        accept_from_any_interface("all")
        for i, metric in ((0, 10), (1, 20)):
            ip(f"link add up{i} type veth peer name end{i}")
            ip(f"link set end{i} netns {self.process.pid}")
            accept_from_any_interface(f"up{i}")
            ip(f"addr add 10.0.{i}.2/24 dev up{i}")
            ip(f"link set up{i} up")
            ip(f"route add {SERVER} via 10.0.{i}.1 metric {metric}")
        self.process.stdin.write("\n")
        assert self.process.stdout.readline() == "READY\n"

    def await_namespace(self):
        """Waits until unshare has done its work: the namespace is no longer ours."""
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.process.pid}/ns/net") == own:
            assert self.process.poll() is None

    def peer(self):
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.kill()
        self.process.communicate(timeout=PATIENCE_S)
        for i in (0, 1):
            subprocess.run(["ip", "link", "delete", f"up{i}"], check=False, stderr=subprocess.DEVNULL)


class Uplinks(unittest.TestCase):
    def peer_of(self, program, *arguments, **variables):
        """Starts a sample. Returns the address with which it reaches the server."""
        server = Server()
        self.addCleanup(server.close)
        string = f"HostName={SERVER};DeviceId=d;SharedAccessKey={KEY}"
        sample = Background([os.path.join(BIN_DIR, program), *arguments],
                            {**os.environ, "IOTHUB_DEVICE_CONNECTION_STRING": string, "IOTHUB_PORT": str(PORT),
                             "IOTHUB_REST_PORT": str(PORT), **variables})
        try:
            return server.peer()
        finally:
            sample.stop()
            server.close()

    def assert_choice(self, program, *arguments, **variables):
        for bind, peer in ((None, "10.0.0.2"), ("up0", "10.0.0.2"), ("up1", "10.0.1.2"), ("10.0.1.2", "10.0.1.2")):
            with self.subTest(program=program, bind=bind):
                chosen = variables if bind is None else {**variables, "IOTHUB_BIND": bind}
                self.assertEqual(self.peer_of(program, *arguments, **chosen), peer)

    def test_tls(self):
        self.assert_choice("telemetry")

    @unittest.skipUnless("websocket" in BUILT, "WebSocket is not built")
    def test_websocket(self):
        self.assert_choice("telemetry", IOTHUB_TRANSPORT="ws")

    @unittest.skipUnless("curl" in BUILT, "proxies and uploads are not built")
    def test_proxy_and_upload(self):
        self.assert_choice("telemetry", IOTHUB_PROXY=f"http://{SERVER}:{PORT}")
        self.assert_choice("upload", __file__)


if __name__ == "__main__":
    own_network.enter(ARGUMENTS)
    if not has_veth():
        print("SKIPPED: this system makes no veth interfaces")
        sys.exit(own_network.SKIPPED)
    unittest.main()
