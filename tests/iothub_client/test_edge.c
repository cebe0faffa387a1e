#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"
#include "fake_http.h"
#include "iothub/edge.h"
#include "iothub/sas.h"

/* A module of IoT Edge, with a fake workload API that signs with a key which the client never sees.
 */

#define KEY    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define BUNDLE "{\"certificate\":\"-----BEGIN\\nROOT\\n\"}"

typedef struct variable {
    const char *name, *value;
} variable;

#define VARIABLES_MAX 10
static variable variables[VARIABLES_MAX];

/* getenv does not return a const text. */
static char *as_getenv(const char *value)
{
    const union {
        const char *seen;
        char *returned;
    } both = { value };
    return both.returned;
}

static char *environment(const char *name)
{
    for (size_t i = 0; i < VARIABLES_MAX && variables[i].name != NULL; i++) {
        if (strcmp(variables[i].name, name) == 0) {
            return as_getenv(variables[i].value);
        }
    }
    return NULL;
}

static void set_environment(void)
{
    static const variable usual[VARIABLES_MAX] = {
        { "IOTEDGE_IOTHUBHOSTNAME", "myhub.azure-devices.net" },
        { "IOTEDGE_GATEWAYHOSTNAME", "gateway.local" },
        { "IOTEDGE_DEVICEID", "edge1" },
        { "IOTEDGE_MODULEID", "m1" },
        { "IOTEDGE_MODULEGENERATIONID", "637" },
        { "IOTEDGE_WORKLOADURI", "unix:///run/workload.sock" },
        { "IOTEDGE_APIVERSION", "2019-01-30" },
        { "IOTEDGE_AUTHSCHEME", "sasToken" },
    };

    memcpy(variables, usual, sizeof variables);
}

static void set_variable(const char *name, const char *value)
{
    size_t i = 0;

    while (variables[i].name != NULL && strcmp(variables[i].name, name) != 0) {
        i++;
    }
    variables[i] = (variable){ name, value };
}

typedef struct rig {
    fake_http http;
    fake_platform platform;
    iothub_edge_options from;
} rig;

static void begin(rig *r)
{
    set_environment();
    fake_http_init(&r->http);
    r->http.body = BUNDLE;
    fake_platform_init(&r->platform);
    iothub_edge_options_init(&r->from);
    r->from.platform = &r->platform.platform;
    r->from.http = &r->http.base;
    r->from.environment = environment;
}

static void end(rig *r)
{
    fake_platform_free(&r->platform);
}

/* --- opening --------------------------------------------------------------------------------- */

static void the_environment_says_who_the_module_is_and_the_workload_api_whom_to_trust(void **state)
{
    (void)state;
    rig r;
    begin(&r);
    iothub_error error = { .text = "" };

    iothub_edge *edge = iothub_edge_open(&r.from, &error);

    assert_string_equal(error.text, "");
    assert_non_null(edge);
    assert_string_equal(iothub_edge_connection_string(edge),
                        "HostName=myhub.azure-devices.net;DeviceId=edge1;ModuleId=m1;"
                        "GatewayHostName=gateway.local");
    assert_string_equal(r.http.url, "http://workload/trust-bundle?api-version=2019-01-30");
    assert_string_equal(r.http.unix_socket, "/run/workload.sock");
    iothub_options o;
    iothub_options_init(&o);
    iothub_edge_configure(edge, &o);
    assert_int_equal(o.tls->ca_len, strlen("-----BEGIN\nROOT\n"));
    assert_memory_equal(o.tls->ca_data, "-----BEGIN\nROOT\n", o.tls->ca_len);
    assert_int_equal(o.credential_count, 1);
    assert_string_equal(iothub_edge_token(edge), "");
    iothub_edge_close(edge);
    iothub_edge_close(NULL);
    end(&r);
}

