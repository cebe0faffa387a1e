"""A planned_connects in the background."""

import subprocess
import tempfile

from emulator import PATIENCE_S


class Device:
    """It ends when its standard input is closed."""

    def __init__(self, program, hub, mode):
        self.errors = tempfile.TemporaryFile("a+")
        self.process = subprocess.Popen([program, mode], env=hub.environment(), text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate(timeout=PATIENCE_S)
        self.errors.close()

    def connection(self):
        """Returns how the next connection was made, and its milliseconds."""
        transport, took_ms = self.process.stdout.readline().split()
        return transport, int(took_ms)

    def reconnect(self):
        self.process.stdin.write("\n")
        return self.connection()

    def said(self):
        """Returns the failures so far."""
        with open(self.errors.fileno(), encoding="utf-8", closefd=False) as errors:
            errors.seek(0)
            return errors.read()
