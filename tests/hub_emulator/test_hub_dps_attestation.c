#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "dps/dps_attestation.h"
#include "made_certificates.h"

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B "cGFzc3dvcmRwYXNzd29yZA=="

static bool read(const char *text, const dps_attestation *was, bool group, dps_attestation *out,
                 dps_error *e)
{
    cJSON *json = hub_json_read(text, strlen(text));
    bool ok = dps_attestation_read(json, was, group, out, e);

    assert_non_null(json);
    cJSON_Delete(json);
    return ok;
}

/* The values come from the vendor's documentation of symmetric key attestation. */
static void the_derived_key_is_that_of_the_documentation(void **state)
{
    char *key =
        dps_derive_key("8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9"
                       "yegxkqIChbqOS9Egw==",
                       "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6");

    (void)state;
    assert_string_equal(key, "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
    free(key);
}

static void given_keys_are_taken_and_missing_ones_are_made(void **state)
{
    dps_attestation a;
    dps_error e;

    (void)state;
    assert_true(read("{\"type\":\"symmetricKey\",\"symmetricKey\":{\"primaryKey\":\"" KEY_A
                     "\",\"secondaryKey\":\"\"}}",
                     NULL, false, &a, &e));
    assert_int_equal(a.type, DPS_SYMMETRIC_KEY);
    assert_string_equal(a.first, KEY_A);
    assert_int_equal(strlen(a.second), 44);
    dps_attestation_free(&a);

    assert_true(read("{\"type\":\"symmetricKey\"}", NULL, true, &a, &e));
    assert_string_not_equal(a.first, a.second);
    dps_attestation_free(&a);
}

static void a_change_keeps_the_keys_that_it_does_not_give(void **state)
{
    dps_attestation a;
    dps_attestation b;
    dps_error e;

    (void)state;
    assert_true(read("{\"type\":\"symmetricKey\"}", NULL, false, &a, &e));
    assert_true(read("{\"type\":\"symmetricKey\",\"symmetricKey\":{\"primaryKey\":\"" KEY_B "\"}}",
                     &a, false, &b, &e));
    assert_string_equal(b.first, KEY_B);
    assert_string_equal(b.second, a.second);
    dps_attestation_free(&a);
    dps_attestation_free(&b);
}

static void what_is_shown_holds_no_keys(void **state)
{
    dps_attestation a;
    dps_error e;

    (void)state;
    assert_true(read("{\"type\":\"symmetricKey\",\"symmetricKey\":{\"primaryKey\":\"" KEY_A
                     "\",\"secondaryKey\":\"" KEY_B "\"}}",
                     NULL, false, &a, &e));
    cJSON *shown = dps_attestation_view(&a);
    char *text = hub_json_print(shown);
    assert_string_equal(text, "{\"type\":\"symmetricKey\",\"symmetricKey\":{}}");
    cJSON *full = dps_attestation_full(&a);
    char *full_text = hub_json_print(full);
    assert_string_equal(full_text,
                        "{\"type\":\"symmetricKey\",\"symmetricKey\":{\"primaryKey\":\"" KEY_A
                        "\",\"secondaryKey\":\"" KEY_B "\"}}");
    cJSON_Delete(shown);
    cJSON_Delete(full);
    free(text);
    free(full_text);
    dps_attestation_free(&a);
}

static void a_tpm_is_kept_for_one_device_only(void **state)
{
    static const char text[] =
        "{\"type\":\"tpm\",\"tpm\":{\"endorsementKey\":\"AToAAQ==\",\"storageRootKey\":null}}";
    dps_attestation a;
    dps_error e;

    (void)state;
    assert_true(read(text, NULL, false, &a, &e));
    assert_int_equal(a.type, DPS_TPM);
    cJSON *full = dps_attestation_full(&a);
    char *again = hub_json_print(full);
    assert_string_equal(again, text);
    cJSON_Delete(full);
    free(again);
    dps_attestation_free(&a);
    assert_false(read(text, NULL, true, &a, &e));
    assert_false(read("{\"type\":\"tpm\"}", NULL, false, &a, &e));
}

/* --- X.509 -------------------------------------------------------------------- */

static char *certificate(const char *name, bool is_ca)
{
    const made_plan plan = { .name = name,
                             .not_before_s = 1700000000,
                             .not_after_s = 1800000000,
                             .is_ca = is_ca,
                             .path_len = -1 };
    made_certificate m;

    made_init(&m, &plan);
    char *text = made_text(&m);
    made_deinit(&m);
    return text;
}

static void a_certificate_is_shown_by_what_is_in_it(void **state)
{
    char *first = certificate("dev", false);
    char *second = certificate("dev", false);
    char *text = hub_format("{\"type\":\"x509\",\"x509\":{\"signingCertificates\":null,"
                            "\"clientCertificates\":{\"primary\":{\"certificate\":\"%s\"},"
                            "\"secondary\":{\"certificate\":\"%s\",\"info\":null}}}}",
                            first, second);
    dps_attestation a;
    dps_error e;

    (void)state;
    assert_true(read(text, NULL, false, &a, &e));
    assert_int_equal(a.type, DPS_X509_CLIENT);
    assert_true(dps_attestation_is_x509(&a));
    cJSON *shown = dps_attestation_view(&a);
    char *printed = hub_json_print(shown);
    char *wanted = hub_format(
        "{\"type\":\"x509\",\"x509\":{\"clientCertificates\":{\"primary\":{\"info\":{"
        "\"subjectName\":\"CN=dev\",\"sha1Thumbprint\":\"%s\",\"sha256Thumbprint\":\"%s\","
        "\"issuerName\":\"CN=dev\",\"notBeforeUtc\":\"2023-11-14T22:13:20.000Z\","
        "\"notAfterUtc\":\"2027-01-15T08:00:00.000Z\",\"serialNumber\":\"%s\",\"version\":3}}",
        a.certificates[0]->thumbprint, a.certificates[0]->thumbprint256, a.certificates[0]->serial);
    assert_int_equal(strncmp(printed, wanted, strlen(wanted)), 0);
    assert_null(strstr(printed, first));
    cJSON_Delete(shown);
    free(printed);
    free(wanted);

    /* What is saved can be read again, and a change without the certificates keeps them. */
    cJSON *saved = dps_attestation_state(&a);
    cJSON *view = dps_attestation_view(&a);
    dps_attestation again;
    dps_attestation changed;
    assert_true(dps_attestation_read(saved, NULL, false, &again, &e));
    assert_false(dps_attestation_read(view, NULL, false, &changed, &e));
    assert_true(dps_attestation_read(view, &a, false, &changed, &e));
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(again.certificates[i]->thumbprint, a.certificates[i]->thumbprint);
        assert_string_equal(changed.certificates[i]->thumbprint, a.certificates[i]->thumbprint);
    }
    cJSON_Delete(saved);
    cJSON_Delete(view);
    dps_attestation_free(&again);
    dps_attestation_free(&changed);
    dps_attestation_free(&a);
    free(text);
    free(first);
    free(second);
}

