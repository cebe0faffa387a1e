#include <stdlib.h>

#include "client_fixture.h"

/* Tests the options: their defaults, and which values are refused. */

enum { RX = 1024, TX = 1024, REQUEST = 256, SIZE = IOTHUB_MEMORY_SIZE(RX, TX, REQUEST) };

static void small(iothub_options *o)
{
    o->rx_size = RX;
    o->tx_size = TX;
    o->request_size = REQUEST;
}

#define SET(name, field, value)         \
    static void name(iothub_options *o) \
    {                                   \
        o->field = (value);             \
    }

SET(no_platform, platform, NULL)
SET(websocket, transport, IOTHUB_MQTT_WS)
SET(proxy, proxy, "http://user:hush@proxy:1")
SET(no_transport, transport, (iothub_transport)77)
SET(empty_ca_file, ca_file, "")
SET(empty_bind, bind, "")
SET(no_keep_alive, keep_alive_s, 0)
SET(long_keep_alive, keep_alive_s, 1178)
SET(no_window, window, 0)
SET(short_life, sas_lifetime_s, 1)
SET(no_retry, retry_min_ms, 0)
SET(low_retry_max, retry_max_ms, 999)
SET(no_auth_retry, auth_retry_min_ms, 0)
SET(low_auth_retry_max, auth_retry_max_ms, 299999)
SET(no_resolve_timeout, resolve_timeout_ms, 0)
SET(no_connect_timeout, connect_timeout_ms, 0)
SET(no_tls_timeout, tls_timeout_ms, 0)
SET(no_login_timeout, login_timeout_ms, 0)
SET(no_subscribe_timeout, subscribe_timeout_ms, 0)
SET(no_request_timeout, request_timeout_ms, 0)
SET(no_stall_timeout, stall_timeout_ms, 0)
SET(no_ack_timeout, ack_timeout_ms, 0)
SET(longest_keep_alive, keep_alive_s, 1177)
SET(shortest_keep_alive, keep_alive_s, 1)
SET(shortest_life, sas_lifetime_s, 2)
SET(endless_life, sas_lifetime_s, UINT32_MAX)
SET(even_retry, retry_max_ms, 1000)
SET(shortest_retry, retry_min_ms, 1)
SET(even_auth_retry, auth_retry_max_ms, 300000)
SET(shortest_auth_retry, auth_retry_min_ms, 1)
SET(oldest_age, queue_max_age_s, 4294967)
SET(too_old_age, queue_max_age_s, 4294968)
SET(window_of_one, window, 1)
SET(largest_window, window, UINT16_MAX)
SET(port_of_one, port, 1)

static char endless[4098];

static const char *name_of(size_t len)
{
    memset(endless, 'm', sizeof endless);
    endless[len] = '\0';
    return endless;
}

SET(endless_model, model_id, name_of(4097))
SET(endless_agent, user_agent, name_of(4097))

static const iothub_credential no_credential;

static void count_without_credentials(iothub_options *o)
{
    o->credential_count = 1;
}

static void credentials_without_count(iothub_options *o)
{
    o->credentials = &no_credential;
}

static void too_many_credentials(iothub_options *o)
{
    o->credentials = &no_credential;
    o->credential_count = IOTHUB_CREDENTIALS_MAX + 1;
}

static const iothub_tls tls_len_only = { .ca_len = 5 };
static const iothub_tls tls_unknown_roots = { .roots = 4 };
static const iothub_tls tls_unknown_version = { .max_version = (plat_tls_version)1 };
static const iothub_tls tls_no_version = { .min_version = PLAT_TLS_1_3,
                                           .max_version = PLAT_TLS_1_2 };
static const iothub_tls tls_from_1_3 = { .min_version = PLAT_TLS_1_3 };
static const iothub_tls tls_all = { .ca_data = "pem",
                                    .roots = PLAT_ROOTS_SYSTEM | PLAT_ROOTS_COMPILED_IN,
                                    .min_version = PLAT_TLS_1_2,
                                    .max_version = PLAT_TLS_1_2 };

