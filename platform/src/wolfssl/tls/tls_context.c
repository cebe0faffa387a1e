#include "wolfssl/tls/tls_context.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "wolfssl/crypto/crypto_callback.h"
#include "wolfssl/crypto/start.h"
#include "wolfssl/tls/tls_login.h"
#include "wolfssl/x509/signature.h"

/*
 * Only suites with forward secrecy and authenticated encryption.  Without AES instructions,
 * ChaCha20 is faster than AES, and its time does not depend on the key; with them, AES is faster.
 * A hub accepts only AES.
 */
#define TLS13_CHACHA20 "TLS13-CHACHA20-POLY1305-SHA256"
#define TLS13_AES      "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384"
#define TLS12_CHACHA20 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define TLS12_AES                                                \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"

static const char suites[] = TLS13_CHACHA20 ":" TLS13_AES ":" TLS12_CHACHA20 ":" TLS12_AES;
static const char suites_aes_first[] =
    TLS13_AES ":" TLS13_CHACHA20 ":" TLS12_AES ":" TLS12_CHACHA20;

static const char signatures[] = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ED25519:"
#ifdef HAVE_ED448
                                 "ED448:"
#endif
                                 "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
                                 "RSA+SHA256:RSA+SHA384:RSA+SHA512";

/* X25519 comes first, so that wolfSSL sends a key share for it. For a P curve wolfSSL would
 * first make a table of the server's point, which is used only once and takes as long as the key
 * exchange itself. */
static const struct {
    word16 id;
    const char *name; /* name as wolfSSL_get_curve_name returns it */
} groups[] = {
    { WOLFSSL_ECC_X25519, "X25519" },       { WOLFSSL_ECC_SECP256R1, "SECP256R1" },
    { WOLFSSL_ECC_SECP384R1, "SECP384R1" }, { WOLFSSL_ECC_SECP521R1, "SECP521R1" },
    { WOLFSSL_ECC_X448, "X448" },
};
#define GROUP_COUNT (sizeof groups / sizeof groups[0])

