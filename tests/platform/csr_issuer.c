#include "csr_issuer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "device_fixture.h"

gnutls_x509_crq_t csr_read(const uint8_t *der, size_t len, const char *common_name)
{
    char text[256];
    size_t text_len = sizeof text;
    gnutls_x509_crq_t crq;
    const gnutls_datum_t bytes = { (unsigned char *)(uintptr_t)der, (unsigned)len };
    assert_int_equal(gnutls_x509_crq_init(&crq), 0);
    assert_int_equal(gnutls_x509_crq_import(crq, &bytes, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_crq_verify(crq, 0), 0);
    assert_int_equal(gnutls_x509_crq_get_version(crq), 1);
    assert_int_equal(
        gnutls_x509_crq_get_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text, &text_len), 0);
    assert_string_equal(text, common_name);
    return crq;
}

size_t csr_issue(gnutls_x509_crq_t crq, uint8_t *out, size_t cap)
{
    uint8_t der[2048];
    gnutls_x509_crt_t ca, crt;
    gnutls_x509_privkey_t key;
    size_t len = cap;
    const gnutls_datum_t ca_der = { device_ca.der, (unsigned)device_ca.len };
    const gnutls_datum_t key_der = { der,
                                     (unsigned)pki_key_der(PKI_INTERMEDIATE, der, sizeof der) };
    assert_int_equal(gnutls_x509_crt_init(&ca), 0);
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_crt_import(ca, &ca_der, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_privkey_import(key, &key_der, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_crt_set_crq(crt, crq), 0);
    assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
    assert_int_equal(gnutls_x509_crt_set_serial(crt, "\x01", 1), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600), 0);
    assert_int_equal(gnutls_x509_crt_sign2(crt, ca, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_DER, out, &len), 0);
    gnutls_x509_privkey_deinit(key);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_crt_deinit(ca);
    assert_true(device_ca.len <= cap - len);
    memcpy(out + len, device_ca.der, device_ca.len);
    return len + device_ca.len;
}
