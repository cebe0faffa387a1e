#ifndef PLAT_WOLFSSL_DER_WRITE_H
#define PLAT_WOLFSSL_DER_WRITE_H

/**
 * @file
 * Writes DER (ITU-T X.690) from the last byte to the first, so that each length is known when it is
 * written.  Nothing is written outside of the buffer; an overflow is noticed at the end.
 *
 *     plat_der_writer w = plat_der_writer_begin(buf, sizeof buf);
 *     const size_t end = plat_der_mark(&w);
 *     plat_der_put(&w, oid, sizeof oid);
 *     plat_der_wrap(&w, PLAT_DER_SEQUENCE, end);
 *     bool complete = plat_der_finish(&w, &len);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The state of a writer. Only der_write.c writes it. */
typedef struct plat_der_writer {
    uint8_t *bytes;
    size_t cap;
    /* Number of bytes written at the end of the buffer; more than cap: they did not fit. */
    size_t used;
} plat_der_writer;

/** Begins to write into a buffer. */
plat_der_writer plat_der_writer_begin(uint8_t *bytes, size_t cap);

/** Writes bytes in front of what was written before. */
void plat_der_put(plat_der_writer *w, const void *bytes, size_t len);

/** Writes one byte in front of what was written before. */
void plat_der_put_byte(plat_der_writer *w, uint8_t byte);

/** Writes a non-negative INTEGER. @param bytes big-endian, with or without zeros in front */
void plat_der_put_unsigned(plat_der_writer *w, const uint8_t *bytes, size_t len);

/** Returns the current position, for plat_der_wrap. */
size_t plat_der_mark(const plat_der_writer *w);

/** Turns everything that was written since the mark into the content of an element. */
void plat_der_wrap(plat_der_writer *w, uint8_t tag, size_t mark);

/**
 * Moves what was written to the beginning of the buffer.
 * @return false: the buffer is too small, and its content is of no value
 */
bool plat_der_finish(const plat_der_writer *w, size_t *len);

#endif
