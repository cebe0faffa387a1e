#ifndef PLAT_WOLFSSL_MADE_KEY_H
#define PLAT_WOLFSSL_MADE_KEY_H

/** @file Makes private keys, with the meaning of plat_csr_maker.make_key and erase_key. */

#include "platform/csr.h"

plat_result plat_made_key_make(plat_key_kind kind, plat_made_key *out, plat_identity_fault *fault);
void plat_made_key_erase(plat_made_key *key);

#endif
