#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_platform.h"
#include "hub/issued_chain.h"

static fake_platform platform;
static const plat_crypto *crypto;

static int begin(void **state)
{
    (void)state;
    fake_platform_init(&platform);
    crypto = platform.platform.crypto;
    return 0;
}

/* Makes bytes with the form of a certificate: a SEQUENCE of a given size. */
static size_t make_certificate(uint8_t *out, size_t content, uint8_t fill)
{
    size_t n = 0;
    out[n++] = 0x30;
    if (content > 255) {
        out[n++] = 0x82;
        out[n++] = (uint8_t)(content >> 8);
    } else if (content > 127) {
        out[n++] = 0x81;
    }
    out[n++] = (uint8_t)content;
    memset(out + n, fill, content);
    return n + content;
}

/* Writes a certificate as base64, or as PEM with the line ends of JSON. */
static size_t write_text(char *out, size_t cap, const uint8_t *der, size_t len,
                         const char *line_end)
{
    static char base64[8192];
    size_t n = 0, at = 0;
    assert_int_equal(crypto->base64_encode(crypto, der, len, base64, sizeof base64, &n), PLAT_OK);
    if (line_end == NULL) {
        return (size_t)snprintf(out, cap, "%.*s", (int)n, base64);
    }
    size_t used = (size_t)snprintf(out, cap, "-----BEGIN CERTIFICATE-----%s", line_end);
    for (; at < n; at += 64) {
        const int part = n - at < 64 ? (int)(n - at) : 64;
        used += (size_t)snprintf(out + used, cap - used, "%.*s%s", part, base64 + at, line_end);
    }
    return used + (size_t)snprintf(out + used, cap - used, "-----END CERTIFICATE-----%s", line_end);
}

/* An array of certificates in one form, and the expected chain. */
static struct {
    char json[65536];
    size_t json_len;
    uint8_t der[32768];
    size_t der_len;
} sample;

static void make_sample(const size_t *contents, size_t count, const char *line_end)
{
    size_t n = (size_t)snprintf(sample.json, sizeof sample.json, "[");
    sample.der_len = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t *der = sample.der + sample.der_len;
        const size_t len = make_certificate(der, contents[i], (uint8_t)(i + 1));
        sample.der_len += len;
        n += (size_t)snprintf(sample.json + n, sizeof sample.json - n, "%s\"", i > 0 ? ", " : "");
        n += write_text(sample.json + n, sizeof sample.json - n, der, len, line_end);
        n += (size_t)snprintf(sample.json + n, sizeof sample.json - n, "\"");
    }
    sample.json_len = n + (size_t)snprintf(sample.json + n, sizeof sample.json - n, "]");
}

static iothub_result read_json(const char *json, size_t json_len, uint8_t *out, size_t cap,
                               size_t *len, iothub_error *err)
{
    return issued_chain_read(mqc_span_of(json, json_len), crypto, out, cap, len, err);
}

static void both_encodings_give_the_same_chain(void **state)
{
    (void)state;
    static const size_t contents[] = { 700, 0, 127, 128, 255, 256, 2000 };
    static const char *const forms[] = { NULL, "\\n", "\\r\\n", "\\u000a" };
    for (size_t count = 1; count <= 7; count++) {
        for (size_t f = 0; f < 4; f++) {
            static uint8_t out[ISSUED_CHAIN_ROOM];
            size_t len = 0;
            make_sample(contents, count, forms[f]);
            assert_int_equal(read_json(sample.json, sample.json_len, out, sizeof out, &len, NULL),
                             IOTHUB_OK);
            assert_int_equal(len, sample.der_len);
            assert_memory_equal(out, sample.der, len);
        }
    }
}

static void one_entry_may_contain_several_certificates_and_other_text(void **state)
{
    (void)state;
    static char json[16384];
    static uint8_t out[ISSUED_CHAIN_ROOM], der[2048];
    size_t len = 0;
    size_t n = (size_t)snprintf(json, sizeof json, "[\"subject=leaf\\n");
    const size_t first = make_certificate(der, 300, 1);
    const size_t second = make_certificate(der + first, 400, 2);
    n += write_text(json + n, sizeof json - n, der, first, "\\n");
    n += (size_t)snprintf(json + n, sizeof json - n, "issuer\\n");
    n += write_text(json + n, sizeof json - n, der + first, second, "\\n");
    n += (size_t)snprintf(json + n, sizeof json - n, "\"]");
    assert_int_equal(read_json(json, n, out, sizeof out, &len, NULL), IOTHUB_OK);
    assert_int_equal(len, first + second);
    assert_memory_equal(out, der, len);
}

