#!/usr/bin/env python3
"""Tests `iothub sas-token` as a user runs it.

usage: test_sas_token.py IOTHUB
"""

import base64
import hashlib
import hmac
import os
import random
import subprocess
import sys
import time
import unittest
from urllib.parse import quote

# A little less than the time limit of ctest, which would end the test without a reason.
PATIENCE_S = 240
PROGRAM = ""
K32 = base64.b64encode(bytes(range(32))).decode()
HUB = "myhub.azure-devices.net"
DEVICE = f"HostName={HUB};DeviceId=device1;SharedAccessKey={K32}"
MODULE = f"HostName={HUB};DeviceId=device1;ModuleId=mod1;SharedAccessKey={K32}"
SERVICE = f"HostName={HUB};SharedAccessKeyName=iothubowner;SharedAccessKey={K32}"
SECRET = K32[:12]


def run(*args, stdin="", env=None):
    """Runs the program. Returns its exit status, standard output and standard error."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("IOTHUB_")}
    environment.update(env or {})
    done = subprocess.run([PROGRAM, "sas-token", *args], input=stdin.encode(), env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def token(resource, key, expiry, policy=None):
    """An independent implementation of the token."""
    sr = quote(resource, safe="")
    mac = hmac.new(base64.b64decode(key), f"{sr}\n{expiry}".encode(), hashlib.sha256).digest()
    sig = quote(base64.b64encode(mac).decode(), safe="")
    skn = f"&skn={quote(policy, safe='')}" if policy else ""
    return f"SharedAccessSignature sr={sr}&sig={sig}&se={expiry}{skn}"


class Vectors(unittest.TestCase):
    """Published answers, and answers that were computed independently."""

    VECTORS = [
        ("cGFzc3dvcmQ=", "uri", 12345, None, "kcWxXAK2OAaAoq2oCkaGzX2NMqDB8nCyNuq2fPYCDhk="),
        ("cGFzc3dvcmQ=", "uri", 12345, "encode('Me')",
         "kcWxXAK2OAaAoq2oCkaGzX2NMqDB8nCyNuq2fPYCDhk="),
        (K32, f"{HUB}/devices/device1", 1700000000, None,
         "gFSfLGMXDOvf906/iaX3KwzLLNFHgaFZyCbsGjxtd1Y="),
        (K32, f"{HUB}/devices/device1/modules/mod1", 1700000000, None,
         "AXjj7ZMV66oOI2zG1PugMgZ11Jn6WP2K6XWP9Wc2Z30="),
        (K32, HUB, 1700000000, "iothubowner", "iIzEw6hi6GK79RY5jNXO6QeQkSL/Ax4zTmy44X2G1VY="),
        (K32, "0neFEEDC0DE/registrations/reg-1", 1700000000, "registration",
         "/1I/jsk3yCiBuBdfQVbVHXelztGKRP6BFOviWvkD8N8="),
        (K32, f"{HUB}/devices/dev+1#a%b:c@d", 1700000000, None,
         "xgN6MyMHzjbyBmhjThphsbbkEj3Q/R0nNHrklZYBWvg="),
    ]

    def test_every_vector_is_made_and_found_right(self):
        for key, resource, expiry, policy, sig in self.VECTORS:
            with self.subTest(resource=resource, policy=policy):
                args = ["--resource", resource, "--key", key, "--expiry", str(expiry)]
                status, out, err = run(*args, *(["--policy", policy] if policy else []))
                self.assertEqual((status, err), (0, ""))
                self.assertEqual(out, token(resource, key, expiry, policy) + "\n")
                self.assertIn("&sig=" + quote(sig, safe=""), out)
                status, explained, err = run("--inspect", out.strip(), "--key", key)
                self.assertEqual((status, err), (0, ""))
                self.assertIn(resource, explained)
                self.assertIn(policy or "none", explained)

    def test_key_names_are_percent_encoded(self):
        _, out, _ = run("--resource", "uri", "--key", "cGFzc3dvcmQ=", "--expiry", "12345",
                        "--policy", "encode('Me')")
        self.assertTrue(out.endswith("&se=12345&skn=encode%28%27Me%27%29\n"))

    def test_odd_ids_and_keys_agree_with_an_independent_implementation(self):
        rng = random.Random(2)
        specials = "-.+%_#*?!(),=@$':"
        for length in [1, 2, 3, 16, 31, 32, 33, 63, 64, 65, 100, 128, 256, 1023, 1024]:
            key = base64.b64encode(rng.randbytes(length)).decode()
            name = "".join(rng.choice(specials + "aZ09") for _ in range(rng.randint(1, 128)))
            module = "".join(rng.choice(specials + "bY18") for _ in range(rng.randint(1, 128)))
            expiry = rng.randint(1, 2**64 - 1)
            strings = {
                f"HostName={HUB};DeviceId={name};SharedAccessKey={key}":
                    token(f"{HUB}/devices/{name}", key, expiry),
                f"HostName={HUB};DeviceId={name};ModuleId={module};SharedAccessKey={key}":
                    token(f"{HUB}/devices/{name}/modules/{module}", key, expiry),
                f"HostName={HUB};SharedAccessKeyName=my.policy;SharedAccessKey={key}":
                    token(HUB, key, expiry, "my.policy"),
            }
            for text, expected in strings.items():
                with self.subTest(text=text):
                    result = run("--connection-string", text, "--expiry", str(expiry))
                    self.assertEqual(result, (0, expected + "\n", ""))
                    self.assertEqual(run("--inspect", expected, "--key", key)[0], 0)


class Making(unittest.TestCase):
    def test_the_environment_is_the_default(self):
        env = {"IOTHUB_DEVICE_CONNECTION_STRING": DEVICE}
        expected = token(f"{HUB}/devices/device1", K32, 1700000000) + "\n"
        self.assertEqual(run("--expiry", "1700000000", env=env), (0, expected, ""))
        other = token(HUB, K32, 5, "iothubowner") + "\n"
        self.assertEqual(run("--expiry", "5", "--connection-string", SERVICE, env=env),
                         (0, other, ""))

    def test_the_life_begins_now(self):
        for args, ttl in [([], 3600), (["--ttl", "1"], 1), (["--ttl", "86400"], 86400)]:
            before = int(time.time())
            status, out, _ = run("--connection-string", DEVICE, *args)
            after = int(time.time())
            expiry = int(out.strip().rsplit("&se=", 1)[1])
            self.assertEqual(status, 0)
            self.assertTrue(before + ttl <= expiry <= after + ttl)

    def test_secrets_come_from_standard_input(self):
        expected = token("uri", K32, 7) + "\n"
        for text in [K32, K32 + "\n", "  " + K32 + " \r\n", K32 + "\nmore"]:
            self.assertEqual(run("--resource", "uri", "--key", "-", "--expiry", "7", stdin=text),
                             (0, expected, ""))
        expected = token(f"{HUB}/devices/device1", K32, 7) + "\n"
        self.assertEqual(run("--connection-string", "-", "--expiry", "7", stdin=DEVICE + "\n"),
                         (0, expected, ""))

    def test_a_connection_string_can_carry_the_token(self):
        gateway = f"HostName={HUB};GatewayHostName=localhost;DeviceId=d;SharedAccessKey={K32}"
        cases = {
            DEVICE: (f"HostName={HUB};DeviceId=device1;", f"{HUB}/devices/device1", None),
            MODULE: (f"HostName={HUB};DeviceId=device1;ModuleId=mod1;",
                     f"{HUB}/devices/device1/modules/mod1", None),
            SERVICE: (f"HostName={HUB};SharedAccessKeyName=iothubowner;", HUB, "iothubowner"),
            gateway: (f"HostName={HUB};GatewayHostName=localhost;DeviceId=d;",
                      f"{HUB}/devices/d", None),
        }
        for text, (head, resource, policy) in cases.items():
            with self.subTest(text=text):
                status, out, _ = run("--connection-string", text, "--as-connection-string",
                                     "--expiry", "9")
                self.assertEqual(status, 0)
                made = token(resource, K32, 9, policy)
                self.assertEqual(out, f"{head}SharedAccessSignature={made}\n")
                # The output is a connection string again, but one that cannot make tokens.
                status, out, err = run("--connection-string", out.strip())
                self.assertEqual((status, out), (1, ""))
                self.assertIn("SharedAccessKey", err)


class Inspecting(unittest.TestCase):
    def test_a_token_is_explained(self):
        status, out, err = run("--inspect", token(f"{HUB}/devices/d", K32, 1700000000, "p q"))
        self.assertEqual((status, err), (0, ""))
        for part in [f"{HUB}/devices/d", "p q", "1700000000", "2023-11-14T22:13:20Z", "EXPIRED",
                     "seconds ago", "not checked"]:
            self.assertIn(part, out)

    def test_seconds_left_are_counted(self):
        now = int(time.time())
        _, out, _ = run("--inspect", token("uri", K32, now + 1000))
        left = int(out.split(" seconds left")[0].rsplit(" ", 1)[1])
        self.assertTrue(900 < left <= 1000)
        _, out, _ = run("--inspect", token("uri", K32, now - 1000))
        ago = int(out.split(" seconds ago")[0].rsplit(" ", 1)[1])
        self.assertTrue(1000 <= ago < 1100)

    def test_a_date_beyond_2038_is_that_date(self):
        for expiry, date in [(2147483647, "2038-01-19T03:14:07Z"),
                             (2147483648, "2038-01-19T03:14:08Z"),
                             (4294967296, "2106-02-07T06:28:16Z"),
                             (253402300799, "9999-12-31T23:59:59Z")]:
            _, out, _ = run("--inspect", token("uri", K32, expiry))
            self.assertIn(date, out)

    def test_a_far_future_is_no_problem(self):
        for expiry in [253402300799, 253402300800, 2**63 - 1, 2**63, 2**64 - 1]:
            status, out, _ = run("--inspect", token("uri", K32, expiry), "--key", K32)
            self.assertEqual(status, 0)
            self.assertIn(str(expiry), out)

    def test_the_signature_is_judged(self):
        good = token("uri", K32, 1700000000)
        other = base64.b64encode(b"another key").decode()
        status, out, _ = run("--inspect", good, "--key", K32)
        self.assertEqual(status, 0)
        self.assertIn("signature: right", out)
        self.assertIn("EXPIRED", out)
        for text, key in [(good, other), (good.replace("uri", "urj"), K32),
                          (good.replace("se=17", "se=27"), K32)]:
            status, out, _ = run("--inspect", text, "--key", key)
            self.assertEqual(status, 1)
            self.assertIn("signature: WRONG", out)

    def test_order_and_hex_case_are_free(self):
        sr = "myhub.azure-devices.net%2fdevices%2fd"
        mac = hmac.new(bytes(range(32)), f"{sr}\n1".encode(), hashlib.sha256).digest()
        sig = quote(base64.b64encode(mac).decode(), safe="")
        text = f"SharedAccessSignature se=1&sig={sig}&sr={sr}"
        status, out, _ = run("--inspect", text, "--key", K32)
        self.assertEqual(status, 0)
        self.assertIn("myhub.azure-devices.net/devices/d\n", out)

    def test_token_or_key_come_from_standard_input(self):
        good = token("uri", K32, 1)
        self.assertEqual(run("--inspect", "-", "--key", K32, stdin=good + "\n")[0], 0)
        self.assertEqual(run("--inspect", good, "--key", "-", stdin=K32 + "\n")[0], 0)
        self.assertEqual(run("--inspect", good, "--key", "-", stdin="AAAA\n")[0], 1)

    def test_control_characters_do_not_reach_the_terminal(self):
        text = "SharedAccessSignature sr=a%1B%5B31m%0Ab%C2%9Bc&sig=AAAA&se=1&skn=%00x"
        status, out, _ = run("--inspect", text)
        self.assertEqual(status, 0)
        self.assertIn("a\\x1B[31m\\nb\\xC2\\x9Bc\n", out)
        self.assertEqual(set(c for c in out if ord(c) < 32), {"\n"})

    def test_bad_tokens_are_refused_by_field(self):
        cases = {
            "": "must begin with",
            "hello": "must begin with",
            "SharedAccessSignature ": "part 1 is empty",
            "SharedAccessSignature sig=AAAA&se=1": "sr is missing",
            "SharedAccessSignature sr=a&se=1": "sig is missing",
            "SharedAccessSignature sr=a&sig=AAAA": "se is missing",
            "SharedAccessSignature sr=a&sr=b&sig=AAAA&se=1": "sr is given twice",
            "SharedAccessSignature sr=&sig=AAAA&se=1": "sr is empty",
            "SharedAccessSignature sr=a&sig=AAAA&se=1&foo=2": "foo",
            "SharedAccessSignature sr=a%&sig=AAAA&se=1": "sr has a broken",
            "SharedAccessSignature sr=a&sig=A&se=1": "sig is not base64",
            "SharedAccessSignature sr=a&sig=AAAA&se=x": "se is not a decimal",
            "SharedAccessSignature sr=a&sig=AAAA&se=18446744073709551616": "se is too large",
        }
        for text, says in cases.items():
            with self.subTest(text=text):
                status, out, err = run("--inspect", text)
                self.assertEqual((status, out), (1, ""))
                self.assertIn(says, err)
                self.assertEqual(err.count("\n"), 1)


class BadInput(unittest.TestCase):
    """Expects one clear line that names the part, exit status 1, and no key in the output."""

    def test_connection_strings(self):
        cases = {
            "": "HostName is missing",
            "nonsense": "part 1",
            f"DeviceId=d;SharedAccessKey={K32}": "HostName is missing",
            f"HostName=h;SharedAccessKey={K32}": "DeviceId is missing",
            "HostName=h;DeviceId=d": "SharedAccessKey is missing",
            f"HostName=h;HostName=h;DeviceId=d;SharedAccessKey={K32}": "HostName is given twice",
            f"HostName=h;DeviceId=;SharedAccessKey={K32}": "DeviceId is empty",
            "HostName=h;DeviceId=d;SharedAccessKey=": "SharedAccessKey is empty",
            f"HostName=h;DeviceId=d;Foo=1;SharedAccessKey={K32}": "unknown part Foo",
            f"HostName=h;DeviceId=d;SharedAccessKey={K32[:-1]}": "SharedAccessKey is not base64",
            f"HostName=h;DeviceId=d;SharedAccessKey:{K32}": "part 3",
            f"HostName=h;DeviceId=d;{K32}": "part 3",
            f"HostName=h h;DeviceId=d;SharedAccessKey={K32}": "HostName contains a space",
            f"HostName=h;DeviceId=a/b;SharedAccessKey={K32}": "DeviceId contains '/'",
            f"HostName=h;DeviceId=d;x509=true": "without SharedAccessKey cannot make a token",
            "HostName=h;DeviceId=d;SharedAccessKey=" + "A" * 1368: "longer than 1024 bytes",
        }
        for text, says in cases.items():
            with self.subTest(text=text):
                status, out, err = run("--connection-string", text)
                self.assertEqual((status, out), (1, ""))
                self.assertIn(says, err)
                self.assertNotIn(SECRET, err)
                self.assertEqual(err.count("\n"), 1)
                self.assertTrue(err.startswith("iothub: "))

    def test_keys(self):
        for key, says in [("", "empty"), ("AAA", "not base64"), (K32 + " x", "not base64"),
                          ("A" * 1368, "longer than 1024 bytes")]:
            status, out, err = run("--resource", "uri", "--key", key)
            self.assertEqual((status, out), (1, ""))
            self.assertIn(says, err)
            status, out, err = run("--inspect", token("uri", K32, 1), "--key", key)
            self.assertEqual(status, 1)
            self.assertIn(says, err)

    def test_standard_input_without_a_key(self):
        for stdin, says in [("", "no key"), ("\n", "empty"), ("AAAA\0AAAA", "not text")]:
            status, out, err = run("--resource", "uri", "--key", "-", stdin=stdin)
            self.assertEqual((status, out), (1, ""))
            self.assertIn(says, err)

    def test_full_standard_output(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        service = [["service", name, "--help"] for name in ("twin", "method", "c2d", "monitor")]
        for arguments in (["sas-token", "--connection-string", DEVICE], ["--help"], ["--usage"],
                          ["--version"], ["sas-token", "--help"], ["service", "--help"], *service):
            with self.subTest(arguments), open("/dev/full", "wb") as full:
                done = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE,
                                      timeout=PATIENCE_S)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr.count(b"cannot be written"), 1)


class Usage(unittest.TestCase):
    """Expects exit status 2 and nothing on standard output."""

    def test_wrong_usage(self):
        good = token("uri", K32, 1)
        cases = [
            (["--ttl", "1", "--expiry", "1", "--connection-string", DEVICE], "--ttl and --expiry"),
            (["--resource", "uri"], "--resource needs --key"),
            (["--key", K32], "--key needs --resource"),
            (["--key", K32, "--connection-string", DEVICE], "--key needs --resource"),
            (["--policy", "p", "--connection-string", DEVICE], "--policy needs --resource"),
            (["--resource", "uri", "--key", K32, "--connection-string", DEVICE], "exclude each other"),
            (["--resource", "uri", "--key", K32, "--as-connection-string"], "exclude each other"),
            (["--resource", "", "--key", K32], "--resource is empty"),
            (["--resource", "uri", "--key", K32, "--policy", ""], "--policy is empty"),
            (["--inspect", good, "--ttl", "1"], "--inspect and --ttl"),
            (["--inspect", good, "--expiry", "1"], "--inspect and --expiry"),
            (["--inspect", good, "--resource", "uri", "--key", K32], "--inspect and --resource"),
            (["--inspect", good, "--policy", "p"], "--inspect and --policy"),
            (["--inspect", good, "--as-connection-string"], "--inspect and --as-conn"),
            (["--inspect", good, "--connection-string", DEVICE], "--inspect and --connection"),
            (["--inspect", "-", "--key", "-"], "standard input"),
            (["--connection-string", DEVICE, "extra"], "unexpected argument 1"),
            (["--no-such-option"], "unrecognized option"),
            (["--ttl"], "requires an argument"),
            ([], "IOTHUB_DEVICE_CONNECTION_STRING"),
        ]
        for args, says in cases:
            with self.subTest(args=args):
                status, out, err = run(*args)
                self.assertEqual((status, out), (2, ""))
                self.assertIn(says, err)
                self.assertNotIn(SECRET, err)

    def test_an_empty_environment_is_no_connection_string(self):
        self.assertEqual(run(env={"IOTHUB_DEVICE_CONNECTION_STRING": ""})[0], 2)

    def test_bad_numbers(self):
        bad = ["", "0", "-1", "+1", " 1", "1 ", "1.5", "1e3", "0x10", "one",
               "18446744073709551616", "99999999999999999999"]
        for option in ["--ttl", "--expiry"]:
            for number in bad:
                with self.subTest(option=option, number=number):
                    status, out, err = run("--connection-string", DEVICE, f"{option}={number}")
                    self.assertEqual((status, out), (2, ""))
                    self.assertIn(option, err)

    def test_commands(self):
        for args, status in [(["--help"], 0), (["--version"], 0), (["sas-token", "--help"], 0),
                             ([], 2), (["no-such-command"], 2), (["--no-such-option"], 2)]:
            done = subprocess.run([PROGRAM, *args], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, status)
            self.assertEqual(len(done.stdout) > 0, status == 0)
            self.assertEqual(len(done.stderr) > 0, status != 0)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
