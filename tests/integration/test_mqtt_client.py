#!/usr/bin/env python3
"""Tests the sample mqtt_client with Mosquitto: the features of MQTT 3.1.1 over TCP and over its
WebSocket listener, and what is refused.

usage: test_mqtt_client.py BIN_DIR
"""

import os
import signal
import subprocess
import sys
import unittest

from broker import PATIENCE_S, Broker
from emulator import Background

CLIENT = os.path.join(sys.argv.pop(1), "mqtt_client")
ME = ("--id", "me", "--disable-clean-session")


class Features:
    """Tests what holds over every transport."""

    @classmethod
    def setUpClass(cls):
        cls.broker = cls.make_broker()
        cls.addClassCleanup(cls.broker.__exit__)
        cls.broker.__enter__()

    def start(self, *arguments):
        return Background([CLIENT, *self.target(), "-W", str(PATIENCE_S), *arguments], os.environ)

    def run_client(self, *arguments):
        return self.start(*arguments).end()

    def listen(self, *arguments):
        """Starts the sample in the background and waits until it has subscribed."""
        listener = self.start("listen", *arguments)
        listener.wait_line("listening to")
        return listener

    def test_each_qos_comes_back(self):
        self.assertEqual(self.run_client("-t", "back"), ["back (QoS 0): hello", "back (QoS 1): hello"])
        for qos in "012":
            self.assertEqual(self.run_client("-t", "back", "-q", qos, "-m", "x"),
                             [f"back (QoS {qos}): x"])

    def test_a_filter_with_wildcards_hears_what_matches(self):
        listener = self.listen("-t", "a/+/#", "-q", "1", "-n", "2")
        for topic in ("a", "a/b", "b/b/c", "a/b/c/d"):
            self.run_client("publish", "-t", topic, "-q", "1", "-m", topic)
        self.assertEqual(listener.end()[1:], ["a/b (QoS 1): a/b", "a/b/c/d (QoS 1): a/b/c/d"])

    def test_a_retained_message_comes_to_a_new_subscriber(self):
        self.run_client("publish", "-t", "state", "-m", "on", "-q", "1", "--retain")
        self.assertIn("state (QoS 1, retained): on",
                      self.run_client("listen", "-t", "state", "-q", "1"))
        self.run_client("publish", "-t", "state", "-m", "", "-q", "1", "--retain")  # clears it
        listener = self.listen("-t", "state", "-q", "1")
        self.run_client("publish", "-t", "state", "-m", "next", "-q", "1")
        self.assertEqual(listener.end()[1:], ["state (QoS 1): next"])

    def test_the_will_is_published_when_the_client_is_killed_and_only_then(self):
        will = ("-t", "work", "--will-topic", "will", "--will-qos", "2", "--will-retain")
        watcher = self.listen("-t", "will", "-q", "2")
        self.listen(*will, "--will-payload", "left in order").stop(signal.SIGTERM)
        self.listen(*will, "--will-payload", "gone").stop(signal.SIGKILL)
        self.assertEqual(watcher.end()[1:], ["will (QoS 2): gone"])
        self.assertIn("will (QoS 2, retained): gone",
                      self.run_client("listen", "-t", "will", "-q", "2"))

    def test_messages_wait_in_a_session_that_is_kept(self):
        first = self.start("listen", "-t", "queue", "-q", "2", *ME)
        first.wait_line("listening to")
        first.stop()
        self.assertIn("a new session", first.lines)
        for n in "123":
            self.run_client("publish", "-t", "queue", "-q", "2", "-m", n)
        lines = self.run_client("listen", "-t", "queue", "-q", "2", "-n", "3", *ME)
        self.assertEqual(lines[0], "the session continues")
        self.assertEqual([line for line in lines if line.startswith("queue")],
                         [f"queue (QoS 2): {n}" for n in "123"])

    def test_an_unsubscribed_filter_delivers_no_more(self):
        subscriber = ("-t", "news", "-q", "1", "--id", "reader", "--disable-clean-session")
        self.listen(*subscriber).stop()
        self.run_client("publish", "-t", "news", "-q", "1", "-m", "heard")
        self.assertIn("news (QoS 1): heard", self.run_client("listen", *subscriber))
        self.assertEqual(self.run_client("unsubscribe", *subscriber), ["the session continues"])
        self.run_client("publish", "-t", "news", "-q", "1", "-m", "unheard")
        listener = self.listen(*subscriber)
        self.run_client("publish", "-t", "news", "-q", "1", "-m", "heard again")
        self.assertEqual([line for line in listener.end() if line.startswith("news")],
                         ["news (QoS 1): heard again"])


