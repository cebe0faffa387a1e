#include "wolfssl/x509/chain.h"

#include "wolfssl/x509/path.h"

#include <assert.h>

#include <wolfssl/wolfcrypt/memory.h>

/*
 * The WOLFSSL_CTX trusts no certificate; the chain is verified here.  wolfSSL alone would add every
 * intermediate certificate that it receives to the trusted ones until the process ends, before it
 * was verified.  It would also check names only against the constraints of the direct issuer.
 */

static plat_result refuse(plat_chain_verdict *out, plat_result r, const char *why)
{
    out->why = why;
    return r;
}

static plat_der der_of(const WOLFSSL_BUFFER_INFO *buffer)
{
    return (plat_der){ buffer->buffer, buffer->length };
}

static bool is_for_host(const plat_certificate *c, const plat_host *host)
{
    plat_general_name name;
    for (plat_der in = c->extensions.alt_names; in.len > 0 && plat_general_next(&in, &name);) {
        if (name.kind == PLAT_GENERAL_DNS &&
            plat_host_matches_dns(host, name.value.at, name.value.len)) {
            return true;
        }
        if (name.kind == PLAT_GENERAL_IP &&
            plat_host_matches_ip(host, name.value.at, name.value.len)) {
            return true;
        }
    }
    return false;
}

static plat_result check_host(const plat_certificate *c, const plat_host *host,
                              plat_chain_verdict *out)
{
    if (is_for_host(c, host)) {
        return PLAT_OK;
    }
    return refuse(out, PLAT_ERR_CERT_HOST,
                  c->extensions.has_alt_names
                      ? "the server's certificate is for another host"
                      : "the server's certificate has no subjectAltName that names "
                        "a host");
}

static bool is_pinned(const plat_roots *roots, plat_der der)
{
    assert(plat_roots_valid(roots));
    for (size_t i = 0; i < roots->count; i++) {
        const DerBuffer *root = roots->list[i].der;
        if (plat_der_equals((plat_der){ root->buffer, root->length }, der)) {
            return true;
        }
    }
    return false;
}

static plat_result check_chain(const plat_path_task *task, const plat_host *host,
                               plat_chain_verdict *out)
{
    const plat_certificate *own = &task->certs[0];
    plat_result r = plat_path_check_own(own, task->now_s, &out->why);
    if (r != PLAT_OK) {
        return r;
    }
    if (is_pinned(task->roots, own->whole)) {
        out->trust.valid_until_s = own->not_after;
    } else {
        r = plat_path_find(task, &out->trust.valid_until_s, &out->why);
    }
    return r != PLAT_OK ? r : check_host(own, host, out);
}

/* Reads all certificates. One that cannot be read is no reason to refuse a path that does not
 * use it. */
static plat_result read_all(const plat_chain *chain, plat_certificate *certs, bool *readable,
                            plat_chain_verdict *out)
{
    size_t bytes = 0;
    for (size_t i = 0; i < chain->count; i++) {
        bytes += chain->certs[i].length;
        if (bytes > PLAT_PATH_BYTES) {
            return refuse(out, PLAT_ERR_CERT,
                          "the server presents more than 64 KB of certificates");
        }
        readable[i] = plat_certificate_read(&certs[i], der_of(&chain->certs[i]));
    }
    return readable[0] ? PLAT_OK
                       : refuse(out, PLAT_ERR_CERT, "the server's certificate cannot be read");
}

plat_result plat_chain_verify(const plat_chain *chain, const plat_roots *roots,
                              const plat_host *host, plat_chain_verdict *out)
{
    bool readable[PLAT_PATH_PRESENTED] = { false };
    *out = (plat_chain_verdict){ .trust = { .verified_at_s = chain->now_s } };
    if (chain->count == 0 || chain->count > PLAT_PATH_PRESENTED) {
        return refuse(out, PLAT_ERR_CERT, "the server presents no certificate, or far too many");
    }
    plat_certificate *certs = wolfSSL_Malloc(chain->count * sizeof *certs);
    if (certs == NULL) {
        return refuse(out, PLAT_ERR_MEMORY, "no memory left");
    }
    const plat_path_task task = {
        .certs = certs,
        .readable = readable,
        .count = chain->count,
        .roots = roots,
        .now_s = chain->now_s,
        .max_path_len = chain->has_max_path_len ? chain->max_path_len : UINT32_MAX,
    };
    plat_result r = read_all(chain, certs, readable, out);
    r = r == PLAT_OK ? check_chain(&task, host, out) : r;
    wolfSSL_Free(certs);
    return r;
}
