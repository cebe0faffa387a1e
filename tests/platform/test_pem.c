#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/crypto/secret.h"
#include "wolfssl/identity/pem.h"

static plat_pem_text text_of(const char *string)
{
    return (plat_pem_text){ string, strlen(string) };
}

static void expect_text(plat_pem_text text, const char *wanted)
{
    if (!plat_pem_is(text, wanted)) {
        fail_msg("'%.*s' is not '%s'", (int)text.len, text.at, wanted);
    }
}

static void blocks_are_found_between_other_text(void **state)
{
    (void)state;
    plat_pem_text in = text_of("Subject: a device\n"
                               "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"
                               "-----BEGIN EC PARAMETERS-----\r\nBA==\r\n"
                               "-----END EC PARAMETERS-----trailing\n"
                               "-----BEGIN X-----\n-----END X-----");
    plat_pem_block b;
    assert_int_equal(plat_pem_next(&in, &b), PLAT_PEM_BLOCK);
    expect_text(b.label, "CERTIFICATE");
    expect_text(b.headers, "");
    assert_int_equal(plat_pem_next(&in, &b), PLAT_PEM_BLOCK);
    expect_text(b.label, "EC PARAMETERS");
    assert_int_equal(plat_pem_next(&in, &b), PLAT_PEM_BLOCK);
    expect_text(b.label, "X");
    assert_int_equal(plat_pem_next(&in, &b), PLAT_PEM_NONE);
    assert_int_equal(plat_pem_next(&in, &b), PLAT_PEM_NONE);
}

static void headers_are_apart_from_the_base64(void **state)
{
    (void)state;
    plat_pem_text in = text_of("-----BEGIN RSA PRIVATE KEY-----\n"
                               "Proc-Type: 4,ENCRYPTED\r\n"
                               "DEK-Info:  AES-256-CBC,00FF \n"
                               "\n"
                               "AQID\n"
                               "-----END RSA PRIVATE KEY-----\n");
    plat_pem_block b;
    plat_pem_text value;
    uint8_t *bytes;
    size_t len;
    assert_int_equal(plat_pem_next(&in, &b), PLAT_PEM_BLOCK);
    assert_true(plat_pem_header(&b, "Proc-Type", &value));
    expect_text(value, "4,ENCRYPTED");
    assert_true(plat_pem_ends_with(value, "ENCRYPTED"));
    assert_true(plat_pem_header(&b, "DEK-Info", &value));
    expect_text(value, "AES-256-CBC,00FF");
    assert_false(plat_pem_header(&b, "DEK", &value));
    assert_false(plat_pem_header(&b, "Info", &value));
    assert_int_equal(plat_pem_decode(&b, &bytes, &len), PLAT_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(bytes, "\x01\x02\x03", 3);
    plat_secret_free(bytes, len);
}

static void what_is_no_base64_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = { "", "\n", "A*==", "====", "AQ=D", "A:B\n\n" };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const plat_pem_block b = { .base64 = text_of(bodies[i]) };
        uint8_t marker = 0;
        uint8_t *bytes = &marker;
        size_t len;
        assert_int_equal(plat_pem_decode(&b, &bytes, &len), PLAT_ERR_ENCODING);
        assert_null(bytes);
    }
}

static void a_block_that_is_cut_anywhere_is_no_block(void **state)
{
    (void)state;
    static const char whole[] = "-----BEGIN X-----\nAQID\n-----END X-----";
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        plat_pem_text in = { whole, len };
        plat_pem_block b;
        const bool begins = len >= strlen("-----BEGIN ");
        assert_int_equal(plat_pem_next(&in, &b), begins ? PLAT_PEM_CUT : PLAT_PEM_NONE);
        assert_int_equal(plat_pem_has_block(whole, len), begins);
    }
}

static void an_end_of_another_label_is_no_end(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "-----BEGIN X-----\nAQID\n-----END Y-----\n",
        "-----BEGIN X-----\nAQID\n-----END XX-----\n",
        "-----BEGIN XX-----\nAQID\n-----END X-----\n",
        "-----BEGIN X\n-----\nAQID\n-----END X-----\n",
        "-----BEGIN X-----\nAQID\n-----END Y-----\n-----END X-----\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        plat_pem_text in = text_of(texts[i]);
        plat_pem_block b;
        assert_int_equal(plat_pem_next(&in, &b), PLAT_PEM_CUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_found_between_other_text),
        cmocka_unit_test(headers_are_apart_from_the_base64),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(a_block_that_is_cut_anywhere_is_no_block),
        cmocka_unit_test(an_end_of_another_label_is_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
