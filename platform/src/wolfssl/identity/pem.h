#ifndef PLAT_WOLFSSL_PEM_H
#define PLAT_WOLFSSL_PEM_H

/**
 * @file
 * Reads blocks of PEM (RFC 7468) in a text: certificates and keys. Text between the blocks is
 * skipped. The headers of RFC 1421 before an encrypted key are read as well.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/result.h"

/** Borrowed text; it does not end with a NUL. */
typedef struct plat_pem_text {
    const char *at;
    size_t len;
} plat_pem_text;

/** One block, from -----BEGIN label----- to -----END label-----. */
typedef struct plat_pem_block {
    plat_pem_text label;
    plat_pem_text headers; /* lines of the form "Name: value"; empty if there are none */
    plat_pem_text base64;
} plat_pem_block;

/** The result of plat_pem_next. */
typedef enum plat_pem_found {
    PLAT_PEM_NONE = 0, /* there is no further block */
    PLAT_PEM_BLOCK,
    PLAT_PEM_CUT /* the beginning of a block that has no end */
} plat_pem_found;

/** Reads the next block and moves the beginning of the text behind it. */
plat_pem_found plat_pem_next(plat_pem_text *in, plat_pem_block *out);

/** Returns whether a text contains a block, or the beginning of one. */
bool plat_pem_has_block(const void *text, size_t len);

/** Returns whether two texts are equal; the second one is a string. */
bool plat_pem_is(plat_pem_text text, const char *string);

/** Returns whether a text ends with a string. */
bool plat_pem_ends_with(plat_pem_text text, const char *string);

/**
 * Finds a header.
 * @param[out] value  its value without spaces around it
 * @return false: there is no such header
 */
bool plat_pem_header(const plat_pem_block *block, const char *name, plat_pem_text *value);

/**
 * Decodes the base64 of a block.
 * @param[out] out      the bytes; the caller calls plat_secret_free(*out, *len). NULL after a
 *                      failure
 * @retval PLAT_ERR_ENCODING  it is not base64, or it is empty
 * @retval PLAT_ERR_MEMORY    no memory is left
 */
plat_result plat_pem_decode(const plat_pem_block *block, uint8_t **out, size_t *len);

#endif
