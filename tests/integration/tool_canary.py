#!/usr/bin/env python3
"""Puts a recognisable key in every place where it could be given by mistake, and checks that no program
shows it.

usage: tool_canary.py BIN_DIR

Neither standard error nor standard output may contain the key as base64, percent-encoded, or decoded.
Where a program was asked to print what it was given (a token for a resource, its own message), standard
output is not checked.
"""

import base64
import http.server
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

from emulator import PATIENCE_S, Emulator

BIN_DIR = os.path.abspath(sys.argv.pop(1))
RAW = b"CaNaRy-01-never-shown-to-anyone!"  # 32 bytes
KEY = base64.b64encode(RAW).decode()
HOST = "localhost"
STRING = f"HostName={HOST};DeviceId=device1;SharedAccessKey={KEY}"
POLICY = f"HostName={HOST};SharedAccessKeyName=service;SharedAccessKey={KEY}"
TOKEN = (f"SharedAccessSignature sr={HOST}%2Fdevices%2Fdevice1&sig="
         f"{urllib.parse.quote(KEY, safe='')}&se=4000000000")
SECRETS = (KEY, TOKEN, STRING, POLICY)
WINDOW = 10  # number of consecutive characters of a secret that must not be shown
CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
SAMPLES = ("telemetry", "c2d", "twin", "methods", "event_loop", "runner", "store_and_forward",
           "gateway")


def forms(key):
    """Returns what must not be shown: parts of the key in any encoding, and its decoded bytes."""
    texts = [key.encode(), urllib.parse.quote(key, safe="").encode(), base64.b64decode(key),
             key.encode().hex().encode(), base64.b64decode(key).hex().encode()]
    return {text[i:i + WINDOW].lower() for text in texts for i in range(len(text) - WINDOW + 1)}


SHOWN = forms(KEY)


def leaks(output):
    lower = output.lower()
    return any(piece in lower for piece in SHOWN)


