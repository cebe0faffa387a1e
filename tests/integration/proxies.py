"""Starts proxies from Debian on free ports."""

import os
import shutil
import socket
import subprocess
import tempfile
import time

from broker import PATIENCE_S, free_port

USER, PASSWORD = "device", "hush-hush"
PATH = os.environ.get("PATH", "") + ":/usr/sbin"


def find(program):
    """Returns the path of a program, or None."""
    return shutil.which(program, path=PATH)


class Proxy:
    """A proxy that runs in the foreground. A subclass writes its files and returns its command."""

    scheme = "http"
    program = None

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="proxy-test-")
        os.chmod(self.folder.name, 0o777)  # Squid gives up the rights of root
        self.port = self.process = None

    def __enter__(self):
        while not self.start(free_port()):  # another process may take the port first
            pass
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.kill()
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, *lines):
        with open(self.path(name), "w", encoding="ascii") as f:
            print(*lines, sep="\n", file=f)
        os.chmod(self.path(name), 0o644)
        return self.path(name)

    def start(self, port):
        self.port = port
        self.process = subprocess.Popen([find(self.program), *self.arguments()],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < end:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return True
            time.sleep(0.01)
        self.kill()
        return False

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.process = None

    def url(self, secrets=""):
        return f"{self.scheme}://{secrets}127.0.0.1:{self.port}"

    def arguments(self):
        raise NotImplementedError


class Tinyproxy(Proxy):
    program = "tinyproxy"
    secrets = ()

    def arguments(self):
        return ["-d", "-c", self.write("tinyproxy.conf", f"Port {self.port}", "Listen 127.0.0.1",
                                       "Timeout 600", "MaxClients 200", *self.secrets)]


class TinyproxyBasic(Tinyproxy):
    secrets = (f"BasicAuth {USER} {PASSWORD}",)


class Squid(Proxy):
    """Squid with one method of authentication."""

    program = "squid"

    def method(self):
        raise NotImplementedError

    def arguments(self):
        return ["-N", "-f", self.write(
            "squid.conf", f"http_port 127.0.0.1:{self.port}", f"pid_filename {self.path('pid')}",
            f"cache_log {self.path('cache.log')}", "access_log none", "cache deny all",
            f"coredump_dir {self.folder.name}", "shutdown_lifetime 0 seconds",
            "pinger_enable off", *self.method(), "acl known proxy_auth REQUIRED",
            "http_access allow known", "http_access deny all")]


class SquidDigest(Squid):
    def method(self):
        secrets = self.write("secrets", f"{USER}:{PASSWORD}")
        return (f"auth_param digest program /usr/lib/squid/digest_file_auth {secrets}",
                "auth_param digest children 1", "auth_param digest realm test")


class SquidNtlm(Squid):
    """It accepts each user, after the three steps of NTLM."""

    def method(self):
        return ("auth_param ntlm program /usr/lib/squid/ntlm_fake_auth",
                "auth_param ntlm children 1")


class Microsocks(Proxy):
    program, scheme = "microsocks", "socks5h"
    secrets = ()

    def arguments(self):
        return ["-i", "127.0.0.1", "-p", str(self.port), *self.secrets]


class MicrosocksUser(Microsocks):
    secrets = ("-u", USER, "-P", PASSWORD)


class Dante(Proxy):
    program, scheme = "danted", "socks5"

    def arguments(self):
        return ["-f", self.write(
            "danted.conf", f"internal: 127.0.0.1 port = {self.port}", "external: lo",
            "clientmethod: none", "socksmethod: none", "errorlog: stderr",
            "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }",
            "socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }")]


class OverTls(Proxy):
    """TLS in front of another proxy, with a certificate of the emulator."""

    program, scheme = "socat", "https"

    def __init__(self, inner, certificate, key):
        super().__init__()
        self.inner, self.certificate, self.key = inner, certificate, key

    def arguments(self):
        return [f"OPENSSL-LISTEN:{self.port},bind=127.0.0.1,reuseaddr,fork,cert={self.certificate},"
                f"key={self.key},verify=0", f"TCP:127.0.0.1:{self.inner.port}"]

    def url(self, secrets=""):
        return f"{self.scheme}://{secrets}localhost:{self.port}"  # the name in the certificate
