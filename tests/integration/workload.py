"""A fake workload API of IoT Edge on a Unix socket: trust bundle and signatures."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import socketserver
import threading
import urllib.parse


class Workload:
    """Signs with the key of one module, as the Edge runtime does, and counts the signatures."""

    def __init__(self, folder, module, key, ca_file):
        self.path = os.path.join(folder, "workload.sock")
        self.signatures = 0
        workload = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def address_string(self):
                return "unix"

            def log_message(self, *_):
                pass

            def answer(self, status, value):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if urllib.parse.urlsplit(self.path).path != "/trust-bundle":
                    self.answer(404, {"message": "no such path"})
                    return
                with open(ca_file, encoding="ascii") as certificate:
                    self.answer(200, {"certificate": certificate.read()})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = urllib.parse.urlsplit(self.path).path
                if path != f"/modules/{module}/genid/1/sign" or body["algo"] != "HMACSHA256":
                    self.answer(404, {"message": "no such module"})
                    return
                workload.signatures += 1
                digest = hmac.new(base64.b64decode(key), base64.b64decode(body["data"]),
                                  hashlib.sha256).digest()
                self.answer(200, {"digest": base64.b64encode(digest).decode()})

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        self.server = Server(self.path, Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        os.unlink(self.path)
