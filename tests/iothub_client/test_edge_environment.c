#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edge/edge_environment.h"

/* test_edge.c tests the variables through iothub_edge_open. */

static const char *uri;
static const char *gateway;

/* getenv does not return a const text. */
static char *as_getenv(const char *value)
{
    const union {
        const char *seen;
        char *returned;
    } both = { value };
    return both.returned;
}

static char *get(const char *name)
{
    const char *value = "x";

    if (strcmp(name, "IOTEDGE_WORKLOADURI") == 0) {
        value = uri;
    } else if (strcmp(name, "IOTEDGE_GATEWAYHOSTNAME") == 0) {
        value = gateway;
    } else if (strcmp(name, "IOTEDGE_AUTHSCHEME") == 0 || strncmp(name, "Edge", 4) == 0) {
        value = NULL;
    }
    return as_getenv(value);
}

static void workload_uris_are_unix_or_http(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        bool valid;
    } cases[] = {
        { "unix:///run/w.sock", true },   { "http://h:1", true },    { "https://h", false },
        { "/run/iotedge/w.sock", false }, { "unix:/w.sock", false }, { "h", false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        edge_environment e;
        iothub_error error;
        uri = cases[i].uri;
        assert_int_equal(edge_environment_read(&e, get, &error),
                         cases[i].valid ? IOTHUB_OK : IOTHUB_ERR_PART_INVALID);
    }
}

static void the_connection_string_has_a_gateway_only_if_there_is_one(void **state)
{
    (void)state;
    const edge_environment e = { .host_name = "h",
                                 .device_id = "d",
                                 .module = { .module_id = "m" } };
    edge_environment with_gateway = e;
    char out[100];
    iothub_text t;

    iothub_text_init(&t, out, sizeof out);
    edge_environment_put_connection_string(&t, &e);
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(out, "HostName=h;DeviceId=d;ModuleId=m");
    with_gateway.gateway_host_name = "g";
    iothub_text_init(&t, out, sizeof out);
    edge_environment_put_connection_string(&t, &with_gateway);
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(out, "HostName=h;DeviceId=d;ModuleId=m;GatewayHostName=g");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workload_uris_are_unix_or_http),
        cmocka_unit_test(the_connection_string_has_a_gateway_only_if_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
