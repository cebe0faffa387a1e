#ifndef PLAT_PKCS11_TOKEN_H
#define PLAT_PKCS11_TOKEN_H

/** @file A session with the token that a PKCS #11 URI names. */

#include "pkcs11/pkcs11_uri.h"

/** Size of the label of a token, with a NUL. */
#define PLAT_PKCS11_LABEL_SIZE 33

/** Whether a token can be used. */
typedef enum plat_pkcs11_state {
    PLAT_PKCS11_CLOSED = 0,
    PLAT_PKCS11_OPEN,   /* there is a session */
    PLAT_PKCS11_REFUSED /* closed for good, because the token has refused the PIN */
} plat_pkcs11_state;

/** A token.  All zero: closed.  Written by pkcs11_token.c only. */
typedef struct plat_pkcs11_token {
    plat_pkcs11_state state;
    CK_FUNCTION_LIST *named;     /* the module of module-path; NULL: modules are searched */
    CK_FUNCTION_LIST **searched; /* every module of p11-kit's configuration */
    CK_FUNCTION_LIST *module;    /* the module that has the token */
    CK_SLOT_ID slot;
    CK_FLAGS flags; /* flags of the token */
    char label[PLAT_PKCS11_LABEL_SIZE];
    CK_SESSION_HANDLE session;
} plat_pkcs11_token;

/**
 * Loads the module, finds the token and opens a session; nobody is logged in.  It is closed after a
 * failure.
 */
plat_result plat_pkcs11_token_open(plat_pkcs11_token *t, const plat_pkcs11_place *place,
                                   plat_identity_fault *fault);

/**
 * Logs in to an open token, if it requires this.
 * @param user  CKU_USER, or CKU_CONTEXT_SPECIFIC between C_SignInit and C_Sign
 * @retval PLAT_ERR_PASSPHRASE  the PIN is missing, or it was refused.  The token remembers the
 *                              latter when it is closed
 */
plat_result plat_pkcs11_token_login(plat_pkcs11_token *t, const plat_pkcs11_place *place,
                                    CK_USER_TYPE user, plat_identity_fault *fault);

/** Ends the session and unloads the module. */
void plat_pkcs11_token_close(plat_pkcs11_token *t);

#endif
