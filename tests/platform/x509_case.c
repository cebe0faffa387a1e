#include "x509_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(x509_case *c, DerBuffer *der)
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
    add(c, der);
}

void x509_case_add_der(x509_case *c, const void *der, size_t len)
{
    DerBuffer *copy = NULL;
    if (wc_AllocDer(&copy, (word32)len, CERT_TYPE, NULL) != 0) {
        fprintf(stderr, "no memory left\n");
        exit(2);
    }
    memcpy(copy->buffer, der, len);
    add(c, copy);
}

plat_result x509_case_judge(const x509_case *c, plat_chain_verdict *out)
{
    WOLFSSL_BUFFER_INFO certs[X509_CASE_CERTS];
    for (size_t i = 0; i < c->count; i++) {
        certs[i].buffer = c->certs[i]->buffer;
        certs[i].length = c->certs[i]->length;
    }
    const plat_chain chain = { .certs = certs, .count = c->count, .now_s = c->now_s };
    plat_host host;
    if (!plat_host_parse(&host, c->host)) {
        *out = (plat_chain_verdict){ .why = "the host name is malformed" };
        return PLAT_ERR_ARG;
    }
    return plat_chain_verify(&chain, &c->roots, &host, out);
}

void x509_case_free(x509_case *c)
{
    for (size_t i = 0; i < c->count; i++) {
        wc_FreeDer(&c->certs[i]);
    }
    plat_roots_free(&c->roots);
    *c = (x509_case){ 0 };
}
