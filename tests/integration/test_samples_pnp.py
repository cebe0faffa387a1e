#!/usr/bin/env python3
"""Runs the Plug and Play samples against the emulator and checks what a service application sees of their
models.

usage: test_samples_pnp.py BIN_DIR
"""

import json
import signal
import sys
import time
import unittest

from emulator import PATIENCE_S, Emulator
from service import Service

BIN_DIR = sys.argv.pop(1)
SINCE = "2026-01-01T00:00:00Z"


class Plug(unittest.TestCase):
    """Runs a sample until the test ends, and provides the service side of its hub."""

    name = model = None

    def setUp(self):
        self.hub = Emulator(BIN_DIR)
        self.addCleanup(self.hub.__exit__)
        self.hub.start()
        self.service = Service(self.hub)

    def begin(self, connected="report: ok"):
        device = self.hub.sample(self.name, "--count", "1000")
        self.addCleanup(lambda: device.process.poll() is None and device.stop())
        device.wait_line(connected)
        return device

    def reported(self):
        return self.service.twin("device1")["properties"]["reported"]

    def until(self, good):
        """Waits until good(reported properties) is true, and returns these properties."""
        end = time.monotonic() + PATIENCE_S
        while not good(self.reported()):
            self.assertLess(time.monotonic(), end, self.reported())
            time.sleep(0.05)
        return self.reported()

    def desire(self, patch):
        """Sets desired properties and returns their version."""
        return self.service.patch_desired("device1", patch)["properties"]["desired"]["$version"]

    def answered(self, version, *path):
        """Waits for the answer to that version of a property and returns it."""
        def answer(properties):
            for name in path:
                properties = properties.get(name, {})
            return properties
        return answer(self.until(lambda reported: answer(reported).get("av") == version))

    def command(self, name, payload=None):
        return self.service.method("device1", name, payload)

    def check_report(self, name, most, least, mean):
        reply = self.command(name, SINCE)
        self.assertEqual(reply["status"], 200)
        times = [reply["payload"].pop(key) for key in ("startTime", "endTime")]
        self.assertEqual(reply["payload"], {"maxTemp": most, "minTemp": least, "avgTemp": mean})
        self.assertEqual(times, sorted(times))
        for text in times:
            time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")

    def readings(self, count):
        """Returns component and body of the first messages."""
        events = self.service.events(1, 0)
        found = []
        while len(found) < count:
            event = next(events, None)
            if event is None:
                events = self.service.events(len(found) + 1, 1)
                continue
            self.assertEqual(event["systemProperties"]["content-type"], "application/json")
            found.append((event["systemProperties"].get("dt-subject"), event["body"]))
        return [(subject, json.loads(body) if isinstance(body, str) else body)
                for subject, body in found]

    def check_model(self):
        self.assertEqual(self.service.twin("device1")["modelId"], self.model)
        view = self.service.ask("GET", "/digitaltwins/device1?api-version=2020-09-30")
        self.assertEqual(view["$metadata"]["$model"], self.model)
        return view


