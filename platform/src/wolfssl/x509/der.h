#ifndef PLAT_WOLFSSL_DER_H
#define PLAT_WOLFSSL_DER_H

/**
 * @file
 * A strict, bounded parser of DER (ITU-T X.690).  It never reads beyond the end of its input,
 * copies nothing and does not recurse.  It accepts only definite lengths in their shortest form and
 * tags below 31; certificates need nothing else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes that belong to the caller. Parsing advances the beginning. */
typedef struct plat_der {
    const uint8_t *at;
    size_t len;
} plat_der;

/** One element of DER. */
typedef struct plat_der_item {
    uint8_t tag;
    plat_der content;
    plat_der whole; /* the element with its tag and length */
} plat_der_item;

enum {
    PLAT_DER_BOOLEAN = 0x01,
    PLAT_DER_INTEGER = 0x02,
    PLAT_DER_BIT_STRING = 0x03,
    PLAT_DER_OCTET_STRING = 0x04,
    PLAT_DER_NULL = 0x05,
    PLAT_DER_OID = 0x06,
    PLAT_DER_UTF8_STRING = 0x0c,
    PLAT_DER_NUMERIC_STRING = 0x12,
    PLAT_DER_PRINTABLE_STRING = 0x13,
    PLAT_DER_T61_STRING = 0x14,
    PLAT_DER_IA5_STRING = 0x16,
    PLAT_DER_UTC_TIME = 0x17,
    PLAT_DER_GENERALIZED_TIME = 0x18,
    PLAT_DER_VISIBLE_STRING = 0x1a,
    PLAT_DER_UNIVERSAL_STRING = 0x1c,
    PLAT_DER_BMP_STRING = 0x1e,
    PLAT_DER_SEQUENCE = 0x30,
    PLAT_DER_SET = 0x31,
    PLAT_DER_CONTEXT = 0x80,             /* [0] IMPLICIT of a simple type; for [n], add n */
    PLAT_DER_CONTEXT_CONSTRUCTED = 0xa0, /* [0] EXPLICIT, or IMPLICIT of a SEQUENCE */
};

/* Each function returns false if the input does not begin with the expected element. *in then
 * points anywhere inside the input. */

/** Takes the next element, whatever its tag. */
bool plat_der_next(plat_der *in, plat_der_item *out);

/** Takes the next element if it has this tag.  An object identifier must be well-formed. */
bool plat_der_take(plat_der *in, uint8_t tag, plat_der *content);

/** Takes the next element if it has this tag.  Otherwise *content is empty and *found is false. */
bool plat_der_take_optional(plat_der *in, uint8_t tag, plat_der *content, bool *found);

/**
 * Takes a BOOLEAN DEFAULT FALSE. DER omits FALSE, but it is accepted, because some issuers encode
 * it.
 */
bool plat_der_take_flag(plat_der *in, bool *value);

/** Takes a non-negative INTEGER.  A number that is too large for *value becomes UINT32_MAX. */
bool plat_der_take_unsigned(plat_der *in, uint8_t tag, uint32_t *value);

/** Takes a BIT STRING of whole bytes. */
bool plat_der_take_bytes(plat_der *in, plat_der *bytes);

/**
 * Takes a named bit list. Bit 0 of the list becomes bit 0 of *bits; bits from 16 on are ignored.
 */
bool plat_der_take_bits(plat_der *in, uint16_t *bits);

/** Returns whether the content of an INTEGER has its shortest form. */
bool plat_der_is_integer(plat_der content);

/** Returns whether the bytes are equal. */
bool plat_der_equals(plat_der a, plat_der b);

/** Compares bytes with those of a string literal, for example those of an object identifier. */
#define plat_der_is(der, literal) \
    plat_der_equals((der), (plat_der){ (const uint8_t *)(literal), sizeof(literal) - 1 })

/**
 * Takes a UTCTime or GeneralizedTime in the form of RFC 5280 section 4.1.2.5: with seconds, without
 * fractions, in UTC.
 * @param[out] seconds  seconds since 1970; may be negative
 */
bool plat_der_take_time(plat_der *in, int64_t *seconds);

#endif