SET(len_only, tls, &tls_len_only)
SET(unknown_roots, tls, &tls_unknown_roots)
SET(unknown_version, tls, &tls_unknown_version)
SET(no_version, tls, &tls_no_version)
SET(from_1_3, tls, &tls_from_1_3)
SET(all_of_tls, tls, &tls_all)

static const struct {
    void (*set)(iothub_options *o);
    const char *named; /* NULL: accepted */
} option_cases[] = {
    { no_platform, "platform" },
    { websocket, "transport needs platform->websockets; copy *plat_posix() and set websockets "
                 "to plat_wslay()" },
    { proxy, "proxy needs platform->tunnels; copy *plat_posix() and set tunnels to "
             "plat_curl_tunnels()" },
    { no_transport, "transport" },
    { empty_ca_file, "ca_file" },
    { empty_bind, "bind is empty" },
    { endless_model, "model_id" },
    { endless_agent, "user_agent" },
    { no_keep_alive, "keep_alive_s" },
    { long_keep_alive, "keep_alive_s is 1178; it must be at most 1177" },
    { no_window, "window" },
    { short_life, "sas_lifetime_s" },
    { no_retry, "retry_min_ms" },
    { low_retry_max, "retry_max_ms is 999; it must be at least 1000" },
    { no_auth_retry, "auth_retry_min_ms" },
    { low_auth_retry_max, "auth_retry_max_ms is 299999; it must be at least 300000" },
    { no_resolve_timeout, "resolve_timeout_ms is 0; it must be at least 1" },
    { no_connect_timeout, "connect_timeout_ms is 0; it must be at least 1" },
    { no_tls_timeout, "tls_timeout_ms is 0; it must be at least 1" },
    { no_login_timeout, "login_timeout_ms is 0; it must be at least 1" },
    { no_subscribe_timeout, "subscribe_timeout_ms is 0; it must be at least 1" },
    { no_request_timeout, "request_timeout_ms is 0; it must be at least 1" },
    { no_stall_timeout, "stall_timeout_ms is 0; it must be at least 1" },
    { count_without_credentials, "credential_count" },
    { credentials_without_count, "credential_count" },
    { too_many_credentials, "IOTHUB_CREDENTIALS_MAX" },
    { len_only, "ca_len" },
    { unknown_roots, "roots" },
    { unknown_version, "min_version" },
    { no_version, "min_version is above max_version" },
    { from_1_3, NULL },
    { all_of_tls, NULL },
    { no_ack_timeout, NULL },
    { longest_keep_alive, NULL },
    { shortest_keep_alive, NULL },
    { shortest_life, NULL },
    { endless_life, NULL },
    { even_retry, NULL },
    { shortest_retry, NULL },
    { even_auth_retry, NULL },
    { shortest_auth_retry, NULL },
    { oldest_age, NULL },
    { too_old_age, "queue_max_age_s" },
    { window_of_one, NULL },
    { largest_window, NULL },
    { port_of_one, NULL },
};

static void each_option_is_checked_and_named(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, small);

    for (size_t i = 0; i < sizeof option_cases / sizeof option_cases[0]; i++) {
        iothub_options o = f.options;
        iothub_error error = { IOTHUB_OK, "" };
        option_cases[i].set(&o);
        iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &o, &error);
        assert_int_equal(c == NULL, option_cases[i].named != NULL);
        assert_int_equal(error.code, option_cases[i].named != NULL ? IOTHUB_ERR_ARG : IOTHUB_OK);
        assert_true(option_cases[i].named == NULL ||
                    strstr(error.text, option_cases[i].named) != NULL);
        iothub_free(c);
    }
    fixture_free(&f);
}

static const char *find_colon(const plat_tunnels *self, const char *proxy)
{
    (void)self;
    return strchr(proxy, ':') == NULL ? "proxy: the fault" : NULL;
}

