"""Starts a hub_emulator on free ports and talks to it, over HTTPS and over MQTT packet by packet."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import ssl
import struct
import subprocess
import time
import urllib.parse

API = "api-version=2021-04-12"
# With HUB_TEST_TRANSPORT=websocket, devices connect by WebSocket to the HTTPS port.
OVER_WEBSOCKET = os.environ.get("HUB_TEST_TRANSPORT") == "websocket"
# A little less than the time limit of ctest, which would end the test without a reason.
PATIENCE_S = 240


def sas_token(resource, key, lifetime_s=3600, policy=None):
    """Returns a token made as the documentation of the hub describes it, without any SDK."""
    sr = urllib.parse.quote(resource, safe="")
    expiry = int(time.time()) + lifetime_s
    mac = hmac.new(base64.b64decode(key), f"{sr}\n{expiry}".encode(), hashlib.sha256).digest()
    sig = urllib.parse.quote(base64.b64encode(mac), safe="")
    token = f"SharedAccessSignature sr={sr}&sig={sig}&se={expiry}"
    return token + (f"&skn={policy}" if policy else "")


def parts(connection_string):
    return dict(part.split("=", 1) for part in connection_string.split(";"))


class Emulator:
    def __init__(self, program, *arguments, stderr=subprocess.DEVNULL):
        self.process = subprocess.Popen(
            [program, "--port", "0", "--rest-port", "0", *arguments],
            stdout=subprocess.PIPE, stderr=stderr, text=True)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line == "READY\n":
                break
        else:
            raise RuntimeError(f"hub_emulator ended with {self.process.wait()}")
        self.env = dict(line.split("=", 1) for line in self.lines[:-1])
        self.ca_file = self.env["IOTHUB_CA_FILE"]
        self.port = int(self.env["IOTHUB_PORT"])
        self.rest_port = int(self.env["IOTHUB_REST_PORT"])
        self.device_key = parts(self.env["IOTHUB_DEVICE_CONNECTION_STRING"])["SharedAccessKey"]
        self.service_key = parts(self.env["IOTHUB_CONNECTION_STRING"])["SharedAccessKey"]
        self.tls = ssl.create_default_context(cafile=self.ca_file)

    def stop(self):
        self.process.terminate()
        return self.wait()

    def wait(self):
        self.process.stdout.close()
        return self.process.wait(PATIENCE_S)

    def connect(self):
        return http.client.HTTPSConnection("localhost", self.rest_port, context=self.tls,
                                           timeout=PATIENCE_S)

    def open(self, method, path, body=None, token=None, headers=(), raw=None):
        """Returns the response. `body` is sent as JSON, `raw` is sent unchanged."""
        connection = self.connect()
        token = token or sas_token("localhost", self.service_key, policy="iothubowner")
        connection.request(method, path, raw if body is None else json.dumps(body),
                           {"Authorization": token, "Connection": "close", **dict(headers)})
        return connection.getresponse()

    def rest(self, *arguments, **named):
        """Returns the status and the decoded body."""
        response = self.open(*arguments, **named)
        text = response.read()
        response.close()
        return response.status, json.loads(text) if text else None

    def events(self, first=1, count=None):
        """Returns telemetry from the given number on: `count` events, for which it waits if necessary, or
        all stored ones.
        """
        query = f"from={first}&" + ("timeout=0" if count is None else f"limit={count}")
        response = self.open("GET", "/emulator/events?" + query)
        lines = [json.loads(line) for line in response if line.strip()]
        response.close()
        return lines

    def send(self, body, device="device1", **members):
        return self.rest("POST", f"/emulator/devices/{device}/messages", {"body": body, **members})

    def waiting(self, device="device1"):
        return len(self.rest("GET", f"/emulator/devices/{device}/messages")[1])

    def wait_until_none_waits(self, device="device1"):
        """Waits until no message is left, since the emulator handles an acknowledgement a moment after it
        was written.
        """
        deadline = time.monotonic() + PATIENCE_S
        while self.waiting(device):
            assert time.monotonic() < deadline, "messages still wait"

    def user_name(self, client_id="device1"):
        return f"localhost/{client_id}/?{API}"

    def policy_token(self):
        """Returns a password that is valid for any device."""
        return sas_token("localhost", self.service_key, policy="iothubowner")

    def token(self, lifetime_s=3600, resource="localhost/devices/device1"):
        return sas_token(resource, self.device_key, lifetime_s)


def text(value):
    data = value.encode()
    return struct.pack(">H", len(data)) + data


class Closed(Exception):
    """Raised when the emulator has closed the connection."""


class WebSocket:
    """A minimal client of WebSocket (RFC 6455) over a socket, with the methods of a socket."""

    BINARY, CLOSE, PING, PONG = 0x82, 0x88, 0x89, 0x8A
    PATH = "/$iothub/websocket"
    KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    MASK = b"\x11\x22\x33\x44"

    def __init__(self, secure, protocol="mqtt", path=PATH):
        self.secure = secure
        self.payload = b""
        self.close_code = None
        secure.sendall((f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        f"Sec-WebSocket-Key: {self.KEY}\r\n"
                        f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n").encode())
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            self.head += self.exactly(1)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.secure.recv(count - len(data))
            if not piece:
                raise ConnectionError("closed within a frame")
            data += piece
        return data

    @classmethod
    def frame(cls, data, first=BINARY):
        length = (bytes([0x80 | len(data)]) if len(data) < 126 else
                  b"\xfe" + struct.pack(">H", len(data)) if len(data) < 65536 else
                  b"\xff" + struct.pack(">Q", len(data)))
        mask = int.from_bytes(cls.MASK * (len(data) // 4 + 1), "big")
        masked = int.from_bytes(data + b"\0" * (4 - len(data) % 4), "big") ^ mask
        return (bytes([first]) + length + cls.MASK +
                masked.to_bytes(len(data) + 4 - len(data) % 4, "big")[:len(data)])

    def receive(self):
        """Returns the first byte and the payload of the next frame; the server must not mask it."""
        first, length = self.exactly(2)
        if length > 125:
            length = int.from_bytes(self.exactly(2 if length == 126 else 8), "big")
        return first, self.exactly(length)

    def sendall(self, data):
        self.secure.sendall(self.frame(data))

    def recv(self, count):
        while not self.payload:
            first, data = self.receive()
            if first == self.CLOSE:
                self.close_code = int.from_bytes(data[:2], "big")
                self.secure.sendall(self.frame(data, self.CLOSE))
                return b""
            assert first == self.BINARY, f"frame {first:#x}"
            self.payload = data
        piece, self.payload = self.payload[:count], self.payload[count:]
        return piece

    def shutdown(self, how):
        self.secure.shutdown(how)

    def close(self):
        self.secure.close()


class Device:
    """A minimal MQTT 3.1.1 client. It sends what a test requests, and acknowledges only on request."""

    CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP = 2, 3, 4, 9, 11, 13

    def __init__(self, emulator, client_id="device1", user_name=None, password=None, clean=True,
                 will=None, protocol=4, tls=None):
        """tls: the context of a client with a certificate, which sends no password unless one is given."""
        self.ids = 0
        port = emulator.rest_port if OVER_WEBSOCKET else emulator.port
        raw = socket.create_connection(("localhost", port), PATIENCE_S)
        self.socket = (tls or emulator.tls).wrap_socket(raw, server_hostname="localhost")
        if OVER_WEBSOCKET:
            self.socket = WebSocket(self.socket)
        if tls is None and password is None:
            password = emulator.token()
        flags = 0x80 | (0x40 if password is not None else 0) | (2 if clean else 0)
        payload = text(client_id)
        if will:
            topic, body, qos, retain = will
            flags |= 4 | qos << 3 | (0x20 if retain else 0)
            payload += text(topic) + text(body)
        payload += text(user_name or emulator.user_name(client_id))
        payload += text(password) if password is not None else b""
        self.write(0x10, text("MQTT") + bytes([protocol, flags, 0, 60]) + payload)
        try:
            session, self.code = self.expect(self.CONNACK)
            self.session_present = bool(session)
        except Closed:
            self.code = None

    def write(self, first, body):
        length = b""
        left = len(body)
        while True:
            length += bytes([left % 128 | (0x80 if left >= 128 else 0)])
            left //= 128
            if not left:
                break
        try:
            self.socket.sendall(bytes([first]) + length + body)
        except OSError:
            pass  # the peer has closed the connection, which the next read reports

    def read_exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    def packet(self):
        """Returns the first byte and the body of the next packet; the first byte is 0 if the connection
        has ended.
        """
        try:
            first = self.read_exactly(1)[0]
            length = shift = 0
            while True:
                byte = self.read_exactly(1)[0]
                length |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    return first, self.read_exactly(length)
        except socket.timeout:
            raise
        except OSError:
            return 0, b""

    def expect(self, kind):
        first, body = self.packet()
        if first == 0:
            raise Closed
        assert first >> 4 == kind, f"packet {first:#x} instead of kind {kind}"
        return body

    def next_id(self):
        self.ids += 1
        return self.ids

    def publish(self, topic, body=b"", qos=1, retain=False):
        """Sends a publish and, with QoS 1, waits for the PUBACK."""
        body = body.encode() if isinstance(body, str) else body
        number = struct.pack(">H", self.next_id()) if qos else b""
        self.write(0x30 | qos << 1 | (1 if retain else 0), text(topic) + number + body)
        if qos == 1:
            assert self.expect(self.PUBACK) == number

    def subscribe(self, *filters, qos=1):
        number = struct.pack(">H", self.next_id())
        self.write(0x82, number + b"".join(text(f) + bytes([qos]) for f in filters))
        body = self.expect(self.SUBACK)
        assert body[:2] == number
        return list(body[2:])

    def unsubscribe(self, topic):
        self.write(0xA2, struct.pack(">H", self.next_id()) + text(topic))
        self.expect(self.UNSUBACK)

    def receive(self, acknowledge=True):
        """Returns the topic, the body and whether the message is a repetition."""
        first, body = self.packet()
        if first == 0:
            raise Closed
        assert first >> 4 == self.PUBLISH, f"packet {first:#x} instead of a PUBLISH"
        length = struct.unpack(">H", body[:2])[0]
        topic, rest = body[2:2 + length].decode(), body[2 + length:]
        if first & 6:
            if acknowledge:
                self.write(0x40, rest[:2])
            rest = rest[2:]
        return topic, rest.decode(), bool(first & 8)

    def quiet(self):
        """Expects that no other packets arrive than these, by sending a ping whose answer must be next."""
        self.write(0xC0, b"")
        self.expect(self.PINGRESP)

    def closed(self):
        """Waits until the emulator closes the connection. Returns False if it answers a ping instead."""
        self.write(0xC0, b"")
        try:
            while True:
                first, _ = self.packet()
                if first == 0:
                    return True
                if first >> 4 == self.PINGRESP:
                    return False
        finally:
            self.abort()

    def wait_closed(self):
        while self.packet()[0] != 0:
            pass
        self.abort()

    def disconnect(self):
        self.write(0xE0, b"")
        self.wait_closed()

    def abort(self):
        """Closes the connection without a DISCONNECT."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