static void the_longest_chain_fits_and_one_certificate_more_does_not(void **state)
{
    (void)state;
    static uint8_t out[ISSUED_CHAIN_ROOM];
    size_t contents[ISSUED_CHAIN_CERTIFICATES_MAX + 1];
    size_t len = 0;
    iothub_error err;
    for (size_t i = 0; i <= ISSUED_CHAIN_CERTIFICATES_MAX; i++) {
        contents[i] = 1800; /* nine of them have 16 KB */
    }
    make_sample(contents, ISSUED_CHAIN_CERTIFICATES_MAX, "\\r\\n");
    assert_int_equal(read_json(sample.json, sample.json_len, out, sizeof out, &len, &err),
                     IOTHUB_OK);
    assert_int_equal(len, sample.der_len);
    for (size_t i = 0; i <= ISSUED_CHAIN_CERTIFICATES_MAX; i++) {
        contents[i] = 10;
    }
    make_sample(contents, ISSUED_CHAIN_CERTIFICATES_MAX + 1, NULL);
    assert_int_equal(read_json(sample.json, sample.json_len, out, sizeof out, &len, &err),
                     IOTHUB_ERR_TOO_BIG);
    assert_int_equal(len, 0);
}

static void what_is_not_a_chain_is_refused_with_a_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "null",
        "{}",
        "\"MAA=\"",
        "[]",
        "[ ]",
        "[null]",
        "[1]",
        "[[]]",
        "[{}]",
        "[\"\"]",
        "[\" \"]",
        "[\"MAA\"]",                             /* no padding */
        "[\"MAA=\",]",                           /* not JSON */
        "[\"MAA=\"",                             /* not JSON */
        "[\"MAA=\"] 1",                          /* not JSON */
        "[\"MAE=\"]",                            /* DER that promises one byte more */
        "[\"MAAA\"]",                            /* DER with one byte more */
        "[\"MIAA\"]",                            /* indefinite length */
        "[\"MIMAAAA=\"]",                        /* a length of three bytes */
        "[\"AgEA\"]",                            /* not a SEQUENCE */
        "[\"MAA=MAA=\"]",                        /* two texts in one */
        "[\"MAA=\\u0000\"]",                     /* a NUL */
        "[\"-----BEGIN CERTIFICATE-----MAA=\"]", /* no end */
        "[\"-----BEGIN CERTIFICATE----------END CERTIFICATE-----\"]",
        "[\"-----BEGIN PRIVATE KEY-----\\nMAA=\\n-----END PRIVATE KEY-----\"]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t out[512];
        size_t len = 1;
        iothub_error err = { IOTHUB_OK, "" };
        iothub_result r = read_json(texts[i], strlen(texts[i]), out, sizeof out, &len, &err);
        if (r != IOTHUB_ERR_PROTOCOL || err.code != r || err.text[0] == '\0' || len != 0) {
            fail_msg("%s: %d %s", texts[i], (int)r, err.text);
        }
    }
    uint8_t out[512];
    size_t len = 0;
    assert_int_equal(read_json("[\"MAA=\"]", 8, out, sizeof out, &len, NULL), IOTHUB_OK);
    assert_int_equal(len, 2);
}

static void every_truncation_and_every_changed_byte_is_read_safely(void **state)
{
    (void)state;
    static const size_t contents[] = { 60, 200 };
    static const char *const forms[] = { NULL, "\\n" };
    static uint8_t out[2048];
    static char json[2048];
    for (size_t f = 0; f < 2; f++) {
        make_sample(contents, 2, forms[f]);
        for (size_t n = 0; n < sample.json_len; n++) {
            size_t len = 1;
            assert_int_equal(read_json(sample.json, n, out, sizeof out, &len, NULL),
                             IOTHUB_ERR_PROTOCOL);
            assert_int_equal(len, 0);
        }
        for (size_t at = 0; at < sample.json_len; at++) {
            for (unsigned value = 0; value < 256; value += 3) {
                size_t len = 1;
                memcpy(json, sample.json, sample.json_len);
                json[at] = (char)value;
                iothub_result r = read_json(json, sample.json_len, out, sizeof out, &len, NULL);
                assert_int_equal(r == IOTHUB_OK, len > 0);
                assert_true(len <= sample.der_len);
            }
        }
    }
}

static void every_smaller_buffer_is_refused_and_not_overrun(void **state)
{
    (void)state;
    static const size_t contents[] = { 60, 100 };
    make_sample(contents, 2, "\\n");
    for (size_t cap = 0; cap < 600; cap++) {
        uint8_t out[640];
        size_t len = 0;
        memset(out, 0xa5, sizeof out);
        iothub_result r = read_json(sample.json, sample.json_len, out, cap, &len, NULL);
        assert_true(r == IOTHUB_OK || r == IOTHUB_ERR_TOO_BIG);
        assert_int_equal(len, r == IOTHUB_OK ? sample.der_len : 0);
        for (size_t at = cap; at < sizeof out; at++) {
            assert_int_equal(out[at], 0xa5);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_encodings_give_the_same_chain),
        cmocka_unit_test(one_entry_may_contain_several_certificates_and_other_text),
        cmocka_unit_test(the_longest_chain_fits_and_one_certificate_more_does_not),
        cmocka_unit_test(what_is_not_a_chain_is_refused_with_a_text),
        cmocka_unit_test(every_truncation_and_every_changed_byte_is_read_safely),
        cmocka_unit_test(every_smaller_buffer_is_refused_and_not_overrun),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
