#!/usr/bin/env python3
"""Tests a device whose name server comes and goes.

usage: test_name_server.py BIN_DIR PLANNED_CONNECTS

It runs in a network namespace of its own (see own_network.py), with files of its own in place of /etc/resolv.conf and
/etc/nsswitch.conf.
"""

import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import own_network
from emulator import PATIENCE_S, Emulator
from planned_device import Device

ARGUMENTS = [__file__, *sys.argv[1:]]
BIN_DIR, PLANNED_CONNECTS = (sys.argv.pop(1) for _ in range(2))
HOST = "hub.example"
RESOLV_CONF = "/etc/resolv.conf"
IMPATIENT = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
PATIENT = "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n"
FILES = {RESOLV_CONF: IMPATIENT, "/etc/nsswitch.conf": "hosts: dns\n"}
TYPE_A, NO_ERROR, NO_NAME = 1, 0, 3
SOON_S = 10


def write(name, text):
    with open(name, "w", encoding="ascii") as file:
        file.write(text)


class NameServer:
    """Answers the questions for addresses on port 53, or does not."""

    def __init__(self, mode):
        self.mode = mode
        self.questions = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            query, peer = self.socket.recvfrom(512)
            if not query:
                return
            self.questions += 1
            if self.mode != "silent":
                self.socket.sendto(self.answer(query), peer)

    def answer(self, query):
        end = query.index(b"\0", 12) + 5  # behind the type and the class of the question
        kind = struct.unpack_from(">H", query, end - 4)[0]
        code = NO_NAME if self.mode == "no such name" else NO_ERROR
        address = kind == TYPE_A and code == NO_ERROR
        record = b"\xc0\x0c" + struct.pack(">HHIH4B", TYPE_A, 1, 0, 4, 127, 0, 0, 1) if address else b""
        return query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 1 if address else 0, 0, 0) + query[12:end] + record

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", ("127.0.0.1", 53))  # ends the thread
        self.thread.join()
        self.socket.close()


class NameServers(unittest.TestCase):
    def setUp(self):
        self.hub = Emulator(BIN_DIR, arguments=("--host", HOST))
        self.addCleanup(self.hub.__exit__)
        self.hub.start()

    def device(self):
        return Device(PLANNED_CONNECTS, self.hub, "overlap")

    def wait_until(self, holds, device):
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            self.assertIsNone(device.process.poll(), device.said())
            self.assertLess(time.monotonic(), deadline, device.said())
            time.sleep(0.02)

    def test_a_device_connects_when_the_name_server_is_back(self):
        for mode, said in (("silent", "the name servers do not answer"), ("no such name", "no such name")):
            with self.subTest(mode), NameServer(mode) as server, self.device() as device:
                self.wait_until(lambda text=said: f"{HOST}: {text}" in device.said(), device)
                server.mode = "answers"
                device.connection()

    def test_a_device_connects_when_there_was_no_network(self):
        with self.device() as device:
            self.wait_until(lambda: f"{HOST}: " in device.said(), device)
            with NameServer("answers"):
                device.connection()

    def test_a_device_ends_while_a_name_is_looked_up(self):
        write(RESOLV_CONF, PATIENT)
        self.addCleanup(write, RESOLV_CONF, IMPATIENT)
        with NameServer("silent") as server, self.device() as device:
            self.wait_until(lambda: server.questions > 0, device)
            began = time.monotonic()
            device.process.communicate(timeout=PATIENCE_S)
            self.assertEqual(device.process.returncode, 0)
            self.assertLess(time.monotonic() - began, SOON_S)


def replace_files(folder):
    """Skips the test if the system does not allow it."""
    for name, text in FILES.items():
        own = os.path.join(folder, os.path.basename(name))
        write(own, text)
        if subprocess.run(["mount", "--bind", own, name], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            print(f"SKIPPED: {name} cannot be replaced")
            sys.exit(own_network.SKIPPED)


if __name__ == "__main__":
    own_network.enter(ARGUMENTS, "--mount")
    with tempfile.TemporaryDirectory() as temporary:
        replace_files(temporary)
        unittest.main()
