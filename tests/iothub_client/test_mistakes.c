#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"
#include "iothub/message.h"
#include "iothub/runner.h"
#include "iothub/sas.h"

/* Mistakes that newcomers make with arguments and sizes. None of them crashes the program, and
 * each error text names the remedy. */

/* --- no client ------------------------------------------------------------------- */

static const iothub_telemetry hello = { .body = "x", .body_len = 1 };
static const iothub_method_token token = { .call = 1 };

static iothub_result do_start(iothub_client *c)
{
    return iothub_start(c);
}

static iothub_result do_stop(iothub_client *c)
{
    return iothub_stop(c, 10);
}

static iothub_result do_reconnect(iothub_client *c)
{
    return iothub_reconnect_now(c);
}

static iothub_result do_set_token(iothub_client *c)
{
    return iothub_set_token(c, "SharedAccessSignature sr=a&sig=b&se=1");
}

static iothub_result do_process(iothub_client *c)
{
    return iothub_process(c);
}

static iothub_result do_wait(iothub_client *c)
{
    return iothub_wait(c, 1);
}

static iothub_result do_send(iothub_client *c)
{
    iothub_op op;
    return iothub_send_telemetry(c, &hello, &op);
}

static iothub_result do_purge(iothub_client *c)
{
    uint64_t count;
    return iothub_purge(c, &count);
}

static iothub_result do_accept(iothub_client *c)
{
    return iothub_message_accept(c, 7);
}

static iothub_result do_twin_get(iothub_client *c)
{
    return iothub_twin_get(c, NULL, NULL);
}

static iothub_result do_report(iothub_client *c)
{
    return iothub_twin_report(c, "{}", 2, NULL, NULL);
}

static iothub_result do_respond(iothub_client *c)
{
    return iothub_method_respond(c, &token, 200, "{}", 2, NULL, NULL);
}

static iothub_result do_runner_start(iothub_client *c)
{
    iothub_error error = { IOTHUB_OK, "" };
    iothub_result r = iothub_runner_start(c, &error);

    assert_int_equal(error.code, r);
    return r;
}

static iothub_result do_runner_stop(iothub_client *c)
{
    return iothub_runner_stop(c);
}

static iothub_result (*const calls[])(iothub_client *c) = {
    do_start, do_stop,   do_reconnect, do_set_token, do_process, do_wait,         do_send,
    do_purge, do_accept, do_twin_get,  do_report,    do_respond, do_runner_start, do_runner_stop,
};

/* Calls the functions that return no result. */
static void look_into(iothub_client *c)
{
    iothub_poll p = { .timeout_ms = 5 };
    iothub_stats s;

    memset(&s, 0xEE, sizeof s);
    iothub_poll_info(c, &p);
    iothub_get_stats(c, &s);
    assert_int_equal(iothub_get_state(c), IOTHUB_STOPPED);
    assert_int_equal(p.timeout_ms, -1);
    assert_int_equal(p.fds[0].fd, -1);
    assert_int_equal(p.fds[1].fd, -1);
    assert_int_equal(s.queued, 0);
    assert_int_equal(s.telemetry_accepted, 0);
    iothub_poll_info(c, NULL);
    iothub_get_stats(c, NULL);
}

static void refuse_all(iothub_client *c, iothub_result expected, const char *text)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        assert_int_equal(calls[i](c), expected);
        assert_int_equal(iothub_last_error(c)->code, expected);
        assert_non_null(strstr(iothub_last_error(c)->text, text));
    }
    look_into(c);
    iothub_deinit(c);
}

static void a_client_that_is_null_is_an_argument_at_fault(void **state)
{
    (void)state;
    refuse_all(NULL, IOTHUB_ERR_ARG, "iothub_new failed");
    iothub_free(NULL);
}

