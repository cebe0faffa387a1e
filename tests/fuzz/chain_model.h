#ifndef CHAIN_MODEL_H
#define CHAIN_MODEL_H

/**
 * @file
 * Works out the right verdict on a plan of a chain from the plan, without looking at bytes:
 * every path from the server's certificate to an anchor is tried against the rules of
 * RFC 5280 section 6.1 and those of platform/README.md.
 */

#include "chain_make.h"

/** False for a plan with damaged bytes, of which the model cannot say what they mean. */
bool chain_model_knows(const plan *p);

bool chain_model_accepts(const made_chain *made, const plan *p);

#endif
