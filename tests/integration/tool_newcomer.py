#!/usr/bin/env python3
"""Makes mistakes of a newcomer, one in each row: each must end soon, with the right exit status, and with
one line that says what to do.

usage: tool_newcomer.py BIN_DIR
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

from emulator import PATIENCE_S, Emulator

BIN_DIR = os.path.abspath(sys.argv.pop(1))
LINE_MAX = 320
SANITIZER = ("Sanitizer", "runtime error", "Assertion", "core dumped")
KEY = "Q2FuYXJ5S2V5T2ZBTmV3Y29tZXIwMTIzNDU2Nzg5QUI="
DEVICE = f"HostName=localhost;DeviceId=device1;SharedAccessKey={KEY}"
TOKEN = "SharedAccessSignature sr=localhost%2Fdevices%2Fdevice1&sig=AAAA&se=4000000000"
SAMPLES = ("telemetry", "c2d", "twin", "methods", "event_loop", "runner", "store_and_forward")


def program_exists(name):
    return os.path.exists(os.path.join(BIN_DIR, name))


class Newcomer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(BIN_DIR)
        cls.hub.start()
        cls.folder = tempfile.TemporaryDirectory(prefix="newcomer-")
        cls.files = {
            "empty": b"",
            "blank": b"\n \t\n# nothing\n",
            "garbage": bytes(range(1, 256)) * 40,
            "nul": b"HostName=h\0;DeviceId=d\n",
            "utf16": DEVICE.encode("utf-16"),
            "huge": b"x" * 10_000_000,
            "one": cls.good().encode() + b"\n",
            "crlf": b"\xef\xbb\xbf# list\r\n\r\n  " + cls.good().encode() + b"  \r\n",
            "no_end": cls.good().encode(),
            "half": cls.good().encode()[:40] + b"\n",
            "second": cls.good().encode() + b"\nHostName=localhost;DeviceId=d\n",
            "locked": cls.good().encode(),
        }
        for name, content in cls.files.items():
            with open(cls.path(name), "wb") as file:
                file.write(content)
        os.chmod(cls.path("locked"), 0)

    @classmethod
    def tearDownClass(cls):
        cls.hub.__exit__()
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def good(cls):
        return cls.hub.values["IOTHUB_DEVICE_CONNECTION_STRING"]

    def run_program(self, words, changes=None, stdin=b"", shell_end=""):
        """Runs a shell, so that descriptors can be closed."""
        environment = {**self.hub.environment(), **(changes or {})}
        environment = {k: v for k, v in environment.items() if v is not None}
        command = ["sh", "-c", f'exec "$0" "$@" {shell_end}',
                   os.path.join(BIN_DIR, words[0]), *words[1:]]
        done = subprocess.run(command, env=environment, input=stdin, capture_output=True,
                              timeout=PATIENCE_S, check=False, cwd=self.folder.name)
        return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")

    def mistake(self, status, says, words, changes=None, stdin=b"", shell_end=""):
        with self.subTest(words=words, changes=changes, shell_end=shell_end):
            got, out, err = self.run_program(words, changes, stdin, shell_end)
            if os.environ.get("NEWCOMER_SHOWS"):
                print(f"{got} {err.strip()}    <- {' '.join(words)[:60]} {changes or ''} {shell_end}")
            self.assertEqual(got, status, err)
            self.assertFalse(any(word in err for word in SANITIZER), err)
            self.assertRegex(err, says)
            self.assertEqual(err.count("\n"), 1, err)
            self.assertLess(len(err), LINE_MAX)
            self.assertTrue(err.startswith(words[0] + ": "), err)
            key = self.good().rpartition("SharedAccessKey=")[2]
            for secret in (KEY[:12], key[:12]):
                self.assertNotIn(secret, err)
                self.assertNotIn(secret.encode(), out)
            self.assertIsNone(re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", err))

    def mistakes(self, rows):
        for status, says, words, *changes in rows:
            self.mistake(status, says, words, *changes)

    def test_the_command_line_of_iothub(self):
        self.mistakes((
            (2, "a command is missing", ["iothub"]),
            (2, "unknown command", ["iothub", "telemetry"]),
            (2, "unknown command", ["iothub", DEVICE]),
            (2, "unrecognized option", ["iothub", "--sas-token"]),
            (2, "unrecognized option", ["iothub", "-" + KEY]),
            (2, "unrecognized option", ["iothub", "sas-token", "--" + KEY]),
            (2, "unrecognized option --connexion-string",
             ["iothub", "sas-token", "--connexion-string", DEVICE]),
            (2, "follows --connection-string", ["iothub", "sas-token", DEVICE]),
            (2, "--connection-string requires an argument",
             ["iothub", "sas-token", "--connection-string"]),
            (2, "takes no argument", ["iothub", "sas-token", "--as-connection-string=" + KEY]),
            (2, "ambiguous option --r", ["iothub", "fleet", "--r=5"]),
            (2, "--ttl is not a number", ["iothub", "sas-token", "--ttl", KEY]),
            (2, "--key needs --resource", ["iothub", "sas-token", "--key", KEY]),
            (2, "unknown command", ["iothub", "service", DEVICE]),
            (2, "not a connection string", ["iothub", "service", "twin", "get", DEVICE]),
            (2, "DEVICE/MODULE", ["iothub", "service", "twin", "get", "a/b/c"]),
            (2, "not a device id", ["iothub", "service", "twin", "get", "my device"]),
            (2, "the JSON is missing", ["iothub", "service", "twin", "update", "device1"]),
            (1, "not JSON", ["iothub", "service", "twin", "update", "device1", "{interval: 5}"]),
            (1, "not JSON", ["iothub", "service", "twin", "update", "device1", "{'a': 5}"]),
            (1, "must be a JSON object", ["iothub", "service", "twin", "update", "device1", "5"]),
            (1, "no device 'device-1'", ["iothub", "service", "twin", "get", "device-1"]),
            (1, "no device with this id", ["iothub", "service", "twin", "get", KEY.replace("/", "")]),
            (1, "no device with this id", ["iothub", "service", "twin", "get",
                                         KEY[:15] + "/" + KEY[16:]]),
            (2, "--resource is a connection string or a token",
             ["iothub", "sas-token", "--resource", DEVICE, "--key", KEY]),
            (2, "--resource is a connection string or a token",
             ["iothub", "sas-token", "--resource", TOKEN, "--key", KEY]),
            (1, "is not connected", ["iothub", "service", "method", "device1", "ping"]),
            (2, "--timeout is not a number from 5 to 300",
             ["iothub", "service", "method", "device1", "ping", "--timeout", "1"]),
            (2, "--property is not NAME=VALUE",
             ["iothub", "service", "c2d", "device1", "x", "-p", "colour"]),
            (2, "a file of connection strings or --create", ["iothub", "fleet"]),
            (1, "not a connection string", ["iothub", "fleet", DEVICE]),
            (2, "--prefix", ["iothub", "fleet", "--create", "1", "--prefix", "a b"]),
            (1, "- <FILE", ["iothub", "service", "twin", "update", "device1", "update.json"]),
            (2, "--rate is not a rate", ["iothub", "fleet", "--rate", "1e-300", "one"]),
            (2, "--rate is not a rate", ["iothub", "fleet", "--rate", "0.0000000001", "one"]),
            (2, "--ramp", ["iothub", "fleet", "--ramp", "0", "one"]),
            (2, "--shard is not", ["iothub", "fleet", "--shard", "2/2", "one"]),
        ))

    def test_the_command_line_of_other_programs(self):
        self.mistakes((
            (2, "Too many arguments: .*IOTHUB_DEVICE_CONNECTION_STRING", ["telemetry", DEVICE]),
            (2, "Too many arguments", ["gateway", "one"]),
            (2, "unrecognized option", ["telemetry", "--connection-string", DEVICE]),
            (2, "is not publish, listen or unsubscribe", ["mqtt_client", "subscribe"]),
            (2, "--host is not a host name", ["mqtt_client", "-h", "mqtts://localhost"]),
            (2, "--host is not a host name", ["mqtt_client", "-h", DEVICE]),
            (2, "--cafile is not the name of a file", ["mqtt_client", "-c", DEVICE]),
            (2, "--pw needs --username", ["mqtt_client", "--pw", KEY]),
            (1, "refused", ["mqtt_client", "-p", "1"]),
            (1, "a port with TLS needs --cafile", ["mqtt_client", "-p", self.hub.port]),
            (1, "CONNACK: 2, .*--id", ["mqtt_client", "-p", self.hub.port, "-c",
                                       self.hub.values["IOTHUB_CA_FILE"]]),
            (2, "no arguments", ["hub_emulator", "start"]),
            (2, "not a device id", ["hub_emulator", "--device", DEVICE]),
            (2, "--port is not a port", ["hub_emulator", "--port", KEY]),
            (1, "No such file or directory", ["hub_emulator", "--state", "/nowhere/at/all"]),
            (1, "Not a directory", ["hub_emulator", "--state", "one", "--port", "0"]),
            (1, "install the package mosquitto", ["hub_emulator", "--mosquitto", "/nowhere",
                                                  "--port", "0", "--rest-port", "0"]),
        ))

    def test_silly_numbers(self):
        """Checks that no numeric option of any program accepts one of these values."""
        numbers = ("", "-1", "+1", " 5", "5 ", "0x10", "1e3", "1e308", "nan", "inf", "5s", "1.5.2",
                   "18446744073709551616", "99999999999999999999999999", "\u0665", "5\n", "--")
        options = (
            (["iothub", "sas-token", "--connection-string", DEVICE], ("--ttl", "--expiry")),
            (["iothub", "fleet", "one"], ("--create", "--rate", "--size", "--ramp", "--duration",
                                          "--report", "--port", "--rest-port", "--shard")),
            (["iothub", "service", "method", "d", "m"], ("--timeout", "--rest-port")),
            (["iothub", "service", "monitor"], ("--count", "--from", "--timeout")),
            (["iothub", "service", "c2d", "d", "x"], ("--ttl",)),
            (["telemetry"], ("--port", "--count", "--duration")),
            (["gateway", "--devices", "one"], ("--interval",)),
            (["mqtt_client"], ("--port", "--qos", "--count", "--timeout", "--will-qos")),
            (["hub_emulator"], ("--port", "--rest-port")),
        )
        turn = 0
        for words, names in options:
            for name in names:  # these four options together try all numbers
                turn += 1
                for number in numbers[turn % 4::4]:
                    self.mistake(2, name, [*words, f"{name}={number}"])

    def test_the_environment_of_iothub(self):
        device, service, ca = ("IOTHUB_DEVICE_CONNECTION_STRING", "IOTHUB_CONNECTION_STRING",
                               "IOTHUB_CA_FILE")
        self.mistakes((
            (2, "IOTHUB_CONNECTION_STRING is not set", ["iothub", "service", "twin", "get", "d"],
             {service: None}),
            (2, "IOTHUB_CONNECTION_STRING is not set", ["iothub", "service", "twin", "get", "d"],
             {service: ""}),
            (1, "is for a device", ["iothub", "service", "twin", "get", "d"], {service: DEVICE}),
            (2, "no connection string: give --connection-string or set", ["iothub", "sas-token"],
             {device: None}),
            (2, "IOTHUB_REST_PORT is not a port", ["iothub", "service", "monitor"],
             {"IOTHUB_REST_PORT": "https"}),
            (2, "IOTHUB_PORT is not a port", ["iothub", "fleet", "one"], {"IOTHUB_PORT": KEY}),
            (1, "no server answers", ["iothub", "service", "twin", "get", "d"],
             {"IOTHUB_REST_PORT": "1"}),
            (1, "does not use HTTPS", ["iothub", "service", "twin", "get", "d"],
             {"IOTHUB_REST_PORT": self.hub.port}),
            (1, "IOTHUB_CONNECTION_STRING is not set", ["iothub", "fleet", "--create", "1"],
             {service: None}),
            (1, "set IOTHUB_CA_FILE", ["iothub", "service", "twin", "get", "d"], {ca: None}),
            (1, "IOTHUB_CA_FILE: /nowhere is not a readable PEM file: No such file",
             ["iothub", "service", "twin", "get", "d"], {ca: "/nowhere"}),
            (1, "IOTHUB_CA_FILE: /tmp is not .*: it is a directory",
             ["iothub", "service", "twin", "get", "d"], {ca: "/tmp"}),
            (1, "IOTHUB_CA_FILE: empty is not .*: it is empty",
             ["iothub", "service", "twin", "get", "d"], {ca: "empty"}),
            (1, "IOTHUB_CA_FILE: garbage is not .*: there is no certificate in it",
             ["iothub", "service", "twin", "get", "d"], {ca: "garbage"}),
            (1, "the update on standard input is not JSON: it is empty",
             ["iothub", "service", "twin", "update", "d", "-"], {}),
            (1, "the payload is not JSON: it is empty",
             ["iothub", "service", "method", "d", "m", " "], {}),
            (1, "IOTHUB_CA_FILE", ["iothub", "service", "twin", "get", "d"], {ca: DEVICE}),
        ))

    def test_the_environment_of_samples(self):
        device, ca = "IOTHUB_DEVICE_CONNECTION_STRING", "IOTHUB_CA_FILE"
        for name in SAMPLES:
            if not program_exists(name):
                continue
            self.mistakes((
                (2, "IOTHUB_DEVICE_CONNECTION_STRING is not set", [name], {device: None}),
                (2, "IOTHUB_DEVICE_CONNECTION_STRING is not set", [name], {device: ""}),
                (2, "IOTHUB_PORT is not a port", [name], {"IOTHUB_PORT": "0x10"}),
                (1, "IOTHUB_CA_FILE is not the name of a file", [name], {ca: DEVICE}),
                (1, "HostName is missing|part 1 is not Name=Value|unknown name", [name],
                 {device: KEY}),
            ))
        self.mistakes((
            (1, "service string", ["telemetry"],
             {device: "HostName=h.net;SharedAccessKeyName=p;SharedAccessKey=" + KEY}),
            (1, "refused", ["telemetry"], {"IOTHUB_PORT": "1"}),
            (1, "nowhere.invalid", ["telemetry"],
             {device: DEVICE.replace("localhost", "nowhere.invalid")}),
            (1, "not authorized|credential", ["telemetry"], {device: DEVICE}),
            (1, "/nowhere.pem", ["telemetry"], {ca: "/nowhere.pem"}),
            (1, "directory|PEM|certificate", ["telemetry"], {ca: "/"}),
            (1, "PEM|certificate", ["telemetry"], {ca: self.path("garbage")}),
            (1, "it is empty", ["telemetry"], {ca: self.path("empty")}),
            (1, "trust|root", ["telemetry"], {ca: None}),
        ))

    def test_the_connection_string(self):
        good = self.good()
        key = good.rpartition("SharedAccessKey=")[2]
        rows = {
            "in quotes": good.partition(";")[0],
            "leave the quotes out": f'"{good}"',
            "part 1 is not Name=Value": key.rstrip("="),
            "part 1 has an unknown name": key,
            "HostName is missing": good.partition(";")[2],
            "unknown part SharedAccesKey; check its spelling":
                good.replace("SharedAccessKey", "SharedAccesKey"),
            "GatewayHostName is empty; give it a value, or leave it out":
                good + ";GatewayHostName=",
            "unknown part DeviceScope; leave it out": good + ";DeviceScope=ms-azure",
            "unknown part Endpoint; that is of an Event Hub":
                f"Endpoint=sb://h/;SharedAccessKeyName=p;SharedAccessKey={key}",
            "unknown part Key; write SharedAccessKey": good.replace("SharedAccessKey", "Key"),
            "HostName contains ':'": good.replace("localhost", "https://localhost"),
            "HostName contains '<'": good.replace("localhost", "<your hub>"),
            "SharedAccessKey is not base64; copy it whole": good[:-1],
            "SharedAccessKey is given twice": good + ";SharedAccessKey=" + key,
            "exclude each other": good + ";SharedAccessSignature=" + TOKEN,
            "x509=true needs a certificate": good.rpartition(";")[0] + ";x509=true",
            "SharedAccessKey and x509=true exclude each other": good + ";X509Cert=True",
            "x509 can only be true or false": good + ";x509=1",
            "part 4 is empty; leave out one ';'": good + ";;",
            "another resource": good.rpartition(";")[0] + ";SharedAccessSignature=" +
                                TOKEN.replace("device1", "device2"),
            "must begin with": good.rpartition(";")[0] + ";SharedAccessSignature=sr=x&sig=AAAA&se=1",
            "has expired": good.rpartition(";")[0] + ";SharedAccessSignature=" +
                           TOKEN.replace("4000000000", "1000000000"),
        }
        for says, text in rows.items():
            self.mistake(1, re.escape(says), ["telemetry"],
                         {"IOTHUB_DEVICE_CONNECTION_STRING": text})

    def test_files(self):
        rows = (
            ("No such file or directory", "nowhere"),
            ("Is a directory", "/"),
            ("empty: no connection string in it", "empty"),
            ("blank: no connection string in it", "blank"),
            ("line 1: connection string", "garbage"),
            ("line 1: not text: it has a NUL byte", "nul"),
            ("line 1: the file is UTF-16", "utf16"),
            ("line 1: longer than any connection string", "huge"),
            ("line 1: connection string", "half"),
            ("line 2: connection string: SharedAccessKey is missing", "second"),
            ("not a connection string", DEVICE),
        )
        for says, name in rows:
            self.mistake(1, says, ["iothub", "fleet", name])
            self.mistake(1, says, ["gateway", "--devices", name])
        if os.geteuid() != 0:
            self.mistake(1, "Permission denied", ["iothub", "fleet", "locked"])
        for name in ("one", "crlf", "no_end"):
            for words in (["iothub", "fleet", "--rate", "5", "--duration", "1", name],
                          ["gateway", "--count", "1", "--interval", "1", "--devices", name]):
                with self.subTest(words=words):
                    status, _, err = self.run_program(words)
                    self.assertEqual((status, err), (0, ""))

    def test_a_fifo_is_read_like_a_file(self):
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        self.addCleanup(os.unlink, fifo)
        for words in (["iothub", "fleet", "--duration", "1", fifo],
                      ["gateway", "--count", "1", "--interval", "1", "--devices", fifo]):
            writer = subprocess.Popen(["sh", "-c", 'cat "$0" >"$1"', self.path("one"), fifo])
            status, _, err = self.run_program(words)
            self.assertEqual((status, err), (0, ""))
            writer.wait(PATIENCE_S)

    def test_standard_input(self):
        key = ["iothub", "sas-token", "--resource", "r", "--key", "-"]
        string = ["iothub", "sas-token", "--connection-string", "-"]
        rows = (
            (1, "no key on standard input: it is empty", key, b"", ""),
            (1, "the key is empty", key, b" \r\n\n", ""),
            (1, "it is closed", key, b"", "<&-"),
            (1, "Is a directory", key, b"", "</"),
            (1, "it has a NUL byte", key, b"AAAA\0AAAA\n", ""),
            (1, "not base64|not text", key, b"\xff\xfeA\0A\0", ""),
            (1, "longer than 65536 bytes", key, b"A" * 10_000_000, ""),
            (1, "longer than 65536 bytes", key, b"", "</dev/zero"),
            (1, "HostName is missing|unknown name", string, KEY.encode(), ""),
            (1, "no connection string on standard input", string, b"", "</dev/null"),
            (1, "it is closed", ["iothub", "fleet", "-"], b"", "<&-"),
            (1, "not JSON", ["iothub", "service", "twin", "update", "d", "-"], b"", ""),
            (1, "not JSON", ["iothub", "service", "twin", "update", "d", "-"], b"{}\0{}", ""),
            (1, "longer than 4 MB", ["iothub", "service", "c2d", "d", "-"], b"x" * 5_000_000, ""),
            (1, "it is closed", ["iothub", "service", "c2d", "d", "-"], b"", "<&-"),
        )
        for status, says, words, stdin, end in rows:
            self.mistake(status, says, words, None, stdin, end)

    def test_white_space_around_what_is_given_is_ignored(self):
        good = self.good()
        key = good.rpartition("SharedAccessKey=")[2]
        string = ["iothub", "sas-token", "--expiry", "9", "--connection-string"]
        expected = self.run_program([*string, good])[1]
        for text in (f" {good}\n", f"\t{good} \r\n", good.replace(";", " ; ").replace("=l", "= l")):
            self.assertEqual(self.run_program([*string, text]), (0, expected, ""))
            self.assertEqual(self.run_program([*string, "-"], stdin=text.encode()),
                             (0, expected, ""))
            self.assertEqual(self.run_program(
                string[:-1], {"IOTHUB_DEVICE_CONNECTION_STRING": text}), (0, expected, ""))
        token = expected.decode().strip()
        for text in (token, f" {token} ", f"\n{token}\r\n"):
            for given, stdin in ((text, b""), ("-", b"\xef\xbb\xbf" + text.encode())):
                status, out, _ = self.run_program(
                    ["iothub", "sas-token", "--inspect", given, "--key", f" {key}\n"], stdin=stdin)
                self.assertEqual(status, 0, out)
                self.assertIn(b"signature: right", out)
        status, _, err = self.run_program(["iothub", "service", "twin", "get", " device1\n"])
        self.assertEqual((status, err), (0, ""))

    def test_an_output_that_cannot_be_written_is_a_failure(self):
        good = ["telemetry", "--count", "1"]
        words = [["iothub", "sas-token"], ["iothub", "--help"], ["iothub", "--version"],
                 ["iothub", "service", "twin", "get", "device1"], good, ["telemetry", "--help"],
                 ["event_loop", "--count", "1"], ["runner", "--count", "1"],
                 ["mqtt_client", "--help"], ["hub_emulator", "--help"],
                 ["gateway", "--devices", "one", "--count", "1", "--interval", "1"],
                 ["iothub", "fleet", "--duration", "1", "one"]]
        for end in (">/dev/full", ">&-"):
            for each in words:
                self.mistake(1, "standard output cannot be written", each, None, b"", end)
        for end in ("2>&-", "2>/dev/full", "<&- 2>&-"):
            with self.subTest(end=end):
                status, out, _ = self.run_program(good, shell_end=end)
                self.assertEqual(status, 0)
                self.assertIn(b"1 messages arrived", out)
        status = self.run_program(good, shell_end="<&- >&- 2>&-")[0]
        self.assertEqual(status, 1)


if __name__ == "__main__":
    unittest.main()
