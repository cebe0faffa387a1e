#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edge/workload.h"
#include "fake_platform.h"

static const workload_module module_on_socket = {
    .workload_uri = "unix:///run/iotedge/workload.sock",
    .module_id = "my module",
    .generation_id = "637/1",
    .api_version = "2019-01-30",
};

#define DIGEST "kcWxXAK2OAaAoq2oCkaGzX2NMqDB8nCyNuq2fPYCDhk="

static void urls_are_those_of_the_workload_api(void **state)
{
    (void)state;
    char url[200];
    iothub_text t;

    assert_string_equal(workload_socket(&module_on_socket), "/run/iotedge/workload.sock");
    iothub_text_init(&t, url, sizeof url);
    workload_put_bundle_url(&t, &module_on_socket);
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(url, "http://workload/trust-bundle?api-version=2019-01-30");
    iothub_text_init(&t, url, sizeof url);
    workload_put_sign_url(&t, &module_on_socket);
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(url, "http://workload/modules/my%20module/genid/637%2F1/sign"
                             "?api-version=2019-01-30");
}

static void an_http_uri_is_used_with_and_without_a_slash_at_its_end(void **state)
{
    (void)state;
    static const char *const uris[] = { "http://host:15581", "http://host:15581/" };

    for (size_t i = 0; i < 2; i++) {
        workload_module m = module_on_socket;
        char url[200];
        iothub_text t;
        m.workload_uri = uris[i];
        assert_null(workload_socket(&m));
        iothub_text_init(&t, url, sizeof url);
        workload_put_bundle_url(&t, &m);
        assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
        assert_string_equal(url, "http://host:15581/trust-bundle?api-version=2019-01-30");
    }
}

static void the_text_to_sign_is_sent_in_base64(void **state)
{
    (void)state;
    fake_platform platform;
    fake_platform_init(&platform);
    char body[200];
    iothub_text t;

    iothub_text_init(&t, body, sizeof body);
    assert_int_equal(
        workload_put_sign_body(&t, platform.platform.crypto, mqc_span_str("h%2Fdevices\n1700")),
        IOTHUB_OK);
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(body, "{\"keyId\":\"primary\",\"algo\":\"HMACSHA256\",\"data\":"
                              "\"aCUyRmRldmljZXMKMTcwMA==\"}");
    char longest[WORKLOAD_SIGNED_MAX + 1];
    memset(longest, 'x', sizeof longest);
    iothub_text_count(&t);
    assert_int_equal(workload_put_sign_body(&t, platform.platform.crypto,
                                            mqc_span_of(longest, WORKLOAD_SIGNED_MAX)),
                     IOTHUB_OK);
    assert_int_equal(workload_put_sign_body(&t, platform.platform.crypto,
                                            mqc_span_of(longest, WORKLOAD_SIGNED_MAX + 1)),
                     IOTHUB_ERR_TOO_BIG);
    fake_platform_free(&platform);
}

static void the_bundle_is_decoded(void **state)
{
    (void)state;
    char out[100];
    size_t len = 0;

    assert_int_equal(workload_read_bundle(mqc_span_str("{\"x\":{\"certificate\":\"no\"},"
                                                       "\"certificate\":\"--A\\nB\\n\"}"),
                                          out, sizeof out, &len, NULL),
                     IOTHUB_OK);
    assert_string_equal(out, "--A\nB\n");
    assert_int_equal(len, 6);
}

static void a_signature_is_the_base64_of_32_bytes(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{}",
        "{\"digest\":\"\"}",
        "{\"digest\":5}",
        "{\"digest\":\"AAAA\"}",
        "{\"digest\":\"kcWxXAK2OAaAoq2oCkaGzX2NMqDB8nCyNuq2fPYCDhk\"}",
        "{\"digest\":\"kcWxXAK2OAaAoq2oCkaGzX2NMqDB8nCyNuq2fPYCDhkAAAA=\"}",
        "{\"digest\":\"kcWxXAK2OAaAoq2oCkaGzX2N&sig=8nCyNuq2fPYCDhk=\"}",
        "{\"a\":{\"digest\":\"" DIGEST "\"}}",
    };
    char out[WORKLOAD_DIGEST_SIZE];
    iothub_error error;

    assert_int_equal(workload_read_digest(mqc_span_str("{\"digest\":\"" DIGEST "\"}"), out, NULL),
                     IOTHUB_OK);
    assert_string_equal(out, DIGEST);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(workload_read_digest(mqc_span_str(wrong[i]), out, &error),
                         IOTHUB_ERR_JSON);
        assert_non_null(strstr(error.text, "digest"));
    }
}

static void every_truncated_answer_is_refused(void **state)
{
    (void)state;
    static const char digest[] = "{\"digest\":\"" DIGEST "\"}";
    static const char bundle[] = "{\"certificate\":\"-----BEGIN\\n\"}";
    char out[100];
    size_t len;

    for (size_t n = 0; n < sizeof digest - 1; n++) {
        assert_int_equal(workload_read_digest(mqc_span_of(digest, n), out, NULL), IOTHUB_ERR_JSON);
    }
    for (size_t n = 0; n < sizeof bundle - 1; n++) {
        assert_int_equal(workload_read_bundle(mqc_span_of(bundle, n), out, sizeof out, &len, NULL),
                         IOTHUB_ERR_JSON);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_those_of_the_workload_api),
        cmocka_unit_test(an_http_uri_is_used_with_and_without_a_slash_at_its_end),
        cmocka_unit_test(the_text_to_sign_is_sent_in_base64),
        cmocka_unit_test(the_bundle_is_decoded),
        cmocka_unit_test(a_signature_is_the_base64_of_32_bytes),
        cmocka_unit_test(every_truncated_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