static void what_is_no_x509_attestation_is_refused(void **state)
{
    char *leaf = certificate("dev", false);
    char *authority = certificate("root", true);
    const struct {
        const char *form; /* JSON in which %s stands for the certificate */
        const char *certificate;
        bool group;
        const char *word;
    } cases[] = {
        { "\"signingCertificates\":{\"primary\":{\"certificate\":\"%s\"}}", leaf, true,
          "authority" },
        { "\"clientCertificates\":{\"primary\":{\"certificate\":\"%s\"}}", leaf, true, "group" },
        { "\"clientCertificates\":{\"primary\":{\"certificate\":\"%s\"}},"
          "\"signingCertificates\":{}",
          leaf, false, "more than one" },
        { "\"caReferences\":{\"primary\":\"%s\"}", "", true, "primary" },
        { "\"x\":\"%s\"", "x", true, "neither" },
        { "\"clientCertificates\":{\"secondary\":{\"certificate\":\"%s\"}}", leaf, false,
          "primary" },
        { "\"clientCertificates\":{\"primary\":\"%s\"}", leaf, false, "primary" },
        { "\"clientCertificates\":{\"primary\":{\"certificate\":\"%s\"}}", "AAAA", false,
          "primary" },
        { "\"clientCertificates\":{\"primary\":{\"certificate\":\"%s\"}}", "", false, "primary" },
        { "\"signingCertificates\":{\"primary\":{\"certificate\":\"%s\"},\"secondary\":{}}",
          authority, false, "secondary" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *at = strstr(cases[i].form, "%s");
        char *text =
            hub_format("{\"type\":\"x509\",\"x509\":{%.*s%s%s}}", (int)(at - cases[i].form),
                       cases[i].form, cases[i].certificate, at + 2);
        dps_attestation a;
        dps_error e = { 0 };
        assert_false(read(text, NULL, cases[i].group, &a, &e));
        assert_int_equal(e.code, DPS_CODE_ARGUMENT);
        assert_non_null(strstr(e.text, cases[i].word));
        free(text);
    }
    free(leaf);
    free(authority);
}

static void what_is_no_attestation_is_refused(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "{\"type\":1}",
        "{\"type\":\"\"}",
        "{\"type\":\"none\"}",
        "{\"type\":\"SymmetricKey\"}",
        "{\"type\":\"symmetricKey\",\"symmetricKey\":{\"primaryKey\":\"x\"}}",
        "{\"type\":\"symmetricKey\",\"symmetricKey\":{\"secondaryKey\":\"AAAA\"}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        dps_attestation a;
        dps_error e = { 0 };
        assert_false(read(texts[i], NULL, false, &a, &e));
        assert_int_equal(e.code, DPS_CODE_ARGUMENT);
        assert_null(a.first);
        assert_null(a.second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_derived_key_is_that_of_the_documentation),
        cmocka_unit_test(given_keys_are_taken_and_missing_ones_are_made),
        cmocka_unit_test(a_change_keeps_the_keys_that_it_does_not_give),
        cmocka_unit_test(what_is_shown_holds_no_keys),
        cmocka_unit_test(a_tpm_is_kept_for_one_device_only),
        cmocka_unit_test(a_certificate_is_shown_by_what_is_in_it),
        cmocka_unit_test(what_is_no_x509_attestation_is_refused),
        cmocka_unit_test(what_is_no_attestation_is_refused),
    };
    hub_json_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
