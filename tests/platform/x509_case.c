#include "x509_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wolfssl/x509/path.h"

static judge_work most;

void x509_case_add(x509_case *c, DerBuffer *der)
{
    if (c->count == X509_CASE_CERTS) {
        fprintf(stderr, "a case has more than %d certificates\n", X509_CASE_CERTS);
        exit(2);
    }
    c->certs[c->count++] = der;
}

void x509_case_add_pem(x509_case *c, const char *pem)
{
    DerBuffer *der = NULL;
    if (wc_PemToDer((const byte *)pem, (long)strlen(pem), CERT_TYPE, &der, NULL, NULL, NULL) != 0) {
        fprintf(stderr, "a case has a certificate that is not PEM\n");
        exit(2);
    }
    x509_case_add(c, der);
}

/* Validates the path without checking for which host the certificate was issued. */
static plat_result judge_path(const plat_chain *chain, const plat_roots *roots,
                              plat_chain_verdict *out)
{
    plat_certificate certs[PLAT_PATH_PRESENTED];
    bool readable[PLAT_PATH_PRESENTED];
    for (size_t i = 0; i < chain->count; i++) {
        const plat_der der = { chain->certs[i].buffer, chain->certs[i].length };
        readable[i] = plat_certificate_read(&certs[i], der);
    }
    const plat_path_task task = { .certs = certs,
                                  .readable = readable,
                                  .count = chain->count,
                                  .roots = roots,
                                  .now_s = chain->now_s,
                                  .max_path_len = UINT32_MAX };
    if (!readable[0]) {
        out->why = "the certificate cannot be read";
        return PLAT_ERR_CERT;
    }
    plat_result r = plat_path_check_own(&certs[0], chain->now_s, &out->why);
    return r != PLAT_OK ? r : plat_path_find(&task, &out->trust.valid_until_s, &out->why);
}

static plat_result judge(const x509_case *c, plat_chain_verdict *out)
{
    WOLFSSL_BUFFER_INFO certs[X509_CASE_CERTS];
    plat_host host;
    for (size_t i = 0; i < c->count; i++) {
        certs[i].buffer = c->certs[i]->buffer;
        certs[i].length = c->certs[i]->length;
    }
    const plat_chain chain = { .certs = certs,
                               .count = c->count,
                               .now_s = c->now_s,
                               .has_max_path_len = c->has_max_path_len,
                               .max_path_len = c->max_path_len };
    *out = (plat_chain_verdict){ .why = "the host name is malformed" };
    if (c->host == NULL) {
        return judge_path(&chain, &c->roots, out);
    }
    return plat_host_parse(&host, c->host) ? plat_chain_verify(&chain, &c->roots, &host, out)
                                           : PLAT_ERR_ARG;
}

static void check_work(void)
{
    const judge_work done = judge_work_done;
    if (done.signatures > JUDGE_WORK_SIGNATURES || done.elements > JUDGE_WORK_ELEMENTS) {
        fprintf(stderr, "too much work: %zu signature checks, %zu elements of DER\n",
                done.signatures, done.elements);
        exit(1);
    }
    most.signatures = done.signatures > most.signatures ? done.signatures : most.signatures;
    most.elements = done.elements > most.elements ? done.elements : most.elements;
}

plat_result x509_case_judge(const x509_case *c, plat_chain_verdict *out)
{
    judge_work_done = (judge_work){ 0 };
    plat_result r = judge(c, out);
    check_work();
    return r;
}

judge_work x509_case_most_work(void)
{
    return most;
}

void x509_case_free(x509_case *c)
{
    for (size_t i = 0; i < c->count; i++) {
        wc_FreeDer(&c->certs[i]);
    }
    plat_roots_free(&c->roots);
    *c = (x509_case){ 0 };
}
