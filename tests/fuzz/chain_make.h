#ifndef CHAIN_MAKE_H
#define CHAIN_MAKE_H

/**
 * @file
 * Makes the certificates of a plan, with a few fixed keys.
 */

#include "chain_plan.h"

typedef struct made_cert {
    /* Exactly len bytes on the heap, so that the sanitizer detects a read past the end. */
    uint8_t *der;
    size_t len;
} made_cert;

typedef struct made_chain {
    made_cert certs[PLAN_CERTS];
    uint8_t count;
} made_chain;

void chain_make(made_chain *made, const plan *p);
void chain_free(made_chain *made);

/** Returns all trusted certificates as PEM text on the heap. */
char *chain_trusted_pem(const made_chain *made, const plan *p);

#endif
