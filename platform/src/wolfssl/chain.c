#include "wolfssl/chain.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/rsa.h>

#define LONGEST      8 /* certificates from the server's own up to below the root */
#define PRESENTED    16
#define RSA_MIN_BITS 2048

/*
 * The WOLFSSL_CTX trusts nobody; the chain is verified here, with a certificate manager of its
 * own for each handshake.  wolfSSL alone would add every intermediate that it meets to the
 * trusted ones for as long as the process lives, before anybody could judge it, and would use it
 * for later connections beyond its date.
 */

typedef struct link_names {
    byte subject[KEYID_SIZE];
    byte issuer[KEYID_SIZE];
} link_names;

typedef struct verifier {
    const plat_chain *chain;
    const plat_roots *roots;
    const plat_host *host;
    WOLFSSL_CERT_MANAGER *manager;
    link_names names[PRESENTED];
    size_t path[LONGEST]; /* indexes of chain->certs, the server's own first */
    size_t path_len;
    plat_chain_verdict *out;
} verifier;

static plat_result refuse(verifier *v, plat_result r, const char *why)
{
    v->out->why = why;
    return r;
}

static bool same_name(const byte *a, const byte *b)
{
    return memcmp(a, b, KEYID_SIZE) == 0;
}

static plat_result read_names(verifier *v)
{
    for (size_t i = 0; i < v->chain->count; i++) {
        const WOLFSSL_BUFFER_INFO *der = &v->chain->certs[i];
        DecodedCert cert;
        wc_InitDecodedCert(&cert, der->buffer, der->length, NULL);
        int rc = wc_ParseCert(&cert, CERT_TYPE, NO_VERIFY, NULL);
        memcpy(v->names[i].subject, cert.subjectHash, KEYID_SIZE);
        memcpy(v->names[i].issuer, cert.issuerHash, KEYID_SIZE);
        wc_FreeDecodedCert(&cert);
        if (rc != 0 && rc != ASN_BEFORE_DATE_E && rc != ASN_AFTER_DATE_E) {
            return refuse(v, PLAT_ERR_CERT,
                          "the server presents a certificate that cannot be read");
        }
    }
    return PLAT_OK;
}

static bool is_root_name(const plat_roots *roots, const byte *name)
{
    for (size_t i = 0; i < roots->count; i++) {
        if (same_name(roots->list[i].subject, name)) {
            return true;
        }
    }
    return false;
}

static bool is_in_path(const verifier *v, size_t index)
{
    for (size_t i = 0; i < v->path_len; i++) {
        if (v->path[i] == index) {
            return true;
        }
    }
    return false;
}

