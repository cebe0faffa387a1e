#!/usr/bin/env python3
"""Tests file upload against a hub and a storage that fail at every request.

usage: test_upload.py BIN_DIR UPLOADER
"""

import os
import random
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from emulator import PATIENCE_S, Emulator
from storage import Storage

BIN_DIR, UPLOADER = sys.argv[1:3]
del sys.argv[1:3]
BLOCK = 1024
KEY = "c2VjcmV0LWtleS1vZi10aGUtZGV2aWNl"
SIZES = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK, 5 * BLOCK + 7)


class Uploads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(BIN_DIR)  # for its certificate
        cls.hub.start()
        state = os.path.join(cls.hub.folder.name, "state")
        cls.certificate = os.path.join(state, "server.crt")
        cls.key = os.path.join(state, "server.key")
        cls.hub.stop()

    @classmethod
    def tearDownClass(cls):
        cls.hub.folder.cleanup()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="upload-test-")
        self.addCleanup(self.folder.cleanup)
        self.storage = self.make_storage()

    def make_storage(self):
        storage = Storage(self.certificate, self.key)
        self.addCleanup(storage.close)
        return storage

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def make_file(self, size, name="file"):
        content = random.Random(size).randbytes(size)
        with open(self.path(name), "wb") as f:
            f.write(content)
        return content

    def start(self, *arguments, storage=None, program=UPLOADER):
        storage = storage or self.storage
        environment = {
            **os.environ, "IOTHUB_CA_FILE": os.path.join(self.hub.folder.name, "state", "ca.crt"),
            "IOTHUB_REST_PORT": str(storage.port), "IOTHUB_DEVICE_CONNECTION_STRING":
            f"HostName=localhost;DeviceId=device1;SharedAccessKey={KEY}"}
        return subprocess.Popen([program, *arguments], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run_it(self, *arguments, **named):
        process = self.start(*arguments, **named)
        output, errors = process.communicate(timeout=PATIENCE_S)
        self.assertNotIn("secret", output + errors)
        self.assertNotIn(KEY, output + errors)
        return process.returncode, output + errors

    def upload(self, *arguments, **named):
        return self.run_it(self.path("file"), "--name", "logs/a b.txt", "--block-size", str(BLOCK),
                           *arguments, **named)

    def assert_settled(self, storage=None):
        storage = storage or self.storage
        self.assertEqual(storage.active, {})
        self.assertEqual(storage.leaks, [])
        self.assertEqual(storage.contradictions, [])
        self.assertLessEqual(storage.most_active, 1)

    def assert_arrived(self, content, storage=None):
        storage = storage or self.storage
        self.assertEqual(storage.blobs.get("/files/device1/logs/a b.txt"), content)
        self.assertEqual(list(storage.notified.values()).count(True), 1)
        self.assert_settled(storage)

    def test_a_file_of_any_size_arrives_unchanged(self):
        for size in SIZES:
            with self.subTest(size=size):
                storage = self.make_storage()
                content = self.make_file(size)
                status, said = self.upload(storage=storage)
                self.assertEqual(status, 0, said)
                self.assert_arrived(content, storage)
                blocks = [p for _, p in storage.requests if "comp=block&" in p]
                self.assertEqual(len(blocks), 0 if size <= BLOCK else -(-size // BLOCK))

    def test_whichever_request_fails_the_file_arrives(self):
        content = self.make_file(3 * BLOCK + 5)
        self.upload()
        count = len(self.storage.requests)
        self.assertEqual(count, 1 + 4 + 1 + 1)
        for fault in (429, 500, 503, 408, "cut", "late"):
            for nth in range(count):
                with self.subTest(fault=fault, nth=nth):
                    storage = self.make_storage()
                    storage.fault = lambda n, path: fault if n == nth else None
                    status, said = self.upload(storage=storage)
                    self.assertEqual(status, 0, said)
                    if fault == "late" and nth == 0:  # the device cannot know of the first upload
                        self.assertEqual(list(storage.notified.values()), [True])
                        self.assertEqual(len(storage.active), 1)
                    else:
                        self.assert_arrived(content, storage)

    def test_a_request_that_stalls_is_made_again(self):
        content = self.make_file(3 * BLOCK + 5)
        for nth in (0, 1, 3, 5, 6):
            with self.subTest(nth=nth):
                storage = self.make_storage()
                storage.fault = lambda n, path: "stall" if n == nth else None
                status, said = self.upload("--timeout", "1000", storage=storage)
                self.assertEqual(status, 0, said)
                self.assert_arrived(content, storage)

    def test_an_expired_storage_token_is_replaced(self):
        content = self.make_file(3 * BLOCK + 5)
        for nth in range(1, 6):
            with self.subTest(nth=nth):
                storage = self.make_storage()
                storage.fault = lambda n, path: 403 if n == nth else None
                status, said = self.upload(storage=storage)
                self.assertEqual(status, 0, said)
                self.assert_arrived(content, storage)
                self.assertEqual(sorted(storage.notified.values()), [False, True])

    def test_a_refusal_ends_the_upload_with_one_notification(self):
        self.make_file(3 * BLOCK + 5)
        for nth, code in ((1, 400), (3, 404), (5, 409), (2, 413)):
            with self.subTest(nth=nth):
                storage = self.make_storage()
                storage.fault = lambda n, path: code if n == nth else None
                status, said = self.upload(storage=storage)
                self.assertEqual(status, 1, said)
                self.assertIn(f"HTTP status {code}", said)
                self.assertEqual(list(storage.notified.values()), [False])
                self.assert_settled(storage)

    def test_a_storage_that_refuses_every_token_ends_the_upload(self):
        self.make_file(3 * BLOCK + 5)
        self.storage.fault = lambda n, path: 403 if path.startswith("/files/") else None
        status, said = self.upload()
        self.assertEqual(status, 1)
        self.assertIn("refuses", said)
        self.assertLessEqual(self.storage.tokens, 3)
        self.assertEqual(list(self.storage.notified.values()), [False] * self.storage.tokens)
        self.assert_settled()

    def test_a_notification_that_the_hub_cannot_take_now_is_repeated(self):
        content = self.make_file(1)
        for code in (401, 403, 429, 500, "cut"):
            with self.subTest(code=code):
                storage = self.make_storage()
                storage.fault = lambda n, path: code if n in (2, 3) else None
                status, said = self.upload(storage=storage)
                self.assertEqual(status, 0, said)
                self.assert_arrived(content, storage)

    def test_a_notification_that_the_hub_refuses_is_a_failure(self):
        self.make_file(1)
        for code in (400, 404, 409):
            with self.subTest(code=code):
                storage = self.make_storage()
                storage.fault = lambda n, path: code if n == 2 else None
                status, said = self.upload(storage=storage)
                self.assertEqual(status, 1, said)
                self.assertIn(f"notification was answered with HTTP status {code}", said)

    def test_an_upload_that_the_hub_has_ended_already_is_a_success(self):
        content = self.make_file(1)
        self.storage.forgets = True
        self.storage.fault = lambda n, path: "late" if n == 2 else None  # its answer is lost
        status, said = self.upload()
        self.assertEqual(status, 0, said)
        self.assert_arrived(content)

    def test_an_upload_whose_place_cannot_be_used_is_ended_at_the_hub(self):
        self.make_file(1)
        for place in ({"containerName": "../x"}, {"hostName": "a/b"}, {"sasToken": "x"},
                      {"sasToken": "?" + "x" * 5000}, {"blobName": 7}):
            with self.subTest(place=place):
                storage = self.make_storage()
                storage.place = place
                status, said = self.upload(storage=storage)
                self.assertEqual(status, 1)
                self.assertIn("answer is not valid", said)
                self.assertEqual(list(storage.notified.values()), [False])
                self.assert_settled(storage)

    def test_retry_after_is_obeyed(self):
        content = self.make_file(1)
        for nth in range(3):
            with self.subTest(nth=nth):
                storage = self.make_storage()
                storage.retry_after = 2
                storage.fault = lambda n, path: 503 if n == nth else None
                status, said = self.upload(storage=storage)
                self.assertEqual(status, 0, said)
                self.assert_arrived(content, storage)
                self.assertGreaterEqual(storage.times[nth + 1] - storage.times[nth], 1.9)

    def test_two_uploads_to_one_blob_do_not_mix_their_blocks(self):
        first = self.make_file(3 * BLOCK + 5)
        self.storage.fault = lambda n, path: None
        self.upload()
        ids = [set(blocks) for blocks in self.storage.blocks.values()]
        self.make_file(3 * BLOCK + 6)
        self.upload()
        all_ids = [set(blocks) for blocks in self.storage.blocks.values()]
        self.assertEqual(len(ids[0]), 4)
        self.assertEqual(len(all_ids[0]), 8)
        self.assertEqual(len({len(i) for i in all_ids[0]}), 1)
        self.assertNotEqual(self.storage.blobs["/files/device1/logs/a b.txt"], first)

    def test_a_hub_that_refuses_is_explained(self):
        self.make_file(1)
        for code, text in ((401, "refuses the credential"), (404, "HTTP status 404")):
            self.storage.fault = lambda n, path: code
            status, said = self.upload()
            self.assertEqual(status, 1)
            self.assertIn(text, said)
        self.storage.fault = lambda n, path: None
        self.storage.active = {str(n): True for n in range(10)}
        status, said = self.upload()
        self.assertEqual(status, 1)
        self.assertIn("ten active uploads", said)

    def test_blocks_that_the_storage_has_lost_are_sent_again(self):
        content = self.make_file(3 * BLOCK + 5)

        def lose(number, path):
            if "comp=blocklist" in path and number == 5:
                self.storage.blocks.clear()

        self.storage.fault = lose
        status, said = self.upload()
        self.assertEqual(status, 0, said)
        self.assert_arrived(content)

    def test_an_upload_that_was_killed_is_resumed(self):
        kills = int(os.environ.get("UPLOAD_KILLS", "12"))
        seed = random.Random(1)
        for keep in ("--keep-token", "--no-token"):
            content = self.make_file(200 * BLOCK + 5)
            storage = self.make_storage()
            for round in range(kills):
                reached = len(storage.requests) + seed.randrange(1, 30)
                process = self.start(self.path("file"), "--name", "logs/a b.txt", "--block-size",
                                     str(BLOCK), "--state", self.path("state"), keep, storage=storage)
                while len(storage.requests) < reached and process.poll() is None:
                    time.sleep(0.001)
                process.kill()
                process.communicate(timeout=PATIENCE_S)
            status, said = self.upload("--state", self.path("state"), keep, storage=storage)
            self.assertEqual(status, 0, said)
            self.assertEqual(storage.blobs["/files/device1/logs/a b.txt"], content)
            # A kill between the hub's answer and its storing leaves an upload that nobody can end.
            self.assertLessEqual(len(storage.active), kills)
            self.assertEqual(storage.tokens, len(storage.active) + len(storage.notified))
            self.assertEqual(storage.contradictions, [])
            self.assertEqual(list(storage.notified.values()).count(True), 1)
            self.assertEqual(list(storage.notified.values())[-1], True)
            self.assertEqual(os.listdir(self.path("state")), [])

    @staticmethod
    def stop_at_block_13(number, path):
        """Lets no upload end before the program stops it."""
        return "stall" if number > 13 else None

    def test_a_state_from_before_a_failure_does_not_stay_on_a_full_disk(self):
        self.make_file(1)
        self.storage.fault = lambda n, path: {1: 400, 2: "stall"}.get(n)
        process = self.start(self.path("file"), "--name", "b", "--block-size", str(BLOCK), "--state",
                             self.path("state"), "--keep-token", "--puts", "1")
        while len(self.storage.requests) < 3:  # the notification of the failure is on its way
            self.assertIsNone(process.poll())
            time.sleep(0.001)
        process.kill()
        process.communicate(timeout=PATIENCE_S)
        self.assertEqual(os.listdir(self.path("state")), [])

    def test_a_resumed_upload_does_not_send_what_has_arrived(self):
        content = self.make_file(20 * BLOCK)
        self.storage.fault = self.stop_at_block_13
        process = self.start(self.path("file"), "--name", "logs/a b.txt", "--block-size", str(BLOCK),
                             "--state", self.path("state"), "--keep-token", "--stop-after", "10")
        process.communicate(timeout=PATIENCE_S)
        self.storage.fault = lambda n, path: None
        before = len(self.storage.requests)
        status, said = self.upload("--state", self.path("state"), "--keep-token")
        self.assertEqual(status, 0, said)
        self.assert_arrived(content)
        self.assertLessEqual(len(self.storage.requests) - before, 10 + 2)

    def test_a_changed_file_is_sent_from_the_start(self):
        self.make_file(20 * BLOCK)
        self.storage.fault = self.stop_at_block_13
        process = self.start(self.path("file"), "--name", "logs/a b.txt", "--block-size", str(BLOCK),
                             "--state", self.path("state"), "--keep-token", "--stop-after", "10")
        process.communicate(timeout=PATIENCE_S)
        self.storage.fault = lambda n, path: None
        content = self.make_file(19 * BLOCK)
        status, said = self.upload("--state", self.path("state"), "--keep-token")
        self.assertEqual(status, 0, said)
        self.assert_arrived(content)
        self.assertEqual(sorted(self.storage.notified.values()), [False, True])

    def test_a_file_that_grows_is_sent_as_it_was_and_one_that_shrinks_fails(self):
        content = self.make_file(20 * BLOCK)

        def change(number, path):
            if number == 0:
                with open(self.path("file"), mode) as f:
                    f.write(b"more")

        self.storage.fault = change
        mode = "ab"
        status, said = self.upload()
        self.assertEqual(status, 0, said)
        self.assert_arrived(content)
        self.make_file(20 * BLOCK)
        self.storage.requests.clear()
        mode = "wb"
        status, said = self.upload()
        self.assertEqual(status, 1)
        self.assertIn("shorter", said)
        self.assertEqual(list(self.storage.notified.values()), [True, False])

    def test_a_reader_that_fails_or_pauses(self):
        status, said = self.run_it("--stream", str(5 * BLOCK + 3), "--name", "logs/a b.txt",
                                   "--block-size", str(BLOCK), "--pauses")
        self.assertEqual(status, 0, said)
        self.assertEqual(len(self.storage.blobs["/files/device1/logs/a b.txt"]), 5 * BLOCK + 3)
        for size in (0, 1, BLOCK, 2 * BLOCK):
            status, said = self.run_it("--stream", str(size), "--name", "b", "--block-size",
                                       str(BLOCK))
            self.assertEqual(status, 0, said)
            self.assertEqual(len(self.storage.blobs["/files/device1/b"]), size)
        status, said = self.run_it("--stream", str(5 * BLOCK), "--fails-at", str(2 * BLOCK + 1),
                                   "--name", "c", "--block-size", str(BLOCK))
        self.assertEqual(status, 1)
        self.assertIn("the stream has failed", said)
        self.assert_settled()

    def test_it_can_be_cancelled_at_each_block(self):
        self.make_file(6 * BLOCK)
        for after in range(0, 7):
            with self.subTest(after=after):
                storage = self.make_storage()
                status, said = self.upload("--cancel-after", str(after), storage=storage)
                self.assert_settled(storage)
                self.assertEqual(status == 0, list(storage.notified.values()) == [True])
                if status != 0:
                    self.assertIn("cancelled", said)

    @staticmethod
    def upload_sparse(hub, size):
        """Uploads a file without blocks on the disk. Returns the most memory used, in bytes."""
        folder = os.path.join(hub.folder.name, "state")
        path = os.path.join(hub.folder.name, f"sparse{size}")
        with open(path, "wb") as f:
            f.truncate(size)
        environment = {**hub.environment(), "ASAN_OPTIONS": "quarantine_size_mb=1"}
        process = subprocess.Popen(hub.command("upload", path), env=environment,
                                   stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, process.returncode
        stored = [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names]
        same = [name for name in stored if os.path.getsize(name) == size]
        assert len(same) == 1, stored
        subprocess.run(["cmp", path, same[0]], check=True)
        os.remove(same[0])
        return usage.ru_maxrss * 1024

    def test_memory_does_not_grow_with_the_file(self):
        """UPLOAD_SPARSE_MIB=1024 tries a file of 1 GiB."""
        largest = int(os.environ.get("UPLOAD_SPARSE_MIB", "192")) * 1024 * 1024
        with Emulator(BIN_DIR) as hub:
            small = self.upload_sparse(hub, 32 * 1024 * 1024)
            large = self.upload_sparse(hub, largest)
        self.assertLess(large - small, 8 * 1024 * 1024)

    def test_tokens_may_be_provided_later_and_requests_for_them_may_fail(self):
        for failures in (0, 1, 3):
            with self.subTest(failures=failures):
                storage = self.make_storage()
                content = self.make_file(3 * BLOCK + 5)
                status, said = self.upload("--provider", str(failures), storage=storage)
                self.assertEqual(status, 0, said)
                self.assert_arrived(content, storage)

    def test_a_refused_token_of_the_application_is_replaced(self):
        content = self.make_file(1)
        self.storage.fault = lambda n, path: 401 if n == 0 else None
        status, said = self.upload("--provider", "0")
        self.assertEqual(status, 0, said)
        self.assert_arrived(content)
        storage = self.make_storage()
        storage.fault = lambda n, path: 401
        status, said = self.upload("--provider", "0", storage=storage)
        self.assertEqual(status, 1)
        self.assertIn("refuses the credential", said)
        self.assertEqual(len(storage.requests), 2)

    def test_trusted_roots_may_be_in_memory(self):
        content = self.make_file(3 * BLOCK)
        status, said = self.upload("--ca-data")
        self.assertEqual(status, 0, said)
        self.assert_arrived(content)

    def test_a_server_below_the_lowest_version_of_tls_receives_nothing(self):
        self.make_file(1)
        storage = Storage(self.certificate, self.key, ssl.TLSVersion.TLSv1_2)
        self.addCleanup(storage.close)
        status, said = self.upload("--tls-1.3", "--give-up", "300", storage=storage)
        self.assertEqual(status, 1)
        self.assertEqual(storage.requests, [])
        status, said = self.upload(storage=storage)
        self.assertEqual(status, 0, said)

    def test_the_sample_uploads_and_shows_progress(self):
        content = self.make_file(20 * BLOCK)
        status, said = self.run_it(self.path("file"), "--name", "logs/a b.txt", "--block-size",
                                   str(BLOCK), program=os.path.join(BIN_DIR, "upload"))
        self.assertEqual(status, 0, said)
        self.assert_arrived(content)
        lines = said.splitlines()
        self.assertEqual(lines[0], "0 %")
        self.assertEqual(lines[-2:], ["100 %", "uploaded"])
        self.assertLessEqual(len(lines), 13)

    def test_the_sample_explains_wrong_use(self):
        program = os.path.join(BIN_DIR, "upload")
        for arguments, text in (((), "FILE is missing"), (("a", "b"), "Too many"),
                                ((self.path("none"),), "No such file"), ((self.folder.name,),
                                "not a regular file"), ((self.path("file"), "--name", "a//b"),
                                "blob_name")):
            self.make_file(1)
            status, said = self.run_it(*arguments, program=program)
            self.assertIn(text, said)
            self.assertNotEqual(status, 0)


if __name__ == "__main__":
    unittest.main()
