#include "pkcs11/pkcs11_fault.h"

#include <p11-kit/p11-kit.h>

#include "wolfssl/identity/fault.h"

/* The codes whose remedy is known. */
static const struct {
    CK_RV code;
    plat_result result;
    const char *text;
} known[] = {
    { CKR_PIN_INCORRECT, PLAT_ERR_PASSPHRASE,
      "the PKCS #11 token refuses the PIN, which is not tried again because the token could lock "
      "itself; correct the PIN" },
    { CKR_PIN_INVALID, PLAT_ERR_PASSPHRASE,
      "the PIN contains characters that the PKCS #11 token does not accept; correct the PIN" },
    { CKR_PIN_LEN_RANGE, PLAT_ERR_PASSPHRASE,
      "the PIN is too short or too long for the PKCS #11 token; correct the PIN" },
    { CKR_PIN_LOCKED, PLAT_ERR_PASSPHRASE,
      "the PKCS #11 token is locked after too many wrong PINs; unlock it with the PIN of the "
      "security officer" },
    { CKR_PIN_EXPIRED, PLAT_ERR_PASSPHRASE,
      "the PIN of the PKCS #11 token has expired; set a new one" },
    { CKR_USER_PIN_NOT_INITIALIZED, PLAT_ERR_PASSPHRASE,
      "the PKCS #11 token has no user PIN yet; set one with the PIN of the security officer" },
    { CKR_TOKEN_NOT_PRESENT, PLAT_ERR_SIGNER, "the PKCS #11 token was removed; insert it again" },
    { CKR_DEVICE_REMOVED, PLAT_ERR_SIGNER, "the PKCS #11 token was removed; insert it again" },
    { CKR_SLOT_ID_INVALID, PLAT_ERR_SIGNER, "the PKCS #11 token was removed; insert it again" },
    { CKR_USER_ANOTHER_ALREADY_LOGGED_IN, PLAT_ERR_SIGNER,
      "another user, such as the security officer, is logged in to the PKCS #11 token; log out "
      "first" },
    { CKR_SESSION_COUNT, PLAT_ERR_SIGNER,
      "the PKCS #11 token has no free session; end another program that uses it" },
    { CKR_MECHANISM_INVALID, PLAT_ERR_ARG,
      "the PKCS #11 token cannot sign by this scheme; use another kind of key" },
    { CKR_MECHANISM_PARAM_INVALID, PLAT_ERR_ARG,
      "the PKCS #11 token cannot sign by this scheme; use another kind of key" },
    { CKR_KEY_TYPE_INCONSISTENT, PLAT_ERR_ARG, "the key in the PKCS #11 token is of another kind" },
    { CKR_KEY_FUNCTION_NOT_PERMITTED, PLAT_ERR_ARG,
      "the key in the PKCS #11 token may not be used for signatures; make it with CKA_SIGN" },
};

plat_result plat_pkcs11_failed(plat_identity_fault *fault, CK_RV code, const char *doing)
{
    if (code == CKR_OK) {
        return PLAT_OK;
    }
    if (code == CKR_HOST_MEMORY) {
        return plat_fault_memory(fault);
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].code == code) {
            return plat_fault_set(fault, known[i].result, "%s", known[i].text);
        }
    }
    return plat_fault_set(fault, PLAT_ERR_SIGNER, "the PKCS #11 token failed while %s: %s (0x%lx)",
                          doing, p11_kit_strerror(code), code);
}
