#include "wolfssl/tls/tls_context.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wolfssl/crypto/crypto_callback.h"
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

static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* used by Debian, Alpine and Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",             /* openSUSE */
    "/etc/ssl/cert.pem",                  /* the BSDs */
};

static struct {
    pthread_mutex_t lock;
    bool started;
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

static const char *system_bundle(void)
{
    for (size_t i = 0; i < sizeof system_bundles / sizeof system_bundles[0]; i++) {
        if (access(system_bundles[i], R_OK) == 0) {
            return system_bundles[i];
        }
    }
    return system_bundles[0];
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
    return ctx;
}

static void free_context(plat_tls_context *c)
{
    wolfSSL_CTX_free(c->ctx); /* takes NULL */
    plat_sessions_free(&c->sessions);
    plat_roots_free(&c->roots);
    free(c->file);
    free(c);
}

static bool is_for(const plat_tls_context *c, const char *ca_file)
{
    if (c->file == NULL || ca_file == NULL) {
        return c->file == ca_file;
    }
    return strcmp(c->file, ca_file) == 0;
}

static plat_result load(const char *ca_file, plat_tls_context **out, plat_roots_fault *fault)
{
    plat_tls_context *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return PLAT_ERR_MEMORY;
    }
    plat_sessions_init(&c->sessions);
    fault->file = ca_file != NULL ? ca_file : system_bundle();
    plat_result r = plat_roots_load(&c->roots, fault->file, &fault->why);
    if (r == PLAT_ERR_TRUST_STORE && ca_file == NULL) {
        fault->why = "no trusted roots: install the package ca-certificates, or set ca_file";
    }
    if (r == PLAT_OK && ca_file != NULL) {
        c->file = strdup(ca_file);
        r = c->file != NULL ? PLAT_OK : PLAT_ERR_MEMORY;
    }
    if (r == PLAT_OK) {
        c->ctx = make_ctx();
        r = c->ctx != NULL ? PLAT_OK : PLAT_ERR_MEMORY;
    }
    if (r != PLAT_OK) {
        free_context(c);
        return r;
    }
    c->next = shared.first;
    shared.first = c;
    *out = c;
    return PLAT_OK;
}

static bool start(void)
{
    if (!shared.started && wolfSSL_Init() == WOLFSSL_SUCCESS) {
        shared.device = plat_crypto_callback_register();
        shared.started = true;
    }
    return shared.started;
}

static plat_result acquire(const char *ca_file, plat_tls_context **out, plat_roots_fault *fault)
{
    if (!start()) {
        return PLAT_ERR_CRYPTO;
    }
    for (plat_tls_context *c = shared.first; c != NULL; c = c->next) {
        if (is_for(c, ca_file)) {
            *out = c;
            return PLAT_OK;
        }
    }
    return load(ca_file, out, fault);
}

plat_result plat_tls_context_acquire(const char *ca_file, plat_tls_context **out,
                                     plat_roots_fault *fault)
{
    *fault = (plat_roots_fault){ 0 };
    (void)pthread_mutex_lock(&shared.lock);
    plat_result r = acquire(ca_file, out, fault);
    if (r == PLAT_OK) {
        plat_sessions_set_streams(&(*out)->sessions, ++(*out)->users);
    }
    (void)pthread_mutex_unlock(&shared.lock);
    return r;
}

void plat_tls_context_release(plat_tls_context *c)
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
