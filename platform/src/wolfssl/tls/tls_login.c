#include "wolfssl/tls/tls_login.h"

#include <stdbool.h>
#include <string.h>

#include "failure/failure_text.h"
#include "wolfssl/identity/fault.h"
#include "wolfssl/x509/signature.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hash.h>

/* wolfSSL must accept a public key in place of a private one. */
#if defined(HAVE_PK_CALLBACKS) && defined(WOLF_PRIVATE_KEY_ID)
#define HAS_CALLBACKS 1
#else
#define HAS_CALLBACKS 0
#endif

void plat_tls_login_init(plat_tls_login *l, plat_identity *identity)
{
    *l = (plat_tls_login){ .identity = identity != NULL ? identity->use->hold(identity) : NULL };
}

void plat_tls_login_free(plat_tls_login *l)
{
    plat_failure_text_drop(&l->failure);
    if (l->identity != NULL) {
        l->identity->use->release(l->identity);
    }
    *l = (plat_tls_login){ 0 };
}

/* --- what wolfSSL calls --- */

#if HAS_CALLBACKS

#define PUBLIC_PEM_MAX 1024 /* an RSA key of 4096 bits needs 800 bytes */

/* Signs, and keeps the reason of a failure, since wolfSSL only ends the handshake. */
static int sign(plat_tls_login *l, const plat_sign_request *request, byte *out, word32 *len)
{
    plat_identity_fault fault;
    uint8_t signature[PLAT_SIGNATURE_MAX];
    size_t got = 0;
    l->result =
        l->identity->use->sign(l->identity, request, signature, sizeof signature, &got, &fault);
    if (l->result == PLAT_OK && got > *len) {
        l->result = plat_fault_set(&fault, PLAT_ERR_SIGNER,
                                   "the signature is longer than that of the certificate's key");
    }
    if (l->result != PLAT_OK) {
        plat_failure_text_set(&l->failure, "%s", fault.text);
        return l->result == PLAT_ERR_MEMORY ? MEMORY_E : BAD_STATE_E;
    }
    memcpy(out, signature, got);
    *len = (word32)got;
    return 0;
}

static int sign_ec(WOLFSSL *ssl, const byte *in, word32 in_len, byte *out, word32 *len,
                   const byte *key, word32 key_len, void *user)
{
    (void)ssl, (void)key, (void)key_len;
    const plat_sign_request request = { PLAT_SIGN_ECDSA, in, in_len };
    return sign(user, &request, out, len);
}

static int sign_pss(WOLFSSL *ssl, const byte *in, word32 in_len, byte *out, word32 *len, int hash,
                    int mask, const byte *key, word32 key_len, void *user)
{
    (void)ssl, (void)hash, (void)mask, (void)key, (void)key_len;
    const plat_sign_request request = { PLAT_SIGN_RSA_PSS, in, in_len };
    return sign(user, &request, out, len);
}

/* The input is a DigestInfo (RFC 8017 section 9.2), but a signer gets only the digest. */
static int sign_pkcs1(WOLFSSL *ssl, const byte *in, word32 in_len, byte *out, word32 *len,
                      const byte *key, word32 key_len, void *user)
{
    plat_der digest;
    (void)ssl, (void)key, (void)key_len;
    if (!plat_digest_info_read((plat_der){ in, in_len }, &digest)) {
        return BAD_STATE_E;
    }
    const plat_sign_request request = { PLAT_SIGN_RSA_PKCS1, digest.at, digest.len };
    return sign(user, &request, out, len);
}

void plat_tls_login_prepare(WOLFSSL_CTX *ctx)
{
    wolfSSL_CTX_SetEccSignCb(ctx, sign_ec);
    wolfSSL_CTX_SetRsaSignCb(ctx, sign_pkcs1);
#ifdef WC_RSA_PSS
    wolfSSL_CTX_SetRsaPssSignCb(ctx, sign_pss);
#endif
}

static void set_callbacks(plat_tls_login *l, WOLFSSL *ssl)
{
    wolfSSL_SetEccSignCtx(ssl, l);
    wolfSSL_SetRsaSignCtx(ssl, l);
#ifdef WC_RSA_PSS
    wolfSSL_SetRsaPssSignCtx(ssl, l);
#endif
}

/* Gives wolfSSL the public key, from which it learns the kind of the key. PEM is used, because
 * wolfSSL 5.5 crashes if it has no memory for a copy of DER. */
static int load_key(const plat_identity *id, WOLFSSL *ssl)
{
    byte pem[PUBLIC_PEM_MAX];
    int len =
        wc_DerToPem(id->chain.key, (word32)id->chain.key_len, pem, sizeof pem, PUBLICKEY_TYPE);
    return len > 0 ? wolfSSL_use_PrivateKey_buffer(ssl, pem, len, WOLFSSL_FILETYPE_PEM) : len;
}

static bool can_sign(const plat_identity *id)
{
    (void)id;
    return true;
}

#else

/* Without callbacks, wolfSSL itself signs, with a copy of the key that it erases afterwards. */
void plat_tls_login_prepare(WOLFSSL_CTX *ctx)
{
    (void)ctx;
}

static void set_callbacks(plat_tls_login *l, WOLFSSL *ssl)
{
    (void)l;
    (void)ssl;
}

static int load_key(const plat_identity *id, WOLFSSL *ssl)
{
    return wolfSSL_use_PrivateKey_buffer(ssl, id->key.der, (long)id->key.len,
                                         WOLFSSL_FILETYPE_ASN1);
}

static bool can_sign(const plat_identity *id)
{
    return id->signer == NULL;
}

#endif

/* --- handshakes --- */

static plat_result refuse(plat_tls_login *l, plat_result r, const char *why)
{
    plat_failure_text_set(&l->failure, "%s", why);
    l->result = r;
    return r;
}

plat_result plat_tls_login_begin(plat_tls_login *l, WOLFSSL *ssl)
{
    const plat_identity *id = l->identity;
    if (id == NULL) { /* l may be shared with other threads, and must not be written */
        return PLAT_OK;
    }
    plat_failure_text_drop(&l->failure);
    l->result = PLAT_OK;
    if (!can_sign(id)) {
        return refuse(l, PLAT_ERR_IDENTITY,
                      "this wolfSSL has no HAVE_PK_CALLBACKS, so that a signer cannot be used");
    }
    set_callbacks(l, ssl);
    int rc = wolfSSL_use_certificate_chain_buffer(ssl, id->chain.pem, (long)id->chain.pem_len);
    if (rc == WOLFSSL_SUCCESS) {
        rc = load_key(id, ssl);
    }
    if (rc == WOLFSSL_SUCCESS) {
        return PLAT_OK;
    }
    return rc == MEMORY_E
               ? refuse(l, PLAT_ERR_MEMORY, "no memory is left")
               : refuse(l, PLAT_ERR_IDENTITY, "this wolfSSL cannot use the client certificate");
}

void plat_tls_login_end(const plat_tls_login *l, WOLFSSL *ssl)
{
    if (l->identity != NULL) {
        (void)wolfSSL_UnloadCertsKeys(ssl);
    }
}

plat_result plat_tls_login_result(const plat_tls_login *l, const char **why)
{
    *why = plat_failure_text_get(l->failure);
    return l->result == PLAT_ERR_ARG ? PLAT_ERR_SIGNER : l->result;
}

uint64_t plat_tls_login_number(const plat_tls_login *l)
{
    return l->identity != NULL ? l->identity->number : 0;
}
