#!/usr/bin/env python3
"""Tests modules of IoT Edge: the emulator is hub and gateway, a fake workload API signs.

usage: test_module.py BIN_DIR INVOKE_CALL
"""

import json
import os
import subprocess
import sys
import unittest

from emulator import PATIENCE_S, Background, Emulator
from workload import Workload

INVOKE_CALL = sys.argv.pop(2)
BIN_DIR = sys.argv.pop(1)


class Modules(unittest.TestCase):
    def setUp(self):
        self.hub = Emulator(BIN_DIR)
        self.addCleanup(self.hub.__exit__)
        self.hub.start()
        self.hub.put("/devices/edge1?api-version=2021-04-12",
                     {"deviceId": "edge1", "capabilities": {"iotEdge": True}})
        self.keys = {}
        for module in ("module1", "module2"):
            created = self.hub.put(f"/devices/edge1/modules/{module}?api-version=2021-04-12",
                                   {"deviceId": "edge1", "moduleId": module})
            self.keys[module] = created["authentication"]["symmetricKey"]["primaryKey"]
        self.ca_file = self.hub.values["IOTHUB_CA_FILE"]

    def workload(self, module):
        """Starts a workload API for the module. Returns it and the module's environment."""
        workload = Workload(self.hub.folder.name, module, self.keys[module], self.ca_file)
        self.addCleanup(workload.close)
        return workload, {
            **os.environ, "IOTHUB_PORT": self.hub.port, "IOTEDGE_IOTHUBHOSTNAME": "localhost",
            "IOTEDGE_GATEWAYHOSTNAME": "localhost", "IOTEDGE_DEVICEID": "edge1",
            "IOTEDGE_MODULEID": module, "IOTEDGE_MODULEGENERATIONID": "1",
            "IOTEDGE_WORKLOADURI": f"unix://{workload.path}", "IOTEDGE_AUTHSCHEME": "sasToken",
            "IOTEDGE_APIVERSION": "2019-01-30"}

    def connection_string(self, module):
        return f"HostName=localhost;DeviceId=edge1;ModuleId={module};SharedAccessKey={self.keys[module]}"

    def invoke(self, caller, device, module, method, payload):
        token = self.hub.run("iothub", "sas-token", "--connection-string",
                             self.connection_string(caller)).strip()
        result = subprocess.run(
            [INVOKE_CALL, "localhost", self.hub.rest_port, self.ca_file, f"edge1/{caller}", token,
             device, module, method, payload],
            text=True, capture_output=True, timeout=PATIENCE_S, check=False)
        return result.returncode, result.stdout.strip()

    def test_a_module_sends_with_tokens_of_the_workload_api(self):
        workload, environment = self.workload("module1")
        Background([os.path.join(BIN_DIR, "module"), "--count", "3"], environment).end()
        monitor = self.hub.monitor()
        monitor.wait_for(lambda lines: sum(line.startswith("{") for line in lines) >= 3)
        monitor.stop()
        events = [json.loads(line) for line in monitor.lines if line.startswith("{")]
        self.assertEqual([e["moduleId"] for e in events], ["module1"] * 3)
        self.assertEqual(workload.signatures, 1)

    def test_a_module_runs_with_the_variables_of_the_simulator(self):
        environment = {**os.environ, "IOTHUB_PORT": self.hub.port,
                       "EdgeHubConnectionString": self.connection_string("module1"),
                       "EdgeModuleCACertificateFile": self.ca_file}
        Background([os.path.join(BIN_DIR, "module"), "--count", "1"], environment).end()

    def test_a_module_calls_a_method_of_another_one(self):
        _, environment = self.workload("module2")
        module = Background([os.path.join(BIN_DIR, "module"), "--count", "1000000"], environment)
        module.wait_line("sent 1")
        self.assertEqual(self.invoke("module1", "edge1", "module2", "ping", "{}"),
                         (0, '200 200 {"pong":true}'))
        self.assertEqual(self.invoke("module1", "edge1", "module2", "nonsense", "[1]")[1][:7], "200 404")
        status, text = self.invoke("module1", "device1", "-", "ping", "{}")
        self.assertEqual((status, text[:5]), (1, "401 0"))
        self.assertIn("refuses", text)
        module.stop()

    def test_without_the_variables_of_iot_edge_the_first_missing_one_is_named(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("IOTEDGE_", "Edge"))}
        result = subprocess.run([os.path.join(BIN_DIR, "module")], env=environment, text=True,
                                capture_output=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("IOTEDGE_IOTHUBHOSTNAME is not set", result.stderr)


if __name__ == "__main__":
    unittest.main()
