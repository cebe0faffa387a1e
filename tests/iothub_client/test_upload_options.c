#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "upload/upload_options.h"

static const plat_platform platform;
static plat_reader reader;
static plat_kv kv;

static iothub_upload_options good(void)
{
    iothub_upload_options o;

    iothub_upload_options_init(&o);
    o.connection_string = "HostName=h.example;DeviceId=d;SharedAccessKey=a2V5";
    o.platform = &platform;
    o.blob_name = "a/b";
    return o;
}

static void assert_refused(const iothub_upload_options *o, iothub_result code, const char *part)
{
    iothub_error error = { IOTHUB_OK, "" };

    assert_int_equal(upload_options_check(o, &error), code);
    assert_int_equal(error.code, code);
    assert_non_null(strstr(error.text, part));
}

static void the_defaults_are_those_that_are_written(void **state)
{
    (void)state;
    iothub_upload_options o;

    memset(&o, 0xEE, sizeof o);
    iothub_upload_options_init(&o);
    assert_int_equal(o.struct_size, sizeof o);
    assert_int_equal(o.port, 443);
    assert_int_equal(o.block_size, 4 * 1024 * 1024);
    assert_int_equal(o.parallel, 3);
    assert_int_equal(o.request_timeout_ms, 60000);
    assert_int_equal(o.give_up_ms, 600000);
    assert_int_equal(o.retry_min_ms, 1000);
    assert_int_equal(o.retry_max_ms, 60000);
    assert_false(o.keep_token);
    assert_null(o.make_http);
    iothub_upload_options_init(NULL);
}

static void what_is_good_is_accepted(void **state)
{
    (void)state;
    iothub_upload_options o = good();

    assert_int_equal(upload_options_check(&o, NULL), IOTHUB_OK);
    o.reader = &reader;
    o.state = &kv;
    o.state_key = "u";
    o.tag = "v1";
    o.content_type = "text/plain; charset=utf-8";
    o.block_size = IOTHUB_UPLOAD_BLOCK_MIN;
    o.parallel = IOTHUB_UPLOAD_PARALLEL_MAX;
    assert_int_equal(upload_options_check(&o, NULL), IOTHUB_OK);
}

static void tls_is_what_libcurl_can_do(void **state)
{
    (void)state;
    static const uint8_t der[] = { 0x30, 0x82, 0x01, 0x00 };
    const iothub_tls pem = { .ca_data = "-----BEGIN CERTIFICATE-----",
                             .max_version = PLAT_TLS_1_2 };
    const iothub_tls wrong = { .min_version = PLAT_TLS_1_3, .max_version = PLAT_TLS_1_2 };
    const iothub_tls roots = { .roots = PLAT_ROOTS_SYSTEM };
    const iothub_tls binary = { .ca_data = der, .ca_len = sizeof der };
    iothub_upload_options o = good();

    o.tls = &pem;
    assert_int_equal(upload_options_check(&o, NULL), IOTHUB_OK);
    o.ca_file = "ca.pem";
    assert_refused(&o, IOTHUB_ERR_UNSUPPORTED, "ca_file");
    o.tls = &wrong;
    assert_refused(&o, IOTHUB_ERR_ARG, "min_version");
    o.tls = &roots;
    assert_refused(&o, IOTHUB_ERR_UNSUPPORTED, "roots");
    o.ca_file = NULL;
    o.tls = &binary;
    assert_refused(&o, IOTHUB_ERR_UNSUPPORTED, "DER");
}

static void each_fault_is_named(void **state)
{
    (void)state;
    iothub_upload_options o = good();
#define REFUSED(change, code, part)     \
    do {                                \
        o = good();                     \
        change;                         \
        assert_refused(&o, code, part); \
    } while (0)
    REFUSED(o.platform = NULL, IOTHUB_ERR_ARG, "platform");
    REFUSED(o.blob_name = NULL, IOTHUB_ERR_ARG, "blob_name");
    REFUSED((o.data = "x", o.reader = &reader), IOTHUB_ERR_ARG, "only one");
    REFUSED(o.data_len = 1, IOTHUB_ERR_ARG, "data_len");
    REFUSED(o.block_size = 1023, IOTHUB_ERR_ARG, "block_size");
    REFUSED(o.block_size = 4194305, IOTHUB_ERR_ARG, "block_size");
    REFUSED(o.parallel = 0, IOTHUB_ERR_ARG, "parallel");
    REFUSED(o.parallel = 9, IOTHUB_ERR_ARG, "parallel");
    REFUSED(o.port = 0, IOTHUB_ERR_ARG, "port");
    REFUSED(o.request_timeout_ms = 0, IOTHUB_ERR_ARG, "request_timeout_ms");
    REFUSED(o.retry_min_ms = 0, IOTHUB_ERR_ARG, "retry_min_ms");
    REFUSED(o.retry_max_ms = 999, IOTHUB_ERR_ARG, "retry_max_ms");
    REFUSED(o.state = &kv, IOTHUB_ERR_ARG, "state_key");
    REFUSED(o.state_key = "u", IOTHUB_ERR_ARG, "state_key");
    REFUSED(o.content_type = "a\r\nb", IOTHUB_ERR_ARG, "content_type");
    REFUSED(o.tag = "\xc3\xa4", IOTHUB_ERR_ARG, "tag");
    REFUSED(o.connection_string = NULL, IOTHUB_ERR_ARG, "");
    REFUSED(o.connection_string = "HostName=h", IOTHUB_ERR_PART_MISSING, "");
    REFUSED(o.connection_string = "HostName=h.example;DeviceId=d;ModuleId=m;SharedAccessKey=a2V5",
            IOTHUB_ERR_UNSUPPORTED, "only a device");
    REFUSED(o.connection_string = "HostName=h.example;DeviceId=d;x509=true", IOTHUB_ERR_ARG,
            "certificate");
#undef REFUSED
}

static void the_texts_are_copied_into_one_block(void **state)
{
    (void)state;
    char name[] = "a/b";
    iothub_upload_options o = good();

    o.blob_name = name;
    o.proxy = "http://p:1";
    upload_options_memory memory = { 0 };
    iothub_tls tls = { .min_version = PLAT_TLS_1_3 };
    o.tls = &tls;
    assert_true(upload_options_copy(&o, &memory));
    tls.min_version = PLAT_TLS_ANY;
    assert_int_equal(o.tls->min_version, PLAT_TLS_1_3);
    name[0] = 'x';
    assert_ptr_equal(o.connection_string, memory.texts);
    assert_string_equal(o.blob_name, "a/b");
    assert_string_equal(o.proxy, "http://p:1");
    assert_string_equal(o.content_type, "application/octet-stream");
    assert_string_equal(o.tag, "");
    assert_null(o.ca_file);
    assert_null(o.state_key);
    upload_options_free(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_that_are_written),
        cmocka_unit_test(what_is_good_is_accepted),
        cmocka_unit_test(tls_is_what_libcurl_can_do),
        cmocka_unit_test(each_fault_is_named),
        cmocka_unit_test(the_texts_are_copied_into_one_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
