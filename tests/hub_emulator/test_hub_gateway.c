#include "hub_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Tests method calls that a module of an Edge device makes through the gateway. */

#define CALL "{\"methodName\":\"reboot\",\"responseTimeoutInSeconds\":5}"

static int ask(hub_fixture *f, const char *method, const char *path, const char *body)
{
    hub_exchange x = { .fixture = f };
    int status = hub_ask(&x, method, path, body);
    hub_exchange_end(&x);
    return status;
}

/* Makes an Edge device with a module, a child device with a module, and an independent device. */
static void make_world(hub_fixture *f)
{
    assert_int_equal(ask(f, "PUT", "/devices/edge1",
                         "{\"deviceId\":\"edge1\",\"capabilities\":{\"iotEdge\":true}}"),
                     200);
    const hub_identity *edge = hub_registry_find(&f->hub.registry, "edge1", NULL);
    char *child = hub_format("{\"deviceId\":\"child\",\"deviceScope\":\"%s\"}", edge->device_scope);
    assert_int_equal(ask(f, "PUT", "/devices/child", child), 200);
    free(child);
    static const char *const modules[][2] = {
        { "/devices/edge1/modules/m", "{\"deviceId\":\"edge1\",\"moduleId\":\"m\"}" },
        { "/devices/edge1/modules/other", "{\"deviceId\":\"edge1\",\"moduleId\":\"other\"}" },
        { "/devices/child/modules/m", "{\"deviceId\":\"child\",\"moduleId\":\"m\"}" },
        { "/devices/device1/modules/m", "{\"deviceId\":\"device1\",\"moduleId\":\"m\"}" },
    };
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        assert_int_equal(ask(f, "PUT", modules[i][0], modules[i][1]), 200);
    }
}

static char *token_of(hub_fixture *f, const char *device, const char *module, const char *resource,
                      int64_t expiry_s)
{
    const hub_identity *id = hub_registry_find(&f->hub.registry, device, module);

    return fixture_token(resource, id->primary_key, expiry_s, NULL);
}

enum { ACCEPTED = 0 }; /* stands for a call whose answer comes later */

/* Makes a call and returns its status. */
static int call(hub_fixture *f, const char *caller, const char *token, const char *path)
{
    hub_exchange x = { .fixture = f, .token = token, .edge_module = caller };
    int status = hub_ask(&x, "POST", path, CALL);
    hub_exchange_end(&x);
    return status;
}

#define LATER    (FIXTURE_NOW_S + 60)
#define RESOURCE "myhub.azure-devices.net/devices/edge1/modules/m"
#define CALLER   "edge1/m"

static void a_module_reaches_its_edge_device_and_the_children_of_it(void **state)
{
    hub_fixture *f = *state;
    make_world(f);
    char *token = token_of(f, "edge1", "m", RESOURCE, LATER);

    assert_int_equal(call(f, CALLER, token, "/twins/edge1/methods"), ACCEPTED);
    assert_int_equal(call(f, CALLER, token, "/twins/edge1/modules/other/methods"), ACCEPTED);
    assert_int_equal(call(f, CALLER, token, "/twins/child/methods"), ACCEPTED);
    assert_int_equal(call(f, CALLER, token, "/twins/child/modules/m/methods"), ACCEPTED);
    assert_int_equal(call(f, CALLER, token, "/twins/nobody/methods"), 404);
    assert_int_equal(call(f, CALLER, token, "/twins/device1/methods"), 401);
    assert_int_equal(call(f, CALLER, token, "/twins/device1/modules/m/methods"), 401);
    free(token);
}

static void only_a_module_of_an_edge_device_may_call(void **state)
{
    hub_fixture *f = *state;
    make_world(f);
    char *of_child = token_of(f, "child", "m", "h/devices/child/modules/m", LATER);
    char *of_device = token_of(f, "edge1", NULL, "h/devices/edge1", LATER);
    char *of_other = token_of(f, "edge1", "other", RESOURCE, LATER);
    char *for_other = token_of(f, "edge1", "m", "h/devices/edge1/modules/mm", LATER);
    char *old = token_of(f, "edge1", "m", RESOURCE, FIXTURE_NOW_S);

    assert_int_equal(call(f, "child/m", of_child, "/twins/child/methods"), 401);
    assert_int_equal(call(f, "edge1", of_device, "/twins/edge1/methods"), 401);
    assert_int_equal(call(f, CALLER, of_other, "/twins/edge1/methods"), 401);
    assert_int_equal(call(f, CALLER, for_other, "/twins/edge1/methods"), 401);
    assert_int_equal(call(f, CALLER, old, "/twins/edge1/methods"), 401);
    assert_int_equal(call(f, CALLER, "no token", "/twins/edge1/methods"), 401);
    assert_int_equal(call(f, "nobody/m", old, "/twins/edge1/methods"), 401);
    free(of_child);
    free(of_device);
    free(of_other);
    free(for_other);
    free(old);
}

static void a_disabled_edge_device_or_module_may_not_call(void **state)
{
    hub_fixture *f = *state;
    make_world(f);
    char *token = token_of(f, "edge1", "m", RESOURCE, LATER);
    hub_identity *edge = hub_registry_find(&f->hub.registry, "edge1", NULL);

    edge->enabled = false;
    assert_int_equal(call(f, CALLER, token, "/twins/edge1/methods"), 401);
    edge->enabled = true;
    assert_int_equal(call(f, CALLER, token, "/twins/edge1/methods"), ACCEPTED);
    free(token);
}

static void the_header_opens_nothing_but_methods(void **state)
{
    hub_fixture *f = *state;
    make_world(f);
    char *token = token_of(f, "edge1", "m", RESOURCE, LATER);
    static const char *const paths[] = { "/twins/edge1", "/devices/edge1", "/devices" };

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        hub_exchange x = { .fixture = f, .token = token, .edge_module = CALLER };
        assert_int_equal(hub_ask(&x, "GET", paths[i], NULL), 401);
        hub_exchange_end(&x);
    }
    /* The header marks the caller as a module, so the token of a service is not accepted. */
    hub_exchange x = { .fixture = f, .edge_module = CALLER };
    assert_int_equal(hub_ask(&x, "POST", "/twins/edge1/methods", CALL), 401);
    hub_exchange_end(&x);
    free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_module_reaches_its_edge_device_and_the_children_of_it,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(only_a_module_of_an_edge_device_may_call, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_disabled_edge_device_or_module_may_not_call,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_header_opens_nothing_but_methods, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