class Thermostat(Plug):
    name = "thermostat"
    model = "dtmi:com:example:Thermostat;1"

    def test_the_model_and_its_property_are_reported(self):
        self.begin()
        self.check_model()
        self.assertEqual(self.reported()["maxTempSinceLastReboot"], 22)
        self.assertNotIn("targetTemperature", self.reported())
        self.assertEqual(self.readings(1), [(None, {"temperature": 22})])

    def test_each_desired_temperature_is_answered(self):
        self.begin()
        for wished, most in ((25.5, 25.5), (12.5, 25.5), (30, 30)):
            version = self.desire({"targetTemperature": wished})
            self.assertEqual(self.answered(version, "targetTemperature"),
                             {"value": wished, "ac": 200, "av": version})
            self.assertEqual(self.reported()["maxTempSinceLastReboot"], most)
        self.check_report("getMaxMinReport", 30, 12.5, 22.5)

    def test_a_wish_from_before_the_connection_is_answered(self):
        version = self.desire({"targetTemperature": 40})
        self.begin()
        self.assertEqual(self.answered(version, "targetTemperature"),
                         {"value": 40, "ac": 200, "av": version})

    def test_what_is_no_temperature_is_refused(self):
        self.begin()
        for wrong in ("warm", True, [21], {"of": "what"}):
            version = self.desire({"targetTemperature": wrong})
            answer = self.answered(version, "targetTemperature")
            self.assertEqual(answer["ac"], 400)
            self.assertEqual(answer["ad"], "desired temperature is not a number")
            self.desire({"targetTemperature": None})
            self.assertEqual(self.answered(0, "targetTemperature"), {"value": 22, "ac": 203, "av": 0})
        self.assertEqual(self.reported()["maxTempSinceLastReboot"], 22)

    def test_a_wish_that_is_taken_back_leaves_a_value_of_the_device(self):
        self.begin()
        self.answered(self.desire({"targetTemperature": 25}), "targetTemperature")
        self.desire({"targetTemperature": None})
        self.assertEqual(self.answered(0, "targetTemperature"), {"value": 25, "ac": 203, "av": 0})

    def test_other_properties_are_left_alone(self):
        device = self.begin()
        version = self.desire({"colour": "red", "thermostat1": {"__t": "c", "targetTemperature": 1},
                               "targetTemperature": 23})
        self.answered(version, "targetTemperature")
        device.wait_line('"colour" is no property')
        self.assertEqual({name for name in self.reported() if not name.startswith("$")},
                         {"targetTemperature", "maxTempSinceLastReboot"})

    def test_wrong_commands_are_refused(self):
        self.begin()
        for name, payload, status in (("getMaxMinReport", 5, 400), ("getMaxMinReport", None, 400),
                                      ("reboot", 5, 404), ("thermostat1*getMaxMinReport", SINCE, 404)):
            self.assertEqual(self.command(name, payload), {"status": status, "payload": {}})

    def test_after_a_new_connection_nothing_is_applied_twice(self):
        device = self.begin()
        self.answered(self.desire({"targetTemperature": 26}), "targetTemperature")
        self.hub.kill()
        device.wait_line("temperature 26.00")
        seen = device.lines.count("connected")
        self.hub.start()
        device.wait_for(lambda lines: lines.count("connected") > seen)
        self.service = Service(self.hub)
        self.check_report("getMaxMinReport", 26, 22, 24)


