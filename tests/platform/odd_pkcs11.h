#ifndef TEST_ODD_PKCS11_H
#define TEST_ODD_PKCS11_H

/**
 * @file
 * The switches of a PKCS #11 module in front of SoftHSM.  The module exports them as "odd".
 */

#include <stdbool.h>

/** The functions that can fail. */
typedef enum odd_call {
    ODD_NONE,
    ODD_GET_INFO,
    ODD_GET_SLOT_LIST,
    ODD_GET_SLOT_INFO,
    ODD_GET_TOKEN_INFO,
    ODD_OPEN_SESSION,
    ODD_LOGIN,
    ODD_FIND_INIT,
    ODD_FIND,
    ODD_GET_ATTRIBUTE,
    ODD_SIGN_INIT,
    ODD_SIGN,
    ODD_CALLS
} odd_call;

/** The behaviour of the module. All zero: it behaves like SoftHSM. */
typedef struct odd_pkcs11 {
    odd_call failing;    /* the function that fails */
    unsigned long code;  /* what the failing function returns */
    unsigned after;      /* number of calls that succeed before the first failure */
    unsigned times;      /* number of failures */
    bool removed;        /* the token is not in its slot */
    bool asks_each_time; /* CKA_ALWAYS_AUTHENTICATE is true */
    unsigned logins;     /* number of calls of C_Login with CKU_USER */
    /* Number of calls of C_Login with CKU_CONTEXT_SPECIFIC, which succeed without SoftHSM. */
    unsigned context_logins;
    unsigned sessions;      /* number of open sessions */
    unsigned long short_by; /* number of bytes that are missing in signatures */
} odd_pkcs11;

#endif
