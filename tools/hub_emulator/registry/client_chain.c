#include "registry/client_chain.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/crypto.h"
#include "base/text.h"

static hub_result refuse(hub_fault *fault, const char *why)
{
    return hub_fail(fault, HUB_ERR_UNAUTHORIZED, "%s", why);
}

/* --- reading ----------------------------------------------------------- */

static hub_result read_one(hub_client_chain *chain, const char *text, size_t len, hub_fault *fault)
{
    char *copy = hub_memdup(text, len);
    size_t der_len = 0;
    uint8_t *der = hub_base64_decode(copy, &der_len);
    hub_result r = HUB_OK;

    free(copy);
    if (der == NULL) {
        r = hub_fail(fault, HUB_ERR_ARGUMENT, "a certificate is not base64");
    } else if (chain->count == HUB_CHAIN_MAX) {
        r = hub_fail(fault, HUB_ERR_ARGUMENT, "more than %d certificates", HUB_CHAIN_MAX);
    } else {
        r = hub_certificate_from_der(&chain->items[chain->count], der, der_len, fault);
    }
    free(der);
    chain->count += r == HUB_OK ? 1 : 0;
    return r;
}

hub_result hub_client_chain_read(hub_client_chain *chain, const char *text, size_t len,
                                 hub_fault *fault)
{
    const char *end = text + len;
    hub_result r = HUB_OK;

    *chain = (hub_client_chain){ 0 };
    while (r == HUB_OK && text < end) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma != NULL ? comma : end;
        r = read_one(chain, text, (size_t)(stop - text), fault);
        text = comma != NULL ? comma + 1 : end;
    }
    if (r != HUB_OK) {
        hub_client_chain_free(chain);
    }
    return r;
}

void hub_client_chain_copy(hub_client_chain *copy, const hub_client_chain *from)
{
    hub_fault ignored; /* it was read before */

    *copy = (hub_client_chain){ 0 };
    for (size_t i = 0; from != NULL && i < from->count; i++) {
        char *text = hub_certificate_to_text(from->items[i]);
        (void)hub_certificate_from_text(&copy->items[i], text, &ignored);
        copy->count++;
        free(text);
    }
}

void hub_client_chain_free(hub_client_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        hub_certificate_free(chain->items[i]);
    }
    *chain = (hub_client_chain){ 0 };
}

/* --- by thumbprint ----------------------------------------------------- */

hub_result hub_client_chain_check_thumbprint(const hub_client_chain *chain, const char *primary,
                                             const char *secondary, int64_t now_s, hub_fault *fault)
{
    if (chain->count == 0) {
        return refuse(fault, "no client certificate");
    }
    const hub_certificate *own = chain->items[0];
    if ((primary == NULL || !hub_certificate_has_thumbprint(own, primary)) &&
        (secondary == NULL || !hub_certificate_has_thumbprint(own, secondary))) {
        return hub_fail(fault, HUB_ERR_UNAUTHORIZED,
                        "the thumbprint of the client certificate, %s, is not registered",
                        own->thumbprint);
    }
    return hub_certificate_check_dates(own, now_s, fault);
}

/* --- by path ----------------------------------------------------------- */

/* The certificates from the client's own one up to the one that the authority has signed. */
typedef struct path {
    hub_certificate *items[HUB_CHAIN_MAX];
    size_t count;
} path;

static bool issued_by(const hub_certificate *c, const hub_certificate *issuer)
{
    return gnutls_x509_crt_check_issuer(c->crt, issuer->crt) != 0;
}

static bool on_path(const path *p, const hub_certificate *c)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->items[i] == c) {
            return true;
        }
    }
    return false;
}

/* The next certificate of the chain on the path; NULL: none. */
static hub_certificate *next_of(const hub_client_chain *chain, const path *p)
{
    const hub_certificate *last = p->items[p->count - 1];

    for (size_t i = 0; i < chain->count; i++) {
        if (!on_path(p, chain->items[i]) && issued_by(last, chain->items[i])) {
            return chain->items[i];
        }
    }
    return NULL;
}

static bool signatures_hold(const path *p, const hub_certificate *authority)
{
    gnutls_x509_crt_t crts[HUB_CHAIN_MAX];
    gnutls_x509_trust_list_t trust;
    unsigned status = GNUTLS_CERT_INVALID;

    if (gnutls_x509_trust_list_init(&trust, 0) < 0) {
        return false;
    }
    for (size_t i = 0; i < p->count; i++) {
        crts[i] = p->items[i]->crt;
    }
    bool ok = gnutls_x509_trust_list_add_cas(trust, &authority->crt, 1, 0) == 1 &&
              gnutls_x509_trust_list_verify_crt(trust, crts, (unsigned)p->count,
                                                GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
                                                    GNUTLS_VERIFY_DO_NOT_ALLOW_SAME,
                                                &status, NULL) >= 0 &&
              status == 0;
    gnutls_x509_trust_list_deinit(trust, 0);
    return ok;
}

static hub_result check_dates(const path *p, const hub_certificate *authority, int64_t now_s,
                              hub_fault *fault)
{
    hub_result r = hub_certificate_check_dates(authority, now_s, fault);

    for (size_t i = p->count; r == HUB_OK && i-- > 0;) {
        r = hub_certificate_check_dates(p->items[i], now_s, fault);
    }
    return r;
}

/* Returns whether the last certificate of the path was issued by this authority. Two authorities
 * may have the same name, so the signature is checked. */
static bool ends_in(const path *p, const hub_certificate *authority)
{
    return issued_by(p->items[p->count - 1], authority) && signatures_hold(p, authority);
}

hub_result hub_client_chain_check_path(const hub_client_chain *chain,
                                       hub_certificate *const *authorities, size_t count,
                                       int64_t now_s, size_t *anchor, hub_fault *fault)
{
    path p = { 0 };
    hub_certificate *next = chain->count > 0 ? chain->items[0] : NULL;

    if (next == NULL) {
        return refuse(fault, "no client certificate");
    }
    while (next != NULL) {
        p.items[p.count++] = next;
        for (size_t i = 0; i < count; i++) {
            if (ends_in(&p, authorities[i])) {
                if (anchor != NULL) {
                    *anchor = i;
                }
                return check_dates(&p, authorities[i], now_s, fault);
            }
        }
        next = next_of(chain, &p);
    }
    return hub_fail(fault, HUB_ERR_UNAUTHORIZED,
                    "no path from the client certificate to a registered CA: %.100s is not signed "
                    "by one, nor by another certificate that the client sent",
                    p.items[p.count - 1]->subject);
}
