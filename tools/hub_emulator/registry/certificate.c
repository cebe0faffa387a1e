#include "registry/certificate.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/crypto.h"
#include "base/text.h"

#define SHA1_DIGITS   40
#define SHA256_DIGITS 64
#define HASH_MAX      32
#define SERIAL_MAX    64
#define PEM_BEGIN     "-----BEGIN "

static gnutls_datum_t datum(const void *data, size_t len)
{
    /* gnutls_datum_t has no const form; the calls below only read. */
    union {
        const void *in;
        unsigned char *out;
    } cast = { .in = data };
    return (gnutls_datum_t){ cast.out, (unsigned)len };
}

/* --- reading ----------------------------------------------------------- */

static char *hex(const uint8_t *bytes, size_t len)
{
    char *text = hub_calloc(1, 2 * len + 1);

    for (size_t i = 0; i < len; i++) {
        (void)snprintf(text + 2 * i, 3, "%02X", bytes[i]);
    }
    return text;
}

static char *digest(gnutls_x509_crt_t crt, gnutls_digest_algorithm_t algorithm)
{
    uint8_t hash[HASH_MAX];
    size_t len = sizeof hash;

    return gnutls_x509_crt_get_fingerprint(crt, algorithm, hash, &len) >= 0 ? hex(hash, len)
                                                                            : hub_strdup("");
}

static char *common_name(gnutls_x509_crt_t crt)
{
    char name[256];
    size_t len = sizeof name;

    if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len) < 0 ||
        strlen(name) != len) { /* a NUL inside a name could make it look like another one */
        return hub_strdup("");
    }
    return hub_strdup(name);
}

typedef int (*get_name)(gnutls_x509_crt_t crt, gnutls_datum_t *out, unsigned flags);

static char *whole_name(gnutls_x509_crt_t crt, get_name get)
{
    gnutls_datum_t name = { 0 };

    if (get(crt, &name, 0) < 0) {
        return hub_strdup("");
    }
    char *text = hub_memdup(name.data, name.size);
    gnutls_free(name.data);
    return text;
}

static char *serial_number(gnutls_x509_crt_t crt)
{
    uint8_t bytes[SERIAL_MAX];
    size_t len = sizeof bytes;

    return gnutls_x509_crt_get_serial(crt, bytes, &len) >= 0 ? hex(bytes, len) : hub_strdup("");
}

static hub_certificate *describe(gnutls_x509_crt_t crt)
{
    hub_certificate *c = hub_calloc(1, sizeof *c);

    *c = (hub_certificate){
        .crt = crt,
        .name = common_name(crt),
        .subject = whole_name(crt, gnutls_x509_crt_get_dn3),
        .issuer = whole_name(crt, gnutls_x509_crt_get_issuer_dn3),
        .serial = serial_number(crt),
        .thumbprint = digest(crt, GNUTLS_DIG_SHA1),
        .thumbprint256 = digest(crt, GNUTLS_DIG_SHA256),
        .not_before_s = (int64_t)gnutls_x509_crt_get_activation_time(crt),
        .not_after_s = (int64_t)gnutls_x509_crt_get_expiration_time(crt),
        .version = gnutls_x509_crt_get_version(crt),
        .is_ca = gnutls_x509_crt_get_ca_status(crt, NULL) > 0,
    };
    return c;
}

static hub_result import(hub_certificate **out, const gnutls_datum_t *data,
                         gnutls_x509_crt_fmt_t format, hub_fault *fault)
{
    gnutls_x509_crt_t crt = NULL;

    *out = NULL;
    int code = gnutls_x509_crt_init(&crt);
    if (code >= 0) {
        code = gnutls_x509_crt_import(crt, data, format);
    }
    if (code < 0) {
        gnutls_x509_crt_deinit(crt);
        return hub_fail(fault, HUB_ERR_ARGUMENT, "not an X.509 certificate: %s",
                        gnutls_strerror(code));
    }
    *out = describe(crt);
    return HUB_OK;
}

hub_result hub_certificate_from_der(hub_certificate **out, const void *der, size_t len,
                                    hub_fault *fault)
{
    const gnutls_datum_t data = datum(der, len);

    return import(out, &data, GNUTLS_X509_FMT_DER, fault);
}

/* Base64 as the vendor's SDKs send it may be broken into lines. */
static char *without_space(const char *text)
{
    char *copy = hub_calloc(1, strlen(text) + 1);
    char *end = copy;

    for (; *text != '\0'; text++) {
        if (!isspace((unsigned char)*text)) {
            *end++ = *text;
        }
    }
    return copy;
}

static hub_result from_base64(hub_certificate **out, const char *text, hub_fault *fault)
{
    size_t len = 0;
    char *plain = without_space(text);
    uint8_t *der = hub_base64_decode(plain, &len);

    free(plain);
    *out = NULL;
    if (der == NULL) {
        return hub_fail(fault, HUB_ERR_ARGUMENT,
                        "a certificate is neither PEM nor base64 of its DER");
    }
    hub_result r = hub_certificate_from_der(out, der, len, fault);
    free(der);
    return r;
}

hub_result hub_certificate_from_text(hub_certificate **out, const char *text, hub_fault *fault)
{
    if (strstr(text, PEM_BEGIN) == NULL) {
        return from_base64(out, text, fault);
    }
    const gnutls_datum_t data = datum(text, strlen(text));
    return import(out, &data, GNUTLS_X509_FMT_PEM, fault);
}

void hub_certificate_free(hub_certificate *c)
{
    if (c == NULL) {
        return;
    }
    gnutls_x509_crt_deinit(c->crt);
    free(c->name);
    free(c->subject);
    free(c->issuer);
    free(c->serial);
    free(c->thumbprint);
    free(c->thumbprint256);
    free(c);
}

char *hub_certificate_to_text(const hub_certificate *c)
{
    gnutls_datum_t der = { 0 };

    if (gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_DER, &der) < 0) {
        return hub_strdup("");
    }
    char *text = hub_base64_encode(der.data, der.size);
    gnutls_free(der.data);
    return text;
}

/* --- judging ----------------------------------------------------------- */

hub_result hub_certificate_check_dates(const hub_certificate *c, int64_t now_s, hub_fault *fault)
{
    if (now_s < c->not_before_s) {
        return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "the certificate %.100s is not valid yet",
                        c->subject);
    }
    if (now_s >= c->not_after_s) {
        return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "the certificate %.100s has expired",
                        c->subject);
    }
    return HUB_OK;
}

bool hub_thumbprint_valid(const char *thumbprint)
{
    size_t len = strlen(thumbprint);

    return (len == SHA1_DIGITS || len == SHA256_DIGITS) &&
           strspn(thumbprint, "0123456789abcdefABCDEF") == len;
}

bool hub_certificate_has_thumbprint(const hub_certificate *c, const char *thumbprint)
{
    return hub_thumbprint_valid(thumbprint) && (strcasecmp(thumbprint, c->thumbprint) == 0 ||
                                                strcasecmp(thumbprint, c->thumbprint256) == 0);
}
