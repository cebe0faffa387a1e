#ifndef TEST_SOFT_TOKEN_H
#define TEST_SOFT_TOKEN_H

/**
 * @file
 * A token of SoftHSM in a directory of this process, and a module in front of SoftHSM that fails
 * when a test wants it (odd_pkcs11.c).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "odd_pkcs11.h"

#define SOFT_TOKEN_LABEL "device token"
#define SOFT_TOKEN_PIN   "4711-0815"

/** Makes a directory with an empty token.  SOFTHSM2_CONF names it from now on. */
void soft_token_make(void);

/** Makes one more token with this label. */
void soft_token_add(const char *label);

/** Imports a private key (DER, not encrypted) with its public key under a label and an id such as
 * "01". */
void soft_token_import(const uint8_t *der, size_t len, const char *label, const char *id);

/** Stores a certificate under a label. */
void soft_token_store_certificate(const uint8_t *der, size_t len, const char *label);

/** Writes a file into the directory and returns its path, which is valid until the next call. */
const char *soft_token_file(const char *name, const char *text);

/** Removes the directory. */
void soft_token_remove(void);

/**
 * Writes the URI of an object in the token, with the odd module; the text is valid until the next
 * call.
 * @param object  such as "object=rsa"
 * @param query   further attributes such as "pin-value=1234"; "" for none
 */
const char *soft_token_uri(const char *object, const char *query);

/** Returns the switches of the odd module. */
odd_pkcs11 *soft_token_odd(void);

#endif
