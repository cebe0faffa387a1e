#!/usr/bin/env python3
"""Tests the sample mqtt_client over WebSocket with servers that others wrote: nginx and HAProxy in front of
Mosquitto, and the package "ws" of node as a hostile server (build_all/setup.sh interop).

usage: test_websocket.py BIN_DIR
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from broker import PATIENCE_S, Broker, free_port

CLIENT = os.path.join(sys.argv.pop(1), "mqtt_client")
HERE = os.path.dirname(os.path.abspath(__file__))
# Where Debian's packages of node are.
NODE = {**os.environ, "NODE_PATH": os.environ.get("NODE_PATH", "/usr/share/nodejs")}
SECRET = "pa55word"


def program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")


def has_ws():
    node = program("node")
    return node is not None and subprocess.run(
        [node, "-e", "require('ws')"], env=NODE, capture_output=True, check=False).returncode == 0


def run_client(url, *arguments):
    return subprocess.run([CLIENT, "--url", url, *arguments], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)


class Client(unittest.TestCase):
    def succeeds(self, url, *arguments):
        done = run_client(url, "-W", str(PATIENCE_S), *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def fails(self, text, url, *arguments):
        """Expects a failure with one line that contains the text, and nothing that only the server knows."""
        done = run_client(url, "-W", str(PATIENCE_S), "-u", "me", "-P", SECRET, *arguments)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(text, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for secret in ("Secret", SECRET):
            self.assertNotIn(secret, done.stderr + done.stdout)


def make_certificate(folder):
    """Makes a certificate for localhost that clients trust by itself. Returns its file and the key's."""
    certificate, key = (os.path.join(folder, name) for name in ("server.crt", "server.key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-days", "2"],
                   check=True, capture_output=True)
    return certificate, key


