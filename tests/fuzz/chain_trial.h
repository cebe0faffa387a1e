#ifndef CHAIN_TRIAL_H
#define CHAIN_TRIAL_H

/**
 * @file
 * Passes a plan to the judge, to the model and, if the build has it, to OpenSSL.
 */

#include "chain_plan.h"

typedef struct chain_trial {
    bool accepted;
    const char *why;     /* the judge's text if the chain is not accepted */
    bool openssl_asked;  /* the build has OpenSSL */
    const char *openssl; /* OpenSSL's error text; NULL: OpenSSL accepted the chain */
    /* Names the verdicts that contradict each other without a reason listed in chain_trial.c;
     * NULL: none do. */
    const char *contradiction;
} chain_trial;

void chain_try(chain_trial *t, const plan *p);

/** Prints the verdicts, and in which members the plan differs from a plain certificate. */
void chain_print(const chain_trial *t, const plan *p);

#endif
