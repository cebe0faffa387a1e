#include "test_pki.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY_S (24 * 60 * 60)

static ecc_key ec_keys[PKI_KEYS];
static RsaKey rsa_keys[PKI_KEYS];
static WC_RNG rng;
static char directory[] = "/tmp/iothub-tls-XXXXXX";
static char paths[24][64];
static size_t path_count;
static bool made[PKI_KEYS];

static bool is_rsa(pki_key k)
{
    return k == PKI_RSA || k == PKI_RSA_1024;
}

static int curve_bytes(pki_key k)
{
    return k == PKI_P224 ? 28 : k == PKI_P384 ? 48 : 32;
}

bool pki_has_key(pki_key k)
{
    return made[k];
}

void pki_make_keys(void)
{
    assert_int_equal(wc_InitRng(&rng), 0);
    for (int k = 0; k < PKI_KEYS; k++) {
        if (is_rsa((pki_key)k)) {
            assert_int_equal(wc_InitRsaKey(&rsa_keys[k], NULL), 0);
            int bits = k == PKI_RSA ? 2048 : 1024;
            made[k] = wc_MakeRsaKey(&rsa_keys[k], bits, WC_RSA_EXPONENT, &rng) == 0;
        } else {
            assert_int_equal(wc_ecc_init(&ec_keys[k]), 0);
            made[k] = wc_ecc_make_key(&rng, curve_bytes((pki_key)k), &ec_keys[k]) == 0;
        }
        assert_true(made[k] || k == PKI_RSA_1024 || k == PKI_P224);
    }
    assert_non_null(mkdtemp(directory));
}

void pki_free_keys(void)
{
    for (int k = 0; k < PKI_KEYS; k++) {
        if (is_rsa((pki_key)k)) {
            wc_FreeRsaKey(&rsa_keys[k]);
        } else {
            wc_ecc_free(&ec_keys[k]);
        }
    }
    wc_FreeRng(&rng);
}

static void *key_of(pki_key k)
{
    return is_rsa(k) ? (void *)&rsa_keys[k] : (void *)&ec_keys[k];
}

static int type_of(pki_key k)
{
    return is_rsa(k) ? RSA_TYPE : ECC_TYPE;
}

/* Writes a UTCTime with its tag and length, in the form that wolfCrypt copies. */
static int put_date(byte *out, int days)
{
    time_t t = time(NULL) + (time_t)days * DAY_S;
    struct tm tm;
    gmtime_r(&t, &tm);
    out[0] = 0x17;
    out[1] = 13;
    assert_int_equal(strftime((char *)out + 2, 14, "%y%m%d%H%M%SZ", &tm), 13);
    return 15;
}

static int put_alt_names(byte *out, const pki_spec *s)
{
    int n = 2;
    if (s->dns != NULL) {
        size_t len = s->dns_len != 0 ? s->dns_len : strlen(s->dns);
        out[n++] = 0x82; /* [2] dNSName */
        out[n++] = (byte)len;
        memcpy(out + n, s->dns, len);
        n += (int)len;
    }
    if (s->ip != NULL) {
        bool v4 = strchr(s->ip, ':') == NULL;
        out[n++] = 0x87; /* [7] iPAddress */
        out[n++] = v4 ? 4 : 16;
        assert_int_equal(inet_pton(v4 ? AF_INET : AF_INET6, s->ip, out + n), 1);
        n += v4 ? 4 : 16;
    }
    out[0] = 0x30;
    out[1] = (byte)(n - 2);
    return n > 2 ? n : 0;
}

static int signature_of(const pki_spec *s, pki_key signer)
{
    if (s->signature != 0) {
        return s->signature;
    }
    return is_rsa(signer) ? CTC_SHA256wRSA : CTC_SHA256wECDSA;
}

void pki_make(pki_cert *out, const pki_spec *s)
{
    Cert c;
    pki_key signer = s->issuer != NULL ? s->issuer_key : s->key;
    assert_int_equal(wc_InitCert(&c), 0);
    snprintf(c.subject.commonName, sizeof c.subject.commonName, "%s", s->name);
    c.sigType = signature_of(s, signer);
    c.isCA = s->ca;
    if (s->ca && s->path_len >= 0) {
        c.pathLen = (byte)s->path_len;
        c.pathLenSet = 1;
    }
    c.selfSigned = s->issuer == NULL;
    c.beforeDateSz = put_date(c.beforeDate, s->from_days);
    c.afterDateSz = put_date(c.afterDate, s->to_days);
    c.altNamesSz = put_alt_names(c.altNames, s);
    if (s->key_usage != NULL) {
        assert_int_equal(wc_SetKeyUsage(&c, s->key_usage), 0);
    }
    if (s->extended_key_usage != NULL) {
        assert_int_equal(wc_SetExtKeyUsage(&c, s->extended_key_usage), 0);
    }
    if (s->issuer != NULL) { /* used instead of wc_SetIssuerBuffer, which refuses bad issuers */
        snprintf(c.issuer.commonName, sizeof c.issuer.commonName, "%s", s->issuer->name);
    }
    int body = wc_MakeCert_ex(&c, out->der, sizeof out->der, type_of(s->key), key_of(s->key), &rng);
    assert_true(body > 0);
    int len = wc_SignCert_ex(c.bodySz, c.sigType, out->der, sizeof out->der, type_of(signer),
                             key_of(signer), &rng);
    assert_true(len > 0);
    out->len = (size_t)len;
    snprintf(out->name, sizeof out->name, "%s", s->name);
}

size_t pki_key_der(pki_key k, byte *out, size_t cap)
{
    int len = is_rsa(k) ? wc_RsaKeyToDer(&rsa_keys[k], out, (word32)cap)
                        : wc_EccKeyToDer(&ec_keys[k], out, (word32)cap);
    assert_true(len > 0);
    return (size_t)len;
}

size_t pki_public_der(pki_key k, byte *out, size_t cap)
{
    int len = is_rsa(k) ? wc_RsaKeyToPublicDer(&rsa_keys[k], out, (word32)cap)
                        : wc_EccPublicKeyToDer(&ec_keys[k], out, (word32)cap, 1);
    assert_true(len > 0);
    return (size_t)len;
}

void pki_sign(pki_cert *out, size_t len, pki_key signer)
{
    int type = is_rsa(signer) ? CTC_SHA256wRSA : CTC_SHA256wECDSA;
    int all = wc_SignCert_ex((int)len, type, out->der, sizeof out->der, type_of(signer),
                             key_of(signer), &rng);
    assert_true(all > 0);
    out->len = (size_t)all;
}

/* Returns the path of a file; the same path if the file is written a second time. */
static char *path_of(const char *file)
{
    char path[sizeof paths[0]];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    for (size_t i = 0; i < path_count; i++) {
        if (strcmp(paths[i], path) == 0) {
            return paths[i];
        }
    }
    assert_true(path_count < sizeof paths / sizeof paths[0]);
    memcpy(paths[path_count], path, sizeof path);
    return paths[path_count++];
}

const char *pki_write_pem(const char *file, const pki_cert *const *certs, size_t count)
{
    char *path = path_of(file);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < count; i++) {
        byte pem[4096];
        int len = wc_DerToPem(certs[i]->der, (word32)certs[i]->len, pem, sizeof pem, CERT_TYPE);
        assert_true(len > 0);
        assert_int_equal(fwrite(pem, 1, (size_t)len, f), (size_t)len);
    }
    assert_int_equal(fclose(f), 0);
    return path;
}

void pki_remove_files(void)
{
    for (size_t i = 0; i < path_count; i++) {
        unlink(paths[i]);
    }
    rmdir(directory);
}
