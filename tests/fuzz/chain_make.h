#ifndef CHAIN_MAKE_H
#define CHAIN_MAKE_H

/** @file Makes the certificates of a plan with a few fixed keys. */

#include "chain_plan.h"

typedef struct made_cert {
    uint8_t *der; /* exactly len bytes on the heap, where the sanitizer guards the end */
    size_t len;
} made_cert;

typedef struct made_chain {
    made_cert certs[PLAN_CERTS];
    uint8_t count;
} made_chain;

void chain_make(made_chain *made, const plan *p);
void chain_free(made_chain *made);

/** All that are trusted, as PEM text on the heap. */
char *chain_trusted_pem(const made_chain *made, const plan *p);

#endif