static void the_two_ports_of_auto_differ(void **state)
{
    (void)state;
    static const plat_websockets websockets;
    client_fixture f;
    fixture_init(&f, small);
    static const struct {
        uint16_t port, websocket_port;
        bool good;
    } cases[] = {
        { 0, 0, true },    { 442, 443, true }, { 443, 443, false },
        { 443, 0, false }, { 0, 8883, false }, { 443, 8883, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_platform platform = f.platform.platform;
        iothub_options o = f.options;
        iothub_error error = { IOTHUB_OK, "" };
        platform.websockets = &websockets;
        o.platform = &platform;
        o.transport = IOTHUB_AUTO;
        o.port = cases[i].port;
        o.websocket_port = cases[i].websocket_port;
        iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &o, &error);
        assert_int_equal(c != NULL, cases[i].good);
        assert_int_equal(strstr(error.text, "websocket_port") == NULL, cases[i].good);
        iothub_free(c);
    }
    fixture_free(&f);
}

static void the_platform_judges_the_proxy(void **state)
{
    (void)state;
    static const plat_tunnels tunnels = { .fault = find_colon };
    client_fixture f;
    fixture_init(&f, small);
    for (int good = 0; good <= 1; good++) {
        plat_platform platform = f.platform.platform;
        iothub_options o = f.options;
        iothub_error error = { IOTHUB_OK, "" };
        platform.tunnels = &tunnels;
        o.platform = &platform;
        o.proxy = good ? "http://proxy" : "proxy";
        iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &o, &error);
        assert_int_equal(c != NULL, good);
        assert_string_equal(error.text, good ? "" : "options: proxy: the fault");
        iothub_free(c);
    }
    fixture_free(&f);
}

static void each_part_of_the_platform_is_needed(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, small);
    for (int part = 0; part < 3; part++) {
        plat_platform lacking = f.platform.platform;
        iothub_options o = f.options;
        iothub_error error;
        lacking.clock = part == 0 ? NULL : lacking.clock;
        lacking.crypto = part == 1 ? NULL : lacking.crypto;
        lacking.net = part == 2 ? NULL : lacking.net;
        o.platform = &lacking;
        assert_null(iothub_new(FIXTURE_CONNECTION_STRING, &o, &error));
        assert_int_equal(error.code, IOTHUB_ERR_ARG);
        assert_non_null(strstr(error.text, "platform"));
    }
    fixture_free(&f);
}

/* The defaults must be those that options.h documents. */
static void the_defaults_are_those_that_are_written(void **state)
{
    (void)state;
    iothub_options o;
    memset(&o, 0xEE, sizeof o);
    iothub_options_init(&o);

    assert_int_equal(o.struct_size, sizeof o);
    assert_int_equal(o.port, 0);
    assert_int_equal(o.transport, IOTHUB_MQTT);
    assert_null(o.proxy);
    assert_int_equal(o.keep_alive_s, 240);
    assert_int_equal(o.window, 16);
    assert_int_equal(o.sas_lifetime_s, 3600);
    assert_true(o.overlap);
    assert_false(o.clean_session);
    assert_int_equal(o.resolve_timeout_ms, 15000);
    assert_int_equal(o.connect_timeout_ms, 15000);
    assert_int_equal(o.tls_timeout_ms, 15000);
    assert_int_equal(o.login_timeout_ms, 30000);
    assert_int_equal(o.subscribe_timeout_ms, 30000);
    assert_int_equal(o.request_timeout_ms, 60000);
    assert_int_equal(o.ack_timeout_ms, 120000);
    assert_int_equal(o.stall_timeout_ms, 120000);
    assert_int_equal(o.retry_min_ms, 1000);
    assert_int_equal(o.retry_max_ms, 60000);
    assert_int_equal(o.auth_retry_min_ms, 300000);
    assert_int_equal(o.auth_retry_max_ms, 3600000);
    assert_int_equal(o.log_level, IOTHUB_LOG_INFO);
    assert_null(o.store);
    assert_null(o.tls);
    assert_null(o.platform);
    assert_int_equal(o.rx_size + o.tx_size + o.request_size, 0);
    assert_int_equal(o.queue_max_count + o.queue_max_bytes + o.queue_max_age_s, 0);
    assert_int_equal(o.when_full, IOTHUB_REFUSE_NEW);
}

