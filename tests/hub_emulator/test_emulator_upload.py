#!/usr/bin/env python3
"""Tests file uploads at the emulator: the requests of a device with a token or a certificate, and the storage.

usage: test_emulator_upload.py HUB_EMULATOR
"""

import base64
import email.utils
import http.client
import json
import os
import pathlib
import ssl
import sys
import tempfile
import time
import unittest
import urllib.parse

from emulator import API, PATIENCE_S, Emulator

PROGRAM = ""


class Upload(unittest.TestCase):
    """All tests share one emulator."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.hub = Emulator(PROGRAM, "--state", cls.folder.name, "--x509", "meter", "--x509-ca", "pump")

    @classmethod
    def tearDownClass(cls):
        assert cls.hub.stop() == 0
        cls.folder.cleanup()

    def device(self, path, body, device="device1", tls=None):
        connection = http.client.HTTPSConnection("localhost", self.hub.rest_port, timeout=PATIENCE_S,
                                                 context=tls or self.hub.tls)
        connection.request("POST", f"/devices/{device}/{path}?{API}", json.dumps(body),
                           {} if tls else {"Authorization": self.hub.token()})
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, json.loads(data) if data else None

    def begin(self, name, **named):
        status, answer = self.device("files", {"blobName": name}, **named)
        self.assertEqual(status, 200, answer)
        return answer

    def end(self, upload, success=True, **named):
        return self.device("files/notifications", {"correlationId": upload["correlationId"], "isSuccess": success,
                                                   "statusCode": 200, "statusDescription": "\"quoted\""}, **named)[0]

    def connect_to_storage(self, upload, patience_s=PATIENCE_S):
        host, port = upload["hostName"].split(":")
        return http.client.HTTPSConnection(host, int(port), context=self.hub.tls, timeout=patience_s)

    def storage(self, upload, *request, **named):
        return self.ask_storage(self.connect_to_storage(upload), upload, *request, **named)

    @staticmethod
    def ask_storage(connection, upload, method, extra="", body=None, headers=()):
        connection.request(method, f"/{upload['containerName']}/{urllib.parse.quote(upload['blobName'])}"
                                   f"{upload['sasToken']}{extra}", body, dict(headers))
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, data, response.headers

    def put(self, upload, data, **named):
        return self.storage(upload, "PUT", body=data, headers={"x-ms-blob-type": "BlockBlob"}, **named)[0]

    def put_block(self, upload, name, data):
        block = urllib.parse.quote(base64.b64encode(name), safe="")
        return self.storage(upload, "PUT", f"&comp=block&blockid={block}", data)[0]

    def put_list(self, upload, names):
        items = "".join(f"<Latest>{base64.b64encode(name).decode()}</Latest>" for name in names)
        return self.storage(upload, "PUT", "&comp=blocklist",
                            f"<?xml version='1.0' encoding='utf-8'?><BlockList>{items}</BlockList>".encode())[0]

    def state_of(self, upload):
        listed = self.hub.rest("GET", "/emulator/uploads")[1]
        return [item["state"] for item in listed if item["correlationId"] == upload["correlationId"]]

    def test_a_blob_arrives_and_can_be_read_in_ranges(self):
        for data in (b"", b"x", os.urandom(3 << 20)):
            upload = self.begin("a b/\u00fc.bin")
            self.assertEqual(self.put(upload, data), 201)
            status, got, headers = self.storage(upload, "GET")
            self.assertEqual((status, got), (200, data))
            self.assertEqual(self.storage(upload, "HEAD")[2]["Content-Length"], str(len(data)))
            self.assertEqual(self.end(upload), 204)
            self.assertEqual(self.state_of(upload), ["succeeded"])
        for name, first, last, part in [("x-ms-range", 1, 3, data[1:4]), ("Range", 5, "", data[5:]),
                                        ("Range", len(data) - 1, len(data) + 9, data[-1:])]:
            status, got, headers = self.storage(upload, "GET", headers={name: f"bytes={first}-{last}"})
            self.assertEqual((status, got), (206, part))
            self.assertTrue(headers["Content-Range"].endswith(f"/{len(data)}"))
        self.assertEqual(self.storage(upload, "GET", headers={"Range": f"bytes={len(data)}-"})[0], 416)
        for text in ("bytes=0-1,3-4", "bytes=-3", "bytes=a-b", "bytes=1", "bytes=1-2x", "words=1-2"):
            self.assertEqual(self.storage(upload, "GET", headers={"Range": text})[:2], (200, data), text)
        files = [path for path in pathlib.Path(self.folder.name).iterdir() if path.name.startswith("blob-")]
        self.assertIn(data, [path.read_bytes() for path in files])

    def test_blocks_in_any_order_become_a_blob(self):
        upload = self.begin("blocks")
        blocks = {b"%04d" % i: os.urandom(i * 50000) for i in range(5)}
        for name in reversed(blocks):
            self.assertEqual(self.put_block(upload, name, blocks[name]), 201)
        for kind, count in (("", 0), ("committed", 0), ("uncommitted", len(blocks)), ("all", len(blocks))):
            suffix = "&comp=blocklist" + (f"&blocklisttype={kind}" if kind else "")
            self.assertEqual(self.storage(upload, "GET", suffix)[1].count(b"<Block>"), count)
        self.assertEqual(self.put_list(upload, [b"9999"]), 400)
        for _ in range(2):  # the answer may be lost, so that a client repeats the request
            self.assertEqual(self.put_list(upload, blocks), 201)
        self.assertEqual(self.storage(upload, "GET")[1], b"".join(blocks.values()))
        self.assertEqual(self.storage(upload, "GET", "&comp=blocklist")[1].count(b"<Block>"), len(blocks))
        self.assertEqual(self.end(upload), 204)

    def test_an_upload_that_failed_leaves_no_block(self):
        upload = self.begin("failed")
        self.assertEqual(self.put_block(upload, b"a", b"data"), 201)
        self.assertEqual(self.end(upload, success=False), 204)
        self.assertEqual(self.state_of(upload), ["failed"])
        self.assertEqual(self.storage(upload, "GET")[0], 404)
        self.assertFalse([p for p in pathlib.Path(self.folder.name).iterdir() if p.name.startswith("block-")])

    def test_a_blob_has_an_etag_and_a_date_that_follow_its_changes(self):
        upload = self.begin("changes")
        etags = set()
        for data in (b"one", b"two", b"two"):
            headers = self.storage(upload, "PUT", "", data, {"x-ms-blob-type": "BlockBlob"})[2]
            etags.add(headers["ETag"])
            for method in ("GET", "HEAD"):
                read = self.storage(upload, method)[2]
                self.assertEqual((read["ETag"], read["Last-Modified"]), (headers["ETag"], headers["Last-Modified"]))
            age = time.time() - email.utils.parsedate_to_datetime(headers["Last-Modified"]).timestamp()
            self.assertTrue(-1 <= age < PATIENCE_S, headers["Last-Modified"])
        self.assertEqual(len(etags), 3)
        self.assertEqual(self.end(upload), 204)

    def test_requests_that_the_storage_refuses(self):
        upload = self.begin("strict")
        other = dict(upload, blobName="device1/other")
        none = dict(upload, sasToken="?x=1")
        block_blob = {"x-ms-blob-type": "BlockBlob"}
        for status, code, request in [
                (403, "AuthenticationFailed", (other, "GET")), (403, "AuthenticationFailed", (none, "GET")),
                (400, "InvalidAuthenticationInfo", (upload, "GET", "", None, {"Authorization": self.hub.token()})),
                (400, "InvalidHeaderValue", (upload, "PUT", "", b"x")),
                (400, "InvalidHeaderValue", (upload, "PUT", "", b"x", {"x-ms-blob-type": "PageBlob"})),
                (400, "InvalidQueryParameterValue", (upload, "PUT", "&comp=block", b"x")),
                (400, "InvalidQueryParameterValue", (upload, "PUT", "&comp=block&blockid=!", b"x")),
                (411, "MissingContentLengthHeader", (upload, "PUT", "", iter([b"x"]), block_blob)),
                (400, "InvalidXmlDocument", (upload, "PUT", "&comp=blocklist", b"<BlockList>")),
                (400, "InvalidQueryParameterValue", (upload, "GET", "&comp=blocklist&blocklisttype=x")),
                (404, "BlobNotFound", (upload, "GET")), (405, "UnsupportedHttpVerb", (upload, "DELETE")),
                (405, "UnsupportedHttpVerb", (upload, "PUT", "&comp=page", b"x"))]:
            with self.subTest(code=code, request=request):
                got, body, headers = self.storage(*request)
                self.assertEqual(got, status)
                self.assertEqual(headers["x-ms-error-code"], code)
                self.assertTrue(request[1] == "HEAD" or f"<Code>{code}</Code>".encode() in body)
        self.assertEqual(self.put_block(upload, b"aa", b"x"), 201)
        self.assertEqual(self.put_block(upload, b"aaa", b"x"), 400)  # ids of one blob have one length
        self.assertEqual(self.end(upload), 204)

    def test_a_body_that_ends_early_leaves_nothing(self):
        upload = self.begin("early")
        host, port = upload["hostName"].split(":")
        connection = http.client.HTTPSConnection(host, int(port), context=self.hub.tls, timeout=PATIENCE_S)
        connection.putrequest("PUT", f"/uploads/device1/early{upload['sasToken']}")
        connection.putheader("x-ms-blob-type", "BlockBlob")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"only this")
        connection.close()
        deadline = time.monotonic() + PATIENCE_S
        while any(p.name.startswith("upload-part-") for p in pathlib.Path(self.folder.name).iterdir()):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.assertEqual(self.storage(upload, "GET")[0], 404)
        self.assertEqual(self.end(upload, success=False), 204)

    def test_a_token_expires_and_the_upload_with_it(self):
        self.assertEqual(self.hub.rest("PUT", "/emulator/uploads/settings", {"tokenLife": 1})[0], 204)
        upload = self.begin("short")
        self.assertEqual(self.hub.rest("PUT", "/emulator/uploads/settings", {"tokenLife": 3600})[0], 204)
        deadline = time.monotonic() + PATIENCE_S
        while self.put(upload, b"x") != 403:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        while self.state_of(upload) != ["expired"]:
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(self.end(upload), 404)

    def fail_storage(self, **fault):
        self.assertEqual(self.hub.rest("PUT", "/emulator/faults", {"storage": fault})[0], 204)

    def test_requests_to_the_storage_fail_on_request(self):
        upload = self.begin("faults")
        self.fail_storage(on="block", count=2, skip=1, status=500)
        self.assertEqual([self.put_block(upload, b"%d" % i, b"x") for i in range(4)], [201, 500, 500, 201])
        self.fail_storage(on=["block", "blob"], kind="close", after=70000)
        with self.assertRaises((http.client.HTTPException, OSError)):
            self.put_block(upload, b"4", b"x" * 4000000)
        self.fail_storage(on="blocklist", kind="lose")
        with self.assertRaises((http.client.HTTPException, OSError)):
            self.put_list(upload, [b"0", b"3"])
        self.assertEqual(self.storage(upload, "GET")[1], b"xx")  # it was done, but not answered
        self.assertEqual(self.put_list(upload, [b"0", b"3"]), 201)
        self.fail_storage(on="read", kind="close")
        with self.assertRaises((http.client.HTTPException, OSError)):
            self.storage(upload, "GET")
        self.assertEqual(self.end(upload), 204)

    def test_every_kind_of_fault_happens_to_every_operation(self):
        upload = self.begin("sweep")
        block = "&comp=block&blockid=MDAwMA=="
        items = b"<BlockList><Latest>MDAwMA==</Latest></BlockList>"
        for on, request in (("blob", ("PUT", "", b"body", {"x-ms-blob-type": "BlockBlob"})),
                            ("block", ("PUT", block, b"body")), ("blocklist", ("PUT", "&comp=blocklist", items)),
                            ("read", ("GET",)), ("read", ("GET", "&comp=blocklist"))):
            for kind, after in (("close", 0), ("close", 2), ("close", 1000), ("lose", 0), ("stall", 2), ("stall", 1000)):
                with self.subTest(on=on, kind=kind, after=after):
                    self.fail_storage(on=on, kind=kind, after=after)
                    connection = self.connect_to_storage(upload, 0.3 if kind == "stall" else PATIENCE_S)
                    with self.assertRaises(TimeoutError if kind == "stall" else (http.client.HTTPException, OSError)):
                        self.ask_storage(connection, upload, *request)
                    connection.close()
                    self.assertIn(self.storage(upload, *request)[0], (200, 201))
        self.assertEqual(self.end(upload), 204)

    def test_a_request_to_the_storage_stalls_on_request(self):
        upload = self.begin("stall")
        for after in (0, 70000):
            self.fail_storage(on="blob", kind="stall", after=after)
            host, port = upload["hostName"].split(":")
            connection = http.client.HTTPSConnection(host, int(port), context=self.hub.tls, timeout=0.5)
            with self.assertRaises(TimeoutError):
                connection.request("PUT", f"/uploads/device1/stall{upload['sasToken']}", b"x" * 20000000,
                                   {"x-ms-blob-type": "BlockBlob"})
                connection.getresponse()
            connection.close()
        self.assertEqual(self.put(upload, b"good"), 201)
        self.fail_storage(on="read", kind="stall")  # one that is still there when the emulator ends
        connection = http.client.HTTPSConnection(host, int(port), context=self.hub.tls)
        connection.request("GET", f"/uploads/device1/stall{upload['sasToken']}")
        self.addClassCleanup(connection.close)
        self.assertEqual(self.end(upload), 204)

    def test_devices_with_certificates_upload_too(self):
        for device, name in (("meter", "IOTHUB_X509"), ("pump", "IOTHUB_X509")):
            suffix = "" if device == "meter" else "_2"
            tls = ssl.create_default_context(cafile=self.hub.ca_file)
            tls.load_cert_chain(self.hub.env[f"{name}_CERTIFICATE_FILE{suffix}"],
                                self.hub.env[f"{name}_KEY_FILE{suffix}"])
            upload = self.begin("x", device=device, tls=tls)
            self.assertEqual(self.put(upload, b"data"), 201)
            self.assertEqual(self.end(upload, device=device, tls=tls), 204)
            other = "pump" if device == "meter" else "meter"
            self.assertEqual(self.device("files", {"blobName": "x"}, device=other, tls=tls)[0], 401)
            self.assertEqual(self.device("files", {"blobName": "x"}, tls=tls)[0], 401)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
