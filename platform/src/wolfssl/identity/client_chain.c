#include "wolfssl/identity/client_chain.h"

#include <stdbool.h>
#include <string.h>

#include "wolfssl/identity/fault.h"
#include "wolfssl/identity/pem.h"
#include "wolfssl/x509/certificate.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/memory.h>

#define PEM_FRAME 64 /* length of the BEGIN and END lines of a certificate with their newlines */
#define PEM_LINE  64 /* characters of base64 in a line */

/* While a chain is read, holds the DER of all its certificates, one after another. */
typedef struct reading {
    uint8_t der[PLAT_CLIENT_CHAIN_BYTES];
    size_t used;
    plat_certificate certs[PLAT_CLIENT_CHAIN_MAX];
    size_t count;
} reading;

/* --- collecting certificates --- */

static plat_result add(reading *r, plat_der der, plat_identity_fault *fault)
{
    if (r->count == PLAT_CLIENT_CHAIN_MAX) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                              "there are more than %d certificates in the chain",
                              PLAT_CLIENT_CHAIN_MAX);
    }
    if (der.len > sizeof r->der - r->used) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                              "the certificates of the chain are larger than %d bytes",
                              PLAT_CLIENT_CHAIN_BYTES);
    }
    uint8_t *at = r->der + r->used;
    memcpy(at, der.at, der.len);
    r->used += der.len;
    if (!plat_certificate_read(&r->certs[r->count], (plat_der){ at, der.len })) {
        return plat_fault_set(
            fault, PLAT_ERR_IDENTITY,
            "certificate %zu of the chain cannot be read: it is damaged, or not an "
            "X.509 certificate",
            r->count + 1);
    }
    r->count++;
    return PLAT_OK;
}

static plat_result add_block(reading *r, const plat_pem_block *block, plat_identity_fault *fault)
{
    uint8_t *der;
    size_t len;
    if (!plat_pem_is(block->label, "CERTIFICATE")) {
        return PLAT_OK;
    }
    plat_result result = plat_pem_decode(block, &der, &len);
    if (result == PLAT_ERR_MEMORY) {
        return plat_fault_memory(fault);
    }
    if (result != PLAT_OK) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                              "certificate %zu of the chain is damaged: it is not base64",
                              r->count + 1);
    }
    result = add(r, (plat_der){ der, len }, fault);
    wolfSSL_Free(der);
    return result;
}

static plat_result collect_pem(reading *r, plat_pem_text in, plat_identity_fault *fault)
{
    plat_pem_block block;
    plat_result result = PLAT_OK;
    bool has_key = false;
    while (result == PLAT_OK) {
        switch (plat_pem_next(&in, &block)) {
        case PLAT_PEM_NONE:
            return r->count > 0
                       ? PLAT_OK
                       : plat_fault_set(fault, PLAT_ERR_IDENTITY,
                                        has_key
                                            ? "the chain is a private key; a certificate is "
                                              "needed (-----BEGIN CERTIFICATE-----)"
                                            : "there is no certificate in the text of the chain "
                                              "(-----BEGIN CERTIFICATE-----)");
        case PLAT_PEM_CUT:
            return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                                  "the text of the chain ends in the middle of a block");
        case PLAT_PEM_BLOCK: break;
        }
        has_key = has_key || plat_pem_ends_with(block.label, "PRIVATE KEY");
        result = add_block(r, &block, fault);
    }
    return result;
}

static plat_result collect_der(reading *r, plat_der in, plat_identity_fault *fault)
{
    plat_der_item item;
    plat_result result = PLAT_OK;
    while (in.len > 0 && result == PLAT_OK) {
        if (!plat_der_next(&in, &item) || item.tag != PLAT_DER_SEQUENCE) {
            return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                                  "the chain is neither PEM nor DER, or it is cut off after %zu "
                                  "certificates",
                                  r->count);
        }
        result = add(r, item.whole, fault);
    }
    return result;
}

static plat_result collect(reading *r, const uint8_t *bytes, size_t len, plat_identity_fault *fault)
{
    if (len == 0) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY, "the certificate chain is empty");
    }
    return plat_pem_has_block(bytes, len)
               ? collect_pem(r, (plat_pem_text){ (const char *)bytes, len }, fault)
               : collect_der(r, (plat_der){ bytes, len }, fault);
}

/* --- checking --- */

/* Whether a weak signature, such as one with SHA-1, is accepted is left to the server. */
static plat_result check_issuer(const plat_certificate *child, const plat_certificate *parent)
{
    if (!plat_certificate_names_issuer(child, parent)) {
        return PLAT_ERR_IDENTITY;
    }
    if (child->proof.algorithm.scheme == PLAT_SCHEME_UNKNOWN) {
        return PLAT_OK;
    }
    plat_result r = plat_signature_verify(&child->proof, parent->key);
    return r == PLAT_ERR_CERT_UNTRUSTED ? PLAT_ERR_IDENTITY : r;
}