static bool find_issuer(const verifier *v, const byte *name, size_t *index)
{
    for (size_t i = 1; i < v->chain->count; i++) {
        if (same_name(v->names[i].subject, name) && !is_in_path(v, i)) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* By names alone, from the server's own certificate up to the first trusted name. */
static plat_result build_path(verifier *v)
{
    size_t next = 0;
    for (v->path_len = 0; v->path_len < LONGEST;) {
        v->path[v->path_len++] = next;
        const byte *issuer = v->names[next].issuer;
        if (is_root_name(v->roots, issuer)) {
            return PLAT_OK;
        }
        if (!find_issuer(v, issuer, &next)) {
            bool alone = v->path_len == 1 && same_name(v->names[0].subject, issuer);
            return refuse(v, PLAT_ERR_CERT_UNTRUSTED,
                          alone ? "the server's certificate is self-signed and not trusted"
                                : "the chain of certificates does not end at a trusted root");
        }
    }
    return refuse(v, PLAT_ERR_CERT_UNTRUSTED, "the chain of certificates is too long");
}

static plat_result explain(verifier *v, int rc)
{
    switch (rc) {
    case ASN_AFTER_DATE_E:
        return refuse(v, PLAT_ERR_CERT_DATE, "a certificate of the chain has expired");
    case ASN_BEFORE_DATE_E:
        return refuse(v, PLAT_ERR_CERT_DATE,
                      "a certificate of the chain is not valid yet (is the clock right?)");
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E:
    case ASN_SIG_CONFIRM_E:
    case ASN_SIG_KEY_E:
    case ASN_SIG_HASH_E:
        return refuse(v, PLAT_ERR_CERT_UNTRUSTED,
                      "a signature in the chain was not made by the trusted root it names");
    case ASN_NAME_INVALID_E:
        return refuse(v, PLAT_ERR_CERT, "a name is outside what its issuer may sign");
    case MEMORY_E: return refuse(v, PLAT_ERR_MEMORY, "no memory left");
    default: return refuse(v, PLAT_ERR_CERT, wolfSSL_ERR_reason_error_string((unsigned long)rc));
    }
}

static unsigned rsa_bits(const DecodedCert *cert)
{
    word32 at = 0;
    const byte *n;
    const byte *e;
    word32 n_len;
    word32 e_len;
    if (wc_RsaPublicKeyDecode_ex(cert->publicKey, &at, cert->pubKeySize, &n, &n_len, &e, &e_len) !=
        0) {
        return 0;
    }
    while (n_len > 0 && *n == 0) {
        n++;
        n_len--;
    }
    unsigned bits = 8 * n_len;
    for (unsigned top = 0x80; n_len > 0 && (*n & top) == 0; top >>= 1) {
        bits--;
    }
    return bits;
}

static bool has_strong_key(const DecodedCert *cert)
{
    switch (cert->keyOID) {
    case RSAk: return rsa_bits(cert) >= RSA_MIN_BITS;
    case ECDSAk:
        return cert->pkCurveOID == ECC_SECP256R1_OID || cert->pkCurveOID == ECC_SECP384R1_OID ||
               cert->pkCurveOID == ECC_SECP521R1_OID;
    case ED25519k:
    case ED448k: return true;
    default: return false;
    }
}

static bool has_strong_signature(const DecodedCert *cert)
{
    switch (cert->signatureOID) {
    case CTC_SHA256wRSA:
    case CTC_SHA384wRSA:
    case CTC_SHA512wRSA:
    case CTC_SHA256wECDSA:
    case CTC_SHA384wECDSA:
    case CTC_SHA512wECDSA:
    case CTC_ED25519:
    case CTC_ED448: return true;
    default: return false;
    }
}

static bool may_serve(const DecodedCert *cert)
{
    return !cert->extExtKeyUsageSet ||
           (cert->extExtKeyUsage & (EXTKEYUSE_SERVER_AUTH | EXTKEYUSE_ANY)) != 0;
}

static bool may_use_key_for(const DecodedCert *cert, word16 purpose)
{
    return !cert->extKeyUsageSet || (cert->extKeyUsage & purpose) != 0;
}

static plat_result check_strength(verifier *v, const DecodedCert *cert)
{
    if (!has_strong_key(cert)) {
        return refuse(v, PLAT_ERR_CERT, "a key in the chain is too weak or of an unknown kind");
    }
    if (!has_strong_signature(cert)) {
        return refuse(v, PLAT_ERR_CERT, "a signature in the chain is of a weak or unknown kind");
    }
    if (!may_serve(cert)) {
        return refuse(v, PLAT_ERR_CERT, "a certificate of the chain is not meant for servers");
    }
    return PLAT_OK;
}

static bool may_sign(const DecodedCert *cert, size_t below)
{
    return cert->isCA && may_use_key_for(cert, KEYUSE_KEY_CERT_SIGN) &&
           (!cert->pathLengthSet || cert->pathLength >= below);
}

static bool is_for_host(const DecodedCert *cert, const plat_host *host)
{
    for (const DNS_entry *san = cert->altNames; san != NULL; san = san->next) {
        size_t len = san->len > 0 ? (size_t)san->len : 0;
        if (san->type == ASN_DNS_TYPE && plat_host_matches_dns(host, san->name, len)) {
            return true;
        }
        if (san->type == ASN_IP_TYPE && plat_host_matches_ip(host, san->name, len)) {
            return true;
        }
    }
    return false;
}

static plat_result check_own(verifier *v, const DecodedCert *cert)
{
    if (!may_use_key_for(cert, KEYUSE_DIGITAL_SIG)) {
        return refuse(v, PLAT_ERR_CERT, "the server's certificate is not meant for signatures");
    }
    if (!is_for_host(cert, v->host)) {
        return refuse(v, PLAT_ERR_CERT_HOST,
                      cert->altNames == NULL
                          ? "the server's certificate has no subjectAltName that names a host"
                          : "the server's certificate is for another host");
    }
    return PLAT_OK;
}

/* place: 0 for the server's own, then upwards; that many minus one CAs stand below it. */
static plat_result check(verifier *v, const DecodedCert *cert, size_t place)
{
    plat_result r = check_strength(v, cert);
    if (r != PLAT_OK || place == 0) {
        return r != PLAT_OK ? r : check_own(v, cert);
    }
    if (!may_sign(cert, place - 1)) {
        return refuse(v, PLAT_ERR_CERT, "a certificate of the chain may not sign others");
    }
    return PLAT_OK;
}

/* A date of unusual form becomes "", which is before any other. */
static void read_date(const DecodedCert *cert, char out[static PLAT_DATE_SIZE])
{
    const byte *text;
    byte format;
    int len;
    out[0] = '\0';
    if (wc_GetDateInfo(cert->afterDate, cert->afterDateLen, &text, &format, &len) != 0) {
        return;
    }
    if (format == ASN_UTC_TIME && len == 13) { /* RFC 5280 section 4.1.2.5.1 */
        (void)snprintf(out, PLAT_DATE_SIZE, "%s%.13s", text[0] >= '5' ? "19" : "20",
                       (const char *)text);
    } else if (format == ASN_GENERALIZED_TIME && len == 15) {
        (void)snprintf(out, PLAT_DATE_SIZE, "%.15s", (const char *)text);
    }
}

static void note_expiry(verifier *v, const char *date)
{
    char *first = v->out->trust.valid_until;
    if (strcmp(date, first) < 0) {
        memcpy(first, date, PLAT_DATE_SIZE);
    }
}

static plat_result trust(verifier *v, const byte *der, word32 len)
{
    int rc = wolfSSL_CertManagerLoadCABuffer(v->manager, der, (long)len, WOLFSSL_FILETYPE_ASN1);
    return rc == WOLFSSL_SUCCESS ? PLAT_OK : explain(v, rc);
}

static plat_result judge_root(verifier *v, const DecodedCert *cert)
{
    char date[PLAT_DATE_SIZE];
    bool fits = !cert->pathLengthSet || cert->pathLength + 1u >= v->path_len;
    if (!has_strong_key(cert) || !fits) {
        return refuse(v, PLAT_ERR_CERT, "the trusted root is weak or may not sign this");
    }
    read_date(cert, date);
    if (date[0] != '\0' && plat_date_is_past(date, v->chain->now_s)) {
        return refuse(v, PLAT_ERR_CERT_DATE, "the trusted root has expired");
    }
    note_expiry(v, date);
    return PLAT_OK;
}

static plat_result check_root(verifier *v, const DerBuffer *der)
{
    DecodedCert cert;
    wc_InitDecodedCert(&cert, der->buffer, der->length, NULL);
    int rc = wc_ParseCert(&cert, CA_TYPE, NO_VERIFY, NULL);
    plat_result r = rc == 0 ? judge_root(v, &cert) : explain(v, rc);
    wc_FreeDecodedCert(&cert);
    return r;
}

/* Several roots may have the name, such as an old and a new one: one that fits is enough. */
static plat_result trust_roots(verifier *v)
{
    const byte *name = v->names[v->path[v->path_len - 1]].issuer;
    plat_result refused = PLAT_OK;
    bool found = false;
    for (size_t i = 0; i < v->roots->count; i++) {
        const plat_root *root = &v->roots->list[i];
        if (!same_name(root->subject, name)) {
            continue;
        }
        plat_result r = check_root(v, root->der);
        r = r == PLAT_OK ? trust(v, root->der->buffer, root->der->length) : r;
        found = found || r == PLAT_OK;
        refused = r != PLAT_OK ? r : refused;
    }
    return found ? PLAT_OK : refused;
}

static plat_result verify_link(verifier *v, size_t place)
{
    const WOLFSSL_BUFFER_INFO *der = &v->chain->certs[v->path[place]];
    DecodedCert cert;
    wc_InitDecodedCert(&cert, der->buffer, der->length, NULL);
    int rc = wc_ParseCert(&cert, CERT_TYPE, VERIFY, v->manager);
    plat_result r = rc == 0 ? check(v, &cert, place) : explain(v, rc);
    if (r == PLAT_OK) {
        char date[PLAT_DATE_SIZE];
        read_date(&cert, date);
        note_expiry(v, date);
    }
    wc_FreeDecodedCert(&cert);
    if (r == PLAT_OK && place > 0) {
        r = trust(v, der->buffer, der->length);
    }
    return r;
}

static plat_result verify_path(verifier *v)
{
    plat_result r = trust_roots(v);
    for (size_t place = v->path_len; r == PLAT_OK && place > 0; place--) {
        r = verify_link(v, place - 1);
    }
    return r;
}

plat_result plat_chain_verify(const plat_chain *chain, const plat_roots *roots,
                              const plat_host *host, plat_chain_verdict *out)
{
    verifier v = { .chain = chain, .roots = roots, .host = host, .out = out };
    *out = (plat_chain_verdict){ .trust = { chain->now_s, "99991231235959Z" } };
    if (chain->count == 0 || chain->count > PRESENTED) {
        return refuse(&v, PLAT_ERR_CERT, "the server presents no certificate, or far too many");
    }
    plat_result r = read_names(&v);
    if (r == PLAT_OK) {
        r = build_path(&v);
    }
    if (r != PLAT_OK) {
        return r;
    }
    v.manager = wolfSSL_CertManagerNew();
    if (v.manager == NULL) {
        return refuse(&v, PLAT_ERR_MEMORY, "no memory left");
    }
    r = verify_path(&v);
    wolfSSL_CertManagerFree(v.manager);
    return r;
}
