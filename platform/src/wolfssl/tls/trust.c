#include "wolfssl/tls/trust.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wolfssl/x509/service_roots.h"

#include <wolfssl/wolfcrypt/hash.h>

static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",             /* openSUSE */
    "/etc/ssl/cert.pem",                  /* the BSDs */
};

static const char *system_bundle(void)
{
    for (size_t i = 0; i < sizeof system_bundles / sizeof system_bundles[0]; i++) {
        if (access(system_bundles[i], R_OK) == 0) {
            return system_bundles[i];
        }
    }
    return system_bundles[0];
}

/* --- keys --- */

static unsigned sets_of(const plat_stream_config *config)
{
    bool none = config->ca_file == NULL && config->ca_data == NULL && config->roots == 0;
    return none ? PLAT_ROOTS_SYSTEM : config->roots;
}

plat_result plat_trust_key_of(plat_trust_key *key, const plat_stream_config *config)
{
    *key = (plat_trust_key){ .file = config->ca_file, .roots = sets_of(config) };
    if (config->ca_data == NULL) {
        return PLAT_OK;
    }
    int rc = wc_Hash(WC_HASH_TYPE_SHA256, config->ca_data, (word32)config->ca_len, key->sha256,
                     sizeof key->sha256);
    return rc == 0 ? PLAT_OK : PLAT_ERR_MEMORY;
}

plat_result plat_trust_key_copy(plat_trust_key *out, const plat_trust_key *key)
{
    *out = *key;
    if (key->file == NULL) {
        return PLAT_OK;
    }
    out->copy = strdup(key->file);
    out->file = out->copy;
    return out->copy != NULL ? PLAT_OK : PLAT_ERR_MEMORY;
}

void plat_trust_key_free(plat_trust_key *key)
{
    free(key->copy);
    *key = (plat_trust_key){ 0 };
}

static bool same_file(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool plat_trust_key_equals(const plat_trust_key *a, const plat_trust_key *b)
{
    return a->roots == b->roots && same_file(a->file, b->file) &&
           memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

/* --- loading --- */

static plat_result add_file(plat_roots *r, const plat_stream_config *config,
                            plat_roots_fault *fault)
{
    *fault = (plat_roots_fault){ .source = "ca_file", .file = config->ca_file };
    return plat_roots_add_file(r, config->ca_file, &fault->why);
}

static plat_result add_data(plat_roots *r, const plat_stream_config *config,
                            plat_roots_fault *fault)
{
    *fault = (plat_roots_fault){ .source = "the trusted certificates in memory" };
    return plat_roots_add(r, config->ca_data, config->ca_len, &fault->why);
}

static plat_result add_system(plat_roots *r, plat_roots_fault *fault)
{
    *fault = (plat_roots_fault){ .file = system_bundle() };
    plat_result result = plat_roots_add_file(r, fault->file, &fault->why);
    if (result == PLAT_ERR_TRUST_STORE) {
        fault->why = "no trusted roots: install the package ca-certificates, or set ca_file";
    }
    return result;
}

static plat_result add_service(plat_roots *r, plat_roots_fault *fault)
{
    *fault = (plat_roots_fault){ .source = "the compiled-in roots" };
    return plat_service_roots_add(r, &fault->why);
}

plat_result plat_trust_load(plat_roots *r, const plat_stream_config *config,
                            plat_roots_fault *fault)
{
    const unsigned sets = sets_of(config);
    plat_result result = PLAT_OK;
    if (config->ca_file != NULL) {
        result = add_file(r, config, fault);
    }
    if (result == PLAT_OK && config->ca_data != NULL) {
        result = add_data(r, config, fault);
    }
    if (result == PLAT_OK && (sets & PLAT_ROOTS_SYSTEM) != 0) {
        result = add_system(r, fault);
    }
    if (result == PLAT_OK && (sets & PLAT_ROOTS_COMPILED_IN) != 0) {
        result = add_service(r, fault);
    }
    if (result == PLAT_OK) {
        *fault = (plat_roots_fault){ 0 };
    } else {
        plat_roots_free(r);
    }
    return result;
}