class Canary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(BIN_DIR)
        cls.hub.start()
        cls.folder = tempfile.TemporaryDirectory(prefix="canary-")
        cls.plain = {k: v for k, v in cls.hub.environment().items() if "proxy" not in k.lower()}
        for name, text in (("key", KEY), ("string", STRING), ("token", TOKEN),
                           ("broken", STRING[:-2]), ("policy", POLICY),
                           ("comment", f"x{STRING}\n# {KEY}")):
            with open(os.path.join(cls.folder.name, name), "w", encoding="ascii") as file:
                file.write(text + "\n")

    @classmethod
    def tearDownClass(cls):
        cls.hub.__exit__()
        cls.folder.cleanup()

    def run_program(self, words, changes=None, stdin=b""):
        """Runs a program. Returns exit status, output and errors. If it is a server that starts, it is
        stopped again.
        """
        environment = {**self.plain, **(changes or {})}
        process = subprocess.Popen([os.path.join(BIN_DIR, words[0]), *words[1:]], env=environment,
                                   cwd=self.folder.name, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if words[0] == "hub_emulator":
            first = b"".join(iter(lambda: process.stdout.readline().replace(b"READY\n", b""), b""))
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=PATIENCE_S)
            return process.returncode, first, err
        out, err = process.communicate(stdin, timeout=PATIENCE_S)
        return process.returncode, out, err

    def check(self, words, changes=None, stdin=b"", asked=False):
        """If `asked` is true, a successful program may print what it was given on standard output."""
        with self.subTest(words=words, changes=changes):
            status, out, err = self.run_program(words, changes, stdin)
            self.assertFalse(leaks(err), err)
            if not (asked and status == 0):
                self.assertFalse(leaks(out), out)
            self.assertIn(status, (0, 1, 2, -15), err)
            self.assertIsNone(CONTROL.search(err), err)
            self.assertNotIn(b"Sanitizer", err)
            return status, out, err

    COMMANDS = (
        ["iothub", "sas-token", "--connection-string", "CS", "--ttl", "60"],
        ["iothub", "sas-token", "--resource", "r", "--policy", "p", "--key", "KEY", "--expiry", "9"],
        ["iothub", "sas-token", "--inspect", "TOKEN", "--key", "KEY"],
        ["iothub", "service", "--rest-port", "1", "twin", "get", "device1"],
        ["iothub", "service", "twin", "get", "device1"],
        ["iothub", "service", "twin", "update", "device1", "{}"],
        ["iothub", "service", "method", "device1/m", "name", "{}", "--timeout", "5"],
        ["iothub", "service", "c2d", "device1", "text", "-p", "a=b", "--message-id", "i", "--ttl",
         "9"],
        ["iothub", "service", "monitor", "device1", "--count", "1", "--timeout", "1", "--from",
         "1000000"],
        ["iothub", "fleet", "string", "--rate", "1", "--duration", "1", "--port", "1"],
        ["iothub", "fleet", "--create", "1", "--prefix", "f", "--duration", "1", "--rest-port", "1"],
        ["telemetry", "--port", "1", "--count", "1", "--duration", "1"],
        ["gateway", "--devices", "string", "--port", "1", "--count", "1", "--duration", "1"],
        ["mqtt_client", "publish", "-h", HOST, "-p", "1", "-t", "topic", "-m", "text", "-i", "id",
         "-u", "user", "-P", "KEY", "-q", "1", "-W", "1"],
        ["mqtt_client", "listen", "-p", "1", "-c", "file", "--will-topic", "w", "--will-payload",
         "x", "--will-qos", "1"],
        ["hub_emulator", "--port", "0", "--rest-port", "0", "--device", "d", "--host", "localhost"],
    )

    def test_every_position_of_every_command_line(self):
        known = {"CS": STRING, "KEY": KEY, "TOKEN": TOKEN}
        for command in self.COMMANDS:
            if not os.path.exists(os.path.join(BIN_DIR, command[0])):
                continue
            words = [known.get(word, word) for word in command]
            for at in range(1, len(words) + 1):
                secret = SECRETS[at % len(SECRETS)]
                self.check([*words[:at], secret, *words[at:]], asked=True)
                if at < len(words):
                    self.check([*words[:at], secret, *words[at + 1:]], asked=True)

    def test_options_that_are_none(self):
        commands = [["iothub"], ["iothub", "sas-token"], ["iothub", "service"],
                    ["iothub", "service", "twin"], ["iothub", "service", "twin", "get"],
                    ["iothub", "service", "c2d"], ["iothub", "fleet"], ["mqtt_client"],
                    ["hub_emulator"], *[[name] for name in SAMPLES]]
        for command in commands:
            if not os.path.exists(os.path.join(BIN_DIR, command[0])):
                continue
            for option in (f"--{KEY}", f"--key:{KEY}", f"--SharedAccessKey={KEY}", f"-{KEY}",
                           f"--port={KEY}", f"-p{KEY}", f"--help={KEY}", f"--program-name={KEY}",
                           f"--HANG={KEY}", KEY, f"{STRING}\x1b[31m", "--\x1b[31m", "-\x07"):
                status, _, _ = self.check([*command, option])
                self.assertNotEqual(status, 0)

    def test_every_variable_of_the_environment(self):
        """The samples share the code that reads the value, so each sample gets a few values, and two of
        them get all.
        """
        device, service = "IOTHUB_DEVICE_CONNECTION_STRING", "IOTHUB_CONNECTION_STRING"
        port, rest_port, ca = "IOTHUB_PORT", "IOTHUB_REST_PORT", "IOTHUB_CA_FILE"
        commands = ((["iothub", "sas-token", "--as-connection-string"], (device,)),
                    (["iothub", "service", "twin", "get", "device1"], (service, rest_port, ca)),
                    (["iothub", "fleet", "broken"], (port, ca)),
                    (["iothub", "fleet", "--create", "1", "--duration", "1"],
                     (service, port, rest_port, ca)),
                    *[([name, "--count", "1", "--duration", "1"], (device, port, ca))
                      for name in SAMPLES[:7]],
                    (["gateway", "--devices", "string", "--duration", "1"], (port, ca)))
        values = (*SECRETS, STRING[:-1], f"HostName={KEY};DeviceId=d;SharedAccessKey={KEY}",
                  f"HostName=h;GatewayHostName={KEY};DeviceId=d;SharedAccessKey={KEY}",
                  f"HostName=h;DeviceId=d;{KEY}", f"HostName=h;DeviceId=d;SharedAccessKey:{KEY}",
                  f"HostName=h;DeviceId=d;{KEY}=x", f"HostName=h;DeviceId=\x1b;SharedAccessKey={KEY}",
                  f"HostName=h;DeviceId=d;x509={KEY}", f'"{STRING}"', f"{STRING} x")
        for command, names in commands:
            if not os.path.exists(os.path.join(BIN_DIR, command[0])):
                continue
            few = command[0] in SAMPLES[1:6]
            for name in names:
                for value in values[:4] if few or "STRING" not in name else values:
                    self.check(command, {name: value})

    def test_files_and_standard_input(self):
        for name in ("key", "string", "token", "broken", "policy", "comment"):
            with open(os.path.join(self.folder.name, name), "rb") as file:
                content = file.read()
            for words in (["iothub", "fleet", name, "--duration", "1", "--port", "1"],
                          ["gateway", "--devices", name, "--duration", "1", "--port", "1"]):
                self.check(words)
            self.check(["iothub", "fleet", "-", "--duration", "1", "--port", "1"], stdin=content)
            for words in (["--connection-string", "-"], ["--inspect", "-"],
                          ["--inspect", TOKEN, "--key", "-"],
                          ["--resource", "r", "--expiry", "1", "--key", "-"]):
                self.check(["iothub", "sas-token", *words], stdin=content)
                self.check(["iothub", "sas-token", *words], stdin=content[:-3])
                self.check(["iothub", "sas-token", *words], stdin=content + b"\x00\x1b")
            self.check(["iothub", "service", "twin", "update", "device1", "-"], stdin=content)
            self.check(["iothub", "service", "method", "device1", "m", "-"], stdin=content)

    def test_what_a_server_repeats(self):
        """A false hub whose answers contain the token that it received, keys, and terminal colours."""
        with EchoHub(self.hub) as port:
            for words in (["twin", "get", "device1"], ["twin", "update", "device1", "{}"],
                          ["method", "device1", "m"], ["c2d", "device1", "x"], ["monitor"]):
                for status in (200, 400, 401, 403, 404, 429, 500, 504):
                    for form in range(EchoHub.FORMS):
                        changes = {"IOTHUB_REST_PORT": str(port), "IOTHUB_CONNECTION_STRING": POLICY}
                        EchoHub.answer = (status, form)
                        with self.subTest(words=words, status=status, form=form):
                            _, out, err = self.run_program(["iothub", "service", *words], changes)
                            sent = EchoHub.signature
                            self.assertTrue(sent)
                            for output in (err,) if status == 200 else (err, out):
                                self.assertFalse(leaks(output), output)
                                self.assertNotIn(sent[:WINDOW], output)
                            self.assertIsNone(CONTROL.search(err), err)
                            self.assertIsNone(CONTROL.search(out), out)
            self.check(["iothub", "fleet", "--create", "1", "--duration", "1"],
                       {"IOTHUB_REST_PORT": str(port), "IOTHUB_CONNECTION_STRING": POLICY})

    def test_what_a_broker_sends_moves_no_cursor(self):
        text = b"\x1b[31mred\x1b[0m \x07\x08 \xc2\x9b31m \x9b \x7f \r\n \xe2\x80\xae \xff end"
        with Broker(text) as port:
            process = subprocess.run(
                [os.path.join(BIN_DIR, "mqtt_client"), "listen", "-p", str(port), "-t", "t/#"],
                capture_output=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn(b"end", process.stdout)
        self.assertIsNone(CONTROL.search(process.stdout), process.stdout)
        for raw in (b"\x9b ", b"\xe2\x80\xae", b"\xff"):
            self.assertNotIn(raw, process.stdout)


class EchoHub:
    """An HTTPS server with the certificate of the emulator."""

    FORMS = 6
    answer = (200, 0)
    signature = b""

    def __init__(self, hub):
        state = os.path.join(hub.folder.name, "state")
        self.http = Quiet(("127.0.0.1", 0), Echo)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(state, "server.crt"), os.path.join(state, "server.key"))
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self.http.server_address[1]

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(PATIENCE_S)


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers["Authorization"]
        EchoHub.signature = re.search(r"sig=([^&]*)", token).group(1).encode()
        status, form = EchoHub.answer
        body = (
            f'{{"Message":"ErrorCode:Odd;{token}"}}',
            f'{{"Message":"ErrorCode:{KEY};SharedAccessKey={KEY} \\u001b[31m\x1b[31m"}}',
            f'{{"errorCode":400001,"message":"{STRING}"}}',
            f'{{"Message":"{{\\"errorCode\\":404001,\\"message\\":\\"{TOKEN}\\"}}"}}',
            f"<html>{token} {KEY}\x1b]0;title\x07</html>",
            f'{{"status":299,"payload":"\x1b[31m\x7f\u009b"}}',
        )[form].encode()
        self.send_response(status)
        self.send_header("iothub-errorcode", f"{KEY}\x1b[31m" if form % 2 else token)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    do_GET = do_POST = do_PATCH = reply

    def log_message(self, *_):
        pass


class Broker:
    """A broker for one subscriber, to which it sends one message."""

    def __init__(self, text):
        self.text = text
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self.socket.getsockname()[1]

    def __exit__(self, *_):
        self.thread.join(PATIENCE_S)
        self.socket.close()

    def serve(self):
        client, _ = self.socket.accept()
        with client:
            client.settimeout(PATIENCE_S)
            client.recv(4096)
            client.sendall(bytes([0x20, 2, 0, 0]))
            subscribe = client.recv(4096)
            body = struct.pack("!H", 3) + b"t/x" + self.text
            client.sendall(bytes([0x90, 3]) + subscribe[2:4] + b"\0" +
                           bytes([0x30, len(body)]) + body)
            while client.recv(4096):
                pass


if __name__ == "__main__":
    unittest.main()
