#ifndef CHAIN_DER_H
#define CHAIN_DER_H

/**
 * @file
 * Writes DER. A value that is written while another one is open becomes part of it.
 */

#include <stddef.h>
#include <stdint.h>

typedef struct chain_der {
    uint8_t bytes[6144];
    size_t len;
} chain_der;

/** Opens a constructed value. Pass the returned number to der_close. */
size_t der_open(chain_der *d, uint8_t tag);

/** Opens a BIT STRING without unused bits. */
size_t der_open_bits(chain_der *d);

void der_close(chain_der *d, size_t opened);

void der_put(chain_der *d, uint8_t tag, const void *content, size_t len);

/** Appends bytes that are already DER. */
void der_append(chain_der *d, const void *bytes, size_t len);

/** Writes an INTEGER from -128 to 127. */
void der_put_small(chain_der *d, int value);

/** Writes an OBJECT IDENTIFIER, whose content is given as a string literal. */
#define DER_PUT_OID(d, literal) der_put((d), 0x06, (literal), sizeof(literal) - 1)

#endif
