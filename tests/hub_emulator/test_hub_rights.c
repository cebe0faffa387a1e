#include "hub_exchange.h"

#include <stdlib.h>
#include <string.h>

static const int client;

/* --- rights ------------------------------------------------------------ */

static void a_policy_opens_what_its_rights_are_for(void **state)
{
    static const struct {
        const char *method;
        const char *path;
        const char *body;
        const char *allowed; /* initials of the policies that are allowed */
    } cases[] = {
        { "GET", "/devices", NULL, "ioR" },
        { "GET", "/devices/device1", NULL, "ioR" },
        { "PUT", "/devices/new", "{}", "ioW" },
        { "DELETE", "/devices/new", NULL, "ioW" },
        { "POST", "/devices", "[]", "ioW" },
        { "GET", "/devices/device1/modules", NULL, "ioR" },
        { "GET", "/statistics/devices", NULL, "ioR" },
        { "GET", "/statistics/service", NULL, "ioS" },
        { "POST", "/devices/query", "{\"query\":\"SELECT * FROM devices\"}", "ioRS" },
        { "GET", "/twins/device1", NULL, "ioS" },
        { "PATCH", "/twins/device1", "{}", "ioS" },
        { "DELETE", "/devices/device1/commands", NULL, "ioS" },
        { "GET", "/emulator/devices/device1/messages", NULL, "ioS" },
    };
    static const struct {
        const char *policy;
        char rights[4];
    } policies[] = {
        { "iothubowner", "RWS" },
        { "service", "S" },
        { "device", "" },
        { "registryRead", "R" },
        { "registryReadWrite", "RW" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < sizeof policies / sizeof policies[0]; k++) {
            hub_exchange x = { .fixture = *state, .policy = policies[k].policy };
            bool may = strpbrk(cases[i].allowed, policies[k].rights) != NULL;
            int status = hub_ask(&x, cases[i].method, cases[i].path, cases[i].body);
            if ((status == 401) == may) {
                fail_msg("%s %s as %s: %d", cases[i].method, cases[i].path, policies[k].policy,
                         status);
            }
            hub_exchange_end(&x);
        }
    }
}

/* --- scopes ------------------------------------------------------------ */

static void a_service_token_opens_what_its_resource_is_a_prefix_of(void **state)
{
    static const struct {
        const char *resource;
        const char *path;
        bool opens;
    } cases[] = {
        { "localhost", "/devices", true },
        { "LocalHost", "/twins/device1", true },
        { "localhost/", "/devices", true },
        { "localhost/devices", "/devices", true },
        { "localhost/devices/", "/devices/device1", true },
        { "LOCALHOST/devices", "/devices/device1", true },
        { "localhost:8443/devices", "/devices", true },
        { "localhost/devices/device1", "/devices/device1", true },
        { "localhost/devices/device1", "/devices/device1/modules", true },
        { "localhost/twins", "/twins/device1", true },
        { "localhost/twins/device1", "/twins/device1", true },
        { "localhost/emulator", "/emulator/devices/device1/messages", true },
        { "localhost/devices/device1", "/devices", false },
        { "localhost/devices/device", "/devices/device1", false },
        { "localhost/devices/device11", "/devices/device1", false },
        { "localhost/devices/Device1", "/devices/device1", false },
        { "localhost/device", "/devices", false },
        { "localhost/devices", "/twins/device1", false },
        { "localhost/devices", "/statistics/devices", false },
        { "localhos", "/devices", false },
        { "other/devices", "/devices", false },
        { "devices", "/devices", false },
        { "/devices", "/devices", false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_exchange x = { .fixture = *state, .resource = cases[i].resource };
        int status = hub_ask(&x, "GET", cases[i].path, NULL);
        if (status != (cases[i].opens ? 200 : 401)) {
            fail_msg("%s for %s: %d", cases[i].resource, cases[i].path, status);
        }
        hub_exchange_end(&x);
    }
}

static hub_result login(hub_fixture *f, const char *client_id, const char *resource,
                        const char *policy)
{
    const char *key = policy != NULL
                          ? hub_policies_find(&f->hub.registry.policies, policy)->primary_key
                          : fixture_device(f, client_id)->primary_key;
    char *token = fixture_token(resource, key, FIXTURE_NOW_S + 60, policy);
    char *user = hub_format("localhost/%s/?api-version=2021-04-12", client_id);
    const hub_credentials c = { .client_id = client_id, .user_name = user, .password = token };
    hub_fault fault;

    hub_result r = hub_connect(&f->hub, &client, &c, true, &fault);
    if (r == HUB_OK) {
        hub_disconnected(&f->hub, &client);
    }
    free(token);
    free(user);
    return r;
}

static void a_device_token_opens_its_device_and_below(void **state)
{
    hub_exchange x = { .fixture = *state };
    static const struct {
        const char *client_id;
        const char *resource;
        const char *policy;
        bool opens;
    } cases[] = {
        { "device1", "localhost/devices/device1", NULL, true },
        { "device1", "LOCALHOST/devices/device1", NULL, true },
        { "device1", "localhost/devices/device1/", NULL, true },
        { "device1", "localhost/devices", NULL, true },
        { "device1", "localhost/devices/device1/api-version=2016-11-14", NULL, true },
        { "device1", "localhost/devices/device2/api-version=2016-11-14", NULL, false },
        { "device1", "localhost/devices/device1/messages", NULL, false },
        { "device1", "localhost/devices/device1/modules/m", NULL, false },
        { "device1/m", "localhost/devices/device1/modules/m", NULL, true },
        { "device1/m", "localhost/devices/device1/modules/n", NULL, false },
        { "device1/m", "localhost/devices/device1", NULL, true },
        { "device1/m", "localhost/devices/device1/modules/m/api-version=2020-09-30", NULL, true },
        { "device1", "localhost/devices", "device", true },
        { "device1/m", "localhost/devices", "device", true },
        { "device1/m", "localhost/devices/device1/modules", "iothubowner", true },
        { "device1", "localhost/devices/device1", "device", true },
        { "device1", "localhost/devices/device1", "service", false },
        { "device1", "localhost/devices/device1", "registryReadWrite", false },
        { "device1", "localhost/twins", "iothubowner", false },
    };

    assert_int_equal(hub_ask(&x, "PUT", "/devices/device1/modules/m", "{}"), 200);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hub_result r = login(*state, cases[i].client_id, cases[i].resource, cases[i].policy);
        if ((r == HUB_OK) != cases[i].opens) {
            fail_msg("%s with %s: %s", cases[i].client_id, cases[i].resource, hub_result_name(r));
        }
    }
    hub_exchange_end(&x);
}

