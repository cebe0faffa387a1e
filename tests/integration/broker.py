"""Starts Mosquitto with its default configuration on a free port."""

import os
import shutil
import socket
import subprocess
import tempfile

# A little less than the time limit of ctest, which would end the test without a reason.
PATIENCE_S = 240


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Broker:
    """A broker that keeps everything in memory; `options` are additional lines of its configuration. With
    `websocket` it has a second listener, on websocket_port, because it exits without one for TCP.
    """

    def __init__(self, *options, websocket=False):
        self.websocket = websocket
        self.websocket_port = None
        self.folder = tempfile.TemporaryDirectory(prefix="mqtt-test-")
        self.options = ("allow_anonymous true", "persistence false", "max_queued_messages 0",
                        "connection_messages false", "log_dest stderr", *options)
        self.port = self.process = None

    def __enter__(self):
        while not self._start(free_port()):  # another process may take the port first
            pass
        return self

    def __exit__(self, *_):
        if self.port is None:
            self.folder.cleanup()
            return
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stderr.close()
        self.folder.cleanup()

    @property
    def device_port(self):
        """The port for clients with the transport of this run."""
        return self.websocket_port if self.websocket else self.port

    def _start(self, port):
        path = os.path.join(self.folder.name, "mosquitto.conf")
        with open(path, "w", encoding="ascii") as f:
            print(f"listener {port} 127.0.0.1", *self.options, sep="\n", file=f)
            if self.websocket:
                self.websocket_port = str(free_port())
                print(f"listener {self.websocket_port} 127.0.0.1", "protocol websockets", sep="\n",
                      file=f)
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
        self.process = subprocess.Popen([program, "-c", path], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if line.rstrip().endswith(" running"):
                self.port = str(port)
                return True
        self.process.wait(PATIENCE_S)
        self.process.stderr.close()
        return False
