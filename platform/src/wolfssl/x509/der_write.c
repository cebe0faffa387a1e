#include "wolfssl/x509/der_write.h"

#include <string.h>

#include "wolfssl/x509/der.h"

#define SHORT_LENGTH_MAX 127
#define LONG_FORM        0x80u /* bit of a length that is followed by the length itself */

plat_der_writer plat_der_writer_begin(uint8_t *bytes, size_t cap)
{
    return (plat_der_writer){ .bytes = bytes, .cap = cap };
}

void plat_der_put(plat_der_writer *w, const void *bytes, size_t len)
{
    if (len == 0) {
        return;
    }
    if (w->used > w->cap || len > w->cap - w->used) {
        w->used = w->cap + 1;
        return;
    }
    w->used += len;
    memcpy(w->bytes + (w->cap - w->used), bytes, len);
}

void plat_der_put_byte(plat_der_writer *w, uint8_t byte)
{
    plat_der_put(w, &byte, 1);
}

void plat_der_put_unsigned(plat_der_writer *w, const uint8_t *bytes, size_t len)
{
    const size_t mark = plat_der_mark(w);
    while (len > 0 && bytes[0] == 0) {
        bytes++;
        len--;
    }
    plat_der_put(w, bytes, len);
    /* Without a zero byte in front, the number would be negative or have no bytes. */
    if (len == 0 || (bytes[0] & 0x80u) != 0) {
        plat_der_put_byte(w, 0);
    }
    plat_der_wrap(w, PLAT_DER_INTEGER, mark);
}

size_t plat_der_mark(const plat_der_writer *w)
{
    return w->used;
}

static void put_length(plat_der_writer *w, size_t len)
{
    if (len <= SHORT_LENGTH_MAX) {
        plat_der_put_byte(w, (uint8_t)len);
        return;
    }
    uint8_t count = 0;
    for (; len > 0; len >>= 8) {
        plat_der_put_byte(w, (uint8_t)(len & 0xffu));
        count++;
    }
    plat_der_put_byte(w, (uint8_t)(LONG_FORM | count));
}

void plat_der_wrap(plat_der_writer *w, uint8_t tag, size_t mark)
{
    put_length(w, w->used - mark);
    plat_der_put_byte(w, tag);
}

bool plat_der_finish(const plat_der_writer *w, size_t *len)
{
    if (w->used > w->cap) {
        return false;
    }
    memmove(w->bytes, w->bytes + (w->cap - w->used), w->used);
    *len = w->used;
    return true;
}
