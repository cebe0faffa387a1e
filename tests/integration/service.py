"""The service side of the emulator, used directly over REST without starting a program each time."""

import http.client
import json
import ssl
import subprocess


class ServiceError(Exception):
    """Raised when the hub answers with an error."""


class Service:
    """One connection. It raises OSError or HTTPException if the hub cannot be reached."""

    def __init__(self, hub, timeout_s=15):
        self.token = token(hub)
        context = ssl.create_default_context(cafile=hub.values["IOTHUB_CA_FILE"])
        self.connection = http.client.HTTPSConnection("localhost", int(hub.rest_port),
                                                      timeout=timeout_s, context=context)

    def begin(self, verb, path, body=None):
        self.connection.request(verb, path, None if body is None else json.dumps(body),
                                {"Authorization": self.token, "Content-Type": "application/json"})
        reply = self.connection.getresponse()
        if reply.status >= 300:
            raise ServiceError(f"{verb} {path}: {reply.status} {reply.read()}")
        return reply

    def ask(self, verb, path, body=None):
        text = self.begin(verb, path, body).read()
        self.connection.close()
        return json.loads(text) if text else None

    def twin(self, device):
        return self.ask("GET", f"/twins/{device}?api-version=2021-04-12")

    def patch_desired(self, device, patch):
        return self.ask("PATCH", f"/twins/{device}?api-version=2021-04-12",
                        {"properties": {"desired": patch}})

    def method(self, device, name, payload):
        return self.ask("POST", f"/twins/{device}/methods?api-version=2021-04-12",
                        {"methodName": name, "payload": payload, "responseTimeoutInSeconds": 5,
                         "connectTimeoutInSeconds": 0})

    def send(self, device, message_id, body):
        return self.ask("POST", f"/emulator/devices/{device}/messages",
                        {"messageId": message_id, "body": body})

    def throttle(self, requests):
        return self.ask("PUT", "/emulator/throttle", {"twinRequests": requests})

    def events(self, first, seconds):
        """Returns telemetry from event `first` on, until no event has arrived for the given time."""
        reply = self.begin("GET", f"/emulator/events?from={first}&timeout={seconds}")
        for line in reply:
            if line.strip():
                yield json.loads(line)
        self.connection.close()


def token(hub):
    """Returns a token that is valid for a day; the keys of a hub do not change."""
    if not hasattr(hub, "service_token"):
        command = hub.command("iothub", "sas-token", "--connection-string", "-", "--ttl", "86400")
        result = subprocess.run(command, input=hub.values["IOTHUB_CONNECTION_STRING"], text=True,
                                capture_output=True, check=True)
        hub.service_token = result.stdout.strip()
    return hub.service_token