static void each_missing_variable_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {
        "IOTEDGE_IOTHUBHOSTNAME",     "IOTEDGE_DEVICEID",    "IOTEDGE_MODULEID",
        "IOTEDGE_MODULEGENERATIONID", "IOTEDGE_WORKLOADURI", "IOTEDGE_APIVERSION",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        static const char *const nothing[] = { NULL, "" };
        for (size_t k = 0; k < 2; k++) {
            rig r;
            begin(&r);
            iothub_error error;
            set_variable(names[i], nothing[k]);
            assert_null(iothub_edge_open(&r.from, &error));
            assert_int_equal(error.code, IOTHUB_ERR_PART_MISSING);
            assert_non_null(strstr(error.text, names[i]));
            assert_int_equal(r.http.starts, 0);
            end(&r);
        }
    }
}

static void refused(const char *name, const char *value, iothub_result code)
{
    rig r;
    begin(&r);
    iothub_error error;

    set_variable(name, value);
    assert_null(iothub_edge_open(&r.from, &error));
    assert_int_equal(error.code, code);
    end(&r);
}

static void a_variable_that_is_not_valid_is_refused(void **state)
{
    (void)state;
    char longest[2100];

    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    refused("IOTEDGE_WORKLOADURI", "file:///etc/passwd", IOTHUB_ERR_PART_INVALID);
    refused("IOTEDGE_AUTHSCHEME", "certificate", IOTHUB_ERR_UNSUPPORTED);
    refused("IOTEDGE_DEVICEID", "a#b;c", IOTHUB_ERR_PART_UNKNOWN);
    refused("IOTEDGE_MODULEID", longest, IOTHUB_ERR_PART_INVALID);
    refused("IOTEDGE_APIVERSION", longest, IOTHUB_ERR_PART_INVALID);
}

static void without_a_gateway_the_module_connects_to_the_hub(void **state)
{
    (void)state;
    rig r;
    begin(&r);
    set_variable("IOTEDGE_GATEWAYHOSTNAME", NULL);

    iothub_edge *edge = iothub_edge_open(&r.from, NULL);
    assert_string_equal(iothub_edge_connection_string(edge),
                        "HostName=myhub.azure-devices.net;DeviceId=edge1;ModuleId=m1");
    iothub_edge_close(edge);
    end(&r);
}

static void the_variables_of_the_simulator_need_no_workload_api(void **state)
{
    (void)state;
    rig r;
    begin(&r);
    set_variable("EdgeHubConnectionString",
                 "HostName=h.net;DeviceId=d;ModuleId=m;SharedAccessKey=AAAA");
    set_variable("EdgeModuleCACertificateFile", "/tmp/ca.pem");
    iothub_options o;
    iothub_options_init(&o);

    iothub_edge *edge = iothub_edge_open(&r.from, NULL);
    iothub_edge_configure(edge, &o);

    assert_string_equal(iothub_edge_connection_string(edge),
                        "HostName=h.net;DeviceId=d;ModuleId=m;SharedAccessKey=AAAA");
    assert_string_equal(o.ca_file, "/tmp/ca.pem");
    assert_int_equal(o.credential_count, 0);
    assert_int_equal(r.http.starts, 0);
    iothub_edge_close(edge);
    end(&r);
}

static void a_workload_api_that_fails_is_reported(void **state)
{
    (void)state;
    static const struct {
        plat_result start, result;
        int status;
        const char *body;
        iothub_result code;
    } cases[] = {
        { PLAT_ERR_ARG, PLAT_OK, 200, BUNDLE, IOTHUB_ERR_ARG },
        { PLAT_OK, PLAT_ERR_CONNECT, 200, BUNDLE, IOTHUB_ERR_CONNECT },
        { PLAT_OK, PLAT_OK, 404, BUNDLE, IOTHUB_ERR_REJECTED },
        { PLAT_OK, PLAT_OK, 200, "{}", IOTHUB_ERR_JSON },
        { PLAT_OK, PLAT_OK, 200, "", IOTHUB_ERR_JSON },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig r;
        begin(&r);
        iothub_error error;
        r.http.start_result = cases[i].start;
        r.http.result = cases[i].result;
        r.http.status = cases[i].status;
        r.http.body = cases[i].body;
        assert_null(iothub_edge_open(&r.from, &error));
        assert_int_equal(error.code, cases[i].code);
        assert_non_null(strstr(error.text, "workload API"));
        end(&r);
    }
}

