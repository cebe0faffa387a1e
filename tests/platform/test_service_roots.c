#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wolfssl/x509/certificate.h"
#include "wolfssl/x509/service_roots.h"

#include <wolfssl/wolfcrypt/hash.h>

#ifdef PLAT_WITH_SERVICE_ROOTS

/* The values come from service_roots.txt, which names the source. */
static const struct {
    const char *name;
    const char *sha256;
} wanted[] = {
    { "DigiCert Global Root G2",
      "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f" },
    { "Microsoft RSA Root Certificate Authority 2017",
      "c741f70f4b2a8d88bf2e71c14122ef53ef10eba0cfa5e64cfa20f418853073e0" },
    { "DigiCert Global Root G3",
      "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0" },
    { "Microsoft ECC Root Certificate Authority 2017",
      "358df39d764af9e1b766e9c972df352ee15cfac227af6ad1d70e8e4a6edcba02" },
};
enum { WANTED = sizeof wanted / sizeof wanted[0] };

static void they_are_those_of_the_table_and_can_sign(void **state)
{
    (void)state;
    assert_int_equal(plat_service_root_count, WANTED);
    for (size_t i = 0; i < WANTED; i++) {
        const plat_service_root *root = &plat_service_roots[i];
        byte digest[32];
        char hex[65] = "";
        char name[64];
        plat_certificate cert;
        assert_string_equal(root->name, wanted[i].name);
        assert_int_equal(wc_Hash(WC_HASH_TYPE_SHA256, root->der, (word32)root->len, digest, 32), 0);
        for (size_t at = 0; at < 32; at++) {
            snprintf(hex + 2 * at, 3, "%02x", digest[at]);
        }
        assert_string_equal(hex, wanted[i].sha256);
        assert_true(plat_certificate_read(&cert, (plat_der){ root->der, root->len }));
        assert_null(cert.flaw);
        assert_true(cert.extensions.is_ca);
        assert_true(plat_name_common_name(cert.subject, name, sizeof name));
        assert_string_equal(name, root->name);
    }
}

static void all_of_them_become_roots(void **state)
{
    (void)state;
    plat_roots roots = { 0 };
    const char *why = NULL;
    assert_int_equal(plat_service_roots_add(&roots, &why), PLAT_OK);
    assert_null(why);
    assert_int_equal(roots.count, WANTED);
    plat_roots_free(&roots);
}

#else

static void they_are_those_of_the_table_and_can_sign(void **state)
{
    (void)state;
    skip(); /* this build has no compiled-in roots */
}

static void all_of_them_become_roots(void **state)
{
    (void)state;
    plat_roots roots = { 0 };
    const char *why = NULL;
    assert_int_equal(plat_service_roots_add(&roots, &why), PLAT_ERR_TRUST_STORE);
    assert_non_null(strstr(why, "IOTHUB_COMPILED_IN_ROOTS"));
    assert_int_equal(roots.count, 0);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_those_of_the_table_and_can_sign),
        cmocka_unit_test(all_of_them_become_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
