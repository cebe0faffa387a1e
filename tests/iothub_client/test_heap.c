#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_fixture.h"

/* Counts the calls of malloc in the code under test, and makes one of them fail (the linker
 * wraps malloc). */
static unsigned mallocs;
static unsigned fail_at; /* number of the call that fails, from 1; 0: none */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    mallocs++;
    return mallocs == fail_at ? NULL : __real_malloc(size);
}

static void count_from_now(unsigned fails)
{
    mallocs = 0;
    fail_at = fails;
}

static char long_names[700];

static const char *with_long_names(void)
{
    char id[129];
    memset(id, '%', 128); /* '%' needs three bytes in the token */
    id[128] = '\0';
    snprintf(long_names, sizeof long_names,
             "HostName=myhub.azure-devices.net;DeviceId=%s;ModuleId=%s;SharedAccessKeyName=%s;"
             "SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
             id, id, id);
    return long_names;
}

static void a_client_is_one_block(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);

    count_from_now(0);
    iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &f.options, NULL);
    assert_non_null(c);
    assert_int_equal(mallocs, 1);
    iothub_free(c);
    fixture_free(&f);
}

static void names_that_need_more_get_a_block_that_fits(void **state)
{
    (void)state;
    client_fixture f;
    iothub_error error;
    fixture_init(&f, NULL);
    f.options.rx_size = f.options.tx_size = 1024;
    f.options.request_size = 256;

    count_from_now(0);
    iothub_client *c = iothub_new(with_long_names(), &f.options, &error);
    if (c == NULL) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(mallocs, 2);
    iothub_free(c);
    fixture_free(&f);
}

static void without_heap_there_is_no_client_and_nothing_is_lost(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.options.rx_size = f.options.tx_size = 1024;
    f.options.request_size = 256;

    for (unsigned fails = 1; fails <= 2; fails++) {
        iothub_error error = { .code = IOTHUB_OK };
        count_from_now(fails);
        assert_null(iothub_new(with_long_names(), &f.options, &error));
        assert_int_equal(error.code, IOTHUB_ERR_MEMORY);
        assert_string_equal(error.text, "no heap left for a client");
        count_from_now(fails);
        assert_null(iothub_new(with_long_names(), &f.options, NULL));
    }
    count_from_now(0);
    fixture_free(&f);
}

/* A client with default sizes has enough room for the largest message of a hub. */
static void sizes_that_are_not_set_are_large_enough(void **state)
{
    (void)state;
    static char body[255 * 1024];
    const iothub_telemetry t = { .body = body, .body_len = sizeof body };
    client_fixture f;
    iothub_error error;
    fixture_init(&f, NULL);
    f.options.rx_size = f.options.tx_size = f.options.request_size = 0;

    iothub_client *c = iothub_new(FIXTURE_CONNECTION_STRING, &f.options, &error);
    if (c == NULL) {
        fail_msg("%s", error.text);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(iothub_send_telemetry(c, &t, NULL), IOTHUB_OK);
    }
    iothub_free(c);
    fixture_free(&f);
}

static void sizes_that_no_memory_has_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const names[] = { "rx_size", "tx_size", "request_size" };
    const size_t most = SIZE_MAX / 16;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        client_fixture f;
        iothub_error error;
        fixture_init(&f, NULL);
        *(i == 0   ? &f.options.rx_size
          : i == 1 ? &f.options.tx_size
                   : &f.options.request_size) = most + 1;
        count_from_now(0);
        assert_null(iothub_new(FIXTURE_CONNECTION_STRING, &f.options, &error));
        assert_int_equal(error.code, IOTHUB_ERR_MEMORY);
        assert_non_null(strstr(error.text, names[i]));
        assert_int_equal(mallocs, 0);
        fixture_free(&f);
    }
}

static void what_is_missing_is_refused_by_name(void **state)
{
    (void)state;
    client_fixture f;
    iothub_error error;
    fixture_init(&f, NULL);

    assert_null(iothub_new(NULL, &f.options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_non_null(strstr(error.text, "connection string"));
    assert_null(iothub_new(FIXTURE_CONNECTION_STRING, NULL, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_non_null(strstr(error.text, "options"));
    assert_null(iothub_new(NULL, NULL, NULL));
    iothub_free(NULL);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_one_block),
        cmocka_unit_test(names_that_need_more_get_a_block_that_fits),
        cmocka_unit_test(without_heap_there_is_no_client_and_nothing_is_lost),
        cmocka_unit_test(sizes_that_are_not_set_are_large_enough),
        cmocka_unit_test(sizes_that_no_memory_has_are_refused_by_name),
        cmocka_unit_test(what_is_missing_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
