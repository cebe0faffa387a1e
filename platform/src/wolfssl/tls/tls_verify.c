#include "wolfssl/tls/tls_verify.h"

#include <string.h>

#include "wolfssl/tls/tls_explain.h"

#include <wolfssl/openssl/evp.h>

/* Frees the copies of all certificates in wolfSSL's session, which are never used. */
static void discard_chain(WOLFSSL_X509_STORE_CTX *store)
{
#ifdef SESSION_CERTS
    const int count = wolfSSL_get_chain_count(store->sesChain);
    for (int i = 0; i < count; i++) {
        memset(wolfSSL_get_chain_cert(store->sesChain, i), 0,
               (size_t)wolfSSL_get_chain_length(store->sesChain, i));
    }
#endif
    store->discardSessionCerts = 1;
}

/* Frees the copy of the server's own certificate in wolfSSL's connection, with its parsed key
 * and names: 16 KB and more. The handshake uses another copy of the key. */
static void discard_own_certificate(WOLFSSL_X509_STORE_CTX *store)
{
#if defined(OPENSSL_ALL) && defined(WOLFSSL_CERT_GEN)
    WOLFSSL_X509 *copy = store->current_cert;
    WOLFSSL_X509_PUBKEY *key = wolfSSL_X509_get_X509_PUBKEY(copy);
    WOLFSSL_X509_NAME *empty = wolfSSL_X509_NAME_new();
    if (key != NULL) {
        wolfSSL_EVP_PKEY_free(key->pkey); /* takes NULL */
        key->pkey = NULL;
    }
    (void)wolfSSL_X509_set_subject_name(copy, empty); /* refuse NULL */
    (void)wolfSSL_X509_set_issuer_name(copy, empty);
    wolfSSL_X509_NAME_free(empty);
#else
    (void)store;
#endif
}

static plat_result verify_chain(const plat_tls_verify *v, const WOLFSSL_X509_STORE_CTX *store,
                                plat_chain_verdict *out)
{
    plat_host host;
    if (!plat_host_parse(&host, v->host) || store->totalCerts <= 0) {
        *out = (plat_chain_verdict){ .why = "the host name is malformed" };
        return PLAT_ERR_ARG;
    }
    const plat_chain chain = { .certs = store->certs,
                               .count = (size_t)store->totalCerts,
                               .now_s = plat_trust_now_s() };
    return plat_chain_verify(&chain, v->roots, &host, out);
}

/* wolfSSL calls this for each certificate (the server's own is the last), whether it has found a
 * fault or not. Only the answer for the last one counts. */
static int on_certificate(int preverified, WOLFSSL_X509_STORE_CTX *store)
{
    (void)preverified;
    plat_tls_verify *v = store->userCtx;
    plat_chain_verdict verdict;
    if (store->error_depth > 0) {
        return 1;
    }
    v->full_chain = store->totalCerts >= v->chain_limit;
    v->verdict = verify_chain(v, store, &verdict);
    if (v->verdict != PLAT_OK) {
        bool cut = v->full_chain && v->verdict == PLAT_ERR_CERT_UNTRUSTED;
        v->u.why = cut ? plat_tls_too_many_certificates : verdict.why;
        return 0;
    }
    v->u.trust = verdict.trust;
    discard_chain(store);
    discard_own_certificate(store);
    return 1;
}

void plat_tls_verify_init(plat_tls_verify *v, const plat_roots *roots, const char *host)
{
    *v = (plat_tls_verify){ .roots = roots, .host = host, .verdict = PLAT_WOULD_BLOCK };
}

void plat_tls_verify_attach(plat_tls_verify *v, WOLFSSL *ssl)
{
    const long limit = wolfSSL_get_verify_depth(ssl);
    v->chain_limit = limit > 0 && limit < UINT16_MAX ? (uint16_t)limit : UINT16_MAX;
    wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, on_certificate);
    wolfSSL_SetCertCbCtx(ssl, v);
}

void plat_tls_verify_adopt(plat_tls_verify *v, const plat_trust *trust)
{
    v->u.trust = *trust;
}

bool plat_tls_verify_has_refused(const plat_tls_verify *v)
{
    return v->verdict != PLAT_OK && v->verdict != PLAT_WOULD_BLOCK;
}