static void what_is_no_client_or_none_any_more_is_refused(void **state)
{
    (void)state;
    client_fixture f;
    enum { SIZE = IOTHUB_CLIENT_SIZE + 16 };
    iothub_client *c = fixture_memory(SIZE);
    fixture_init(&f, NULL);

    memset(c, 0, sizeof *c); /* static memory */
    refuse_all(c, IOTHUB_ERR_STATE, "iothub_init failed or was not called");
    memset(c, 0xEE, sizeof *c); /* a stack */
    refuse_all(c, IOTHUB_ERR_STATE, "iothub_init failed or was not called");
    assert_null(iothub_init(c, SIZE, FIXTURE_CONNECTION_STRING, &f.options, NULL));
    refuse_all(c, IOTHUB_ERR_STATE, "iothub_init failed or was not called");
    iothub_deinit(f.client);
    refuse_all(f.client, IOTHUB_ERR_STATE, "iothub_deinit has ended it");
    free(c);
    fixture_free(&f); /* iothub_free after iothub_deinit frees the memory */
}

static void iothub_free_of_a_client_of_iothub_init_ends_it_and_frees_nothing(void **state)
{
    (void)state;
    enum { SIZE = IOTHUB_MEMORY_SIZE(1024, 1024, 256) };
    static unsigned char memory[SIZE];
    client_fixture f;
    fixture_init(&f, NULL);
    f.options.rx_size = f.options.tx_size = 1024;
    f.options.request_size = 256;
    iothub_client *c = iothub_init(memory, SIZE, FIXTURE_CONNECTION_STRING, &f.options, NULL);
    assert_non_null(c);

    iothub_free(c);

    assert_int_equal(iothub_start(c), IOTHUB_ERR_STATE);
    fixture_free(&f);
}

/* --- arguments ------------------------------------------------------------------- */

static void check_refused(client_fixture *f, iothub_result r, const char *text)
{
    assert_int_equal(r, IOTHUB_ERR_ARG);
    assert_int_equal(iothub_last_error(f->client)->code, IOTHUB_ERR_ARG);
    assert_non_null(strstr(iothub_last_error(f->client)->text, text));
}

static void null_in_an_argument_is_refused_or_means_not_wanted(void **state)
{
    (void)state;
    const iothub_property no_name = { NULL, "v" };
    const iothub_property no_value = { "n", NULL };
    client_fixture f;
    iothub_client *c;
    fixture_init(&f, NULL);
    c = f.client;

    check_refused(&f, iothub_send_telemetry(c, NULL, NULL), "NULL");
    check_refused(&f, iothub_send_telemetry(c, &(iothub_telemetry){ .body_len = 3 }, NULL), "NULL");
    check_refused(&f, iothub_send_telemetry(c, &(iothub_telemetry){ .property_count = 1 }, NULL),
                  "NULL");
    check_refused(&f,
                  iothub_send_telemetry(
                      c, &(iothub_telemetry){ .properties = &no_name, .property_count = 1 }, NULL),
                  "without a name");
    check_refused(&f,
                  iothub_send_telemetry(
                      c, &(iothub_telemetry){ .properties = &no_value, .property_count = 1 }, NULL),
                  "has no value");
    check_refused(&f, iothub_twin_report(c, NULL, 5, NULL, NULL), "NULL");
    check_refused(&f, iothub_method_respond(c, NULL, 200, "{}", 2, NULL, NULL), "NULL");
    check_refused(&f, iothub_method_respond(c, &token, 200, NULL, 2, NULL, NULL), "NULL");
    assert_int_equal(iothub_send_telemetry(c, &(iothub_telemetry){ 0 }, NULL), IOTHUB_OK);
    assert_int_equal(iothub_twin_get(c, NULL, NULL), IOTHUB_OK);
    assert_int_equal(iothub_purge(c, NULL), IOTHUB_OK);
    fixture_free(&f);
}