static void options_that_are_missing_are_named(void **state)
{
    (void)state;
    rig r;
    begin(&r);
    iothub_error error;
    iothub_edge_options o = r.from;

    o.platform = NULL;
    assert_null(iothub_edge_open(&o, &error));
    assert_non_null(strstr(error.text, "platform"));
    o = r.from;
    o.http = NULL;
    assert_null(iothub_edge_open(&o, &error));
    assert_non_null(strstr(error.text, "http"));
    o = r.from;
    o.environment = NULL;
    assert_null(iothub_edge_open(&o, &error));
    assert_non_null(strstr(error.text, "environment"));
    o = r.from;
    o.timeout_ms = 0;
    assert_null(iothub_edge_open(&o, &error));
    assert_non_null(strstr(error.text, "timeout_ms"));
    o = r.from;
    o.sas_lifetime_s = 1;
    assert_null(iothub_edge_open(&o, &error));
    assert_non_null(strstr(error.text, "sas_lifetime_s"));
    assert_null(iothub_edge_open(NULL, &error));
    end(&r);
}

/* --- tokens ---------------------------------------------------------------------------------- */

typedef struct module_rig {
    client_fixture fixture;
    fake_http http;
    iothub_edge *edge;
    char digest[100];
} module_rig;

static module_rig *opening; /* for configure */

static void configure(iothub_options *o)
{
    module_rig *m = opening;
    iothub_edge_options from;

    iothub_edge_options_init(&from);
    from.platform = o->platform;
    from.http = &m->http.base;
    from.environment = environment;
    from.sas_lifetime_s = 600;
    m->edge = iothub_edge_open(&from, NULL);
    assert_non_null(m->edge);
    iothub_edge_configure(m->edge, o);
}

static void begin_module(module_rig *m)
{
    set_environment();
    fake_http_init(&m->http);
    m->http.body = BUNDLE;
    opening = m;
    fixture_init_as(&m->fixture,
                    "HostName=myhub.azure-devices.net;DeviceId=edge1;ModuleId=m1;"
                    "GatewayHostName=gateway.local",
                    configure);
}

static void end_module(module_rig *m)
{
    fixture_free(&m->fixture);
    iothub_edge_close(m->edge);
}

/* Answers the request for a signature as the workload API does. */
static void sign(module_rig *m)
{
    const plat_crypto *crypto = m->fixture.platform.platform.crypto;
    uint8_t key[64], text[4096], mac[PLAT_SHA256_SIZE];
    size_t key_len, text_len, len;
    const char *data = strstr(m->http.sent, "\"data\":\"");
    char base64[64];

    assert_non_null(data);
    data += 8;
    assert_int_equal(
        crypto->base64_decode(crypto, data, strcspn(data, "\""), text, sizeof text, &text_len),
        PLAT_OK);
    assert_int_equal(crypto->base64_decode(crypto, KEY, strlen(KEY), key, sizeof key, &key_len),
                     PLAT_OK);
    assert_int_equal(crypto->hmac_sha256(crypto, key, key_len, text, text_len, mac), PLAT_OK);
    assert_int_equal(crypto->base64_encode(crypto, mac, sizeof mac, base64, sizeof base64, &len),
                     PLAT_OK);
    snprintf(m->digest, sizeof m->digest, "{\"digest\":\"%.*s\"}", (int)len, base64);
    m->http.body = m->digest;
    m->http.status = 200;
    m->http.result = PLAT_OK;
}

static void check_password(module_rig *m)
{
    iothub_sas_token token;
    char resource[200];

    assert_int_equal(iothub_sas_parse(&token, mqc_span_str(m->fixture.hub.password), NULL),
                     IOTHUB_OK);
    assert_int_equal(
        iothub_sas_verify(m->fixture.platform.platform.crypto, &token, mqc_span_str(KEY), NULL),
        IOTHUB_OK);
    assert_int_equal(iothub_sas_decode(token.resource, resource, sizeof resource), IOTHUB_OK);
    assert_string_equal(resource, "myhub.azure-devices.net/devices/edge1/modules/m1");
}

