#!/usr/bin/env python3
"""Fails if a part of the code has no test of its own.

usage: check_tests_by_part.py [--table] ROOT

A part is a .c file of LAYERS. Its test is test_PART.c, or test_PART_TOPIC.c for one topic of it, in the
folder of its layer in tests/; a .py file counts as well. If two layers have a part with the same name,
the name of the test begins with the layer (test_platform_result.c); tests of the emulator begin with
test_hub_. If the name of a test fits two parts, it belongs to the one with the longer name:
test_name_constraints.c tests name_constraints.c.

A part that is tested together with others is listed in TESTED_BY, with those tests and the reason why
it has none of its own. An entry is a fault, too, if it fits no part, if its tests do not exist, or if
its part has a test of its own. --table prints the tests of each part.
"""

import collections
import fnmatch
import pathlib
import sys

# Maps a folder of parts to the folders of their tests and the prefixes that the names of tests may have.
LAYERS = {
    "mqtt_core/src": (("mqtt_core",), ("mqtt_core_",)),
    "platform/src": (("platform",), ("platform_",)),
    "iothub_client/src": (("iothub_client",), ("iothub_client_",)),
    "tools/cli": (("tools",), ("cli_",)),
    "tools/json": (("hub_emulator", "tools"), ()),
    "tools/hub_emulator": (("hub_emulator",), ("hub_",)),
    "tools/iothub": (("tools", "integration"), ("iothub_",)),
}