static struct {
    pthread_mutex_t lock;
    int device; /* id of our crypto callback, or INVALID_DEVID */
    plat_tls_context *first;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool plat_tls_suite_is_safe(const char *name)
{
    size_t len = strlen(name);
    for (const char *at = suites; at != NULL; at = strchr(at, ':')) {
        if (*at == ':') {
            at++;
        }
        if (strncmp(at, name, len) == 0 && (at[len] == ':' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

bool plat_tls_group_is_safe(const char *name)
{
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        if (name != NULL && strcmp(groups[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool offer_groups(WOLFSSL_CTX *ctx)
{
    int ids[GROUP_COUNT];

    for (size_t i = 0; i < GROUP_COUNT; i++) {
        ids[i] = groups[i].id;
        if (wolfSSL_CTX_UseSupportedCurve(ctx, groups[i].id) != WOLFSSL_SUCCESS) {
            return false;
        }
    }
    return wolfSSL_CTX_set_groups(ctx, ids, GROUP_COUNT) == WOLFSSL_SUCCESS;
}

static const char *suites_by_speed(void)
{
    return plat_crypto_callback_is_fast_at_aes(shared.device) ? suites_aes_first : suites;
}

/* Makes a context in which wolfSSL verifies no certificates: it calls tls_verify.c in each
 * handshake. */
static WOLFSSL_CTX *make_ctx(void)
{
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfTLS_client_method());
    if (ctx == NULL) {
        return NULL;
    }
    /* wolfSSL's own cache is switched off, because it serves the whole process and ignores how
     * long a session may be trusted. With TLS 1.2 only session ids are used: wolfSSL 5.5 aborts
     * when a server declines a ticket. */
    (void)wolfSSL_CTX_set_session_cache_mode(ctx, WOLFSSL_SESS_CACHE_OFF);
    (void)wolfSSL_CTX_set_timeout(ctx, PLAT_SESSION_LIFE_S);
    if (wolfSSL_CTX_SetMinVersion(ctx, WOLFSSL_TLSV1_2) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_set_cipher_list(ctx, suites_by_speed()) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_set1_sigalgs_list(ctx, signatures) != WOLFSSL_SUCCESS || !offer_groups(ctx) ||
        wolfSSL_CTX_SetMinRsaKey_Sz(ctx, PLAT_RSA_MIN_BITS) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_SetMinEccKey_Sz(ctx, PLAT_CURVE_MIN_BITS) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_SetDevId(ctx, shared.device) != WOLFSSL_SUCCESS) {
        wolfSSL_CTX_free(ctx);
        return NULL;
    }
    plat_tls_login_prepare(ctx);
    return ctx;
}

static void free_context(plat_tls_context *c)
{
    wolfSSL_CTX_free(c->ctx); /* takes NULL */
    plat_sessions_free(&c->sessions);
    plat_roots_free(&c->roots);
    plat_trust_key_free(&c->key);
    free(c);
}

static plat_result load(const plat_trust_key *key, const plat_stream_config *config,
                        plat_tls_context **out, plat_roots_fault *fault)
{
    plat_tls_context *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return PLAT_ERR_MEMORY;
    }
    plat_sessions_init(&c->sessions);
    plat_result r = plat_trust_load(&c->roots, config, fault);
    if (r == PLAT_OK) {
        r = plat_trust_key_copy(&c->key, key);
    }
    if (r == PLAT_OK) {
        c->ctx = make_ctx();
        r = c->ctx != NULL ? PLAT_OK : PLAT_ERR_MEMORY;
    }
    if (r != PLAT_OK) {
        free_context(c);
        return r;
    }
    for (int range = 0; range < PLAT_TLS_RANGES; range++) {
        c->plain[range] = (plat_tls_profile){ .context = c, .range = (plat_tls_range)range };
    }
    c->next = shared.first;
    shared.first = c;
    *out = c;
    return PLAT_OK;
}

static plat_result acquire(const plat_stream_config *config, plat_tls_context **out,
                           plat_roots_fault *fault)
{
    plat_trust_key key;
    if (!plat_wolfssl_start(&shared.device)) {
        return PLAT_ERR_CRYPTO;
    }
    plat_result r = plat_trust_key_of(&key, config);
    if (r != PLAT_OK) {
        return r;
    }
    for (plat_tls_context *c = shared.first; c != NULL; c = c->next) {
        if (plat_trust_key_equals(&c->key, &key)) {
            *out = c;
            return PLAT_OK;
        }
    }
    return load(&key, config, out, fault);
}

static void add_user(plat_tls_context *c)
{
    plat_sessions_set_streams(&c->sessions, ++c->users);
}

static plat_result acquire_context(const plat_stream_config *config, plat_tls_context **out,
                                   plat_roots_fault *fault)
{
    (void)pthread_mutex_lock(&shared.lock);
    plat_result r = acquire(config, out, fault);
    if (r == PLAT_OK) {
        add_user(*out);
    }
    (void)pthread_mutex_unlock(&shared.lock);
    return r;
}

static void release_context(plat_tls_context *c)
{
    (void)pthread_mutex_lock(&shared.lock);
    plat_sessions_set_streams(&c->sessions, --c->users);
    if (c->users == 0) {
        plat_tls_context **at = &shared.first;
        while (*at != c) {
            at = &(*at)->next;
        }
        *at = c->next;
        free_context(c);
    }
    (void)pthread_mutex_unlock(&shared.lock);
}

/* --- profiles --- */

static bool is_version(plat_tls_version v)
{
    return v == PLAT_TLS_ANY || v == PLAT_TLS_1_2 || v == PLAT_TLS_1_3;
}

static bool range_of(const plat_stream_config *config, plat_tls_range *out)
{
    const plat_tls_version max = config->max_version;
    const plat_tls_version min = config->min_version;
    if (!is_version(min) || !is_version(max) || (max != PLAT_TLS_ANY && min > max)) {
        return false;
    }
    *out = max == PLAT_TLS_1_2   ? PLAT_TLS_RANGE_1_2
           : min == PLAT_TLS_1_3 ? PLAT_TLS_RANGE_1_3
                                 : PLAT_TLS_RANGE_ALL;
    return true;
}

/* Makes a profile. The profile takes over one reference to the context. */
static plat_tls_profile *make_profile(plat_tls_context *c, plat_tls_range range,
                                      plat_identity *identity)
{
    if (identity == NULL) {
        return &c->plain[range];
    }
    plat_tls_profile *p = wolfSSL_Malloc(sizeof *p);
    if (p != NULL) {
        *p = (plat_tls_profile){ .context = c, .range = range };
        plat_tls_login_init(&p->login, identity);
    }
    return p;
}

plat_result plat_tls_profile_acquire(const plat_stream_config *config, plat_tls_profile **out,
                                     plat_roots_fault *fault)
{
    plat_tls_context *c = NULL;
    plat_tls_range range = PLAT_TLS_RANGE_ALL;
    *fault = (plat_roots_fault){ 0 };
    if (!range_of(config, &range)) {
        *fault = (plat_roots_fault){ .source = "TLS", .why = "min_version is above max_version" };
        return PLAT_ERR_ARG;
    }
    plat_result r = acquire_context(config, &c, fault);
    if (r != PLAT_OK) {
        return r;
    }
    *out = make_profile(c, range, config->identity);
    if (*out == NULL) {
        release_context(c);
        return PLAT_ERR_MEMORY;
    }
    return PLAT_OK;
}

plat_result plat_tls_profile_change(plat_tls_profile **p, plat_identity *identity)
{
    plat_tls_context *c = (*p)->context;
    plat_tls_profile *next = make_profile(c, (*p)->range, identity);
    if (next == NULL) {
        return PLAT_ERR_MEMORY;
    }
    (void)pthread_mutex_lock(&shared.lock);
    add_user(c);
    (void)pthread_mutex_unlock(&shared.lock);
    plat_tls_profile_release(*p);
    *p = next;
    return PLAT_OK;
}

void plat_tls_profile_release(plat_tls_profile *p)
{
    plat_tls_context *c = p->context;
    if (p->login.identity != NULL) {
        plat_tls_login_free(&p->login);
        wolfSSL_Free(p);
    }
    release_context(c);
}

bool plat_tls_profile_limit(const plat_tls_profile *p, WOLFSSL *ssl)
{
    switch (p->range) {
    case PLAT_TLS_RANGE_1_2:
        return wolfSSL_set_max_proto_version(ssl, TLS1_2_VERSION) == WOLFSSL_SUCCESS;
    case PLAT_TLS_RANGE_1_3: return wolfSSL_SetMinVersion(ssl, WOLFSSL_TLSV1_3) == WOLFSSL_SUCCESS;
    case PLAT_TLS_RANGE_ALL:
    case PLAT_TLS_RANGES: break;
    }
    return true;
}

bool plat_tls_profile_allows(const plat_tls_profile *p, const char *version)
{
    if (strcmp(version, "TLSv1.3") == 0) {
        return p->range != PLAT_TLS_RANGE_1_2;
    }
    return strcmp(version, "TLSv1.2") == 0 && p->range != PLAT_TLS_RANGE_1_3;
}