static void the_client_logs_in_with_a_token_that_the_workload_api_has_signed(void **state)
{
    (void)state;
    module_rig m;
    begin_module(&m);
    m.http.result = PLAT_WOULD_BLOCK;

    assert_int_equal(iothub_start(m.fixture.client), IOTHUB_OK);
    fixture_run(&m.fixture);
    assert_int_equal(iothub_get_state(m.fixture.client), IOTHUB_RESOLVING);
    assert_string_equal(m.http.url, "http://workload/modules/m1/genid/637/sign"
                                    "?api-version=2019-01-30");
    sign(&m);
    fixture_sleep(&m.fixture, 100);

    assert_int_equal(iothub_get_state(m.fixture.client), IOTHUB_CONNECTED);
    assert_string_equal(m.fixture.hub.client_id, "edge1/m1");
    check_password(&m);
    assert_string_equal(iothub_edge_token(m.edge), m.fixture.hub.password);
    end_module(&m);
}

static void a_new_token_is_signed_in_time_and_nothing_is_lost(void **state)
{
    (void)state;
    module_rig m;
    begin_module(&m);
    m.http.result = PLAT_WOULD_BLOCK;
    assert_int_equal(iothub_start(m.fixture.client), IOTHUB_OK);
    fixture_run(&m.fixture);
    sign(&m);
    fixture_sleep(&m.fixture, 100);
    const unsigned requests = m.http.starts;

    for (unsigned i = 0; i < 5; i++) {
        char before[1600];
        snprintf(before, sizeof before, "%s", m.fixture.hub.password);
        m.http.result = PLAT_WOULD_BLOCK;
        fixture_sleep(&m.fixture, 481000); /* 80 % of 600 s */
        assert_int_equal(m.http.starts, requests + i + 1);
        sign(&m);
        iothub_op op = fixture_send(&m.fixture, "x");
        fixture_sleep(&m.fixture, 1000);
        assert_int_equal(fixture_ended(&m.fixture, op, NULL), 1);
        assert_string_not_equal(m.fixture.hub.password, before);
        check_password(&m);
    }
    iothub_stats stats;
    iothub_get_stats(m.fixture.client, &stats);
    assert_int_equal(stats.losses, 0);
    end_module(&m);
}

static void a_failure_of_the_workload_api_is_logged_and_repeated(void **state)
{
    (void)state;
    static const struct {
        plat_result result;
        int status;
        const char *body, *text;
    } cases[] = {
        { PLAT_ERR_CONNECT, 200, "{}", "the fake fails" },
        { PLAT_OK, 500, "{}", "status 500" },
        { PLAT_OK, 200, "{}", "digest" },
        { PLAT_OK, 200, "{\"digest\":\"", "digest" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        module_rig m;
        begin_module(&m);
        const unsigned opened = m.http.starts;
        m.http.result = cases[i].result;
        m.http.status = cases[i].status;
        m.http.body = cases[i].body;
        assert_int_equal(iothub_start(m.fixture.client), IOTHUB_OK);
        fixture_sleep(&m.fixture, 500);
        assert_int_not_equal(iothub_get_state(m.fixture.client), IOTHUB_CONNECTED);
        assert_non_null(strstr(m.fixture.log, cases[i].text));

        m.http.result = PLAT_WOULD_BLOCK;
        fixture_sleep(&m.fixture, 5000);
        assert_true(m.http.starts > opened + 1);
        sign(&m);
        fixture_sleep(&m.fixture, 1000);
        assert_int_equal(iothub_get_state(m.fixture.client), IOTHUB_CONNECTED);
        end_module(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_says_who_the_module_is_and_the_workload_api_whom_to_trust),
        cmocka_unit_test(each_missing_variable_is_named),
        cmocka_unit_test(a_variable_that_is_not_valid_is_refused),
        cmocka_unit_test(without_a_gateway_the_module_connects_to_the_hub),
        cmocka_unit_test(the_variables_of_the_simulator_need_no_workload_api),
        cmocka_unit_test(a_workload_api_that_fails_is_reported),
        cmocka_unit_test(options_that_are_missing_are_named),
        cmocka_unit_test(the_client_logs_in_with_a_token_that_the_workload_api_has_signed),
        cmocka_unit_test(a_new_token_is_signed_in_time_and_nothing_is_lost),
        cmocka_unit_test(a_failure_of_the_workload_api_is_logged_and_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
