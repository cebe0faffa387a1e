"""Runs a test in a network namespace of its own, where it may block addresses and ports."""

import os
import shutil
import subprocess
import sys

INSIDE = "HUB_TEST_OWN_NETWORK"
SKIPPED = 77  # the SKIP_RETURN_CODE of the tests


def enter(arguments, *more):
    """Runs the program again, with these arguments, in a namespace that has only lo. Skips the test if that is not
    allowed, or if ip (package iproute2) or nft (nftables) is missing. more: options of unshare for more namespaces.
    """
    if INSIDE in os.environ:
        return
    wrapper = ["unshare", "--map-root-user", "--net", *more, "sh", "-c"]
    try_out = "ip link set lo up && nft add table inet t && nft delete table inet t"
    if shutil.which("unshare") is None or subprocess.run(
            [*wrapper, try_out], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print("SKIPPED: no network namespace, or no ip (package iproute2) or nft (nftables)")
        sys.exit(SKIPPED)
    os.environ[INSIDE] = "1"
    os.execvp(wrapper[0], [*wrapper, 'ip link set lo up && exec "$@"', "sh", sys.executable, "-B", *arguments])


def nft(*words):
    subprocess.run(["nft", " ".join(words)], check=True)


class Filter:
    """Rules for the packets that leave."""

    def __init__(self):
        nft("add table inet test")
        nft("add chain inet test out { type filter hook output priority 0 ; }")

    def block(self, *rule):
        nft("add rule inet test out", *rule)

    def unblock(self):
        nft("flush chain inet test out")

    def close(self):
        nft("delete table inet test")
