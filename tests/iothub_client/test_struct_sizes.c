#include <stdlib.h>

#include "client_fixture.h"
#include "iothub/sas.h"

/* Tests programs that were compiled with shorter (older) or longer (newer) structs than the
 * library. An older struct lacks the last members; it is allocated on the heap with its exact
 * size, so that the sanitizer detects accesses past its end. */

enum { MORE = 16 }; /* bytes that only a newer program knows */

/* Declares a struct of a newer program. */
#define NEWER(type)                               \
    union {                                       \
        type known;                               \
        unsigned char bytes[sizeof(type) + MORE]; \
    }

/* The compiler must not know the size, since it would warn about the missing members. */
static void *memory_of(size_t size)
{
    volatile size_t hidden = size;
    return malloc(hidden);
}

static void *shortened(const void *whole, size_t size)
{
    void *copy = memory_of(size);
    assert_non_null(copy);
    memcpy(copy, whole, size);
    return copy;
}

static void statistics_fill_an_older_struct_and_no_more(void **state)
{
    (void)state;
    const size_t old = offsetof(iothub_stats, ignored);
    client_fixture f;
    iothub_stats now;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    iothub_stats *older = memory_of(old);
    assert_non_null(older);
    iothub_get_stats(f.client, &now);
    iothub_get_stats_sized(f.client, older, old);
    assert_memory_equal(older, &now, old);
    assert_true(older->connects == 1);
    iothub_get_stats_sized(NULL, older, old);
    assert_true(older->connects == 0);
    iothub_get_stats_sized(f.client, NULL, old);

    free(older);
    fixture_free(&f);
}

static void what_is_known_of_credentials_fills_an_older_struct_and_no_more(void **state)
{
    (void)state;
    const size_t old = offsetof(iothub_credentials_info, credentials);
    client_fixture f;
    fixture_init(&f, NULL);

    iothub_credentials_info *older = memory_of(old);
    assert_non_null(older);
    iothub_get_credentials_sized(f.client, older, old);
    assert_int_equal(older->kind, IOTHUB_CREDENTIAL_KEY);
    iothub_get_credentials_sized(NULL, older, old);
    assert_int_equal(older->kind, IOTHUB_CREDENTIAL_NONE);
    iothub_get_credentials_sized(f.client, NULL, old);

    free(older);
    fixture_free(&f);
}

static void statistics_of_a_newer_program_are_zero_where_nobody_counts(void **state)
{
    (void)state;
    NEWER(iothub_stats) newer;
    const unsigned char nothing[MORE] = { 0 };
    client_fixture f;
    iothub_stats now;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    memset(&newer, 0xEE, sizeof newer);

    iothub_get_stats(f.client, &now);
    iothub_get_stats_sized(f.client, &newer.known, sizeof newer);

    assert_memory_equal(&newer.known, &now, sizeof now);
    assert_memory_equal(newer.bytes + sizeof now, nothing, MORE);
    fixture_free(&f);
}

static void what_to_wait_for_fits_programs_of_every_version(void **state)
{
    (void)state;
    NEWER(iothub_poll) newer;
    const size_t old = offsetof(iothub_poll, timeout_ms);
    client_fixture f;
    iothub_poll now;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    memset(&newer, 0xEE, sizeof newer);

    iothub_poll *older = memory_of(old);
    assert_non_null(older);
    iothub_poll_info(f.client, &now);
    iothub_poll_info_sized(f.client, older, old);
    assert_int_equal(older->fds[0].fd, now.fds[0].fd);
    assert_int_equal(older->fds[0].generation, now.fds[0].generation);
    iothub_poll_info_sized(f.client, &newer.known, sizeof newer);
    assert_int_equal(newer.known.timeout_ms, now.timeout_ms);
    assert_int_equal(newer.bytes[sizeof now], 0);

    free(older);
    fixture_free(&f);
}

static const iothub_telemetry message = { .body = "hello", .body_len = 5, .message_id = "m1" };

static void telemetry_of_an_older_program_has_zero_for_what_it_lacks(void **state)
{
    (void)state;
    const size_t old = offsetof(iothub_telemetry, properties);
    client_fixture f;
    iothub_op op = 0;
    fixture_init(&f, NULL);

    iothub_telemetry *older = shortened(&message, old);
    assert_int_equal(iothub_send_telemetry_sized(f.client, older, old, &op), IOTHUB_OK);
    assert_int_not_equal(op, 0);
    assert_int_equal(iothub_send_telemetry_sized(f.client, NULL, old, NULL), IOTHUB_ERR_ARG);

    free(older);
    fixture_free(&f);
}

static void telemetry_of_a_newer_program_may_not_ask_for_what_nobody_knows(void **state)
{
    (void)state;
    NEWER(iothub_telemetry) newer;
    client_fixture f;
    fixture_init(&f, NULL);
    memset(&newer, 0, sizeof newer);
    newer.known = message;

    assert_int_equal(iothub_send_telemetry_sized(f.client, &newer.known, sizeof newer, NULL),
                     IOTHUB_OK);
    newer.bytes[sizeof newer - 1] = 1;
    assert_int_equal(iothub_send_telemetry_sized(f.client, &newer.known, sizeof newer, NULL),
                     IOTHUB_ERR_UNSUPPORTED);
    assert_string_equal(iothub_last_error(f.client)->text,
                        "telemetry: a field is set that this version of the SDK does not know");
    fixture_free(&f);
}

