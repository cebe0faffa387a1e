#include "chain_openssl.h"

#include <openssl/x509v3.h>

#include "chain_words.h"

/* Returns the certificate, or NULL if OpenSSL cannot read it. */
static X509 *read_certificate(const made_cert *c)
{
    const unsigned char *at = c->der;
    X509 *x = d2i_X509(NULL, &at, (long)c->len);
    if (x != NULL && at != c->der + c->len) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static X509_STORE *trusted(const made_chain *made, const plan *p)
{
    X509_STORE *store = X509_STORE_new();
    FUZZ_CHECK(store != NULL);
    for (uint8_t i = 0; i < made->count; i++) {
        X509 *x = p->trusted[i] ? read_certificate(&made->certs[i]) : NULL;
        if (x != NULL) {
            /* Fails if the store already has the certificate. */
            (void)X509_STORE_add_cert(store, x);
            X509_free(x);
        }
    }
    return store;
}

static STACK_OF(X509) * presented(const made_chain *made, const plan *p)
{
    STACK_OF(X509) *stack = sk_X509_new_null();
    FUZZ_CHECK(stack != NULL);
    for (uint8_t i = 1; i < p->presented_len; i++) {
        X509 *x = read_certificate(&made->certs[p->presented[i]]);
        if (x != NULL) {
            FUZZ_CHECK(sk_X509_push(stack, x) > 0);
        }
    }
    return stack;
}

static void set_question(X509_STORE_CTX *context, const plan *p)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    const char *host = plan_hosts[p->host];
    X509_VERIFY_PARAM_set_time(param, (time_t)plan_times[p->now]);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_auth_level(param, 2);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1) {
        FUZZ_CHECK(X509_VERIFY_PARAM_set1_host(param, host, 0) == 1);
    }
}

static const char *judge(X509_STORE *store, X509 *leaf, STACK_OF(X509) * others, const plan *p)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    FUZZ_CHECK(context != NULL && X509_STORE_CTX_init(context, store, leaf, others) == 1);
    set_question(context, p);
    int accepted = X509_verify_cert(context);
    int error = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    return accepted == 1 ? NULL : X509_verify_cert_error_string(error);
}

const char *chain_openssl(const made_chain *made, const plan *p)
{
    X509 *leaf = p->presented_len > 0 ? read_certificate(&made->certs[p->presented[0]]) : NULL;
    if (leaf == NULL) {
        return "unreadable";
    }
    X509_STORE *store = trusted(made, p);
    STACK_OF(X509) *others = presented(made, p);
    const char *why = judge(store, leaf, others, p);
    sk_X509_pop_free(others, X509_free);
    X509_STORE_free(store);
    X509_free(leaf);
    return why;
}
