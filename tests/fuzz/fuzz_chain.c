/* Tests chains of certificates: a good chain is changed step by step. The judge returns the same
 * verdict each time, does a bounded amount of work, and agrees with a model of the rules.
 * OpenSSL accepts what the judge accepts, except for the reasons that chain_trial.c lists. */

#include "chain_trial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = { data, size };
    chain_trial t;
    plan p;
    plan_read(&p, &in);
    chain_try(&t, &p);
    if (t.contradiction != NULL) {
        chain_print(&t, &p);
        abort();
    }
    return 0;
}
