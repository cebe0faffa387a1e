#ifndef PLAT_WOLFSSL_NAME_H
#define PLAT_WOLFSSL_NAME_H

/**
 * @file
 * Distinguished names (X.501) and the general names of subjectAltName and nameConstraints
 * (RFC 5280 section 4.2.1.6), read from a certificate and compared.
 */

#include "wolfssl/x509/der.h"

/* In these functions, a distinguished name is the content of its SEQUENCE, which may be empty.
 * Before two names are compared, both must have passed plat_name_is_sound. */

/** Returns whether a name is well-formed and each text in it is valid in its encoding. */
bool plat_name_is_sound(plat_der name);

/**
 * Returns whether two names are equal by RFC 5280 section 7.1, as OpenSSL implements it. Texts are
 * compared without regard to their encoding, to the case of ASCII letters and to the number of
 * spaces. Any other value is compared byte by byte.
 */
bool plat_name_equals(plat_der a, plat_der b);

/** Returns whether name begins with all parts of base, so that it is in the subtree below base. */
bool plat_name_is_below(plat_der name, plat_der base);

/** Returns a hash that is the same for equal names. Different names may have the same hash, too. */
uint32_t plat_name_hash(plat_der name);

/**
 * Returns whether a name has an emailAddress attribute. Constraints on mailboxes apply to that as
 * well.
 */
bool plat_name_has_email(plat_der name);

/**
 * Finds the last common name (CN) of a name.
 * @param[out] out  the common name in UTF-8, NUL-terminated; "" if the result is false
 * @return false if there is none, or if it is empty, longer than cap allows, or has control
 * characters
 */
bool plat_name_common_name(plat_der name, char *out, size_t cap);

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

/**
 * Takes the next general name. Returns false if it is malformed. An address may have any length.
 */
bool plat_general_next(plat_der *in, plat_general_name *out);

#endif