/* --- edge scopes ------------------------------------------------------- */

/* Returns the deviceScope of a device on the heap, or "" if it has none. */
static char *scope_of(hub_exchange *x, const char *device)
{
    const hub_identity *id = fixture_device(x->fixture, device);
    return hub_strdup(id->device_scope != NULL ? id->device_scope : "");
}

static int put(hub_exchange *x, const char *device, const char *format, const char *scope)
{
    char *path = hub_format("/devices/%s", device);
    char *body = NULL;
    const char *at = strstr(format, "SCOPE");

    body = at == NULL ? hub_strdup(format)
                      : hub_format("%.*s%s%s", (int)(at - format), format, scope, at + 5);
    x->if_match = hub_registry_find(&x->fixture->hub.registry, device, NULL) != NULL ? "*" : NULL;
    int status = hub_ask(x, "PUT", path, body);
    x->if_match = NULL;
    free(path);
    free(body);
    return status;
}

static void an_edge_device_has_a_scope_of_its_own(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(put(&x, "edge-1", "{\"capabilities\":{\"iotEdge\":true}}", NULL), 200);
    const hub_identity *id = fixture_device(x.fixture, "edge-1");
    char *expected = hub_format("ms-azure-iot-edge://edge-1-%s", id->generation_id);
    assert_string_equal(id->device_scope, expected);
    assert_non_null(strstr(hub_reply(&x), expected));
    assert_non_null(strstr(hub_reply(&x), "\"parentScopes\":[]"));
    assert_int_equal(put(&x, "edge-1", "{\"deviceScope\":\"SCOPE\"}", expected), 200);
    assert_int_equal(put(&x, "edge-1", "{\"deviceScope\":null}", NULL), 200);
    assert_string_equal(id->device_scope, expected);
    assert_int_equal(put(&x, "edge-1", "{\"deviceScope\":\"ms-azure-iot-edge://x-1\"}", NULL), 400);
    assert_string_equal(x.handling.reply.code, "InvalidDeviceScope");
    assert_int_equal(put(&x, "edge-1",
                         "{\"deviceScope\":\"SCOPE\",\"capabilities\":{\"iotEdge\":"
                         "false}}",
                         expected),
                     200);
    assert_null(id->device_scope);
    free(expected);
    hub_exchange_end(&x);
}

