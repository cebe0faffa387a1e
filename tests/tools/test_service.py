#!/usr/bin/env python3
"""Tests `iothub service` as a user runs it.

usage: test_service.py IOTHUB HUB_EMULATOR

Where possible it uses the hub emulator. For other answers of a hub it uses a scripted HTTPS server with
the certificate of the emulator.
"""

import base64
import http.client
import http.server
import json
import os
import shlex
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

# A little less than the time limit of ctest, which would end the test without a reason.
PATIENCE_S = 240
PROGRAM = ""
EMULATOR = ""
K32 = base64.b64encode(bytes(range(32))).decode()


class Emulator:
    """A hub emulator in a directory of its own, with devices that have unusual names."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [EMULATOR, "--port", "0", "--rest-port", "0", "--state", self.directory.name,
             "--device", "device1", "--device", "odd%1=:@!"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.env = {}
        for line in self.process.stdout:
            if line.strip() == "READY":
                break
            name, _, value = line.strip().partition("=")
            self.env[name] = value
        else:
            raise RuntimeError("the emulator did not start")
        self.service = {name: self.env[name] for name in
                        ["IOTHUB_CONNECTION_STRING", "IOTHUB_REST_PORT", "IOTHUB_CA_FILE"]}

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        self.directory.cleanup()

    def file(self, name):
        return os.path.join(self.directory.name, name)

    def get(self, path):
        """Sends a request without the program, to see what it has done."""
        status, token, _ = run(["sas-token", "--connection-string",
                                self.env["IOTHUB_CONNECTION_STRING"]])
        assert status == 0
        context = ssl.create_default_context(cafile=self.env["IOTHUB_CA_FILE"])
        hub = http.client.HTTPSConnection("localhost", int(self.env["IOTHUB_REST_PORT"]),
                                          context=context, timeout=PATIENCE_S)
        hub.request("GET", path, headers={"Authorization": token.strip()})
        text = hub.getresponse().read()
        hub.close()
        return json.loads(text)


class Script(http.server.BaseHTTPRequestHandler):
    """Answers every request as the test has set, and records it."""

    protocol_version = "HTTP/1.1"
    answer = (200, {}, "{}")
    seen = None

    def reply(self):
        length = int(self.headers.get("Content-Length") or 0)
        Script.seen = (self.command, self.path, dict(self.headers), self.rfile.read(length))
        status, headers, body = Script.answer
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    do_GET = do_POST = do_PATCH = reply

    def log_message(self, *args):
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # some clients refuse the certificate, as the test wants

    def shutdown_request(self, request):
        """Ends the connection with a close_notify, as a hub does. Without it, a body without a length
        could have been cut, and OpenSSL 3.5 refuses it.
        """
        try:
            request.settimeout(PATIENCE_S)
            request.unwrap().close()
        except OSError:
            super().shutdown_request(request)


class Server:
    def __init__(self, emulator, address="127.0.0.1"):
        self.http = QuietServer((address, 0), Script)
        self.port = self.http.server_address[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(emulator.file("server.crt"), emulator.file("server.key"))
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(PATIENCE_S)


def run(args, env=None, stdin=b""):
    """Runs the program. Returns its exit status, standard output and standard error."""
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith("IOTHUB_") and "proxy" not in k.lower()}
    environment.update(env or {})
    done = subprocess.run([PROGRAM, *args], input=stdin, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def service_string(host="localhost"):
    return f"HostName={host};SharedAccessKeyName=service;SharedAccessKey={K32}"


def setUpModule():
    WithHubs.emulator = Emulator()
    unittest.addModuleCleanup(WithHubs.emulator.close)
    WithHubs.server = Server(WithHubs.emulator)
    unittest.addModuleCleanup(WithHubs.server.close)


class WithHubs(unittest.TestCase):
    emulator = None
    server = None

    def hub(self, *args, stdin=b"", **env):
        return run(["service", *args], {**self.emulator.service, **env}, stdin)

    def scripted(self, *args, status=200, headers=None, body="{}", stdin=b"", **env):
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        Script.answer = (status, headers or {}, body)
        Script.seen = None
        environment = {"IOTHUB_CONNECTION_STRING": service_string(),
                       "IOTHUB_CA_FILE": self.emulator.service["IOTHUB_CA_FILE"], **env}
        return run(["service", *args, "--rest-port", str(self.server.port)], environment, stdin)


class Twins(WithHubs):
    def test_a_twin_is_printed_as_json_for_people(self):
        status, out, err = self.hub("twin", "get", "device1")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(json.loads(out)["deviceId"], "device1")
        self.assertIn('\n  "deviceId": "device1",\n', out)

    def test_desired_properties_are_merged(self):
        status, out, _ = self.hub("twin", "update", "device1",
                                  '{"a": 1, "big": 4503599627370495, "text": "\\u00fc"}')
        self.assertEqual(status, 0)
        desired = json.loads(out)["properties"]["desired"]
        self.assertEqual((desired["a"], desired["big"], desired["text"]), (1, 2**52 - 1, "ü"))
        _, out, _ = self.hub("twin", "update", "device1", "-", stdin=b'{"a": null, "b": [1]}\n')
        desired = json.loads(out)["properties"]["desired"]
        self.assertNotIn("a", desired)
        self.assertEqual(desired["b"], [1])

    def test_tags_and_the_whole_form_are_sent_as_they_are(self):
        _, out, _ = self.hub("twin", "update", "device1",
                             '{"tags":{"floor":2},"properties":{"desired":{"c":3}}}')
        twin = json.loads(out)
        self.assertEqual(twin["tags"], {"floor": 2})
        self.assertEqual(twin["properties"]["desired"]["c"], 3)
        _, out, _ = self.hub("twin", "update", "device1", '{"tags":"mine","d":4}')
        desired = json.loads(out)["properties"]["desired"]
        self.assertEqual((desired["tags"], desired["d"]), ("mine", 4))

    def test_numbers_reach_the_hub_with_every_digit(self):
        status, _, _ = self.scripted("twin", "update", "d", '{"n": 12345678901234567890.10}')
        self.assertEqual(status, 0)
        self.assertEqual(Script.seen[3],
                         b'{"properties":{"desired":{"n": 12345678901234567890.10}}}')
        self.assertEqual(Script.seen[2]["If-Match"], '"*"')

    def test_ids_are_percent_encoded(self):
        status, out, _ = self.hub("twin", "get", "odd%1=:@!")
        self.assertEqual(status, 0)
        self.assertEqual(json.loads(out)["deviceId"], "odd%1=:@!")
        self.scripted("twin", "get", "a#b/m?1")
        self.assertEqual(Script.seen[1], "/twins/a%23b/modules/m%3F1?api-version=2021-04-12")
        self.scripted("twin", "get", "..")
        self.assertEqual(Script.seen[1], "/twins/..?api-version=2021-04-12")

    def test_what_is_not_json_is_not_sent(self):
        for text, says in [("{", "not JSON"), ("", "not JSON"), ("{} x", "not JSON"),
                           ("[1]", "must be a JSON object"), ("1", "must be a JSON object")]:
            with self.subTest(text=text):
                Script.seen = None
                status, out, err = self.scripted("twin", "update", "device1", text)
                self.assertEqual((status, out), (1, ""))
                self.assertIn(says, err)
                self.assertIsNone(Script.seen)

    def test_unknown_devices_and_modules_are_named(self):
        status, out, err = self.hub("twin", "get", "stranger")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("no device 'stranger'", err)
        status, _, err = self.hub("twin", "get", "device1/camera")
        self.assertEqual(status, 1)
        self.assertIn("no module 'camera'", err)

    def test_what_the_hub_finds_wrong_is_told(self):
        status, _, err = self.hub("twin", "update", "device1", '{"a.b": 1}')
        self.assertEqual(status, 1)
        self.assertIn("400", err)
        self.assertEqual(err.count("\n"), 1)


class Methods(WithHubs):
    def test_the_payload_goes_out_and_the_answer_comes_back(self):
        status, out, err = self.scripted("method", "d", "reboot", '{"delay": 5.0}', "--timeout", "7",
                                         body={"status": 200, "payload": {"ok": True}})
        self.assertEqual((status, err), (0, "status 200\n"))
        self.assertEqual(json.loads(out), {"ok": True})
        method, path, _, body = Script.seen
        self.assertEqual((method, path), ("POST", "/twins/d/methods?api-version=2021-04-12"))
        self.assertIn(b'"payload":{"delay": 5.0}', body)
        self.assertEqual(json.loads(body), {"methodName": "reboot", "responseTimeoutInSeconds": 7,
                                            "payload": {"delay": 5.0}})

    def test_numbers_and_names_are_printed_as_the_hub_wrote_them(self):
        answer = ('{"payload": {"n":1796056886123456789,"z":[-0,1.0,1e400,0.1000000000000000055],'
                  '"b":"\\u0041\\/","a":1,"a":2, "long":' + "9" * 80 + '},"status":200}')
        status, out, err = self.scripted("method", "d", "x", body=answer)
        self.assertEqual((status, err), (0, "status 200\n"))
        self.assertEqual(out, '{\n  "n": 1796056886123456789,\n'
                              '  "z": [-0, 1.0, 1e400, 0.1000000000000000055],\n'
                              '  "b": "\\u0041\\/",\n  "a": 1,\n  "a": 2,\n  "long": '
                              + "9" * 80 + '\n}\n')
        status, out, _ = self.scripted("twin", "get", "d", body='{"a":[1e2,{"b":-0.0}],"c":{}}')
        self.assertEqual((status, out),
                         (0, '{\n  "a": [1e2, {\n      "b": -0.0\n    }],\n  "c": {}\n}\n'))
        self.assertEqual(self.scripted("method", "d", "x", body='{"payload":1,"status":200.5}')[0],
                         1)

    def test_a_payload_goes_out_as_it_was_given(self):
        for payload in [b'1796056886123456789', b'{ "a" : 1.0,"a":-0 }', b"1e400", b"9" * 80,
                        b'"\\u0041\\/"', b"[" * 100 + b"]" * 100]:
            answer = '{"status":200,"payload":null}'
            self.assertEqual(self.scripted("method", "d", "x", "-", stdin=payload, body=answer)[0],
                             0)
            self.assertIn(b'"payload":' + payload + b"}", Script.seen[3])
        for payload in [b"01", b"1.", b"+1", b"{} {}", b"'a'", b"", b"NaN"]:
            status, _, err = self.scripted("method", "d", "x", "-", stdin=payload)
            self.assertEqual(status, 1)
            self.assertIn("not JSON", err)
            self.assertIsNone(Script.seen)

    def test_control_characters_of_an_answer_are_escaped(self):
        answer = '{"status":200,"payload":"\x7f\x9b31m\xe4"}'
        _, out, _ = self.scripted("method", "d", "x", body=answer.encode())
        self.assertEqual(out, '"\\u007f\\u009b31m\xe4"\n')

    def test_modules_standard_input_and_no_payload(self):
        answer = {"status": 204, "payload": None}
        self.assertEqual(self.scripted("method", "d/m", "x", "-", stdin=b'"text"', body=answer)[0],
                         0)
        self.assertEqual(Script.seen[1], "/twins/d/modules/m/methods?api-version=2021-04-12")
        self.assertEqual(json.loads(Script.seen[3])["payload"], "text")
        self.assertEqual(self.scripted("method", "d", "x", body=answer)[0], 0)
        self.assertNotIn("payload", json.loads(Script.seen[3]))

    def test_the_exit_status_follows_the_status_of_the_device(self):
        for answered, expected in [(199, 1), (200, 0), (299, 0), (300, 1), (404, 1), (500, 1),
                                   (-1, 1)]:
            status, out, err = self.scripted("method", "d", "x",
                                             body={"status": answered, "payload": [1]})
            self.assertEqual(status, expected)
            self.assertEqual(json.loads(out), [1])
            self.assertIn(f"status {answered}", err)

    def test_a_device_that_is_away_is_named(self):
        status, out, err = self.hub("method", "device1", "ping")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("'device1' is not connected", err)
        self.assertIn("404103", err)

    def test_a_device_that_does_not_answer_is_named(self):
        body = {"Message": "ErrorCode:GatewayTimeout;too late"}
        status, _, err = self.scripted("method", "d", "x", status=504, body=body)
        self.assertEqual(status, 1)
        self.assertIn("'d' did not answer in time", err)


class Messages(WithHubs):
    def test_a_message_waits_for_its_device(self):
        status, out, err = self.hub("c2d", "device1", "hällo", "--property", "colour=blue",
                                    "-p", "a b=c=d", "-p", "empty=", "--message-id", "m1",
                                    "--ttl", "60")
        self.assertEqual((status, err), (0, ""))
        sequence = json.loads(out)["sequence"]
        waiting = [m for m in self.emulator.get("/emulator/devices/device1/messages")
                   if m["sequence"] == sequence]
        self.assertEqual(waiting[0]["bodyLength"], len("hällo".encode()))
        for pair in ["colour=blue", "a%20b=c%3Dd", "empty=", "m1"]:
            self.assertIn(pair, waiting[0]["properties"])

    def test_any_bytes_come_from_standard_input(self):
        data = bytes(range(256)) + b"\n"
        status, _, _ = self.scripted("c2d", "d", "-", stdin=data, status=201)
        self.assertEqual(status, 0)
        self.assertEqual(base64.b64decode(json.loads(Script.seen[3])["bodyBase64"]), data)

    def test_bytes_that_are_no_text_pass_as_an_argument(self):
        status, _, _ = self.scripted("c2d", "d", b"\xff\xfe", status=201)
        self.assertEqual(status, 0)
        self.assertEqual(base64.b64decode(json.loads(Script.seen[3])["bodyBase64"]), b"\xff\xfe")

    def test_unknown_devices_are_named(self):
        status, _, err = self.hub("c2d", "stranger", "x")
        self.assertEqual(status, 1)
        self.assertIn("no device 'stranger'", err)

    def test_a_hub_in_the_cloud_is_told_apart(self):
        refusals = [
            (404, {"Message": "ErrorCode:ResourceNotFound;x"}),
            (404, ""),
            (405, ""),
            (400, {"Message": "ErrorCode:InvalidProtocolVersion;x"}),
        ]
        for command in [["c2d", "d", "x"], ["monitor"]]:
            for status_code, body in refusals:
                status, _, err = self.scripted(*command, status=status_code, body=body)
                self.assertEqual(status, 1)
                self.assertIn("only the hub emulator", err)


class Monitor(WithHubs):
    LINES = b'\n{"sequence":1,"body":"a"}\n\n\n{"sequence":2,"body":"b"}\n\n'

    def test_lines_are_printed_without_heartbeats(self):
        status, out, _ = self.scripted("monitor", "d", "--count", "2", body=self.LINES)
        self.assertEqual(status, 0)
        self.assertEqual(out, '{"sequence":1,"body":"a"}\n{"sequence":2,"body":"b"}\n')
        self.assertEqual(Script.seen[1],
                         "/emulator/events?api-version=2021-04-12&device=d&limit=2")

    def test_options_reach_the_emulator(self):
        self.scripted("monitor", "--from", "1", "--timeout", "5", body=self.LINES)
        self.assertEqual(Script.seen[1],
                         "/emulator/events?api-version=2021-04-12&from=1&timeout=5")

    def test_too_few_messages_are_a_failure(self):
        status, out, err = self.scripted("monitor", "--count", "3", body=self.LINES)
        self.assertEqual(status, 1)
        self.assertEqual(out.count("\n"), 2)
        self.assertIn("2 of 3", err)

    def test_the_end_of_the_emulator_is_a_failure_unless_asked_for(self):
        self.assertEqual(self.scripted("monitor", body=self.LINES)[0], 1)
        self.assertEqual(self.scripted("monitor", "--timeout", "1", body=self.LINES)[0], 0)

    def test_the_emulator_understands_it(self):
        status, out, err = self.hub("monitor", "device1", "--timeout", "1")
        self.assertEqual((status, out, err), (0, "", ""))


class Trouble(WithHubs):
    """Expects one clear line, exit status 1, and no key in the output."""

    def fails(self, result, *says):
        status, out, err = result
        self.assertEqual((status, out), (1, ""))
        for text in says:
            self.assertIn(text, err)
        self.assertEqual(err.count("\n"), 1)
        self.assertNotIn(K32[:12], err)

    def test_a_wrong_key(self):
        self.fails(self.hub("twin", "get", "device1", IOTHUB_CONNECTION_STRING=service_string()),
                   "refused the token (401)")

    def test_connection_strings(self):
        device = f"HostName=localhost;DeviceId=d;SharedAccessKey={K32}"
        self.fails(self.hub("twin", "get", "d", IOTHUB_CONNECTION_STRING=device),
                   "IOTHUB_CONNECTION_STRING", "SharedAccessKeyName")
        bad = f"HostName=localhost;SharedAccessKeyName=;SharedAccessKey={K32}"
        self.fails(self.hub("twin", "get", "d", IOTHUB_CONNECTION_STRING=bad),
                   "IOTHUB_CONNECTION_STRING", "SharedAccessKeyName is empty")

    def test_a_ready_made_token_is_used(self):
        _, made, _ = run(["sas-token", "--as-connection-string", "--connection-string",
                          self.emulator.env["IOTHUB_CONNECTION_STRING"]])
        self.assertEqual(self.hub("twin", "get", "device1", IOTHUB_CONNECTION_STRING=made)[0], 0)
        _, old, _ = run(["sas-token", "--as-connection-string", "--expiry", "1700000000",
                         "--connection-string", self.emulator.env["IOTHUB_CONNECTION_STRING"]])
        self.fails(self.hub("twin", "get", "device1", IOTHUB_CONNECTION_STRING=old), "401")

    def test_tokens_live_shortly(self):
        self.scripted("twin", "get", "d")
        token = Script.seen[2]["Authorization"]
        self.assertTrue(token.startswith("SharedAccessSignature sr=localhost&sig="))
        self.assertIn("&skn=service", token)
        expiry = int(token.split("&se=")[1].split("&")[0])
        self.assertTrue(0 < expiry - time.time() <= 300)

    def test_certificates(self):
        self.fails(self.hub("twin", "get", "device1", IOTHUB_CA_FILE=""),
                   "certificate of localhost", "IOTHUB_CA_FILE")
        self.fails(self.hub("twin", "get", "device1", IOTHUB_CA_FILE="/no/such/file"),
                   "IOTHUB_CA_FILE", "/no/such/file")
        other = Server(self.emulator, "127.0.0.2")
        self.addCleanup(other.close)
        Script.seen = None
        self.fails(self.hub("twin", "get", "d", "--rest-port", str(other.port),
                            IOTHUB_CONNECTION_STRING=service_string("127.0.0.2")),
                   "certificate of 127.0.0.2")
        self.assertIsNone(Script.seen)

    def test_nobody_there(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            self.fails(self.hub("twin", "get", "device1", "--rest-port", str(port)),
                       f"no server answers at localhost:{port}")

    def test_a_server_that_speaks_no_tls(self):
        with socket.create_server(("127.0.0.1", 0)) as plain:
            def answer():
                peer, _ = plain.accept()
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                peer.close()
            thread = threading.Thread(target=answer)
            thread.start()
            result = self.hub("twin", "get", "device1", "--rest-port",
                              str(plain.getsockname()[1]),
                              IOTHUB_CONNECTION_STRING=service_string("127.0.0.1"))
            thread.join(PATIENCE_S)
        self.assertEqual(result[0], 1)
        self.assertTrue(result[2].startswith("iothub: "))

    def test_answers_of_all_kinds(self):
        nested = json.dumps({"errorCode": 404103, "message": "Timed out"})
        cases = [
            (401, {}, "", "refused the token"),
            (403, {}, {"Message": "ErrorCode:DeviceMaximumQueueDepthExceeded;50 wait"}, "50 wait"),
            (404, {}, {"Message": nested}, "404103"),
            (404, {}, {"errorCode": 404001, "message": "x"}, "no device 'd'"),
            (404, {"iothub-errorcode": "DeviceNotFound"}, "", "no device 'd'"),
            (412, {}, {"Message": "ErrorCode:PreconditionFailed;changed"}, "changed"),
            (413, {}, {"Message": "ErrorCode:RequestEntityTooLarge;big"}, "big"),
            (429, {}, "", "limits the rate"),
            (500, {}, "<html>\x1b[31m", "500"),
            (503, {}, {"Message": "a\u001b[31mb"}, "a\\x1B[31mb"),
            (302, {"Location": "https://localhost/"}, "", "302"),
        ]
        for status, headers, body, says in cases:
            with self.subTest(status=status, body=body):
                result = self.scripted("twin", "get", "d", status=status, headers=headers,
                                       body=body)
                self.fails(result, says)
                self.assertNotIn("\x1b", result[2])

    def test_an_answer_that_is_not_json(self):
        self.fails(self.scripted("twin", "get", "d", body="hello"), "not JSON")
        self.fails(self.scripted("method", "d", "x", body="{}"), "no status")


class Usage(WithHubs):
    """Expects exit status 2 and nothing on standard output."""

    def test_wrong_usage(self):
        cases = [
            (["service"], "a command is missing"),
            (["service", "nonsense"], "unknown command"),
            (["service", "twin"], "a command is missing"),
            (["service", "twin", "delete"], "unknown command"),
            (["service", "twin", "get"], "DEVICE is missing"),
            (["service", "twin", "get", "a", "b"], "unexpected argument 2"),
            (["service", "twin", "get", "a/b/c"], "DEVICE/MODULE"),
            (["service", "twin", "get", ""], "device id"),
            (["service", "twin", "get", "d" * 129], "device id"),
            (["service", "twin", "get", "d/"], "DEVICE/MODULE"),
            (["service", "twin", "get", "d", "--rest-port", "0"], "--rest-port"),
            (["service", "twin", "get", "d", "--rest-port", "65536"], "--rest-port"),
            (["service", "--rest-port", "x", "twin", "get", "d"], "--rest-port"),
            (["service", "twin", "update", "d"], "JSON is missing"),
            (["service", "method", "d"], "NAME of a method"),
            (["service", "method", "d", ""], "NAME of a method"),
            (["service", "method", "d", "x", "--timeout", "4"], "--timeout"),
            (["service", "method", "d", "x", "--timeout", "301"], "--timeout"),
            (["service", "c2d", "d"], "DEVICE and a TEXT"),
            (["service", "c2d", "d/m", "x"], "not to modules"),
            (["service", "c2d", "d", "x", "-p", "novalue"], "NAME=VALUE"),
            (["service", "c2d", "d", "x", "-p", "=v"], "NAME=VALUE"),
            (["service", "c2d", "d", "x", "-p", "a=1", "-p", "a=2"], "given twice"),
            (["service", "c2d", "d", "x", "--ttl", "0"], "--ttl"),
            (["service", "monitor", "d", "e"], "unexpected argument"),
            (["service", "monitor", "--count", "0"], "--count"),
            (["service", "monitor", "d/m"], "not a module"),
        ]
        for args, says in cases:
            with self.subTest(args=args):
                status, out, err = run(args, self.emulator.service)
                self.assertEqual((status, out), (2, ""))
                self.assertIn(says, err)

    def test_the_connection_string_is_needed(self):
        for env in [{}, {"IOTHUB_CONNECTION_STRING": ""}]:
            status, out, err = run(["service", "twin", "get", "d"], env)
            self.assertEqual((status, out), (2, ""))
            self.assertIn("IOTHUB_CONNECTION_STRING", err)

    def test_every_level_has_help(self):
        for words in ["service", "service twin", "service twin get", "service twin update",
                      "service method", "service c2d", "service monitor"]:
            status, out, err = run([*shlex.split(words), "--help"])
            self.assertEqual((status, err), (0, ""))
            self.assertTrue(out.startswith(f"Usage: iothub {words} "))
            self.assertIn("--rest-port", out)

    def test_options_may_stand_before_the_command(self):
        port = self.emulator.env["IOTHUB_REST_PORT"]
        for args in [["--rest-port", port, "twin", "get", "device1"],
                     ["twin", "--rest-port", port, "get", "device1"],
                     ["twin", "get", "--rest-port", port, "device1"],
                     ["twin", "get", "device1", "--rest-port", port]]:
            self.assertEqual(self.hub(*args, IOTHUB_REST_PORT="1")[0], 0)
        self.assertEqual(self.hub("twin", "get", "device1", IOTHUB_REST_PORT="x")[0], 2)


if __name__ == "__main__":
    PROGRAM, EMULATOR = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
