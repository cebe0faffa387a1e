#include "wolfssl/identity/identity.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory/wipe_memory.h"
#include "posix/read_file.h"
#include "wolfssl/crypto/curve_tables.h"
#include "wolfssl/crypto/start.h"
#include "wolfssl/identity/fault.h"
#include "wolfssl/identity/pem.h"
#include "wolfssl/x509/signature.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/memory.h>

#define LARGEST_FILE (1024u * 1024u)

static struct {
    pthread_mutex_t lock;
    uint64_t made;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* --- what an identity is read from --- */

/* The bytes of a source, which belong to the caller or come from a file. */
typedef struct loaded {
    const uint8_t *bytes;
    size_t len;
    plat_file_content file; /* empty if the bytes belong to the caller */
} loaded;

static bool is_given(const plat_identity_source *s)
{
    return s->data != NULL || s->file != NULL;
}

/* The error text does not show the path, because it might be the text of a key, given by
 * mistake. */
static plat_result load(const plat_identity_source *s, const char *what, loaded *out,
                        plat_identity_fault *fault)
{
    const char *why = NULL;
    *out = (loaded){ s->data, s->len, { 0 } };
    if (s->data != NULL) {
        return PLAT_OK;
    }
    plat_result r = plat_read_file(s->file, LARGEST_FILE, &out->file, &why);
    if (r != PLAT_OK) {
        return plat_fault_set(fault, r == PLAT_ERR_MEMORY ? r : PLAT_ERR_IDENTITY,
                              "the file of the %s cannot be used: %s", what, why);
    }
    out->bytes = out->file.bytes;
    out->len = out->file.len;
    return PLAT_OK;
}

static void unload(loaded *l)
{
    if (l->file.bytes != NULL) {
        plat_wipe(l->file.bytes, l->file.len);
        free(l->file.bytes);
    }
}

/* --- making --- */

static plat_result read_chain(plat_identity *id, const plat_identity_config *config,
                              plat_identity_fault *fault)
{
    loaded l;
    plat_result r = load(&config->chain, "certificate chain", &l, fault);
    if (r == PLAT_OK) {
        r = plat_client_chain_read(&id->chain, l.bytes, l.len, fault);
        unload(&l);
    }
    return r;
}

/* If no separate source is given, the key is in the text of the chain. */
static plat_result read_key(plat_identity *id, const plat_identity_config *config,
                            plat_identity_fault *fault)
{
    loaded l;
    const plat_identity_source *from = is_given(&config->key) ? &config->key : &config->chain;
    plat_result r = load(from, "private key", &l, fault);
    if (r == PLAT_OK) {
        const plat_key_input input = { l.bytes, l.len, config->passphrase,
                                       config->passphrase_user };
        r = plat_private_key_read(&id->key, &input, fault);
        unload(&l);
    }
    if (r == PLAT_OK && id->key.kind != id->chain.info.key) {
        return plat_fault_set(
            fault, PLAT_ERR_IDENTITY,
            "the private key does not belong to the certificate: it is %s, and the "
            "certificate is for %s",
            plat_key_kind_str(id->key.kind), plat_key_kind_str(id->chain.info.key));
    }
    return r;
}

plat_result plat_identity_sign(const plat_identity *id, const plat_sign_request *request,
                               uint8_t *out, size_t cap, size_t *len, plat_identity_fault *fault)
{
    fault->text[0] = '\0';
    if (id->signer == NULL) {
        return plat_private_key_sign(&id->key, request, out, cap, len, fault);
    }
    plat_result r = id->signer->sign(id->signer, request, out, cap, len, fault);
    fault->text[sizeof fault->text - 1] = '\0';
    if (r == PLAT_OK && *len > cap) {
        return plat_fault_set(fault, PLAT_ERR_SIGNER,
                              "the signer returned a signature of %zu bytes", *len);
    }
    if (r != PLAT_OK && fault->text[0] == '\0') {
        (void)plat_fault_set(fault, r, "the signer failed: %s", plat_result_str(r));
    }
    return r;
}

/* Signs bytes with SHA-256, and checks the signature with the key of the certificate. */
static plat_result try_scheme(const plat_identity *id, plat_sign_scheme scheme,
                              plat_identity_fault *fault)
{
    static const uint8_t bytes[] = "proof that a private key belongs to its certificate";
    uint8_t digest[WC_SHA256_DIGEST_SIZE];
    uint8_t signature[PLAT_SIGNATURE_MAX];
    size_t len = 0;
    if (wc_Sha256Hash(bytes, sizeof bytes, digest) != 0) {
        return plat_fault_memory(fault);
    }
    const plat_sign_request request = { scheme, digest, sizeof digest };
    plat_result r = plat_identity_sign(id, &request, signature, sizeof signature, &len, fault);
    if (r != PLAT_OK) {
        return r;
    }
    const plat_signed proof = {
        .algorithm = { scheme == PLAT_SIGN_ECDSA       ? PLAT_SCHEME_ECDSA
                       : scheme == PLAT_SIGN_RSA_PKCS1 ? PLAT_SCHEME_RSA
                                                       : PLAT_SCHEME_RSA_PSS,
                       256, sizeof digest },
        .bytes = { bytes, sizeof bytes },
        .signature = { signature, len },
    };
    r = plat_signature_verify(&proof, (plat_der){ id->chain.key, id->chain.key_len });
    if (r == PLAT_ERR_MEMORY) {
        return plat_fault_memory(fault);
    }
    return r == PLAT_OK ? r
                        : plat_fault_set(fault, PLAT_ERR_IDENTITY,
                                         "the private key does not belong to the certificate: it "
                                         "belongs to another one, or the first certificate of the "
                                         "chain is not the device's own");
}

/* Proves that the key belongs to the certificate. An RSA key that allows only one of the two
 * paddings is accepted. */
static plat_result prove(const plat_identity *id, plat_identity_fault *fault)
{
    if (id->chain.info.key != PLAT_KEY_RSA) {
        return try_scheme(id, PLAT_SIGN_ECDSA, fault);
    }
    plat_result r = try_scheme(id, PLAT_SIGN_RSA_PSS, fault);
    return r == PLAT_ERR_ARG ? try_scheme(id, PLAT_SIGN_RSA_PKCS1, fault) : r;
}

static plat_result fill(plat_identity *id, const plat_identity_config *config,
                        plat_identity_fault *fault)
{
    plat_result r = read_chain(id, config, fault);
    if (r == PLAT_OK && id->signer == NULL) {
        r = read_key(id, config, fault);
    }
    return r == PLAT_OK ? prove(id, fault) : r;
}

static void destroy(plat_identity *id)
{
    plat_client_chain_free(&id->chain);
    plat_private_key_free(&id->key);
    if (id->signer != NULL && id->signer->release != NULL) {
        id->signer->release(id->signer);
    }
    wolfSSL_Free(id);
}

static const plat_identity_use use = {
    .hold = plat_identity_hold,
    .release = plat_identity_release,
    .sign = plat_identity_sign,
};

static const char *contradiction(const plat_identity_config *config)
{
    if (!is_given(&config->chain)) {
        return "there is no certificate chain: set chain.data or chain.file";
    }
    if (config->signer != NULL && is_given(&config->key)) {
        return "there are a private key and a signer; set one of them";
    }
    if ((config->chain.data != NULL && config->chain.file != NULL) ||
        (config->key.data != NULL && config->key.file != NULL)) {
        return "there are data and file in one source; set one of them";
    }
    return NULL;
}

static plat_result refuse(const plat_identity_config *config, plat_result r)
{
    if (config->signer != NULL && config->signer->release != NULL) {
        config->signer->release(config->signer);
    }
    return r;
}

static plat_result make(const plat_identities *self, const plat_identity_config *config,
                        plat_identity **out, plat_identity_fault *fault)
{
    (void)self;
    *out = NULL;
    fault->text[0] = '\0';
    const char *why = contradiction(config);
    if (why != NULL) {
        return refuse(config, plat_fault_set(fault, PLAT_ERR_ARG, "%s", why));
    }
    if (!plat_wolfssl_start(NULL)) {
        return refuse(config,
                      plat_fault_set(fault, PLAT_ERR_CRYPTO, "wolfSSL cannot be initialised"));
    }
    plat_identity *id = wolfSSL_Malloc(sizeof *id);
    if (id == NULL) {
        return refuse(config, plat_fault_memory(fault));
    }
    *id = (plat_identity){ .use = &use, .signer = config->signer, .users = 1 };
    plat_result r = fill(id, config, fault);
    plat_curve_tables_tidy();
    if (r != PLAT_OK) {
        destroy(id);
        return r;
    }
    (void)pthread_mutex_lock(&shared.lock);
    id->number = ++shared.made;
    (void)pthread_mutex_unlock(&shared.lock);
    fault->text[0] = '\0';
    *out = id;
    return PLAT_OK;
}

static void describe(const plat_identity *identity, plat_identity_info *out)
{
    *out = identity->chain.info;
}

static bool show(const plat_identity *identity, plat_identity_parts *out)
{
    if (identity->signer != NULL) {
        return false;
    }
    *out = (plat_identity_parts){
        .chain_pem = identity->chain.pem,
        .chain_len = identity->chain.pem_len,
        .key_der = identity->key.der,
        .key_len = identity->key.len,
    };
    return true;
}

plat_identity *plat_identity_hold(plat_identity *identity)
{
    if (identity != NULL) {
        (void)pthread_mutex_lock(&shared.lock);
        identity->users++;
        (void)pthread_mutex_unlock(&shared.lock);
    }
    return identity;
}

void plat_identity_release(plat_identity *identity)
{
    if (identity == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&shared.lock);
    bool last = --identity->users == 0;
    (void)pthread_mutex_unlock(&shared.lock);
    if (last) {
        destroy(identity);
    }
}

const plat_identities plat_wolfssl_identities = {
    .make = make,
    .describe = describe,
    .hold = plat_identity_hold,
    .release = plat_identity_release,
    .show = show,
};
