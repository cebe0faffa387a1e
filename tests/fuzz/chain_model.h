#ifndef CHAIN_MODEL_H
#define CHAIN_MODEL_H

/**
 * @file
 * Computes the right verdict on a chain from its plan alone, without reading certificates: it tries
 * every path from the server's certificate to a trusted one by the rules of RFC 5280 section 6.1
 * and of platform/README.md.
 */

#include "chain_make.h"

/** Returns false for a plan with damaged bytes, whose meaning the model cannot know. */
bool chain_model_knows(const plan *p);

bool chain_model_accepts(const made_chain *made, const plan *p);

#endif