static void a_device_takes_the_scope_of_its_parent(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(put(&x, "edge", "{\"capabilities\":{\"iotEdge\":true}}", NULL), 200);
    assert_int_equal(put(&x, "other", "{\"capabilities\":{\"iotEdge\":true}}", NULL), 200);
    char *edge = scope_of(&x, "edge");
    char *other = scope_of(&x, "other");
    assert_int_equal(put(&x, "leaf", "{\"deviceScope\":\"SCOPE\"}", edge), 200);
    assert_non_null(strstr(hub_reply(&x), "\"parentScopes\":[\"ms-azure-iot-edge://edge-"));
    assert_int_equal(hub_ask(&x, "GET", "/twins/leaf", NULL), 200);
    assert_non_null(strstr(hub_reply(&x), edge));
    char *both = hub_format("{\"deviceScope\":\"%s\",\"parentScopes\":[\"%s\"]}", other, edge);
    /* Accepted, because parentScopes is unchanged. */
    assert_int_equal(put(&x, "leaf", both, NULL), 200);
    assert_string_equal(fixture_device(x.fixture, "leaf")->parent_scope, other);
    assert_int_equal(put(&x, "leaf", "{\"parentScopes\":[\"SCOPE\"]}", edge), 200);
    fixture_restart(x.fixture);
    assert_string_equal(fixture_device(x.fixture, "leaf")->device_scope, edge);
    assert_int_equal(put(&x, "leaf", "{\"status\":\"enabled\"}", NULL), 200);
    assert_string_equal(fixture_device(x.fixture, "leaf")->device_scope, edge);
    assert_int_equal(put(&x, "leaf", "{\"deviceScope\":\"\"}", NULL), 200);
    assert_null(fixture_device(x.fixture, "leaf")->parent_scope);
    free(both);
    free(edge);
    free(other);
    hub_exchange_end(&x);
}

static void a_parent_must_be_an_edge_device_and_no_child(void **state)
{
    hub_exchange x = { .fixture = *state };
    static const char *const bad[] = {
        "{\"deviceScope\":5}",
        "{\"deviceScope\":\"x\"}",
        "{\"deviceScope\":\"ms-azure-iot-edge://\"}",
        "{\"deviceScope\":\"ms-azure-iot-edge://nobody-1\"}",
        /* The number belongs to another generation of the device. */
        "{\"deviceScope\":\"ms-azure-iot-edge://edge-1\"}",
        "{\"parentScopes\":\"SCOPE\"}",
        "{\"parentScopes\":[5]}",
        "{\"parentScopes\":[\"SCOPE\",\"SCOPE\"]}",
        "{\"parentScopes\":[\"ms-azure-iot-edge://leaf-1\"]}",
    };

    assert_int_equal(put(&x, "edge", "{\"capabilities\":{\"iotEdge\":true}}", NULL), 200);
    char *edge = scope_of(&x, "edge");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (put(&x, "leaf", bad[i], edge) != 400) {
            fail_msg("%s", bad[i]);
        }
    }
    assert_null(hub_registry_find(&x.fixture->hub.registry, "leaf", NULL));
    assert_int_equal(put(&x, "below",
                         "{\"capabilities\":{\"iotEdge\":true},\"parentScopes\":[\"SCOPE\"]}",
                         edge),
                     200);
    char *below = scope_of(&x, "below");
    assert_int_equal(put(&x, "edge", "{\"parentScopes\":[\"SCOPE\"]}", below), 400);
    assert_int_equal(put(&x, "edge", "{\"parentScopes\":[\"SCOPE\"]}", edge), 400);
    free(edge);
    free(below);
    hub_exchange_end(&x);
}

static void a_module_keeps_who_manages_it(void **state)
{
    hub_exchange x = { .fixture = *state };

    assert_int_equal(
        hub_ask(&x, "PUT", "/devices/device1/modules/m", "{\"managedBy\":\"IotEdge\"}"), 200);
    assert_non_null(strstr(hub_reply(&x), "\"managedBy\":\"IotEdge\""));
    x.if_match = "*";
    assert_int_equal(hub_ask(&x, "PUT", "/devices/device1/modules/m", "{}"), 200);
    assert_non_null(strstr(hub_reply(&x), "\"managedBy\":\"IotEdge\""));
    assert_int_equal(hub_ask(&x, "PUT", "/devices/device1/modules/m", "{\"managedBy\":null}"), 200);
    assert_null(fixture_device(x.fixture, "device1/m")->managed_by);
    hub_exchange_end(&x);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_policy_opens_what_its_rights_are_for),
        FIXTURE_TEST(a_service_token_opens_what_its_resource_is_a_prefix_of),
        FIXTURE_TEST(a_device_token_opens_its_device_and_below),
        FIXTURE_TEST(an_edge_device_has_a_scope_of_its_own),
        FIXTURE_TEST(a_device_takes_the_scope_of_its_parent),
        FIXTURE_TEST(a_parent_must_be_an_edge_device_and_no_child),
        FIXTURE_TEST(a_module_keeps_who_manages_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
