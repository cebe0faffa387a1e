#ifndef PLAT_WOLFSSL_NAME_H
#define PLAT_WOLFSSL_NAME_H

/**
 * @file
 * Distinguished names (X.501) and the general names of subjectAltName and nameConstraints
 * (RFC 5280 section 4.2.1.6), read from a certificate and compared.
 */

#include "wolfssl/x509/der.h"

/*
 * A distinguished name is the content of its SEQUENCE; empty when it names nobody.  Before two
 * of them are compared, both must have been checked.
 */

/** Whether it is well-formed, with text that is valid in its encoding. */
bool plat_name_is_sound(plat_der name);

/**
 * RFC 5280 section 7.1, as OpenSSL does it: text is compared without regard to its encoding, to
 * the case of ASCII letters and to the number of spaces; any other value byte by byte.
 */
bool plat_name_equals(plat_der a, plat_der b);

/** Whether name is in the subtree whose top is base. */
bool plat_name_is_below(plat_der name, plat_der base);

/** The same for equal names; for finding candidates only. */
uint32_t plat_name_hash(plat_der name);

/** Whether it has an emailAddress attribute, which rfc822Name constraints cover as well. */
bool plat_name_has_email(plat_der name);

/** The numbers of the choice in RFC 5280. */
typedef enum plat_general_kind {
    PLAT_GENERAL_OTHER = 0,
    PLAT_GENERAL_EMAIL = 1,
    PLAT_GENERAL_DNS = 2,
    PLAT_GENERAL_X400 = 3,
    PLAT_GENERAL_DIRECTORY = 4,
    PLAT_GENERAL_EDI = 5,
    PLAT_GENERAL_URI = 6,
    PLAT_GENERAL_IP = 7,
    PLAT_GENERAL_REGISTERED = 8
} plat_general_kind;

typedef struct plat_general_name {
    plat_general_kind kind;
    plat_der value; /* text, address bytes, or a checked distinguished name */
} plat_general_name;

/** Takes the next general name; false if it is malformed.  Addresses may have any length. */
bool plat_general_next(plat_der *in, plat_general_name *out);

#endif