static char name[4099];

static void model_id(iothub_options *o)
{
    o->model_id = name;
}

static void user_agent(iothub_options *o)
{
    o->user_agent = name;
}

static void names_have_up_to_4096_characters(void **state)
{
    (void)state;
    static void (*const changes[])(iothub_options * o) = { model_id, user_agent };
    client_fixture f;
    fixture_init(&f, NULL);

    for (size_t i = 0; i < 2; i++) {
        for (size_t len = 4095; len <= 4098; len++) {
            iothub_options o = f.options;
            iothub_error error;
            memset(name, 'n', len);
            name[len] = '\0';
            changes[i](&o);
            iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &o, &error);
            assert_int_equal(c != NULL, len <= 4096);
            if (c == NULL) {
                assert_int_equal(error.code, IOTHUB_ERR_ARG);
                assert_non_null(strstr(error.text, "4096 characters"));
            }
            iothub_free(c);
        }
    }
    fixture_free(&f);
}

/* This is the case of a newer application with an older library. */
static void what_a_newer_longer_options_struct_has_more_is_zero(void **state)
{
    (void)state;
    struct {
        iothub_options known;
        uint8_t more[64];
    } o;
    static const uint8_t zeros[sizeof o.more];
    memset(&o, 0xEE, sizeof o);

    iothub_options_init_sized(&o.known, sizeof o);

    assert_int_equal(o.known.struct_size, sizeof o);
    assert_int_equal(o.known.keep_alive_s, 240);
    assert_memory_equal(o.more, zeros, sizeof zeros);
}

static void an_older_shorter_options_struct_gets_defaults_for_the_rest(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, small);
    const size_t size = offsetof(iothub_options, log_level);
    iothub_options o;
    memset(&o, 0xEE, sizeof o);
    iothub_options_init_sized(&o, size);
    assert_int_equal(o.struct_size, size);
    assert_int_equal(o.keep_alive_s, 240);
    /* Not written, because this member is newer than the application. */
    assert_int_equal(o.log_level, 0xEEEEEEEE);
    o.platform = &f.platform.platform;
    o.keep_alive_s = 60;
    small(&o);
    /* An exact allocation, so that the sanitizer detects a read past the end. */
    void *old = malloc(size);
    memcpy(old, &o, size);

    iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, old, NULL);

    assert_non_null(c);
    assert_int_equal(c->context.options.struct_size, sizeof c->context.options);
    assert_int_equal(c->context.options.keep_alive_s, 60);
    assert_int_equal(c->context.options.log_level, IOTHUB_LOG_INFO);
    assert_null(c->context.options.callbacks.done);
    assert_null(c->context.options.user);
    iothub_free(c);

    static unsigned char memory[SIZE];
    c = iothub_init(memory, sizeof memory, FIXTURE_CONNECTION_STRING, old, NULL);
    assert_non_null(c);
    assert_int_equal(c->context.options.struct_size, sizeof c->context.options);
    iothub_deinit(c);
    free(old);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_is_checked_and_named),
        cmocka_unit_test(the_platform_judges_the_proxy),
        cmocka_unit_test(the_two_ports_of_auto_differ),
        cmocka_unit_test(each_part_of_the_platform_is_needed),
        cmocka_unit_test(the_defaults_are_those_that_are_written),
        cmocka_unit_test(names_have_up_to_4096_characters),
        cmocka_unit_test(what_a_newer_longer_options_struct_has_more_is_zero),
        cmocka_unit_test(an_older_shorter_options_struct_gets_defaults_for_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
