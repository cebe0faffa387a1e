#ifndef FUZZ_H
#define FUZZ_H

/* What all targets share: the entry point, functions that read the input, and a check that works
 * in every build. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The name is prescribed by libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(claim)                                                              \
    do {                                                                               \
        if (!(claim)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #claim); \
            abort();                                                                   \
        }                                                                              \
    } while (0)

typedef struct fuzz_input {
    const uint8_t *ptr;
    size_t len;
} fuzz_input;

/* Returns the next byte, or 0 at the end. */
static inline uint8_t fuzz_byte(fuzz_input *in)
{
    if (in->len == 0) {
        return 0;
    }
    in->len--;
    return *in->ptr++;
}

/* Returns a number from 0 to sides - 1. */
static inline uint32_t fuzz_roll(fuzz_input *in, uint32_t sides)
{
    uint32_t n = fuzz_byte(in);

    if (sides > 256) {
        n = n << 8 | fuzz_byte(in);
    }
    return n % sides;
}

/* Reads up to the next line end, which is removed. Returns false if no bytes are left. */
static inline bool fuzz_line(fuzz_input *in, fuzz_input *line)
{
    if (in->len == 0) {
        return false;
    }
    const uint8_t *end = memchr(in->ptr, '\n', in->len);
    size_t n = end != NULL ? (size_t)(end - in->ptr) : in->len;

    *line = (fuzz_input){ in->ptr, n };
    n += end != NULL;
    in->ptr += n;
    in->len -= n;
    return true;
}

/* Returns a copy that ends in a NUL, on the heap, so that the sanitizer detects a read past its
 * end. */
static inline char *fuzz_text(fuzz_input in)
{
    char *text = malloc(in.len + 1);

    FUZZ_CHECK(text != NULL);
    if (in.len > 0) {
        memcpy(text, in.ptr, in.len);
    }
    text[in.len] = '\0';
    return text;
}

#endif
