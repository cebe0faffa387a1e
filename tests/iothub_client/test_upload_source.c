#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "upload/upload_source.h"

enum { BLOCK = 1024, MOST = 5 * BLOCK };

/* A reader of `size` bytes, whose byte at an offset is the offset modulo 251. */
typedef struct fake_reader {
    plat_reader base;
    uint64_t size;
    plat_reader_info info;
    size_t step;     /* most bytes of one call */
    unsigned pauses; /* number of calls that have no bytes */
    plat_result fails;
} fake_reader;

static plat_result describe(plat_reader *r, plat_reader_info *info)
{
    *info = ((fake_reader *)r)->info;
    return PLAT_OK;
}

static plat_result read_bytes(plat_reader *base, uint64_t offset, void *buf, size_t cap,
                              size_t *len)
{
    fake_reader *r = (fake_reader *)base;
    uint8_t *to = buf;

    if (r->fails != PLAT_OK) {
        return r->fails;
    }
    if (r->pauses > 0) {
        r->pauses--;
        return PLAT_WOULD_BLOCK;
    }
    size_t n = cap < r->step ? cap : r->step;
    n = offset + n > r->size ? (size_t)(r->size - (offset < r->size ? offset : r->size)) : n;
    for (size_t i = 0; i < n; i++) {
        to[i] = (uint8_t)((offset + i) % 251);
    }
    *len = n;
    return PLAT_OK;
}

static const char *detail(const plat_reader *r)
{
    (void)r;
    return "";
}

static const plat_reader_ops ops = { describe, read_bytes, detail };

static fake_reader reader_of(uint64_t size, bool known)
{
    return (fake_reader){ .base.ops = &ops,
                          .size = size,
                          .info = { .size = known ? size : PLAT_SIZE_UNKNOWN, .rewinds = known },
                          .step = 700 };
}

static upload_source begin(fake_reader *r)
{
    iothub_upload_options o;
    upload_source s;

    iothub_upload_options_init(&o);
    o.block_size = BLOCK;
    o.reader = &r->base;
    assert_int_equal(upload_source_init(&s, &o), PLAT_OK);
    return s;
}

static void assert_block(const uint8_t *bytes, uint32_t number, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(bytes[i], ((uint64_t)number * BLOCK + i) % 251);
    }
}

/* Whether the size is known or not, each size gives the same blocks. */
static void each_size_is_cut_into_blocks(void **state)
{
    (void)state;
    for (unsigned known = 0; known <= 1; known++) {
        for (uint64_t size = 0; size <= MOST; size += size % BLOCK > 2 ? BLOCK - 4 : 1) {
            fake_reader r = reader_of(size, known != 0);
            upload_source s = begin(&r);
            uint8_t buf[BLOCK];
            uint32_t number;
            size_t len;
            uint64_t sum = 0;
            uint32_t count = 0;
            for (; upload_source_fill(&s, buf, &number, &len) == UPLOAD_FILLED; count++) {
                assert_int_equal(number, count);
                assert_block(buf, number, len);
                sum += len;
            }
            assert_int_equal(sum, size);
            assert_int_equal(s.about.size, size);
            assert_int_equal(upload_source_blocks(&s), count);
            assert_int_equal(count, size == 0 ? 1 : (size + BLOCK - 1) / BLOCK);
            assert_int_equal(upload_source_size_of(&s, count - 1), len == 0 ? 0 : len);
        }
    }
}

static void a_pause_keeps_the_bytes_of_the_block(void **state)
{
    (void)state;
    fake_reader r = reader_of(BLOCK + 5, true);
    upload_source s = begin(&r);
    uint8_t buf[BLOCK];
    uint32_t number;
    size_t len;

    r.step = 100;
    upload_filled f;
    for (unsigned waits = 0;; waits++) {
        r.pauses = waits % 2;
        f = upload_source_fill(&s, buf, &number, &len);
        if (f != UPLOAD_WAITS) {
            break;
        }
    }
    assert_int_equal(f, UPLOAD_FILLED);
    assert_block(buf, 0, BLOCK);
}

static void a_source_that_fails_or_shrinks_is_broken(void **state)
{
    (void)state;
    fake_reader r = reader_of(3 * BLOCK, true);
    upload_source s = begin(&r);
    uint8_t buf[BLOCK];
    uint32_t number;
    size_t len;

    r.size = 2 * BLOCK - 1;
    assert_int_equal(upload_source_fill(&s, buf, &number, &len), UPLOAD_FILLED);
    assert_int_equal(upload_source_fill(&s, buf, &number, &len), UPLOAD_BROKEN);
    r.fails = PLAT_ERR_IO;
    assert_int_equal(upload_source_fill(&s, buf, &number, &len), UPLOAD_BROKEN);
}

static void only_a_source_that_rewinds_begins_again(void **state)
{
    (void)state;
    for (unsigned known = 0; known <= 1; known++) {
        fake_reader r = reader_of(BLOCK, known != 0);
        upload_source s = begin(&r);
        assert_int_equal(upload_source_rewind(&s), known != 0);
    }
}

static void too_many_blocks_are_refused_with_the_size_that_fits(void **state)
{
    (void)state;
    iothub_error error = { IOTHUB_OK, "" };
    fake_reader r = reader_of(50000ull * BLOCK, true);
    upload_source s = begin(&r);

    assert_int_equal(upload_source_check(&s, &error), IOTHUB_OK);
    r = reader_of(50000ull * BLOCK + 1, true);
    s = begin(&r);
    assert_int_equal(upload_source_check(&s, &error), IOTHUB_ERR_TOO_BIG);
    assert_non_null(strstr(error.text, "block_size must be at least 1025"));
}

static void bytes_in_memory_are_a_source(void **state)
{
    (void)state;
    iothub_upload_options o;
    upload_source s;
    uint8_t data[BLOCK + 3];
    uint8_t buf[BLOCK];
    uint32_t number;
    size_t len;

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i % 251);
    }
    iothub_upload_options_init(&o);
    o.block_size = BLOCK;
    o.data = data;
    o.data_len = sizeof data;
    assert_int_equal(upload_source_init(&s, &o), PLAT_OK);
    assert_int_equal(upload_source_fill(&s, buf, &number, &len), UPLOAD_FILLED);
    assert_int_equal(len, BLOCK);
    upload_source_rewind(&s);
    upload_source_skip(&s);
    assert_int_equal(upload_source_fill(&s, buf, &number, &len), UPLOAD_FILLED);
    assert_int_equal(number, 1);
    assert_int_equal(len, 3);
    assert_block(buf, 1, 3);
    assert_int_equal(upload_source_fill(&s, buf, &number, &len), UPLOAD_NO_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_size_is_cut_into_blocks),
        cmocka_unit_test(a_pause_keeps_the_bytes_of_the_block),
        cmocka_unit_test(a_source_that_fails_or_shrinks_is_broken),
        cmocka_unit_test(only_a_source_that_rewinds_begins_again),
        cmocka_unit_test(too_many_blocks_are_refused_with_the_size_that_fits),
        cmocka_unit_test(bytes_in_memory_are_a_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
