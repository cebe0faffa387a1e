#include "path_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

int make_keys(void **state)
{
    (void)state;
    pki_make_keys();
    return 0;
}

int free_keys(void **state)
{
    (void)state;
    pki_free_keys();
    return 0;
}

/* --- the judge --- */

static plat_roots trust(const written_cert *const *certs, size_t most)
{
    byte pem[16384];
    size_t len = 0;
    plat_roots roots = { 0 };
    for (size_t i = 0; i < most && certs[i] != NULL; i++) {
        const pki_cert *c = &certs[i]->cert;
        int n =
            wc_DerToPem(c->der, (word32)c->len, pem + len, (word32)(sizeof pem - len), CERT_TYPE);
        assert_true(n > 0);
        len += (size_t)n;
    }
    const char *why;
    assert_int_equal(plat_roots_add(&roots, pem, len, &why), PLAT_OK);
    return roots;
}

plat_result judge(const trial *t, plat_chain_verdict *out)
{
    WOLFSSL_BUFFER_INFO certs[MOST + 1];
    plat_chain chain = { .certs = certs, .now_s = (int64_t)time(NULL) };
    plat_host host;
    byte copies[MOST + 1][2048];
    for (size_t i = 0; i <= MOST && t->presented[i] != NULL; i++) {
        memcpy(copies[i], t->presented[i]->cert.der, t->presented[i]->cert.len);
        certs[i].buffer = copies[i];
        certs[i].length = (unsigned)t->presented[i]->cert.len;
        chain.count = i + 1;
    }
    assert_true(plat_host_parse(&host, t->host != NULL ? t->host : HUB));
    plat_roots roots = trust(t->trusted, 4);
    plat_result r = plat_chain_verify(&chain, &roots, &host, out);
    plat_roots_free(&roots);
    return r;
}

void expect(const char *what, const trial *t, plat_result wanted)
{
    plat_chain_verdict v;
    plat_result r = judge(t, &v);
    if (r != wanted) {
        fail_msg("%s: %s (%s), not %s", what, plat_result_str(r), r != PLAT_OK ? v.why : "",
                 plat_result_str(wanted));
    }
    if (r != PLAT_OK) {
        assert_non_null(v.why);
        assert_null(strchr(v.why, '\n'));
    }
}

/* --- root, CA, server, from words --- */

static void write_with(written_cert *out, const char *cn, pki_key key, const written_cert *issuer,
                       const char *usual, const char *more)
{
    char all[512];
    snprintf(all, sizeof all, "%s %s", usual, more != NULL ? more : "");
    write_cert(out, cn, key, issuer, all);
}

void judge_words(const char *what, const words *w)
{
    static written_cert root, ca, server;
    char text[1024];
    write_with(&root, "Root", PKI_ROOT, NULL, CA, w->root);
    write_with(&ca, "CA", PKI_INTERMEDIATE, &root, CA, w->ca);
    write_with(&server, "server", PKI_LEAF, &ca, SERVER, w->server);
    const trial t = { .trusted = { &root }, .presented = { &server, &ca }, .host = w->host };
    snprintf(text, sizeof text, "%s; root %s; CA %s; server %s", what,
             w->root != NULL ? w->root : "", w->ca != NULL ? w->ca : "",
             w->server != NULL ? w->server : "");
    expect(text, &t, w->wanted);
}