# Maps a folder to {part or pattern of parts: (its tests, why they are shared)}.
TESTED_BY = {
    "platform/src": {
        # The checks of ports are tested by ports: one that keeps all rules, and many that break one each.
        "conf_*": (["platform/test_conformance.c", "platform/test_conformance_faults.c"], "checks of ports"),
        # What these parts of the store in flash write and read shows only together, in a simulated flash.
        "flash_find": (["platform/test_flash_store.c"], "records by their numbers"),
        "flash_log": (["platform/test_flash_store.c", "platform/test_flash_store_cuts.c"], "writes"),
        "flash_walk": (["platform/test_flash_store_cuts.c"], "what a loss of power leaves"),
        # The network of lwIP is tested on the emulated board, which build_all/firmware.sh runs.
        "lwip_drive": (["firmware/test_firmware.py"], "time and frames for lwIP"),
        "lwip_lookup": (["firmware/test_firmware.py"], "names"),
        "lwip_net": (["firmware/test_firmware.py"], "sleeping"),
        "lwip_stream": (["firmware/test_firmware.py"], "connections"),
        "resume_watch": (["platform/test_resume.c"], "the other half of resume.h"),
        # These parts need a token, and only the functions of the public header show what they do.
        "pkcs11_fault": (["platform/test_pkcs11_signer.c"], "texts of failures"),
        "pkcs11_key": (["platform/test_pkcs11_signer.c"], "signatures"),
        "pkcs11_object": (["platform/test_pkcs11_public.c"], "attributes of objects"),
        "pkcs11_token": (["platform/test_pkcs11_signer.c"], "sessions"),
        "pkcs11_uri": (["platform/test_pkcs11_signer.c"], "which token and PIN are used"),
        "trust_time": (["platform/test_tls_resumption.c"], "a call of time(), which tests replace"),
    },
    "iothub_client/src": {
        # The conduct of an upload shows only between its requests and their answers.
        "upload": (["integration/test_upload.py"], "requests that fail"),
        "upload_control": (["integration/test_upload.py"], "requests that fail"),
        "upload_requests": (["integration/test_upload.py"], "requests"),
        "upload_slots": (["integration/test_upload.py"], "requests that fail"),
        "dps_packets": (["iothub_client/test_exchange.c"],
                  "the texts of the conversation, which the other side reads"),
        "key_signature": (["iothub_client/test_device_key.c", "iothub_client/test_sas.c"],
                          "what both sign with"),
        "connection_string_take": (["iothub_client/test_struct_sizes.c"],
                                   "structs of every version, all of them in one test"),
    },
    "tools/cli": {
        "*": (["tools/test_cli.c"], "a few short functions each, used together by every program"),
    },
    "tools/hub_emulator": {
        # The stages of the query language are tested together, because only the next stage reads the result of one.
        "query_*": (["hub_emulator/test_hub_query*.c"], "stages of one language"),
        # A request is tested by the reply and by what it changes in the state.
        "rest_bulk": (["hub_emulator/test_hub_bulk.c"], "the table of modes and what they do"),
        "rest_digital_twin": (["hub_emulator/test_hub_digital_twin.c"], "requests"),
        "digital_twin_patch": (["hub_emulator/test_hub_digital_twin.c"], "the body of a request"),
        "rest_emulator": (["hub_emulator/test_hub_rest.c"], "requests"),
        "rest_query": (["hub_emulator/test_hub_rest.c"], "requests"),
        "rest_registry": (["hub_emulator/test_hub_rest.c"], "requests"),
        "rest_twin": (["hub_emulator/test_hub_rest.c"], "requests"),
        "scopes": (["hub_emulator/test_hub_rights.c"], "what a token allows"),
        "identity*": (["hub_emulator/test_hub_registry.c", "hub_emulator/test_hub_hub.c"],
                      "what a registry holds"),
        "names": (["hub_emulator/test_hub_registry.c"], "what a registry accepts"),
        "twin_rules": (["hub_emulator/test_hub_twin.c"], "what a twin accepts"),
        "members": (["hub_emulator/test_hub_json.c"], "members of JSON objects"),
        # Files on disk are tested by failures, kills and damage.
        "store": (["hub_emulator/test_hub_faults.c", "hub_emulator/test_hub_damage.c"], "files"),
        "state_dir": (["hub_emulator/test_hub_faults.c"], "files"),
        "identities_load": (["hub_emulator/test_hub_damage.c"], "files"),
        "event_log": (["hub_emulator/test_hub_faults.c", "hub_emulator/test_hub_damage.c"],
                      "a file"),
        # Tests of connections from the login to the end, without the broker.
        "login": (["hub_emulator/test_hub_hub.c"], "connections"),
        "sessions": (["hub_emulator/test_hub_hub.c"], "connections"),
        "hub_c2d": (["hub_emulator/test_hub_c2d.c"], "what a device receives"),
        "hub_tick": (["hub_emulator/test_hub_hub.c", "hub_emulator/test_hub_c2d.c"], "connections"),
        "hub_clients": (["hub_emulator/test_hub_hub_dps.c"], "connections"),
        "hub_publish": (["hub_emulator/test_hub_telemetry.c", "hub_emulator/test_hub_hub.c"],
                        "what a device publishes"),
        "event_text": (["hub_emulator/test_hub_telemetry.c"], "what a device publishes"),
        "authentication": (["hub_emulator/test_hub_x509.c"], "bodies of requests"),
        "rest_authorities": (["hub_emulator/test_hub_x509.c"], "requests"),
        "device_certificates": (["hub_emulator/test_emulator_x509.py"], "files that clients read"),
        "key_pair": (["hub_emulator/test_emulator*.py"], "files that clients read"),
        "front_client": (["hub_emulator/test_hub_front.c"], "sockets"),
        "front_relay": (["hub_emulator/test_hub_front*.c"], "sockets"),
        "blob_call": (["hub_emulator/test_emulator_upload.py"], "requests with bodies of any size"),
        "device_request": (["hub_emulator/test_hub_rest_files.c"], "who may make a request"),
        "front_end": (["hub_emulator/test_hub_front.c"], "sockets"),
        "device_line": (["hub_emulator/test_hub_websocket_line.c"], "connections with and without frames"),
        "tls_line": (["hub_emulator/test_hub_front.c"], "sockets"),
        "sockets": (["hub_emulator/test_hub_front.c"], "sockets"),
        "amqp_refusal": (["hub_emulator/test_hub_amqp.c"], "bytes in, bytes out"),
        # Processes, threads and sockets can be tested only as a whole.
        "main": (["hub_emulator/test_emulator*.py"], "the process"),
        "options": (["hub_emulator/test_emulator*.py"], "the command line"),
        "host": (["hub_emulator/test_emulator*.py"], "the command line"),
        "ports": (["hub_emulator/test_emulator*.py"], "sockets"),
        "provisioning": (["hub_emulator/test_emulator*.py"], "the command line"),
        "certificates": (["hub_emulator/test_emulator*.py"], "files that clients read"),
        "crypto": (["hub_emulator/test_hub_token.c"], "signatures of tokens"),
        "broker_process": (["hub_emulator/test_emulator*.py"], "starts Mosquitto"),
        "plugin": (["hub_emulator/test_emulator*.py"], "runs inside Mosquitto"),
        "waker": (["hub_emulator/test_emulator*.py"], "threads"),
        "amqp_server": (["hub_emulator/test_emulator*.py"], "sockets"),
        "websocket": (["hub_emulator/test_emulator*.py"], "sockets"),
        "rest_server*": (["hub_emulator/test_hostile.py", "hub_emulator/test_emulator*.py"],
                         "sockets"),
        "result": (["hub_emulator/test_hub_rest.c"], "words of replies"),
    },
    "tools/iothub": {
        # A command line is tested by what it prints.
        "main": (["integration/tool_newcomer.py"], "the command line"),
        "commands": (["integration/tool_newcomer.py"], "the command line"),
        "rest": (["tools/test_service.py"], "requests to the emulator"),
        "service_*": (["tools/test_service.py"], "one command each"),
        "sas_inspect": (["tools/test_sas_token.py"], "the other half of sas-token"),
        "device": (["integration/test_fleet.py"], "what a fleet does at the emulator"),
        "source": (["integration/test_fleet.py"], "files and the registry of the emulator"),
        "report": (["integration/test_fleet.py"], "what a fleet prints"),
        "options": (["integration/test_fleet.py"], "the command line"),
    },
}


