#!/usr/bin/env python3
"""Runs an image of samples/firmware/mps2_an386 in QEMU, against Mosquitto. usage: test_firmware.py IMAGE

The emulated network reaches nothing but the broker, which the test starts on a port of its own.
"""

import contextlib
import os
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from broker import Broker, free_port  # noqa: E402 (the path above)

PATIENCE_S = 120
BROKER_ADDRESS = "10.0.2.100"  # inside the emulated network
BROKER_PORT = "1883"
HOST_ADDRESS = "10.0.2.2"
HOST_ADDRESS_6 = "fec0::2"
PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../platform/conformance_peer.py")
EXIT_FAULT = 70  # board.h
STACK_BYTES = 8 * 1024  # link.ld
IMAGE = None


def run(*words, port=None, with_host=False):
    """Returns the exit code and the console's lines. The board sees `port` of the host as the broker, for one
    connection; or, with_host, all of the host's ports at HOST_ADDRESS.
    """
    network = "user,model=lan9118" if with_host else "user,model=lan9118,restrict=on"
    if port is not None:
        network += f",guestfwd=tcp:{BROKER_ADDRESS}:{BROKER_PORT}-tcp:127.0.0.1:{port}"
    arguments = "".join(f",arg={word}" for word in ("firmware", *words))
    done = subprocess.run(
        ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "stdio",
         "-nic", network, "-semihosting-config", f"enable=on,target=native{arguments}", "-kernel", IMAGE],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    print(done.stdout + done.stderr)
    return done.returncode, done.stdout.splitlines()


def has_ip6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def conformance_peer(address="127.0.0.1"):
    """Runs the other end of the conformance checks; its value is the port."""
    with subprocess.Popen([sys.executable, "-B", PEER, "--host", address], stdout=subprocess.PIPE, text=True) as peer:
        try:
            yield peer.stdout.readline().split()[-1]
        finally:
            peer.terminate()


class Firmware(unittest.TestCase):
    def test_the_port_keeps_the_rules_of_the_interfaces(self):
        with conformance_peer() as port:
            code, lines = run("conformance", HOST_ADDRESS, port, str(free_port()), with_host=True)
        self.assertEqual([line for line in lines if line.startswith("BROKEN")], [])
        self.assertEqual(code, 0)

    @unittest.skipUnless(has_ip6(), "this system has no IPv6 address ::1")
    def test_the_port_keeps_the_rules_over_ipv6(self):
        with conformance_peer("::1") as port:
            code, lines = run("conformance", HOST_ADDRESS_6, port, "0", with_host=True)
        self.assertEqual([line for line in lines if line.startswith("BROKEN")], [])
        self.assertEqual(code, 0)

    def test_a_refused_connection_is_reported(self):
        code, lines = run("publish", HOST_ADDRESS, str(free_port()), with_host=True)
        self.assertEqual(code, 1)
        self.assertIn("connection refused", lines[1])

    def test_two_messages_reach_the_broker_and_come_back(self):
        with Broker() as broker:
            code, lines = run("publish", BROKER_ADDRESS, BROKER_PORT, port=broker.port)
        self.assertEqual(code, 0)
        self.assertIn("received: hello with QoS 0 (QoS 0)", lines)
        self.assertIn("received: hello with QoS 1 (QoS 1)", lines)
        self.assertEqual(lines.count("acknowledged"), 1)
        self.assertEqual(lines.count("sent"), 1)

    def test_the_stack_is_large_enough(self):
        with Broker() as broker:
            _, lines = run("publish", BROKER_ADDRESS, BROKER_PORT, port=broker.port)
        used = [int(line.split()[3]) for line in lines if line.startswith("stack:")]
        self.assertEqual(len(used), 1)
        self.assertLess(0, used[0])
        self.assertLess(used[0], STACK_BYTES / 2)

    def test_a_name_that_does_not_resolve_is_reported(self):
        code, lines = run("publish", "broker.invalid", BROKER_PORT)
        self.assertEqual(code, 1)
        self.assertTrue(any("broker.invalid port 1883" in line or "no answer in time" in line for line in lines), lines)

    def test_an_address_that_does_not_answer_is_reported(self):
        code, lines = run("publish", "10.0.2.77", BROKER_PORT)
        self.assertEqual(code, 1)
        self.assertTrue(lines[-3].startswith("cannot connect: "), lines)

    def test_a_hard_fault_prints_the_registers_and_ends_the_program(self):
        code, lines = run("fault")
        self.assertEqual(code, EXIT_FAULT)
        self.assertTrue(lines[0].startswith("hard fault: cfsr 00010000 "), lines)  # an undefined instruction
        registers = dict(line.split() for line in lines[1:])
        self.assertEqual(list(registers), ["r0", "r1", "r2", "r3", "r12", "lr", "pc", "xpsr"])
        self.assertLess(int(registers["pc"], 16), 1 << 20)  # in the flash

    def test_an_overflow_of_the_stack_is_reported(self):
        code, lines = run("overflow")
        self.assertEqual(code, EXIT_FAULT)
        self.assertEqual(lines[-1].strip(), "the stack has overflowed")


if __name__ == "__main__":
    IMAGE = sys.argv.pop(1)
    unittest.main(verbosity=2)
