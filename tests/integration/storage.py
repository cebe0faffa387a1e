"""A hub and a storage account that accept file uploads over HTTPS, and fail on demand."""

import http.server
import json
import re
import socket
import ssl
import threading
import time
import urllib.parse


class Storage:
    """Serves both on one port. `fault(number, path)` is asked before each request is answered: None
    lets it succeed, a number is sent as status, "cut" closes the connection, "late" does the work
    and closes it without an answer, and "stall" does not answer before the test ends. `place`
    replaces members of the hub's answers.
    """

    def __init__(self, certificate, key, highest_tls=ssl.TLSVersion.TLSv1_3):
        self.lock = threading.Lock()
        self.blocks, self.blobs = {}, {}
        self.active, self.notified, self.leaks = {}, {}, []
        self.requests = []
        self.most_active = 0
        self.tokens = 0
        self.valid_token = None
        self.place = {}
        self.forgets = False  # answers 404 to the second notification of an upload
        self.contradictions = []  # notifications of another outcome than the first one
        self.retry_after = None
        self.times = []  # when each request has arrived
        self.fault = lambda number, path: None
        self.stop_stalls = threading.Event()
        storage = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                storage.serve(self, "POST")

            def do_PUT(self):
                storage.serve(self, "PUT")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = highest_tls
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.stop_stalls.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def serve(self, request, method):
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        with self.lock:
            self.requests.append((method, request.path))
            self.times.append(time.monotonic())
            fault = self.fault(len(self.requests) - 1, request.path)
        if fault == "cut":
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        if fault == "stall":
            self.stop_stalls.wait()
            request.close_connection = True
            return
        if isinstance(fault, int):
            self.answer(request, fault, b"{}", self.retry_after)
            return
        with self.lock:
            status, answer = self.act(method, request, body)
        if fault == "late":
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        self.answer(request, status, answer)

    @staticmethod
    def answer(request, status, body, retry_after=None):
        request.send_response(status)
        if retry_after is not None:
            request.send_header("Retry-After", str(retry_after))
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def act(self, method, request, body):
        path = urllib.parse.urlsplit(request.path)
        if path.path.startswith("/devices/"):
            if not request.headers.get("Authorization", "").startswith("SharedAccessSignature "):
                return 401, b""
            if path.path.endswith("/files"):
                return self.begin(path.path.split("/")[2], json.loads(body))
            return self.end(json.loads(body))
        if "Authorization" in request.headers:
            self.leaks.append(request.path)
        query = urllib.parse.parse_qs(path.query)
        if query.get("sig") != [self.valid_token]:
            return 403, b"<Error><Code>AuthenticationFailed</Code></Error>"
        return self.put(path.path, query, request.headers, body)

    def begin(self, device, wish):
        if len(self.active) >= 10:
            return 403, b'{"Message":"ErrorCode:403006"}'
        self.tokens += 1
        self.valid_token = f"secret{self.tokens}"
        correlation = f"upload{self.tokens}"
        self.active[correlation] = True
        self.most_active = max(self.most_active, len(self.active))
        return 200, json.dumps({
            "correlationId": correlation, "hostName": f"localhost:{self.port}",
            "containerName": "files", "blobName": f"{device}/{wish['blobName']}",
            "sasToken": f"?sv=2020&sig={self.valid_token}&se=x", **self.place}).encode()

    def end(self, notification):
        correlation = notification["correlationId"]
        if correlation in self.notified:
            if self.notified[correlation] != notification["isSuccess"]:
                self.contradictions.append(correlation)
                return 409, b""
            return (404 if self.forgets else 204), b""
        if correlation not in self.active:
            return 404, b""
        del self.active[correlation]
        self.notified[correlation] = notification["isSuccess"]
        return 204, b""

    def put(self, path, query, headers, body):
        name = urllib.parse.unquote(path)
        if query.get("comp") == ["block"]:
            self.blocks.setdefault(name, {})[query["blockid"][0]] = body
            return 201, b""
        if query.get("comp") == ["blocklist"]:
            ids = re.findall(r"<Latest>(.*?)</Latest>", body.decode())
            known = self.blocks.get(name, {})
            if any(i not in known for i in ids):
                return 400, b"<Error><Code>InvalidBlockList</Code></Error>"
            self.blobs[name] = b"".join(known[i] for i in ids)
            return 201, b""
        if headers.get("x-ms-blob-type") != "BlockBlob":
            return 400, b""
        self.blobs[name] = body
        return 201, b""