static void options_of_a_newer_program_may_not_ask_for_what_nobody_knows(void **state)
{
    (void)state;
    NEWER(iothub_options) newer;
    client_fixture f;
    iothub_error error;
    fixture_init(&f, NULL);

    iothub_options_init_sized(&newer.known, sizeof newer);
    newer.known.platform = f.options.platform;
    iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &newer.known, &error);
    assert_non_null(c);
    iothub_free(c);
    newer.bytes[sizeof newer - 1] = 1;
    assert_null(iothub_new(FIXTURE_CONNECTION_STRING, &newer.known, &error));
    assert_int_equal(error.code, IOTHUB_ERR_UNSUPPORTED);
    assert_string_equal(error.text,
                        "options: a field is set that this version of the SDK does not know");
    fixture_free(&f);
}

static void options_of_every_older_program_get_defaults_for_what_they_lack(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);

    for (size_t size = offsetof(iothub_options, log_level); size < sizeof(iothub_options);
         size += sizeof(void *)) {
        iothub_error error;
        iothub_options *older = memory_of(size);
        assert_non_null(older);
        iothub_options_init_sized(older, size);
        assert_int_equal(older->keep_alive_s, 240);
        assert_int_equal(older->stall_timeout_ms, 120000);
        older->platform = f.options.platform;
        iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, older, &error);
        assert_non_null(c);
        iothub_free(c);
        free(older);
    }
    fixture_free(&f);
}

static void a_connection_string_is_parsed_for_programs_of_every_version(void **state)
{
    (void)state;
    static const char text[] = "HostName=h.net;DeviceId=d;SharedAccessKey=AAAA";
    NEWER(iothub_connection_string) newer;
    const size_t old = offsetof(iothub_connection_string, signature);
    char resource[IOTHUB_SAS_RESOURCE_SIZE];
    memset(&newer, 0xEE, sizeof newer);

    iothub_connection_string *older = memory_of(old);
    assert_non_null(older);
    assert_int_equal(iothub_connection_string_parse_sized(older, text, old, NULL), IOTHUB_OK);
    assert_int_equal(older->key.len, 4);
    assert_int_equal(iothub_connection_string_check_mqtt_sized(older, old, NULL), IOTHUB_OK);
    assert_int_equal(iothub_sas_resource_sized(older, old, resource, sizeof resource), IOTHUB_OK);
    assert_string_equal(resource, "h.net/devices/d");
    assert_int_equal(iothub_connection_string_parse_sized(&newer.known, text, sizeof newer, NULL),
                     IOTHUB_OK);
    assert_int_equal(newer.bytes[sizeof newer - 1], 0);
    assert_int_equal(iothub_connection_string_check_mqtt_sized(&newer.known, sizeof newer, NULL),
                     IOTHUB_OK);

    free(older);
}

static void a_connection_string_with_an_unknown_field_is_refused(void **state)
{
    (void)state;
    NEWER(iothub_connection_string) newer;
    char out[IOTHUB_SAS_TOKEN_SIZE];
    client_fixture f;
    iothub_error error;
    fixture_init(&f, NULL);
    const plat_crypto *crypto = f.platform.platform.crypto;
    assert_int_equal(iothub_connection_string_parse_sized(&newer.known, FIXTURE_CONNECTION_STRING,
                                                          sizeof newer, NULL),
                     IOTHUB_OK);

    for (int set = 0; set <= 1; set++) {
        const iothub_result expected = set == 0 ? IOTHUB_OK : IOTHUB_ERR_UNSUPPORTED;
        newer.bytes[sizeof newer - 1] = (unsigned char)set;
        assert_int_equal(
            iothub_connection_string_check_mqtt_sized(&newer.known, sizeof newer, &error),
            expected);
        assert_int_equal(iothub_sas_resource_sized(&newer.known, sizeof newer, out, sizeof out),
                         expected);
        assert_int_equal(iothub_sas_build_for_sized(crypto, &newer.known, sizeof newer, 1, out,
                                                    sizeof out, NULL, &error),
                         expected);
    }
    assert_string_equal(
        error.text, "connection string: a field is set that this version of the SDK does not know");
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_fill_an_older_struct_and_no_more),
        cmocka_unit_test(what_is_known_of_credentials_fills_an_older_struct_and_no_more),
        cmocka_unit_test(statistics_of_a_newer_program_are_zero_where_nobody_counts),
        cmocka_unit_test(what_to_wait_for_fits_programs_of_every_version),
        cmocka_unit_test(telemetry_of_an_older_program_has_zero_for_what_it_lacks),
        cmocka_unit_test(telemetry_of_a_newer_program_may_not_ask_for_what_nobody_knows),
        cmocka_unit_test(options_of_a_newer_program_may_not_ask_for_what_nobody_knows),
        cmocka_unit_test(options_of_every_older_program_get_defaults_for_what_they_lack),
        cmocka_unit_test(a_connection_string_is_parsed_for_programs_of_every_version),
        cmocka_unit_test(a_connection_string_with_an_unknown_field_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