static plat_result check_order(const reading *r, plat_identity_fault *fault)
{
    for (size_t i = 0; i + 1 < r->count; i++) {
        plat_result result = check_issuer(&r->certs[i], &r->certs[i + 1]);
        if (result == PLAT_ERR_MEMORY) {
            return plat_fault_memory(fault);
        }
        if (result != PLAT_OK) {
            return plat_fault_set(fault, result,
                                  "certificate %zu of the chain was not issued by certificate %zu: "
                                  "put the device's own first, then each one's issuer",
                                  i + 1, i + 2);
        }
    }
    return PLAT_OK;
}

static plat_result check_key(const plat_certificate *own, plat_key_kind *kind,
                             plat_identity_fault *fault)
{
    const char *flaw = plat_key_flaw(own->key);
    *kind = plat_key_kind_of(own->key);
    if (flaw != NULL || *kind == 0) {
        return plat_fault_set(fault, PLAT_ERR_IDENTITY,
                              "the certificate has an unsupported key: RSA with 2048 to 4096 bits, "
                              "EC P-256 or EC P-384 is needed");
    }
    return PLAT_OK;
}

/* --- keeping --- */

static plat_result describe(const reading *r, plat_identity_info *info, plat_identity_fault *fault)
{
    const plat_certificate *own = &r->certs[0];
    plat_result result = check_key(own, &info->key, fault);
    if (result != PLAT_OK) {
        return result;
    }
    info->certificates = r->count;
    info->not_before_s = own->not_before;
    info->not_after_s = own->not_after;
    info->chain_until_s = own->not_after;
    for (size_t i = 1; i < r->count; i++) {
        if (r->certs[i].not_after < info->chain_until_s) {
            info->chain_until_s = r->certs[i].not_after;
        }
    }
    (void)plat_name_common_name(own->subject, info->common_name, sizeof info->common_name);
    return wc_Sha256Hash(own->whole.at, (word32)own->whole.len, info->sha256) == 0
               ? PLAT_OK
               : plat_fault_memory(fault);
}

/* Returns the room for the PEM text of all certificates and for a key after them. */
static size_t room_for(const reading *r)
{
    size_t base64 = r->used / 3 * 4 + 4 * r->count;
    return base64 + base64 / PEM_LINE + (PEM_FRAME + 1) * r->count + r->certs[0].key.len;
}

static plat_result keep(const reading *r, plat_client_chain *c, plat_identity_fault *fault)
{
    const size_t cap = room_for(r);
    c->pem = wolfSSL_Malloc(cap);
    if (c->pem == NULL) {
        return plat_fault_memory(fault);
    }
    for (size_t i = 0; i < r->count; i++) {
        const plat_der der = r->certs[i].whole;
        int n = wc_DerToPem(der.at, (word32)der.len, c->pem + c->pem_len,
                            (word32)(cap - c->pem_len), CERT_TYPE);
        if (n <= 0) {
            return n == MEMORY_E ? plat_fault_memory(fault)
                                 : plat_fault_set(fault, PLAT_ERR_CRYPTO,
                                                  "wolfCrypt could not encode the chain (%d)", n);
        }
        c->pem_len += (size_t)n;
    }
    c->key_len = r->certs[0].key.len;
    c->key = c->pem + c->pem_len;
    memcpy(c->key, r->certs[0].key.at, c->key_len);
    return PLAT_OK;
}

static plat_result read_into(reading *r, plat_client_chain *c, const uint8_t *bytes, size_t len,
                             plat_identity_fault *fault)
{
    plat_result result = collect(r, bytes, len, fault);
    result = result == PLAT_OK ? check_order(r, fault) : result;
    result = result == PLAT_OK ? describe(r, &c->info, fault) : result;
    return result == PLAT_OK ? keep(r, c, fault) : result;
}

plat_result plat_client_chain_read(plat_client_chain *c, const uint8_t *bytes, size_t len,
                                   plat_identity_fault *fault)
{
    *c = (plat_client_chain){ 0 };
    reading *r = wolfSSL_Malloc(sizeof *r);
    if (r == NULL) {
        return plat_fault_memory(fault);
    }
    r->used = 0;
    r->count = 0;
    plat_result result = read_into(r, c, bytes, len, fault);
    wolfSSL_Free(r);
    if (result != PLAT_OK) {
        plat_client_chain_free(c);
    }
    return result;
}

void plat_client_chain_free(plat_client_chain *c)
{
    wolfSSL_Free(c->pem);
    *c = (plat_client_chain){ 0 };
}
