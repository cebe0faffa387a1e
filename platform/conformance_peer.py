#!/usr/bin/env python3
"""The other end of the streams that plat_conformance_run checks (platform/conformance.h).

usage: conformance_peer.py [--port PORT] [--host ADDRESS] [--cert FILE --key FILE]

It prints "listening on PORT" and serves until it is killed. Each connection begins with an order, a word
and a number:

    send N   N bytes, then an orderly end
    drip N   the same, one byte at a time
    sink N   waits, reads N bytes, and answers "y" if they are right, otherwise "n"
    hush 0   nothing for two seconds, then one byte
    drop 0   a reset

Byte number i is i * 31 + (i // 256) * 7, modulo 256.
"""

import argparse
import socket
import ssl
import struct
import threading
import time

QUIET_S = 2
LATE_S = 0.3
DRIP_S = 0.01
PATIENCE_S = 30


def content(n):
    return bytes((i * 31 + (i >> 8) * 7) & 255 for i in range(n))


def read_line(connection):
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte or len(line) > 64:
            return None
        line += byte
    return line.decode("ascii", "replace").split()


def read_exactly(connection, n):
    data = b""
    while len(data) < n:
        piece = connection.recv(min(4096, n - len(data)))
        if not piece:
            break
        data += piece
    return data


def end(connection):
    """Ends a connection in order."""
    if isinstance(connection, ssl.SSLSocket):
        connection = connection.unwrap()
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(4096):
        pass


def obey(connection, order, n):
    if order == "send":
        connection.sendall(content(n))
        end(connection)
    elif order == "drip":
        for byte in content(n):
            connection.sendall(bytes([byte]))
            time.sleep(DRIP_S)
        end(connection)
    elif order == "sink":
        time.sleep(LATE_S)
        connection.sendall(b"y" if read_exactly(connection, n) == content(n) else b"n")
        end(connection)
    elif order == "hush":
        time.sleep(QUIET_S)
        connection.sendall(b"x")
        end(connection)
    elif order == "drop":
        # A linger time of 0 makes the kernel reset the connection.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def serve(raw, tls):
    try:
        raw.settimeout(PATIENCE_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = tls.wrap_socket(raw, server_side=True) if tls else raw
        order = read_line(connection)
        if order is not None and len(order) == 2 and order[1].isdigit():
            obey(connection, order[0], int(order[1]))
        connection.close()
    except OSError:
        raw.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0: any free one")
    parser.add_argument("--cert", help="file with a certificate; the peer speaks TLS then")
    parser.add_argument("--key", help="file with its private key")
    args = parser.parse_args()
    tls = None
    if args.cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(args.cert, args.key)
    family = socket.AF_INET6 if ":" in args.host else socket.AF_INET
    with socket.create_server((args.host, args.port), family=family) as server:
        print(f"listening on {server.getsockname()[1]}", flush=True)
        while True:
            raw, _ = server.accept()
            threading.Thread(target=serve, args=(raw, tls), daemon=True).start()


if __name__ == "__main__":
    main()
