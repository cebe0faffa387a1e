#!/usr/bin/env python3
"""Tests the complete hub emulator with clients that do not use this SDK.

usage: test_emulator.py HUB_EMULATOR
"""

import json
import os
import subprocess
import sys
import threading
import unittest
import urllib.parse

from emulator import API, PATIENCE_S, Closed, Device, Emulator, sas_token

PROGRAM = ""
EVENTS = "devices/device1/messages/events/"
BOUND = "devices/device1/messages/devicebound/"
TWIN_ANSWERS = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"
METHODS = "$iothub/methods/POST/#"


class Rules(unittest.TestCase):
    """All tests share one emulator. Each test leaves device1 disconnected and without messages."""

    @classmethod
    def setUpClass(cls):
        cls.hub = Emulator(PROGRAM)

    @classmethod
    def tearDownClass(cls):
        assert cls.hub.stop() == 0

    def last_event(self):
        return self.hub.events()[-1]

    def test_telemetry_arrives_with_its_properties(self):
        device = Device(self.hub)
        device.publish(EVENTS + "%24.ct=text%2Fplain&a=1&alone&empty=&%C3%A4=%26", "hello")
        event = self.last_event()
        self.assertEqual(event["deviceId"], "device1")
        identity = self.hub.rest("GET", f"/devices/device1?{API}")[1]
        method = event["systemProperties"].pop("iothub-connection-auth-method")
        self.assertEqual(json.loads(method), {"scope": "device", "type": "sas", "issuer": "iothub",
                                              "acceptingIpFilterRule": None})
        self.assertEqual(event["systemProperties"],
                         {"content-type": "text/plain", "iothub-connection-device-id": "device1",
                          "iothub-connection-auth-generation-id": identity["generationId"],
                          "iothub-enqueuedtime": event["enqueuedTime"],
                          "iothub-message-source": "Telemetry"})
        self.assertEqual(event["properties"], {"a": "1", "alone": None, "empty": "", "ä": "&"})
        self.assertEqual(event["body"], "hello")
        for topic in [EVENTS.rstrip("/"), EVENTS + "//"]:
            device.publish(topic, "bare")
            self.assertEqual((self.last_event()["body"], self.last_event()["properties"]),
                             ("bare", {}))
        device.publish(EVENTS + "x=1&a=/", "")
        self.assertEqual(self.last_event()["properties"], {"x": "1", "a": None})
        device.publish(EVENTS, b"\xff\x00")
        self.assertEqual(self.last_event()["bodyBase64"], "/wA=")
        device.publish(EVENTS, b"x" * (256 * 1024))
        self.assertEqual(self.last_event()["bodyLength"], 256 * 1024)
        device.disconnect()

    def test_the_model_of_a_device_is_announced_at_its_login(self):
        model = "dtmi:com:example:Thermostat;1"
        device = Device(self.hub, user_name=self.hub.user_name() +
                        "&DeviceClientType=x&model-id=" + urllib.parse.quote(model, safe=""))
        device.publish(EVENTS + "%24.sub=part", "x")
        system = self.last_event()["systemProperties"]
        self.assertEqual((system["dt-dataschema"], system["dt-subject"]), (model, "part"))
        device.disconnect()
        self.assertEqual(self.hub.rest("GET", f"/twins/device1?{API}")[1]["modelId"], model)
        Device(self.hub).disconnect()
        self.assertEqual(self.hub.rest("GET", f"/twins/device1?{API}")[1]["modelId"], "")

    def test_a_watcher_sees_telemetry_as_it_arrives(self):
        device = Device(self.hub)
        device.publish(EVENTS, "before")
        first = self.last_event()["sequence"]
        seen = []
        watcher = threading.Thread(target=lambda: seen.extend(self.hub.events(first, 3)))
        watcher.start()
        device.publish(EVENTS, "one")
        device.publish(EVENTS, "two")
        watcher.join(PATIENCE_S)
        self.assertEqual([event["body"] for event in seen], ["before", "one", "two"])
        device.disconnect()

    def test_retain_and_will_become_properties(self):
        device = Device(self.hub, will=(EVENTS + "w=1", "gone", 1, True))
        device.publish(EVENTS, "kept?", retain=True)
        last = self.last_event()
        self.assertEqual(last["properties"], {"mqtt-retain": "true"})
        device.abort()
        will = self.hub.events(last["sequence"] + 1, 1)[0]
        self.assertEqual(will["body"], "gone")
        self.assertEqual(will["properties"],
                         {"w": "1", "mqtt-retain": "true", "iothub-MessageType": "Will"})
        device = Device(self.hub, user_name="localhost/device1/api-version=2016-11-14")
        device.publish(EVENTS, "kept?", retain=True)
        self.assertEqual(self.last_event()["properties"], {"x-opt-retain": "true"})
        device.disconnect()

    def test_what_the_hub_does_not_allow_closes_the_connection(self):
        for topic, body in [
                ("elsewhere", ""), ("$SYS/x", ""), ("devices/device2/messages/events/", ""),
                (EVENTS.rstrip("/") + "x", ""), (EVENTS + "a=%zz", ""), (EVENTS + "a b=c", ""),
                (EVENTS + "a=b/c", ""), (EVENTS + "a=b=c", ""), (EVENTS + "a=b#c", ""),
                (EVENTS + "a=b&", ""), (EVENTS + "a/b=c", ""), (EVENTS + "a=b+c", ""),
                (EVENTS + "a=1&a=2", ""), (EVENTS + "%24.mid=a%20b", ""), (BOUND, ""),
                ("$iothub/twin/GET/", ""), ("$iothub/methods/res/x/?$rid=1", ""),
                (EVENTS, "x" * (256 * 1024 + 1)), (EVENTS, "x" * (1024 * 1024)),
                (EVENTS + "a=b", "x" * (256 * 1024 - 1))]:
            with self.subTest(topic=topic, size=len(body)):
                device = Device(self.hub)
                device.publish(topic, body, qos=0)
                self.assertTrue(device.closed())
        device = Device(self.hub)
        device.publish(EVENTS, "", qos=2)
        self.assertTrue(device.closed())
        for topic in ["#", "$SYS/#", "devices/device2/messages/devicebound/#", "$iothub/#",
                      "$iothub/twin/res/+", BOUND + "+"]:
            with self.subTest(filter=topic):
                device = Device(self.hub)
                with self.assertRaises(Closed):
                    device.subscribe(topic)
                device.abort()

    def test_no_more_than_quality_one_is_granted(self):
        device = Device(self.hub)
        self.assertEqual(device.subscribe(BOUND + "#", TWIN_ANSWERS, qos=2), [1, 1])
        self.assertEqual(device.subscribe(METHODS, qos=0), [0])
        device.disconnect()

    def test_logins_that_the_hub_refuses(self):
        hub = self.hub
        key = hub.device_key
        for named in [
                {"password": hub.token(-1)},
                {"password": "nonsense"},
                {"password": hub.token(resource="localhost/devices/device11")},
                {"password": hub.token(resource="localhost/devices/device")},
                {"password": hub.token(resource="other/devices/device1")},
                {"password": sas_token("localhost", hub.service_key, policy="service")},
                {"password": sas_token("localhost/devices/device1", key, policy="iothubowner")},
                {"user_name": "localhost/device1"},
                {"user_name": "localhost/device2/?" + API},
                {"client_id": "nobody"},
                {"client_id": "device2", "user_name": hub.user_name()}]:
            with self.subTest(**named):
                device = Device(hub, **named)
                self.assertEqual(device.code, 5)
                device.abort()
        device = Device(hub, password=sas_token("localhost", hub.service_key, policy="device"))
        self.assertEqual(device.code, 5)  # the token names another policy than the key
        device.abort()
        device = Device(hub, password=sas_token("localhost", hub.service_key, policy="iothubowner"))
        self.assertEqual(device.code, 0)
        device.disconnect()

    def test_a_connection_ends_with_its_token(self):
        device = Device(self.hub, password=self.hub.token(2))
        self.assertEqual(device.code, 0)
        device.wait_closed()

    def test_a_second_connection_takes_over(self):
        first = Device(self.hub)
        second = Device(self.hub)
        first.wait_closed()
        second.publish(EVENTS, "mine")
        second.disconnect()

    def test_twins(self):
        device = Device(self.hub)
        device.subscribe(TWIN_ANSWERS, DESIRED, qos=0)
        device.publish("$iothub/twin/PATCH/properties/reported/?$rid=1", '{"a":{"b":1}}', qos=0)
        self.assertEqual(device.receive()[0], "$iothub/twin/res/204/?$rid=1&$version=2")
        device.publish("$iothub/twin/PATCH/properties/reported/?$rid=2", '{"a"', qos=0)
        self.assertEqual(device.receive()[0], "$iothub/twin/res/400/?$rid=2")
        device.publish("$iothub/twin/PATCH/properties/reported/?$rid=3",
                       "{" + ",".join(f'"k{i}":"{"x" * 4000}"' for i in range(9)) + "}", qos=0)
        self.assertEqual(device.receive()[0], "$iothub/twin/res/413/?$rid=3")
        self.assertEqual(self.hub.rest("PUT", "/emulator/throttle", {"twinRequests": 1})[0], 204)
        device.publish("$iothub/twin/GET/?$rid=4", " ", qos=0)
        self.assertEqual(device.receive()[0], "$iothub/twin/res/429/?$rid=4")
        status, twin = self.hub.rest("PATCH", f"/twins/device1?{API}",
                                     {"tags": {"t": 1}, "properties": {"desired": {"d": [1]}}})
        self.assertEqual(status, 200)
        self.assertEqual(twin["properties"]["reported"]["a"], {"b": 1})
        self.assertEqual(device.receive()[:2], ("$iothub/twin/PATCH/properties/desired/?$version=2",
                                                '{"d":[1],"$version":2}'))
        device.publish("$iothub/twin/GET/?x=y&$rid=a%20b", " ", qos=0)
        self.assertEqual(device.receive()[:2], (
            "$iothub/twin/res/200/?$rid=a%20b",
            '{"desired":{"d":[1],"$version":2},"reported":{"a":{"b":1},"$version":2}}'))
        status, _ = self.hub.rest("PATCH", f"/twins/device1?{API}", {},
                                  headers={"If-Match": '"AAAAAAAAAAE="'})
        self.assertEqual(status, 412)
        device.disconnect()

    def invoke(self, results, **members):
        results.append(self.hub.rest("POST", f"/twins/device1/methods?{API}",
                                     {"methodName": "go", **members}))

    def test_numbers_pass_unchanged_in_both_directions(self):
        payload = ('{ "n" :1796056886123456789,"z":[-0,1.0, 1e400,0.1000000000000000055],'
                   '"b":"\\u0041\\/","a":1,\n"a":2,"long":' + "9" * 80 + "}")
        self.assertEqual(self.hub.rest("PUT", f"/devices/counter?{API}", {})[0], 200)
        device = Device(self.hub, "counter", password=self.hub.policy_token())
        device.subscribe(METHODS, TWIN_ANSWERS, DESIRED, qos=0)
        texts = []

        def invoke(body):
            response = self.hub.open("POST", f"/twins/counter/methods?{API}", raw=body)
            texts.append(response.read().decode())

        caller = threading.Thread(target=invoke,
                                  args=('{"methodName":"go","payload":%s}' % payload,))
        caller.start()
        topic, body, _ = device.receive()
        self.assertEqual(body, payload)
        rid = topic.split("$rid=")[1]
        device.publish(f"$iothub/methods/res/200/?$rid={rid}", payload, qos=0)
        caller.join(PATIENCE_S)
        self.assertEqual(texts[0], '{"status":200,"payload":%s}' % payload)
        numbers = '{"x":-0,"y":1.0,"z":[0.1000000000000000055,5E-1]}'
        response = self.hub.open("PATCH", f"/twins/counter?{API}",
                                 raw='{"properties":{"desired":{"numbers":%s}}}' % numbers)
        self.assertIn('"numbers":' + numbers, response.read().decode())
        self.assertIn('"numbers":' + numbers, device.receive()[1])
        device.publish("$iothub/twin/PATCH/properties/reported/?$rid=1",
                       '{"numbers":%s}' % numbers, qos=0)
        device.receive()
        device.publish("$iothub/twin/GET/?$rid=2", "", qos=0)
        self.assertEqual(device.receive()[1].count('"numbers":' + numbers), 2)
        device.disconnect()
        self.assertEqual(self.hub.rest("DELETE", f"/devices/counter?{API}")[0], 204)

    def test_methods(self):
        results = []
        self.invoke(results)
        self.assertEqual(results[0][0], 404)
        self.assertIn("404103", results[0][1]["Message"])
        caller = threading.Thread(target=self.invoke, args=(results,),
                                  kwargs={"payload": [1], "connectTimeoutInSeconds": 20})
        caller.start()
        device = Device(self.hub)
        device.subscribe(METHODS, qos=0)
        topic, body, _ = device.receive()
        self.assertEqual((topic.split("?")[0], body), ("$iothub/methods/POST/go/", "[1]"))
        rid = topic.split("$rid=")[1]
        device.publish("$iothub/methods/res/299/?$rid=nobody", "{}", qos=0)
        device.publish(f"$iothub/methods/res/201/?$rid={rid}", '{"ok":true}', qos=0)
        caller.join(PATIENCE_S)
        self.assertEqual(results[1], (200, {"status": 201, "payload": {"ok": True}}))
        self.invoke(results, responseTimeoutInSeconds=5)
        self.assertEqual(results[2][0], 504)
        device.disconnect()

    def test_messages_wait_for_the_device(self):
        device = Device(self.hub, clean=False)
        self.assertEqual(device.subscribe(BOUND + "#"), [1])
        device.disconnect()
        self.assertEqual(self.hub.send("one", messageId="m~1", properties={"k": "ä", "n": None})[0],
                         201)
        for i in range(20):
            self.hub.send(f"more {i}")
        device = Device(self.hub, clean=False)
        self.assertTrue(device.session_present)
        topic, body, again = device.receive()
        self.assertEqual(topic, BOUND + "%24.mid=m%7E1&%24.to=%2Fdevices%2Fdevice1%2Fmessages%2F"
                         "devicebound&k=%C3%A4&n")
        self.assertEqual((body, again), ("one", False))
        self.assertEqual([device.receive()[1] for _ in range(20)], [f"more {i}" for i in range(20)])
        self.hub.wait_until_none_waits()
        device.quiet()
        device.disconnect()

    def test_a_message_without_acknowledgement_comes_again(self):
        device = Device(self.hub, clean=False)
        device.subscribe(BOUND + "#")
        self.hub.send("one")
        self.assertEqual(device.receive(acknowledge=False)[1:], ("one", False))
        device.abort()
        device = Device(self.hub, clean=False)
        self.assertEqual(device.receive(acknowledge=False)[1:], ("one", True))
        device.abort()
        device = Device(self.hub, clean=True)
        device.subscribe(BOUND + "#")
        self.assertEqual(device.receive()[1:], ("one", False))
        self.hub.wait_until_none_waits()
        device.quiet()
        device.disconnect()

    def test_an_unsubscribed_device_gets_no_message(self):
        device = Device(self.hub)
        device.subscribe(BOUND + "#")
        device.unsubscribe(BOUND + "#")
        self.hub.send("one")
        device.quiet()
        device.subscribe(BOUND + "#")
        self.assertEqual(device.receive()[1], "one")
        self.hub.wait_until_none_waits()
        device.disconnect()

    def test_modules(self):
        status, module = self.hub.rest("PUT", f"/devices/device1/modules/mod?{API}",
                                       {"deviceId": "device1", "moduleId": "mod"})
        self.assertEqual(status, 200)
        key = module["authentication"]["symmetricKey"]["primaryKey"]
        token = sas_token("localhost/devices/device1/modules/mod", key)
        device = Device(self.hub, "device1/mod", password=token)
        self.assertEqual(device.code, 0)
        device.publish("devices/device1/modules/mod/messages/events/%24.on=out", "x")
        event = self.last_event()
        system = event["systemProperties"]
        self.assertEqual((event["moduleId"], system["iothub-connection-module-id"],
                          system["iothub-connection-device-id"], system["iothub-output-name"]),
                         ("mod", "mod", "device1", "out"))
        self.assertEqual(self.hub.rest("DELETE", f"/devices/device1/modules/mod?{API}")[0], 204)
        device.wait_closed()

    def register(self, name):
        """Registers a device and returns a token for it."""
        status, body = self.hub.rest("PUT", f"/devices/{name}?{API}", {})
        self.assertEqual(status, 200)
        key = body["authentication"]["symmetricKey"]["primaryKey"]
        return sas_token(f"localhost/devices/{name}", key)

    def test_the_filter_for_any_device_brings_its_own_messages_only(self):
        other = Device(self.hub, "other", password=self.register("other"))
        other.subscribe("devices/other/messages/devicebound/#")
        device = Device(self.hub)
        self.assertEqual(device.subscribe("devices/+/messages/devicebound/#"), [1])
        self.hub.send("for the other", device="other")
        self.assertEqual(other.receive()[1], "for the other")
        self.hub.send("mine")
        self.assertEqual(device.receive()[1], "mine")
        self.hub.wait_until_none_waits()
        for each in (device, other):
            each.quiet()
            each.disconnect()
        self.assertEqual(self.hub.rest("DELETE", f"/devices/other?{API}")[0], 204)

    def test_a_device_that_is_registered_again_inherits_nothing(self):
        bound = "devices/again/messages/devicebound/#"
        will = ("devices/again/messages/events/", "its will", 0, False)
        for online in (False, True):
            with self.subTest(online=online):
                device = Device(self.hub, "again", password=self.register("again"), clean=False,
                                will=will)
                self.assertFalse(device.session_present)
                device.subscribe(bound, METHODS)
                self.hub.send("of the old one", "again")
                self.assertEqual(device.receive(acknowledge=False)[1], "of the old one")
                results = []
                caller = threading.Thread(target=lambda: results.append(self.hub.rest(
                    "POST", f"/twins/again/methods?{API}", {"methodName": "go"})))
                if online:
                    caller.start()
                    device.receive()  # receives the method call, which is never answered
                else:
                    device.disconnect()
                self.assertEqual(self.hub.rest("DELETE", f"/devices/again?{API}")[0], 204)
                token = self.register("again")
                if online:
                    caller.join(PATIENCE_S)
                    self.assertEqual(results[0][0], 404)
                    self.assertIn("DeviceNotFound", results[0][1]["Message"])
                if online:
                    device.wait_closed()
                device = Device(self.hub, "again", password=token, clean=False)
                self.assertFalse(device.session_present)
                device.quiet()
                self.hub.send("of the new one", "again")
                device.quiet()
                device.subscribe(bound)
                self.assertEqual(device.receive()[1:], ("of the new one", False))
                device.disconnect()
                self.assertEqual(self.hub.rest("DELETE", f"/devices/again?{API}")[0], 204)
        self.assertNotIn("its will", [e["body"] for e in self.hub.events()])

    def test_a_disabled_device_is_dropped_and_refused(self):
        self.assertEqual(self.hub.rest("PUT", f"/devices/other?{API}", {"deviceId": "other"})[0],
                         200)
        key = self.hub.rest("GET", f"/devices/other?{API}")[1]["authentication"]["symmetricKey"]
        token = sas_token("localhost/devices/other", key["secondaryKey"])
        device = Device(self.hub, "other", password=token)
        self.assertEqual(device.code, 0)
        self.hub.rest("PUT", f"/devices/other?{API}", {"status": "disabled"},
                      headers={"If-Match": "*"})
        device.wait_closed()
        device = Device(self.hub, "other", password=token)
        self.assertEqual(device.code, 5)
        device.abort()
        self.assertEqual(self.hub.rest("DELETE", f"/devices/other?{API}")[0], 204)

    def test_services_need_a_token(self):
        for token in ["nonsense", sas_token("localhost", self.hub.service_key),
                      sas_token("localhost", self.hub.service_key, -1, "iothubowner"),
                      sas_token("other", self.hub.service_key, policy="iothubowner"),
                      self.hub.token()]:
            status, body = self.hub.rest("GET", f"/devices?{API}", token=token)
            self.assertEqual(status, 401)
            self.assertTrue(body["Message"].startswith("ErrorCode:IotHubUnauthorizedAccess;"))
            self.assertNotIn(self.hub.service_key, body["Message"])

    def mosquitto(self, name, *arguments):
        return subprocess.run(
            [name, "-h", "localhost", "-p", str(self.hub.port), "--cafile", self.hub.ca_file,
             "-i", "device1", "-u", self.hub.user_name(), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S,
            check=False)

    def test_a_client_that_nobody_here_wrote(self):
        done = self.mosquitto("mosquitto_pub", "-P", self.hub.token(), "-t", EVENTS + "by=mosquitto",
                              "-m", "hello", "-q", "1")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.last_event()["properties"], {"by": "mosquitto"})
        self.hub.send("for you")
        done = self.mosquitto("mosquitto_sub", "-P", self.hub.token(), "-t", BOUND + "#", "-q", "1",
                              "-C", "1")
        self.assertEqual((done.returncode, done.stdout), (0, "for you\n"))
        self.hub.wait_until_none_waits()
        done = self.mosquitto("mosquitto_pub", "-P", self.hub.token(-1), "-t", EVENTS, "-m", "x")
        self.assertEqual(done.returncode, 5, done.stdout)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
