#!/usr/bin/env python3
"""Tests that devices reach the hub through proxies that others wrote, over TLS and over WebSocket.

usage: test_proxies.py BIN_DIR

A proxy that is not installed is skipped.
"""

import os
import sys
import unittest

import proxies
from emulator import PATIENCE_S, Background, Emulator

BIN_DIR = sys.argv.pop(1)
SECRETS = f"{proxies.USER}:{proxies.PASSWORD}@"
WRONG = f"{proxies.USER}:hush-wrong@"
TRANSPORTS = ("mqtt", "ws")


class Proxies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(BIN_DIR)
        cls.hub.start()

    @classmethod
    def tearDownClass(cls):
        cls.hub.__exit__()

    def run_proxy(self, proxy):
        """Starts a proxy until the end of the test."""
        if proxies.find(proxy.program) is None:
            self.skipTest(f"{proxy.program} is not installed (build_all/setup.sh interop)")
        self.addCleanup(proxy.__exit__)
        return proxy.__enter__()

    def environment(self, transport, **variables):
        port = self.hub.port if transport == "mqtt" else self.hub.rest_port
        return {**self.hub.environment(), "IOTHUB_PORT": port, "IOTHUB_TRANSPORT": transport,
                **variables}

    def send(self, transport, **variables):
        """Runs the sample that sends telemetry. Returns its output, of both kinds, and its status."""
        sample = Background(self.hub.command("telemetry", "--count", "3", "--duration", "200"),
                            self.environment(transport, **variables))
        with open(f"/proc/{sample.process.pid}/cmdline", encoding="ascii") as f:
            self.assertNotIn("hush", f.read())
        status = sample.process.wait(PATIENCE_S)
        sample.reader.join()
        said = "\n".join(sample.lines) + sample.said()
        sample.close()
        self.assertNotIn("hush", said)
        return said, status

    def assert_delivers(self, url):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                said, status = self.send(transport, IOTHUB_PROXY=url)
                self.assertIn("3 messages arrived", said)
                self.assertEqual(status, 0)

    def assert_refused(self, url, text):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                said, status = self.send(transport, IOTHUB_PROXY=url)
                self.assertIn(text, said)
                self.assertIn("0 messages arrived", said)
                self.assertNotEqual(status, 0)

    def test_tinyproxy_delivers(self):
        self.assert_delivers(self.run_proxy(proxies.Tinyproxy()).url())

    def test_tinyproxy_with_basic_authentication_delivers_and_refuses(self):
        proxy = self.run_proxy(proxies.TinyproxyBasic())
        self.assert_delivers(proxy.url(SECRETS))
        self.assert_refused(proxy.url(WRONG), "it refused the user or password")
        self.assert_refused(proxy.url(), "it requires a user and password")

    def test_squid_with_digest_authentication_delivers_and_refuses(self):
        proxy = self.run_proxy(proxies.SquidDigest())
        self.assert_delivers(proxy.url(SECRETS))
        self.assert_refused(proxy.url(WRONG), "it refused the user or password")
        self.assert_refused(proxy.url(), "it requires a user and password")

    def test_squid_with_ntlm_delivers_and_refuses(self):
        proxy = self.run_proxy(proxies.SquidNtlm())
        self.assert_delivers(proxy.url(SECRETS))
        self.assert_refused(proxy.url(), "it requires a user and password")

    def test_microsocks_delivers(self):
        self.assert_delivers(self.run_proxy(proxies.Microsocks()).url())

    def test_microsocks_with_a_password_delivers_and_refuses(self):
        proxy = self.run_proxy(proxies.MicrosocksUser())
        self.assert_delivers(proxy.url(SECRETS))
        self.assert_refused(proxy.url(WRONG), "it refused the user or password")
        self.assert_refused(proxy.url(), "it may require a user and password")

    def test_dante_delivers(self):
        self.assert_delivers(self.run_proxy(proxies.Dante()).url())

    def test_a_proxy_over_tls_delivers_and_is_verified(self):
        inner = self.run_proxy(proxies.TinyproxyBasic())
        state = os.path.join(self.hub.folder.name, "state")
        proxy = self.run_proxy(proxies.OverTls(inner, os.path.join(state, "server.crt"),
                                               os.path.join(state, "server.key")))
        self.assert_delivers(proxy.url(SECRETS))
        self.assert_refused(proxy.url(WRONG), "it refused the user or password")
        wrong_name = proxy.url(SECRETS).replace("localhost", "127.0.0.2")
        self.assert_refused(wrong_name, "proxy 127.0.0.2:")

    def test_a_port_that_is_no_proxy_is_named(self):
        for scheme in ("http", "socks5", "socks5h"):
            url = f"{scheme}://127.0.0.1:{self.hub.port}"  # it waits for TLS
            with self.subTest(scheme=scheme):
                self.assert_refused(url, f"proxy 127.0.0.1:{self.hub.port}: ")

    def test_the_environment_names_the_proxy_and_its_exceptions(self):
        proxy = self.run_proxy(proxies.Tinyproxy())
        dead = "http://127.0.0.1:1"
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                said, _ = self.send(transport, IOTHUB_PROXY="environment", HTTPS_PROXY=proxy.url())
                self.assertIn("3 messages arrived", said)
                said, _ = self.send(transport, IOTHUB_PROXY="environment", HTTPS_PROXY=dead)
                self.assertIn("proxy 127.0.0.1:1: connection refused", said)
                said, _ = self.send(transport, IOTHUB_PROXY="environment", HTTPS_PROXY=dead,
                                    NO_PROXY="localhost")
                self.assertIn("3 messages arrived", said)
                said, _ = self.send(transport, HTTPS_PROXY=dead)
                self.assertIn("3 messages arrived", said)

    def test_nothing_is_lost_while_the_proxy_is_killed_and_started_again(self):
        proxy = self.run_proxy(proxies.Tinyproxy())
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                c2d = Background(self.hub.command("c2d", "--count", "1000", "--duration", "200"),
                                 self.environment(transport, IOTHUB_PROXY=proxy.url()))
                try:
                    c2d.wait_line("connected")
                    for number in range(3):
                        proxy.kill()
                        self.hub.service("c2d", "device1", f"{transport} {number}")
                        while not proxy.start(proxy.port):
                            pass
                        c2d.wait_line(f": {transport} {number}")
                finally:
                    c2d.stop()  # the device of the next transport is the same


if __name__ == "__main__":
    unittest.main()
