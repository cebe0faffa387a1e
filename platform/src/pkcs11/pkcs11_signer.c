#include "platform/pkcs11.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "pkcs11/pkcs11_key.h"
#include "wolfssl/identity/fault.h"

/* A signer of platform/identity.h with its private members. */
typedef struct pkcs11_signer {
    plat_signer base;
    pthread_mutex_t lock; /* protects the members after it */
    plat_pkcs11_place place;
    plat_pkcs11_token token;
    plat_pkcs11_key key; /* valid while the token is open */
} pkcs11_signer;

static pkcs11_signer *signer_of(const plat_signer *self)
{
    /* plat_pkcs11_signer_new has made it, so it is not const. */
    const union {
        const plat_signer *seen;
        pkcs11_signer *own;
    } signer = { self };
    return signer.own;
}

/* Opens a session and finds the key, unless an earlier session is still open. */
static plat_result ensure_open(pkcs11_signer *s, plat_identity_fault *fault)
{
    if (s->token.state == PLAT_PKCS11_OPEN) {
        return PLAT_OK;
    }
    plat_result r = plat_pkcs11_token_open(&s->token, &s->place, fault);
    if (r == PLAT_OK) {
        r = plat_pkcs11_token_login(&s->token, &s->place, CKU_USER, fault);
    }
    if (r == PLAT_OK) {
        r = plat_pkcs11_key_find(&s->key, &s->token, &s->place, fault);
    }
    if (r != PLAT_OK) {
        plat_pkcs11_token_close(&s->token);
    }
    return r;
}

/* One attempt.  A session that has failed is not used again; a scheme that the key does not have is
 * no failure of the session. */
static plat_result try_to_sign(pkcs11_signer *s, const plat_sign_request *request, uint8_t *out,
                               size_t cap, size_t *len, plat_identity_fault *fault)
{
    plat_result r = ensure_open(s, fault);
    if (r == PLAT_OK) {
        r = plat_pkcs11_key_sign(&s->key, &s->token, &s->place, request, out, cap, len, fault);
    }
    if (r != PLAT_OK && r != PLAT_ERR_ARG) {
        plat_pkcs11_token_close(&s->token);
    }
    return r;
}

static plat_result sign(const plat_signer *self, const plat_sign_request *request, uint8_t *out,
                        size_t cap, size_t *len, plat_identity_fault *fault)
{
    pkcs11_signer *s = signer_of(self);
    (void)pthread_mutex_lock(&s->lock);
    const bool had_session = s->token.state == PLAT_PKCS11_OPEN;
    plat_result r = try_to_sign(s, request, out, cap, len, fault);
    /* The token may have been removed and inserted again. */
    if (r == PLAT_ERR_SIGNER && had_session) {
        r = try_to_sign(s, request, out, cap, len, fault);
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (r == PLAT_OK) {
        fault->text[0] = '\0';
    }
    return r;
}

static void release(const plat_signer *self)
{
    pkcs11_signer *s = signer_of(self);
    plat_pkcs11_token_close(&s->token);
    plat_pkcs11_place_free(&s->place);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

plat_result plat_pkcs11_signer_new(const plat_pkcs11_config *config, plat_signer **out,
                                   plat_identity_fault *fault)
{
    *out = NULL;
    fault->text[0] = '\0';
    pkcs11_signer *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return plat_fault_memory(fault);
    }
    s->base = (plat_signer){ .sign = sign, .release = release };
    (void)pthread_mutex_init(&s->lock, NULL);
    plat_result r = plat_pkcs11_place_parse(&s->place, config, fault);
    if (r == PLAT_OK) {
        r = ensure_open(s, fault);
    }
    if (r != PLAT_OK) {
        release(&s->base);
        return r;
    }
    *out = &s->base;
    return PLAT_OK;
}
