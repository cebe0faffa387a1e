#include "chain_der.h"

#include "fuzz.h"

void der_append(chain_der *d, const void *bytes, size_t len)
{
    FUZZ_CHECK(len <= sizeof d->bytes - d->len);
    if (len > 0) {
        memcpy(d->bytes + d->len, bytes, len);
        d->len += len;
    }
}

size_t der_open(chain_der *d, uint8_t tag)
{
    der_append(d, &tag, 1);
    return d->len;
}

size_t der_open_bits(chain_der *d)
{
    size_t opened = der_open(d, 0x03);
    der_append(d, "\0", 1);
    return opened;
}

static size_t encode_length(uint8_t out[3], size_t len)
{
    if (len < 0x80) {
        out[0] = (uint8_t)len;
        return 1;
    }
    if (len < 0x100) {
        out[0] = 0x81;
        out[1] = (uint8_t)len;
        return 2;
    }
    out[0] = 0x82;
    out[1] = (uint8_t)(len >> 8);
    out[2] = (uint8_t)len;
    return 3;
}

void der_close(chain_der *d, size_t opened)
{
    uint8_t length[3];
    size_t len = d->len - opened;
    size_t n = encode_length(length, len);
    FUZZ_CHECK(n <= sizeof d->bytes - d->len);
    memmove(d->bytes + opened + n, d->bytes + opened, len);
    memcpy(d->bytes + opened, length, n);
    d->len += n;
}

void der_put(chain_der *d, uint8_t tag, const void *content, size_t len)
{
    size_t opened = der_open(d, tag);
    der_append(d, content, len);
    der_close(d, opened);
}

void der_put_small(chain_der *d, int value)
{
    const uint8_t byte = (uint8_t)value;
    der_put(d, 0x02, &byte, 1);
}