def parts(root, layer):
    """Maps the name of each part to its file."""
    return {path.stem: path for path in sorted((root / layer).rglob("*.c"))}


def part_of(test, names, prefixes):
    """Returns the part that a test is named after, or None."""
    name = test.stem.removeprefix("test_")
    for prefix in prefixes:
        if name.startswith(prefix) and name != prefix:
            name = name.removeprefix(prefix)
            break
    fitting = [part for part in names if name == part or name.startswith(part + "_")]
    return max(fitting, key=len, default=None)


def tests_by_part(root, layer, names):
    folders, prefixes = LAYERS[layer]
    found = collections.defaultdict(list)
    for folder in folders:
        for test in sorted((root / "tests" / folder).rglob("test_*")):
            part = part_of(test, names, prefixes) if test.suffix in (".c", ".py") else None
            if part is not None:
                found[part].append(test)
    return found


def check_shared(root, layer, files, own):
    """Yields the faults of TESTED_BY; the parts that its entries name are added to `shared`."""
    shared = {}
    wrong = []
    for pattern, (tests, _) in TESTED_BY.get(layer, {}).items():
        fitting = fnmatch.filter(files, pattern)
        if not fitting:
            wrong.append(f"TESTED_BY: no part {pattern} in {layer}")
        for test in tests:
            if not list((root / "tests").glob(test)):
                wrong.append(f"TESTED_BY: {pattern}: no test tests/{test}")
        for part in fitting:
            if part in own:
                wrong.append(f"TESTED_BY: {part} of {layer} has a test of its own: {own[part][0].name}")
            shared[part] = tests
    return shared, wrong


def check_layer(root, layer, table):
    files = parts(root, layer)
    own = tests_by_part(root, layer, files)
    shared, wrong = check_shared(root, layer, files, own)
    for part, path in files.items():
        tests = [test.name for test in own[part]] if part in own else list(shared.get(part, ()))
        if not tests:
            wrong.append(f"{path.relative_to(root)}: no test_{part}.c in tests/{LAYERS[layer][0][0]}")
        if table:
            print(f"{path.relative_to(root)}: {', '.join(tests) or '-'}")
    return wrong


def main():
    arguments = sys.argv[1:]
    table = "--table" in arguments
    if table:
        arguments.remove("--table")
    if len(arguments) != 1:
        sys.exit(__doc__)
    root = pathlib.Path(arguments[0])
    wrong = [line for layer in LAYERS for line in check_layer(root, layer, table)]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
