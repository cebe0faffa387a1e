#ifndef PLAT_PKCS11_FAULT_H
#define PLAT_PKCS11_FAULT_H

/** @file Turns codes of PKCS #11 into results and sentences that name the remedy. */

#include <p11-kit/pkcs11.h>

#include "platform/identity.h"

/**
 * Sets the text for a code of PKCS #11.
 * @param doing  what failed, such as "signing"
 * @return the result that fits the code; PLAT_OK for CKR_OK
 */
plat_result plat_pkcs11_failed(plat_identity_fault *fault, CK_RV code, const char *doing);

#endif