static void null_for_tokens_and_connection_strings_is_refused(void **state)
{
    (void)state;
    const plat_crypto *crypto = plat_posix()->crypto;
    const iothub_sas_grant grant = { .resource = MQC_SPAN_LIT("r"), .key = MQC_SPAN_LIT("AAAA") };
    const mqc_span nothing = { NULL, 3 };
    iothub_connection_string cs = { .key = MQC_SPAN_LIT("AAAA") };
    iothub_sas_token parsed = { 0 };
    iothub_error error;
    char out[64];

    assert_int_equal(iothub_sas_build(NULL, &grant, out, 64, NULL, &error), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_build(crypto, NULL, out, 64, NULL, &error), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_build(crypto, &grant, NULL, 64, NULL, &error), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_build_for(NULL, &cs, 1, out, 64, NULL, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_build_for(crypto, NULL, 1, out, 64, NULL, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_build_for(crypto, &cs, 1, NULL, 64, NULL, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_resource(NULL, out, 64), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_resource(&cs, NULL, 64), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_parse(NULL, mqc_span_str("x"), NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_parse(&parsed, nothing, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_decode(mqc_span_str("x"), NULL, 5), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_decode(nothing, out, 5), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_verify(NULL, &parsed, grant.key, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_sas_verify(crypto, NULL, grant.key, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_connection_string_parse(NULL, "x", NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_connection_string_parse(&cs, NULL, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_connection_string_check_mqtt(NULL, &error), IOTHUB_ERR_ARG);
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
}

static void a_body_without_its_length_shows_once_in_the_log(void **state)
{
    (void)state;
    const iothub_telemetry t = { .body = "hello" };
    client_fixture f;
    fixture_init(&f, NULL);
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    assert_string_equal(f.log, "2 telemetry body is set and body_len is 0: an empty message is "
                               "sent\n");
    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_OK);
    assert_int_equal(strlen(f.log), 68);
    fixture_free(&f);
}

static void a_message_that_is_null_is_empty(void **state)
{
    (void)state;
    iothub_property_cursor cursor = { 0 };
    char value[8];

    assert_int_equal(iothub_message_body(NULL).len, 0);
    assert_int_equal(iothub_message_input(NULL).len, 0);
    assert_false(iothub_message_is_repeat(NULL));
    assert_int_equal(iothub_message_delivery(NULL), 0);
    assert_int_equal(iothub_message_property(NULL, "a", value, sizeof value, NULL), IOTHUB_ERR_ARG);
    assert_false(iothub_message_next_property(NULL, &cursor));
    assert_false(iothub_message_next_property(NULL, NULL));
}

static void options_without_iothub_options_init_are_refused_by_name(void **state)
{
    (void)state;
    static const int garbage[] = { 0x00, 0xAA, 0xEE, 0xFF, 0x01 };
    client_fixture f;
    unsigned char memory[64];
    fixture_init(&f, NULL);

    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        iothub_error error = { IOTHUB_OK, "" };
        iothub_options o;
        memset(&o, garbage[i], sizeof o);
        o.platform = &f.platform.platform;
        assert_null(iothub_new(FIXTURE_CONNECTION_STRING, &o, &error));
        assert_int_equal(error.code, IOTHUB_ERR_ARG);
        assert_non_null(strstr(error.text, "iothub_options_init was not called"));
        assert_null(iothub_init(memory, 64, FIXTURE_CONNECTION_STRING, &o, &error));
        assert_int_equal(error.code, IOTHUB_ERR_ARG);
        assert_non_null(strstr(error.text, "iothub_options_init was not called"));
    }
    iothub_options_init_sized(NULL, sizeof(iothub_options));
    fixture_free(&f);
}

static void sizes_below_their_minimum_are_refused_with_it(void **state)
{
    (void)state;
    static const struct {
        size_t rx, tx, request;
        const char *text; /* NULL: accepted */
    } cases[] = {
        { 10, 1024, 256, "options: rx_size is 10; it must be at least 256" },
        { 1024, 10, 256, "options: tx_size is 10; it must be at least 256" },
        { 1024, 1024, 10, "options: request_size is 10; it must be at least 128" },
        { IOTHUB_RX_MIN - 1, 1024, 256, "options: rx_size is 255; it must be at least 256" },
        { 1024, IOTHUB_TX_MIN - 1, 256, "options: tx_size is 255; it must be at least 256" },
        { 1024, 1024, IOTHUB_REQUEST_MIN - 1,
          "options: request_size is 127; it must be at least 128" },
        { IOTHUB_RX_MIN, IOTHUB_TX_MIN, IOTHUB_REQUEST_MIN, NULL },
    };
    client_fixture f;
    fixture_init(&f, fixture_quiet);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_error error = { IOTHUB_OK, "" };
        f.options.rx_size = cases[i].rx;
        f.options.tx_size = cases[i].tx;
        f.options.request_size = cases[i].request;
        iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &f.options, &error);
        assert_int_equal(c == NULL, cases[i].text != NULL);
        assert_string_equal(error.text, cases[i].text != NULL ? cases[i].text : "");
        iothub_free(c);
    }
    fixture_free(&f);
}

static void the_least(iothub_options *o)
{
    o->rx_size = IOTHUB_RX_MIN;
    o->tx_size = IOTHUB_TX_MIN;
    o->request_size = IOTHUB_REQUEST_MIN;
}

static void the_smallest_client_connects_and_sends(void **state)
{
    (void)state;
    iothub_result how;
    client_fixture f;
    fixture_init(&f, the_least);
    fixture_connect(&f);

    iothub_op op = fixture_send(&f, "{\"temperature\":21.5}");
    assert_int_equal(iothub_twin_report(f.client, "{\"a\":1}", 7, NULL, NULL), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(fixture_ended(&f, op, &how), 1);
    assert_int_equal(how, IOTHUB_OK);
    assert_int_equal(f.desired_count, 1);
    fixture_free(&f);
}

static void a_ring_too_small_for_the_topic_of_a_long_name_is_refused(void **state)
{
    (void)state;
    char names[400];
    iothub_error error;
    client_fixture f;
    fixture_init(&f, NULL);
    snprintf(names, sizeof names,
             "HostName=a.b;DeviceId=%0128d;ModuleId=%0128d;SharedAccessKey=AAAA", 1, 1);
    f.options.tx_size = IOTHUB_TX_MIN;

    assert_null(iothub_new(names, &f.options, &error));

    assert_non_null(strstr(error.text, "options: tx_size is 256; it must be at least 3"));
    fixture_free(&f);
}

static void what_does_not_fit_names_the_size_and_the_option(void **state)
{
    (void)state;
    char large[600];
    client_fixture f;
    fixture_init(&f, the_least);
    memset(large, ' ', sizeof large);
    large[0] = '{';
    large[sizeof large - 1] = '}';
    const iothub_telemetry t = { .body = large, .body_len = sizeof large };

    assert_int_equal(iothub_send_telemetry(f.client, &t, NULL), IOTHUB_ERR_TOO_BIG);
    assert_string_equal(iothub_last_error(f.client)->text,
                        "telemetry: too big: 600 bytes and the topic do not fit tx_size (256)");
    assert_int_equal(iothub_twin_report(f.client, large, sizeof large, NULL, NULL),
                     IOTHUB_ERR_TOO_BIG);
    assert_string_equal(
        iothub_last_error(f.client)->text,
        "twin report: too big: 600 bytes and the topic do not fit request_size (128)");
    fixture_free(&f);
}

static void what_is_no_json_object_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t len; /* 0: all */
        const char *text;
    } cases[] = {
        { "", 0, "not a JSON object: it is empty" },
        { "[1]", 0, "not a JSON object: an array begins at byte 0, where {...} is expected" },
        { "\"{}\"", 0, "not a JSON object: a string begins at byte 0, where {...} is expected" },
        { "{\"a\":1,}", 0, "not a JSON object: at byte 7 of 8 there is '}'" },
        { "{\"a\":", 0, "not a JSON object: at byte 5 of 5 the text ends" },
        { "{'a':1}", 0, "not a JSON object: at byte 1 of 7 there is '\''" },
        { "{a:1}", 0, "not a JSON object: at byte 1 of 5 there is 'a'" },
        { "hello", 0, "not a JSON object: at byte 0 of 5 there is 'h'" },
        { "{\"\x80\":1}", 0, "not a JSON object: at byte 2 of 7 there is the byte 0x80" },
        { "{\"a\":1}", 8,
          "not a JSON object: at byte 7 of 8 there is a NUL: len must not count the NUL at the "
          "end" },
        { "{} x", 0, "not a JSON object: at byte 3 of 4 there is 'x'" },
        { "{\"a\":\"\\u12g4\"}", 0, "not a JSON object: at byte 10 of 14 there is 'g'" },
    };
    client_fixture f;
    fixture_init(&f, NULL);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char wanted[200];
        size_t len = cases[i].len != 0 ? cases[i].len : strlen(cases[i].json);
        snprintf(wanted, sizeof wanted, "twin report: %s", cases[i].text);
        assert_int_equal(iothub_twin_report(f.client, cases[i].json, len, NULL, NULL),
                         IOTHUB_ERR_JSON);
        assert_string_equal(iothub_last_error(f.client)->text, wanted);
    }
    fixture_free(&f);
}

static bool logged(const client_fixture *f, const char *text)
{
    return strstr(f->log, text) != NULL;
}

static void no_store(iothub_options *o)
{
    static plat_store empty;
    o->store = &empty;
}

static void a_store_and_a_platform_without_functions_are_refused(void **state)
{
    (void)state;
    const plat_net no_net = { NULL, NULL };
    iothub_error error;
    client_fixture f;
    fixture_init(&f, NULL);
    iothub_options o = f.options;
    no_store(&o);
    assert_null(iothub_new(FIXTURE_CONNECTION_STRING, &o, &error));
    assert_non_null(strstr(error.text, "store has no functions"));

    plat_platform p = f.platform.platform;
    p.net = &no_net;
    f.options.platform = &p;
    assert_null(iothub_new(FIXTURE_CONNECTION_STRING, &f.options, &error));
    assert_non_null(strstr(error.text, "platform has a function that is NULL"));
    fixture_free(&f);
}

static void what_is_larger_than_rx_size_is_logged_counted_and_answered(void **state)
{
    (void)state;
    char large[600];
    iothub_stats s;
    client_fixture f;
    fixture_init(&f, the_least);
    fixture_connect(&f);
    memset(large, 'x', sizeof large);

    fake_hub_send(fixture_stream(&f), "devices/device1/messages/devicebound/", large, sizeof large,
                  9);
    fake_hub_send(fixture_stream(&f), "$iothub/methods/POST/go/?$rid=a7", large, sizeof large, 0);
    fixture_run(&f);

    iothub_get_stats(f.client, &s);
    assert_int_equal(s.c2d_oversize, 1);
    /* Acknowledged, since the hub would otherwise send it again forever. */
    assert_int_equal(f.hub.acks, 1);
    assert_int_equal(f.c2d_count, 0);
    assert_int_equal(f.method_count, 0);
    assert_int_equal(s.methods_received, 1);
    assert_non_null(fake_hub_last(&f.hub, "$iothub/methods/res/413/?$rid=a7"));
    assert_true(logged(&f, "1 loop skipped a cloud-to-device message of 600 bytes: larger than "
                           "rx_size (256)"));
    assert_true(logged(&f, "1 loop a method call of 600 bytes: larger than rx_size (256)"));
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_is_null_is_an_argument_at_fault),
        cmocka_unit_test(what_is_no_client_or_none_any_more_is_refused),
        cmocka_unit_test(iothub_free_of_a_client_of_iothub_init_ends_it_and_frees_nothing),
        cmocka_unit_test(null_in_an_argument_is_refused_or_means_not_wanted),
        cmocka_unit_test(null_for_tokens_and_connection_strings_is_refused),
        cmocka_unit_test(a_body_without_its_length_shows_once_in_the_log),
        cmocka_unit_test(a_message_that_is_null_is_empty),
        cmocka_unit_test(options_without_iothub_options_init_are_refused_by_name),
        cmocka_unit_test(sizes_below_their_minimum_are_refused_with_it),
        cmocka_unit_test(the_smallest_client_connects_and_sends),
        cmocka_unit_test(a_ring_too_small_for_the_topic_of_a_long_name_is_refused),
        cmocka_unit_test(what_does_not_fit_names_the_size_and_the_option),
        cmocka_unit_test(what_is_no_json_object_is_refused_with_its_place),
        cmocka_unit_test(what_is_larger_than_rx_size_is_logged_counted_and_answered),
        cmocka_unit_test(a_store_and_a_platform_without_functions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
