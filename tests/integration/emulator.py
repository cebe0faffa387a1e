"""Starts, kills and restarts the hub emulator, and runs programs of the build with it."""

import json
import os
import signal
import ssl
import subprocess
import tempfile
import threading
import unittest
import urllib.request

import proxies
from broker import PATIENCE_S

# How devices reach the hub. ctest runs some tests once for each way.
# The transport of MQTT; the samples read the same variable.
TRANSPORT = os.environ.get("IOTHUB_TRANSPORT", "mqtt")
# The class in proxies.py of the proxy between devices and hub; None: no proxy.
PROXY = os.environ.get("IOTHUB_TEST_PROXY")
# Whether devices have the shortest way. Tests of faults try fewer of them on the others.
DIRECT = TRANSPORT == "mqtt" and PROXY is None
# How often memory is allocated for each attempt to connect, at most: once for the upgrade of a WebSocket, and
# some fifty times by libcurl for a proxy.
ALLOCATIONS_PER_ATTEMPT = (TRANSPORT == "ws") + 100 * (PROXY is not None)


def start_proxy():
    """Starts the proxy between devices and hub. Returns None if there is none."""
    if PROXY is None:
        return None
    proxy = getattr(proxies, PROXY)()
    if proxies.find(proxy.program) is None:
        raise unittest.SkipTest(f"{proxy.program} is not installed")
    return proxy.__enter__()


