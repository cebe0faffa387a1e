#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_platform.h"
#include "hub/key_signature.h"
#include "iothub/connection_string.h"
#include "iothub/provisioning.h"

/* The values come from Microsoft's page "Symmetric key attestation". */
#define GROUP_KEY \
    "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw=="
#define ID         "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6"
#define DEVICE_KEY "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc="

static const plat_crypto *crypto;

static int start(void **state)
{
    static fake_platform platform;
    fake_platform_init(&platform);
    crypto = platform.platform.crypto;
    *state = &platform;
    return 0;
}

static int stop(void **state)
{
    fake_platform_free(*state);
    return 0;
}

static void the_key_of_the_documentation_is_derived(void **state)
{
    char out[IOTHUB_DEVICE_KEY_SIZE];
    (void)state;

    assert_int_equal(iothub_derive_device_key(crypto, GROUP_KEY, ID, out, NULL), IOTHUB_OK);
    assert_string_equal(out, DEVICE_KEY);
    assert_int_equal(iothub_derive_device_key(crypto, " " GROUP_KEY "\r\n", ID, out, NULL),
                     IOTHUB_OK);
    assert_string_equal(out, DEVICE_KEY);
}

static void another_id_or_letter_case_gives_another_key(void **state)
{
    char out[IOTHUB_DEVICE_KEY_SIZE];
    (void)state;

    assert_int_equal(iothub_derive_device_key(crypto, GROUP_KEY, "SN-007", out, NULL), IOTHUB_OK);
    char upper[IOTHUB_DEVICE_KEY_SIZE];
    memcpy(upper, out, sizeof out);
    assert_int_equal(iothub_derive_device_key(crypto, GROUP_KEY, "sn-007", out, NULL), IOTHUB_OK);
    assert_string_not_equal(out, upper);
}

static void a_refusal_leaves_an_empty_text_and_shows_no_key(void **state)
{
    char out[IOTHUB_DEVICE_KEY_SIZE] = "x";
    iothub_error error;
    (void)state;

    assert_int_equal(iothub_derive_device_key(crypto, "c2VjcmV0!", ID, out, &error),
                     IOTHUB_ERR_KEY);
    assert_string_equal(out, "");
    assert_null(strstr(error.text, "c2Vj"));
    assert_int_equal(iothub_derive_device_key(crypto, "", ID, out, NULL), IOTHUB_ERR_KEY);
    assert_int_equal(iothub_derive_device_key(crypto, GROUP_KEY, "a b", out, NULL),
                     IOTHUB_ERR_PART_INVALID);
    assert_int_equal(iothub_derive_device_key(NULL, GROUP_KEY, ID, out, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_derive_device_key(crypto, NULL, ID, out, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_derive_device_key(crypto, GROUP_KEY, NULL, out, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_derive_device_key(crypto, GROUP_KEY, ID, NULL, NULL), IOTHUB_ERR_ARG);
}

/* --- the signature below it -------------------------------------------------------------- */

static plat_result no_hmac(const plat_crypto *self, const void *key, size_t key_len,
                           const void *data, size_t len, uint8_t out[PLAT_SHA256_SIZE])
{
    (void)self;
    (void)key;
    (void)key_len;
    (void)data;
    (void)len;
    (void)out;
    return PLAT_ERR_CRYPTO;
}

static void a_crypto_library_that_fails_and_a_key_that_is_too_long_are_told_apart(void **state)
{
    char out[KEY_SIGNATURE_CHARS];
    char key[IOTHUB_KEY_MAX * 4 / 3 + 8];
    plat_crypto broken = *crypto;
    (void)state;

    broken.hmac_sha256 = no_hmac;
    assert_int_equal(
        key_signature_make(&broken, mqc_span_str(DEVICE_KEY), mqc_span_str("t"), out, NULL),
        IOTHUB_ERR_CRYPTO);
    memset(key, 'A', sizeof key);
    assert_int_equal(
        key_signature_make(crypto, mqc_span_of(key, 1368), mqc_span_str("t"), out, NULL),
        IOTHUB_ERR_KEY);
    assert_int_equal(
        key_signature_make(crypto, mqc_span_of(key, 1364), mqc_span_str("t"), out, NULL),
        IOTHUB_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_of_the_documentation_is_derived),
        cmocka_unit_test(another_id_or_letter_case_gives_another_key),
        cmocka_unit_test(a_refusal_leaves_an_empty_text_and_shows_no_key),
        cmocka_unit_test(a_crypto_library_that_fails_and_a_key_that_is_too_long_are_told_apart),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