class TemperatureController(Plug):
    name = "temperature_controller"
    model = "dtmi:com:example:TemperatureController;1"

    def setUp(self):
        super().setUp()
        self.device = self.begin()
        self.until(lambda reported: "thermostat2" in reported)

    def test_the_model_and_its_components_are_reported(self):
        reported = self.reported()
        self.assertEqual({name: value for name, value in reported.items() if not name.startswith("$")}, {
            "serialNumber": "serial-no-123-abc",
            "deviceInformation": {
                "__t": "c", "swVersion": "1.0.0.0", "manufacturer": "Sample-Manufacturer",
                "model": "sample-Model-123", "osName": "sample-OperatingSystem-name",
                "processorArchitecture": "Contoso-Arch-64bit",
                "processorManufacturer": "Processor Manufacturer(TM)", "totalStorage": 10000,
                "totalMemory": 200},
            "thermostat1": {"__t": "c", "maxTempSinceLastReboot": 22},
            "thermostat2": {"__t": "c", "maxTempSinceLastReboot": 22}})
        view = self.check_model()
        for component in ("deviceInformation", "thermostat1", "thermostat2"):
            self.assertIn("$metadata", view[component])

    def test_each_component_answers_for_itself(self):
        version = self.desire({"thermostat1": {"__t": "c", "targetTemperature": 44}})
        self.assertEqual(self.answered(version, "thermostat1", "targetTemperature"),
                         {"value": 44, "ac": 200, "av": version})
        self.assertEqual(self.reported()["thermostat1"]["maxTempSinceLastReboot"], 44)
        self.assertEqual(self.reported()["thermostat2"], {"__t": "c", "maxTempSinceLastReboot": 22})
        # A patch without the mark "__t".
        version = self.desire({"thermostat2": {"targetTemperature": 5.5}})
        self.assertEqual(self.answered(version, "thermostat2", "targetTemperature"),
                         {"value": 5.5, "ac": 200, "av": version})
        self.check_report("thermostat1*getMaxMinReport", 44, 22, 33)
        self.check_report("thermostat2*getMaxMinReport", 22, 5.5, 13.75)

    def test_both_components_are_answered_at_once(self):
        version = self.desire({"thermostat2": {"__t": "c", "targetTemperature": 21},
                               "thermostat1": {"__t": "c", "targetTemperature": 20, "more": {}},
                               "serialNumber": "other", "stranger": {"__t": "c", "a": 1}})
        for component, value in (("thermostat1", 20), ("thermostat2", 21)):
            answer = self.answered(version, component, "targetTemperature")
            self.assertEqual(answer, {"value": value, "ac": 200, "av": version})
            self.assertEqual(self.reported()[component]["__t"], "c")
        self.device.wait_line('not in the model:  "serialNumber"')
        self.device.wait_line('not in the model: "stranger" "a"')
        self.assertEqual(self.reported()["serialNumber"], "serial-no-123-abc")
        self.assertNotIn("stranger", self.reported())

    def test_the_digital_twin_shows_the_answer(self):
        self.service.ask("PATCH", "/digitaltwins/device1?api-version=2020-09-30",
                         [{"op": "add", "path": "/thermostat1/targetTemperature", "value": 31}])
        self.until(lambda reported: reported["thermostat1"].get("targetTemperature", {}).get("ac") == 200)
        shown = self.service.ask("GET", "/digitaltwins/device1?api-version=2020-09-30")["thermostat1"]
        self.assertEqual(shown["targetTemperature"], 31)
        metadata = shown["$metadata"]["targetTemperature"]
        self.assertEqual(metadata["desiredValue"], 31)
        self.assertEqual(metadata["ackCode"], 200)
        self.assertEqual(metadata["ackVersion"], metadata["desiredVersion"])

    def test_commands_of_the_controller_and_of_components_are_told_apart(self):
        self.assertEqual(self.command("reboot", 5), {"status": 200, "payload": {}})
        for name, payload, status in (("reboot", "soon", 400), ("reboot", None, 400),
                                      ("getMaxMinReport", SINCE, 404), ("thermostat1*reboot", 5, 404),
                                      ("thermostat3*getMaxMinReport", SINCE, 404),
                                      ("thermostat2*getMaxMinReport", 5, 400)):
            self.assertEqual(self.command(name, payload), {"status": status, "payload": {}}, name)

    def test_telemetry_names_its_component(self):
        readings = self.readings(3)
        self.assertEqual(readings[:2], [("thermostat1", {"temperature": 22}),
                                        ("thermostat2", {"temperature": 22})])
        self.assertIsNone(readings[2][0])
        self.assertGreater(readings[2][1]["workingSet"], 0)


class Ends(unittest.TestCase):
    def test_both_end_well_when_all_has_arrived_and_when_interrupted(self):
        with Emulator(BIN_DIR) as hub:
            for name in ("thermostat", "temperature_controller"):
                hub.sample(name, "--count", "1").end()
                sample = hub.sample(name, "--count", "1000")
                sample.wait_line("connected")
                sample.process.send_signal(signal.SIGINT)
                sample.end()
                status, errors = hub.fail(name, "--port", hub.device_port, "--count", "1000", "--duration", "1")
                self.assertEqual(status, 1)
                self.assertIn("--duration ended", errors)


del Plug  # the base class must not run as a test

if __name__ == "__main__":
    unittest.main()
