#!/usr/bin/env python3
"""Searches the memory of a program, as a core image contains it, and its arguments and output, for secrets: the
key of the device, the password of a proxy and the token of the storage account.

usage: test_secrets.py BIN_DIR SECRETS
"""

import base64
import os
import re
import subprocess
import sys
import unittest

import proxies
from emulator import PATIENCE_S, Emulator

BIN_DIR, SECRETS = (sys.argv.pop(1) for _ in range(2))
PROXY_USER = f"{proxies.USER}:{proxies.PASSWORD}"


def dumped_memory(pid):
    """Yields the mappings of a process that a core image contains: all that can be read, except those that are
    marked as not to be dumped, such as the shadow memory of AddressSanitizer.
    """
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            mapping = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line)
            if mapping:
                start, end = (int(part, 16) for part in mapping.groups()[:2])
                readable = mapping.group(3).startswith("r")
            elif line.startswith("VmFlags:") and readable and " dd" not in line:
                try:
                    memory.seek(start)
                    yield memory.read(end - start)
                except (OSError, ValueError):  # a mapping such as [vvar]
                    pass


class Program:
    """The program, which waits at certain moments."""

    def __init__(self, hub, proxy_url):
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("IOTHUB_DEVICE")}
        self.environment["IOTHUB_CA_FILE"] = hub.values["IOTHUB_CA_FILE"]
        self.lines = f"{hub.values['IOTHUB_DEVICE_CONNECTION_STRING']}\n{proxy_url}\n".encode()
        self.process = subprocess.Popen([SECRETS, hub.device_port, hub.rest_port], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment)
        self.send(self.lines)

    def send(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def wait_for(self, moment):
        line = self.process.stdout.readline().decode().strip()
        assert line == moment, (line, self.end())

    def found(self, patterns):
        """Returns the names of the patterns that are in the memory."""
        names = set()
        for block in dumped_memory(self.process.pid):
            names |= {name for name, pattern in patterns.items() if re.search(pattern, block)}
        return names

    def arguments(self):
        with open(f"/proc/{self.process.pid}/cmdline", "rb") as f:
            return f.read()

    def end(self):
        output, errors = self.process.communicate(timeout=PATIENCE_S)
        return (output + errors).decode()


class Secrets(unittest.TestCase):
    def patterns(self, hub):
        """What must not stay: each secret in each form in which it is used."""
        key = re.search("SharedAccessKey=([^;]*)", hub.values["IOTHUB_DEVICE_CONNECTION_STRING"]).group(1)
        basic = base64.b64encode(PROXY_USER.encode()).rstrip(b"=")
        return {
            "key": re.escape(key.encode()),
            "key, decoded": re.escape(base64.b64decode(key)),
            "password": re.escape(proxies.PASSWORD.encode()),
            "password, encoded": re.escape(basic[:-1]),
            "device token": rb"sr=[^&\0 ]*devices%2F[^&\0 ]*&sig=[\w%]{20}",
            # Except in the answer of the hub, which stays in freed memory of OpenSSL.
            "storage token": rb'(?<!"sasToken":")\?sv=[^"&]*&se=[^"&]*&sr=b&sp=[a-z]*&sig=[\w%]{20}',
        }

    def check_shown(self, patterns, text):
        for name, pattern in patterns.items():
            self.assertIsNone(re.search(pattern, text), name)

    def check_client(self, program, patterns):
        program.wait_for("connected")
        self.assertLessEqual({"key", "password"}, program.found(patterns), "the search finds what is there")
        self.check_shown(patterns, program.arguments())
        program.send(b"\n")
        program.wait_for("freed")
        self.assertEqual(program.found(patterns), set())

    def check_upload(self, program, patterns):
        program.send(b"\n" + program.lines)
        program.wait_for("uploading")
        self.assertLessEqual({"key", "password", "storage token"}, program.found(patterns))
        program.send(b"\n")
        program.wait_for("uploaded")
        self.assertEqual(program.found(patterns), set())

    def check_through(self, proxy):
        """Checks that nothing secret is left after a client and an upload, nor shown by them."""
        if proxies.find(proxy.program) is None:
            self.skipTest(f"{proxy.program} is not installed")
        with Emulator(BIN_DIR) as hub, proxy:
            patterns = self.patterns(hub)
            program = Program(hub, proxy.url(f"{PROXY_USER}@"))
            try:
                self.check_client(program, patterns)
                self.check_upload(program, patterns)
                program.send(b"\n")
            finally:
                output = program.end()
            self.assertEqual(program.process.returncode, 0, output)
            self.assertIn("connected", output)
            self.check_shown(patterns, output.encode())

    def test_nothing_is_left_of_basic_authentication(self):
        self.check_through(proxies.TinyproxyBasic())

    def test_nothing_is_left_of_digest_authentication(self):
        self.check_through(proxies.SquidDigest())

    def test_nothing_is_left_of_a_socks_proxy(self):
        self.check_through(proxies.MicrosocksUser())


if __name__ == "__main__":
    unittest.main()