class Front:
    """A reverse proxy with TLS in front of a WebSocket listener."""

    def __init__(self, command, configuration, **values):
        self.folder = tempfile.TemporaryDirectory(prefix="mqtt-test-")
        self.port = free_port()
        self.certificate, key = make_certificate(self.folder.name)
        both = os.path.join(self.folder.name, "both.pem")
        with open(both, "w", encoding="ascii") as out:
            for name in (self.certificate, key):
                with open(name, encoding="ascii") as file:
                    out.write(file.read())
        path = os.path.join(self.folder.name, "front.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(configuration.format(folder=self.folder.name, port=self.port, both=both,
                                            certificate=self.certificate, key=key, **values))
        self.process = subprocess.Popen([*command, path], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.wait_ready()

    def wait_ready(self):
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("the proxy did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.folder.cleanup()

    def url(self, path):
        return f"wss://localhost:{self.port}{path}"


class Behind:
    """What holds behind each reverse proxy."""

    def setUp(self):
        if program(self.COMMAND[0]) is None:
            self.skipTest(f"{self.COMMAND[0]} is not installed (build_all/setup.sh interop)")
        self.broker = Broker(websocket=True)
        self.addCleanup(self.broker.__exit__)
        self.broker.__enter__()
        self.front = Front([program(self.COMMAND[0]), *self.COMMAND[1:]], self.CONFIGURATION,
                           broker=self.broker.websocket_port, closed=free_port())
        self.addCleanup(self.front.stop)
        self.trust = ("-c", self.front.certificate)

    def test_messages_of_every_size_come_back(self):
        for size in (0, 1, 117, 118, 119, 1000, 16000, 60000):
            text = size * "x"
            self.assertEqual(self.succeeds(self.front.url("/mqtt"), *self.trust, "-t", "back",
                                           "-q", "2", "-m", text), [f"back (QoS 2): {text}"])

    def test_a_broker_that_is_down_is_a_gateway_that_says_so(self):
        self.fails("refuses the WebSocket: HTTP status 50", self.front.url("/down"), *self.trust)

    def test_a_path_that_does_not_exist_is_named(self):
        self.fails("HTTP status 404 (unknown path)", self.front.url("/missing"), *self.trust)

    def test_the_certificate_is_verified(self):
        self.fails("certificate", self.front.url("/mqtt"))


class BehindNginx(Behind, Client):
    COMMAND = ("nginx", "-c")
    CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    location /mqtt {{ proxy_pass http://127.0.0.1:{broker}; }}
    location /down {{ proxy_pass http://127.0.0.1:{closed}; }}
    location /moved {{ return 302 https://elsewhere.invalid/Secret; }}
    location /private {{ return 401; }}
    location / {{ return 404; }}
  }}
}}
"""

    def test_a_redirect_is_not_followed(self):
        self.fails("HTTP status 302 (redirects are not followed)", self.front.url("/moved"), *self.trust)

    def test_a_login_is_named(self):
        self.fails("HTTP status 401 (a log-in is required)", self.front.url("/private"), *self.trust)


class BehindHaproxy(Behind, Client):
    COMMAND = ("haproxy", "-f")
    CONFIGURATION = """
defaults
  mode http
  timeout connect 10s
  timeout client 1m
  timeout server 1m
  timeout tunnel 1h
frontend front
  bind 127.0.0.1:{port} ssl crt {both}
  http-request return status 404 if {{ path /missing }}
  use_backend down if {{ path /down }}
  default_backend broker
backend broker
  server broker 127.0.0.1:{broker}
backend down
  server down 127.0.0.1:{closed}
"""


@unittest.skipUnless(has_ws(), "node or its package ws is not installed (build_all/setup.sh interop)")
class Hostile(Client):
    def setUp(self):
        self.process = subprocess.Popen(
            [program("node"), os.path.join(HERE, "hostile_websocket.js")], env=NODE, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.stop)
        self.port = self.process.stdout.readline().strip().removeprefix("PORT=")

    def stop(self):
        """Ends the server, and expects that it had nothing to say against the client."""
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        self.assertEqual(errors, "")

    def url(self, path):
        return f"ws://127.0.0.1:{self.port}{path}"

    def ended(self, path):
        """Returns the close code that the server received, and the number of answered pings."""
        for line in self.process.stdout:
            name, url, code, pongs = line.split()
            if (name, url) == ("CLOSED", path):
                return int(code), int(pongs)
        raise AssertionError("the server has ended")

    def test_a_good_server_works(self):
        self.assertEqual(self.succeeds(self.url("/"), "-t", "back"),
                         ["back (QoS 0): hello", "back (QoS 0): hello"])
        self.assertEqual(self.ended("/")[0], 1000)

    def test_one_byte_in_each_fragment_with_pings_between_works(self):
        self.assertEqual(self.succeeds(self.url("/fragments"), "-t", "back", "-q", "1", "-m", 300 * "x"),
                         ["back (QoS 0): " + 300 * "x"])

    def test_pings_are_answered(self):
        self.succeeds(self.url("/pings"), "-t", "back")
        self.assertEqual(self.ended("/pings"), (1000, 100))

    def test_each_close_code_is_named_and_answered(self):
        texts = {1000: "normal closure", 1001: "going away", 1002: "protocol error",
                 1003: "unsupported data", 1005: "without a status code", 1007: "invalid data",
                 1008: "policy violation", 1009: "message too big", 1010: "an extension is required",
                 1011: "internal error", 1012: "service restart", 1013: "try again later",
                 1014: "bad gateway", 3000: "", 4999: ""}
        for code, text in texts.items():
            path = f"/close-{code}"
            self.fails(f"closed the WebSocket with status code {code} ({text})", self.url(path),
                       "listen")
            self.assertEqual(self.ended(path)[0], code)

    def test_each_violation_is_named_and_answered_with_its_code(self):
        for path, (text, code) in {
                "/text": ("sent a text message; MQTT needs binary ones", 1003),
                "/masked": ("sent a masked frame", 1002),
                "/masked-ping": ("sent a masked frame", 1002)}.items():
            self.fails(text, self.url(path), "listen")
            self.assertEqual(self.ended(path)[0], code)

    def test_a_frame_of_16_mb_is_streamed(self):
        lines = self.succeeds(self.url("/large"), "listen", "-t", "back")
        self.assertTrue(lines[-1].startswith("back (QoS 0): "), lines[-1][:50])

    def test_16_mb_of_garbage_fail_in_mqtt(self):
        self.fails("malformed packet", self.url("/garbage"), "listen")

    def test_a_connection_that_is_cut_is_named(self):
        self.fails("closed the connection", self.url("/terminate"), "listen")

    def test_each_bad_answer_is_named(self):
        for path, text in {
                "/wrong-accept": "answers with a wrong Sec-WebSocket-Accept",
                "/extension": "selects an extension that was not offered",
                "/endless-head": "answers with more than 4096 bytes of headers",
                "/no-http": "does not answer in HTTP/1.1",
                "/no-protocol": "selects no subprotocol",
                "/other-protocol": "selects another subprotocol"}.items():
            self.fails(text, self.url(path))

    def test_each_status_is_named(self):
        for status in (200, 301, 302, 307, 400, 401, 403, 404, 407, 410, 426, 429, 500, 502, 503, 504):
            self.fails(f"HTTP status {status} (", self.url(f"/status-{status}"))

    def test_a_server_that_does_not_answer_is_given_up_in_time(self):
        began = time.monotonic()
        done = run_client(self.url("/silent"), "-W", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no answer in time", done.stderr)
        self.assertLess(time.monotonic() - began, PATIENCE_S)


if __name__ == "__main__":
    unittest.main()
