#!/usr/bin/env python3
"""Checks that a program links only the features that it uses. It lists the functions in the samples with
nm.

usage: check_links.py BIN_DIR TELEMETRY_ONLY [OPTIONAL...]

OPTIONAL: the optional libraries of this build that all samples use, "curl" and "websocket"
"""

import os
import subprocess
import sys
import unittest

BIN_DIR = sys.argv.pop(1)
TELEMETRY_ONLY = sys.argv.pop(1)
OPTIONAL = sys.argv[1:]
del sys.argv[1:]

# For each feature, the beginning of its functions' names, and a sample that uses it. TELEMETRY_ONLY uses none.
FEATURES = {
    "iothub_pnp_": "temperature_controller",
    "iothub_json_put_": "temperature_controller",
    "iothub_json_writer_": "temperature_controller",
    "iothub_json_get_": "temperature_controller",
    "iothub_binary64_": "temperature_controller",
    "exchange_": "provisioning",
    "dps_": "provisioning",
    "provisioned_home_": "provisioning",
    "iothub_derive_device_key": "provisioning",
    "mqc_rename_topics": "provisioning",
    "plat_file_kv_": "provisioning",
    "iothub_x509_credential": "x509",
    "iothub_certificate_": "issued_certificate",
    "issuance_": "issued_certificate",
    "issue_answer_": "issued_certificate",
    "iothub_date_seconds": "issued_certificate",
    "plat_identity_": "x509",
    "plat_pem_": "x509",
    "plat_private_key_": "x509",
    "plat_pkcs8_": "x509",
    "plat_client_chain_": "x509",
    "iothub_provider_credential": "module",
    "iothub_edge_": "module",
    "plat_curl_": "module",
    "iothub_runner_start": "runner",
}
if "curl" in OPTIONAL:
    FEATURES["iothub_upload_"] = FEATURES["plat_file_reader_"] = "upload"
    FEATURES["plat_curl_"] = FEATURES["plat_proxy_url_"] = "telemetry"
if "websocket" in OPTIONAL:
    FEATURES["plat_wslay"] = "telemetry"
# Libraries that a program links only if it uses a feature.
OPTIONAL_LIBRARIES = ("curl", "wslay", "sqlite3", "p11-kit")


def functions(program):
    """Returns the names of the functions that are defined in a program."""
    lines = subprocess.run(["nm", "--defined-only", os.path.join(BIN_DIR, program)], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    return {name for kind, name in (line.split()[-2:] for line in lines) if kind in "Tt"}


class Links(unittest.TestCase):
    def test_telemetry_alone_links_no_feature_that_it_does_not_use(self):
        linked = functions(TELEMETRY_ONLY)
        self.assertIn("iothub_send_telemetry_sized", linked)
        for prefix in FEATURES:
            self.assertEqual([name for name in linked if name.startswith(prefix)], [])

    def test_telemetry_alone_needs_no_optional_library(self):
        needed = subprocess.run(["readelf", "-d", TELEMETRY_ONLY], check=True, capture_output=True,
                                text=True).stdout
        self.assertIn("libwolfssl", needed)
        for library in OPTIONAL_LIBRARIES:
            self.assertNotIn(f"lib{library}", needed)

    def test_a_sample_that_uses_a_feature_links_it(self):
        for prefix, program in FEATURES.items():
            self.assertTrue([name for name in functions(program) if name.startswith(prefix)], prefix)


if __name__ == "__main__":
    unittest.main()
