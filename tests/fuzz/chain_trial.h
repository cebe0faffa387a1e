#ifndef CHAIN_TRIAL_H
#define CHAIN_TRIAL_H

/**
 * @file
 * Puts a plan to the judge, to the model and, where the build has it, to OpenSSL.
 */

#include "chain_plan.h"

typedef struct chain_trial {
    bool accepted;
    const char *why;     /* not accepted: the judge's text */
    bool openssl_asked;  /* the build has OpenSSL */
    const char *openssl; /* OpenSSL's error text; NULL: OpenSSL accepted the chain */
    /* Which verdicts contradict each other without a reason listed in chain_trial.c; NULL: none. */
    const char *contradiction;
} chain_trial;

void chain_try(chain_trial *t, const plan *p);

/** Prints the verdicts, and of the plan what differs from a plain certificate. */
void chain_print(const chain_trial *t, const plan *p);

#endif
