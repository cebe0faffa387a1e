#ifndef PLAT_WOLFSSL_NAME_H
#define PLAT_WOLFSSL_NAME_H

/**
 * @file
 * Distinguished names (X.501) and the general names of subjectAltName and nameConstraints
 * (RFC 5280 section 4.2.1.6), read from a certificate and compared.
 */

#include "wolfssl/x509/der.h"

/*
 * A distinguished name is the content of its SEQUENCE; it may be empty.  Before two names are
 * compared, both must have passed plat_name_is_sound.
 */

/** Whether a name is well-formed and each text in it is valid in its encoding. */
bool plat_name_is_sound(plat_der name);

/**
 * Whether two names are equal by RFC 5280 section 7.1, as OpenSSL implements it.  Texts are
 * compared without regard to their encoding, to the case of ASCII letters and to the number of
 * spaces.  Any other value is compared byte by byte.
 */
bool plat_name_equals(plat_der a, plat_der b);

/** Whether name begins with all parts of base, that is, is in the subtree below it. */
bool plat_name_is_below(plat_der name, plat_der base);

/** A hash that is the same for equal names.  Different names may have the same hash, too. */
uint32_t plat_name_hash(plat_der name);

/** Whether a name has an emailAddress attribute; constraints on mailboxes apply to that as well. */
bool plat_name_has_email(plat_der name);

/** The kinds of general names, with the tag numbers of RFC 5280. */
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

/** A general name. */
typedef struct plat_general_name {
    plat_general_kind kind;
    plat_der value; /* text, address bytes, or a checked distinguished name */
} plat_general_name;

/** Takes the next general name.  False: it is malformed.  An address may have any length. */
bool plat_general_next(plat_der *in, plat_general_name *out);

#endif