class OverTcp(Features, unittest.TestCase):
    @staticmethod
    def make_broker():
        return Broker()

    def target(self):
        return ("--port", self.broker.port)

    def fails(self, status, text, *arguments):
        """Expects a failure with one line that names the part at fault."""
        done = subprocess.run([CLIENT, *arguments], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr, rf"^\S*mqtt_client: .*{text}.*\n\Z")

    def test_wrong_input_gets_one_line_that_names_the_part(self):
        for text, bad in {
                "--port is not a number from 1 to 65535": ("-p", "0"),
                "--qos is not a number from 0 to 2": ("-q", "3"),
                "--will-qos is not a number from 0 to 2": ("--will-qos=-1", "--will-topic", "w"),
                "--count is not a number": ("-n", "1x"),
                "is not publish, listen or unsubscribe": ("more",),
                "one command is enough": ("publish", "listen"),
                "--host is not a host name": ("-h", "mqtt://localhost:1883"),
                "--pw needs --username": ("-P", "secret"),
                "--disable-clean-session needs --id": ("--disable-clean-session",),
                "need --will-topic": ("--will-retain",),
                "--will-topic is not a topic": ("--will-topic", "a/#"),
                "--topic is not a topic": ("publish", "-t", "a/+"),
                "--topic is not a topic filter": ("listen", "-t", "a#"),
                "--id is not UTF-8": ("--id", b"\xff"),
                "--username is not UTF-8": ("-u", b"\xc0\xaf"),
                "it begins with none of mqtt://": ("--url", "http://localhost"),
                "it has a user name": ("--url", "wss://me:secret@localhost/mqtt"),
                "it has no valid host": ("--url", "ws:///mqtt"),
                "its port is not a number": ("--url", "ws://localhost:65536/mqtt"),
                "only ws:// and wss:// have a path": ("--url", "mqtt://localhost/mqtt"),
                "its path is too long": ("--url", "ws://localhost/" + 255 * "x"),
                "--cafile is for TLS": ("--url", "ws://localhost", "-c", "/dev/null"),
        }.items():
            self.fails(2, text, *bad)
        for bad in (("--will-topic", ""), ("-t", "#"), ("unsubscribe", "-t", "")):
            self.fails(2, "topic is no", *bad)
        port = ("-p", self.broker.port)
        self.fails(1, "--will-payload", *port, "--will-topic", "w", "--will-payload", 5000 * "x")
        self.fails(1, "--message", *port, "publish", "-m", 70000 * "x")
        self.fails(1, "connection refused", "-p", "1")
        self.fails(1, "the path", "--url", "ws://localhost/a b")
        self.fails(1, "connection refused", "--url", "ws://[::1]:1/mqtt")
        self.fails(1, "nowhere.invalid", "-h", "nowhere.invalid")
        self.fails(1, "nowhere.pem", "-c", "/nowhere.pem")
        self.fails(1, "--timeout is over", *port, "listen", "-t", "silence", "-W", "1")


class OverWebSocket(Features, unittest.TestCase):
    @staticmethod
    def make_broker():
        return Broker(websocket=True)

    def target(self):
        return ("--url", f"ws://127.0.0.1:{self.broker.websocket_port}/any/path?with=query")

    def test_64_kb_messages_come_back(self):
        text = 60000 * "x"
        self.assertEqual(self.run_client("-t", "large", "-q", "2", "-m", text),
                         [f"large (QoS 2): {text}"])


if __name__ == "__main__":
    unittest.main()
