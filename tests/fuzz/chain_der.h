#ifndef CHAIN_DER_H
#define CHAIN_DER_H

/** @file Writes DER: what is open when the next value is written contains it. */

#include <stddef.h>
#include <stdint.h>

typedef struct chain_der {
    uint8_t bytes[6144];
    size_t len;
} chain_der;

/** Opens a constructed value.  der_close takes what was returned. */
size_t der_open(chain_der *d, uint8_t tag);

/** Opens a BIT STRING without unused bits. */
size_t der_open_bits(chain_der *d);

void der_close(chain_der *d, size_t opened);

void der_put(chain_der *d, uint8_t tag, const void *content, size_t len);

/** Bytes that are DER already. */
void der_append(chain_der *d, const void *bytes, size_t len);

/** An INTEGER from -128 to 127. */
void der_put_small(chain_der *d, int value);

/** OBJECT IDENTIFIER, from the bytes of its content as a string literal. */
#define DER_PUT_OID(d, literal) der_put((d), 0x06, (literal), sizeof(literal) - 1)

#endif