class Emulator:
    """The emulator on ports of its own, with a state folder that survives a kill."""

    def __init__(self, bin_dir, devices=("device1",), arguments=()):
        self.bin_dir = bin_dir
        self.folder = tempfile.TemporaryDirectory(prefix="iothub-test-")
        self.devices = devices
        self.arguments = arguments
        self.port = self.rest_port = "0"
        self.values = {}
        self.process = self.proxy = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.stop()
        if self.proxy is not None:
            self.proxy.__exit__()
        self.folder.cleanup()

    def start(self):
        if self.proxy is None:
            self.proxy = start_proxy()
        command = [os.path.join(self.bin_dir, "hub_emulator"), "--port", self.port,
                   "--rest-port", self.rest_port, "--state", os.path.join(self.folder.name, "state")]
        for device in self.devices:
            command += ["--device", device]
        command += self.arguments
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            line = line.strip()
            if line == "READY":
                self.port = self.values["IOTHUB_PORT"]
                self.rest_port = self.values["IOTHUB_REST_PORT"]
                return
            name, _, value = line.partition("=")
            self.values[name] = value
        raise AssertionError("the emulator ended before it was ready")

    @property
    def device_port(self):
        """The port for devices with the transport of this run."""
        return self.rest_port if TRANSPORT == "ws" else self.port

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_S) == 0, "the emulator did not end well"
        self.process.stdout.close()
        self.process = None

    def kill(self):
        """Kills the process, which has no chance to clean up, as in a power cut."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        self.process = None

    def environment(self):
        return {**os.environ, **self.values, **self.proxy_environment()}

    def proxy_environment(self):
        """The variable that leads devices through the proxy, if there is one."""
        return {} if self.proxy is None else {"IOTHUB_PROXY": self.proxy.url()}

    def command(self, name, *arguments):
        return [os.path.join(self.bin_dir, name), *arguments]

    def run(self, name, *arguments):
        """Runs a program to its end. Returns its output; its exit status must be 0."""
        result = subprocess.run(self.command(name, *arguments), env=self.environment(), text=True,
                                capture_output=True, timeout=PATIENCE_S, check=False)
        assert result.returncode == 0, f"{name} {arguments}: {result.stdout}{result.stderr}"
        return result.stdout

    def fail(self, name, *arguments, **changes):
        """Runs a program that must fail. Returns its exit status and its standard error."""
        environment = {**self.environment(), **changes}
        result = subprocess.run(self.command(name, *arguments), env=environment, text=True,
                                capture_output=True, timeout=PATIENCE_S, check=False)
        assert result.returncode != 0, f"{name} {arguments}: {result.stdout}{result.stderr}"
        return result.returncode, result.stderr

    def service(self, *arguments):
        return self.run("iothub", "service", *arguments)

    def put(self, path, value):
        return self.request("PUT", path, value)

    def request(self, method, path, value=None, service="IOTHUB_CONNECTION_STRING"):
        """Sends a REST request that no program of the build can make. service names the connection string."""
        token = self.run("iothub", "sas-token", "--connection-string",
                         self.values[service]).strip()
        headers = {"Authorization": token, "Content-Type": "application/json"}
        if method == "DELETE":
            headers["If-Match"] = "*"
        request = urllib.request.Request(
            f"https://localhost:{self.rest_port}{path}", None if value is None else json.dumps(value).encode(),
            headers, method=method)
        context = ssl.create_default_context(cafile=self.values["IOTHUB_CA_FILE"])
        with urllib.request.urlopen(request, timeout=PATIENCE_S, context=context) as answer:
            return json.loads(answer.read() or "null")

    def sample(self, name, *arguments):
        """Starts a sample in the background."""
        return Background(self.command(name, "--port", self.device_port, *arguments),
                          self.environment())

    def monitor(self):
        """Starts a monitor that prints all telemetry since the state folder was made, and then what
        arrives.
        """
        return Background(self.command("iothub", "service", "monitor", "--from", "1"),
                          self.environment())


class Background:
    """A running program. Its lines of output can be waited for, or read one by one."""

    def __init__(self, command, environment, take=None):
        self.lines = []
        self.take = take
        self.changed = threading.Condition()
        # A file, since a pipe that is not read would block the program.
        self.errors = tempfile.TemporaryFile("a+")
        self.process = subprocess.Popen(command, env=environment, text=True,
                                        stdout=subprocess.PIPE, stderr=self.errors)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            if self.take is not None:
                self.take(line.rstrip("\n"))
                continue
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def wait_for(self, found):
        """Waits until found(lines) returns true."""
        with self.changed:
            assert self.changed.wait_for(lambda: found(self.lines), PATIENCE_S), self.lines[-20:]

    def wait_line(self, part):
        self.wait_for(lambda lines: any(part in line for line in lines))

    def end(self):
        """Waits until the program ends with status 0."""
        status = self.process.wait(PATIENCE_S)
        self.reader.join()
        errors = self.said()
        self.close()
        assert status == 0, f"exit status {status}: {self.lines[-20:]} {errors}"
        return self.lines

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        self.reader.join()
        self.close()

    def said(self):
        """Returns standard error so far."""
        with open(self.errors.fileno(), encoding="utf-8", closefd=False) as errors:
            errors.seek(0)
            return errors.read()

    def close(self):
        self.process.stdout.close()
        self.errors.close()


class Proxy:
    """A fault_proxy in front of a hub or a broker; or in front of the proxy through which devices reach the
    hub, whose answers then have the faults, too. It ends when its standard input is closed.
    """

    def __init__(self, program, hub, fault, n, seed=1):
        self.hub = hub
        self.through = getattr(hub, "proxy", None)
        target = hub.device_port if self.through is None else self.through.port
        self.process = subprocess.Popen([program, str(target), fault, str(n), str(seed)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.own_port = self.process.stdout.readline().strip()
        self.device_port = self.own_port if self.through is None else hub.device_port

    def environment(self):
        """The environment of a device, which connects to device_port."""
        if self.through is None:
            return self.hub.environment()
        return {**self.hub.environment(), "IOTHUB_PROXY": f"{self.through.scheme}://127.0.0.1:{self.own_port}"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate(timeout=PATIENCE_S)


def numbers(monitor_lines):
    """Returns the field "number" of each message that the monitor has printed."""
    bodies = (json.loads(line).get("body") for line in monitor_lines if line.startswith("{"))
    return [b["number"] if isinstance(b, dict) else json.loads(b)["number"] for b in bodies]


def first_seen(items):
    """Returns the messages without repeats, which "at least once" allows."""
    return list(dict.fromkeys(items))
