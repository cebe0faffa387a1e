#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <gnutls/x509.h>

#include "base/crypto.h"
#include "base/text.h"
#include "made_requests.h"
#include "registry/certificate_request.h"

/* Returns whether the request was accepted. If it was not, the error text must contain this
 * word. */
static bool accepted(const char *text, const char *name, const char *word)
{
    gnutls_x509_crq_t crq;
    hub_fault fault;
    hub_result r = hub_certificate_request_read(&crq, text, name, &fault);

    if (r == HUB_OK) {
        assert_non_null(crq);
        gnutls_x509_crq_deinit(crq);
        return true;
    }
    assert_int_equal(r, HUB_ERR_ARGUMENT);
    assert_null(crq);
    assert_non_null(strstr(fault.text, word));
    return false;
}

static void the_kinds_of_keys_that_the_service_takes_are_accepted(void **state)
{
    static const struct {
        made_request_key key;
        bool good;
    } cases[] = { { MADE_P256, true },  { MADE_P384, true },     { MADE_RSA_2048, true },
                  { MADE_P521, false }, { MADE_ED25519, false }, { MADE_RSA_1024, false } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int pem = 0; pem < 2; pem++) {
            const made_request_plan plan = { .name = "dev", .key = cases[i].key, .pem = pem == 1 };
            char *text = made_request(&plan);
            assert_int_equal(accepted(text, "dev", "key"), cases[i].good);
            free(text);
        }
    }
}

static void the_common_name_must_be_the_id_of_the_device(void **state)
{
    const made_request_plan plan = { .name = "dev" };
    const made_request_plan none = { .name = NULL };
    char *text = made_request(&plan);
    char *nameless = made_request(&none);

    (void)state;
    assert_true(accepted(text, "dev", ""));
    assert_false(accepted(text, "Dev", "common name"));
    assert_false(accepted(text, "dev2", "common name"));
    assert_false(accepted(text, "", "common name"));
    assert_false(accepted(nameless, "dev", "common name"));
    free(text);
    free(nameless);
}

static void a_request_that_somebody_else_signed_is_refused(void **state)
{
    const made_request_plan plan = { .name = "dev", .wrong_signature = true };
    char *text = made_request(&plan);

    (void)state;
    assert_false(accepted(text, "dev", "csr"));
    free(text);
}

static void what_is_no_request_is_refused(void **state)
{
    static const char pem[] = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
                              "-----END CERTIFICATE REQUEST-----\n";
    static const char *const texts[] = { "", "x", "AAAA", "-----BEGIN ", "MIIB", pem };
    char *longest = hub_calloc(1, HUB_CERTIFICATE_REQUEST_MAX + 2);

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(accepted(texts[i], "dev", "PKCS #10"));
    }
    memset(longest, 'A', HUB_CERTIFICATE_REQUEST_MAX + 1);
    assert_false(accepted(longest, "dev", "8 KB"));
    free(longest);
}

static void each_truncation_and_each_changed_byte_is_refused(void **state)
{
    const made_request_plan plan = { .name = "dev" };
    char *text = made_request(&plan);
    size_t len;
    uint8_t *der = hub_base64_decode(text, &len);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        char *shorter = hub_base64_encode(der, i);
        assert_false(accepted(shorter, "dev", "csr"));
        free(shorter);
        der[i] ^= 0x04;
        char *changed = hub_base64_encode(der, len);
        assert_false(accepted(changed, "dev", "csr"));
        der[i] ^= 0x04;
        free(changed);
    }
    free(der);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kinds_of_keys_that_the_service_takes_are_accepted),
        cmocka_unit_test(the_common_name_must_be_the_id_of_the_device),
        cmocka_unit_test(a_request_that_somebody_else_signed_is_refused),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(each_truncation_and_each_changed_byte_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
