#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "resident.h"
#include "wolfssl/tls/zero_pages.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/memory.h>

#define LEN (9 * 4096 + 648)

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Writes to all of the memory and then fills it with zeros, as wolfSSL does with its objects. */
static unsigned char *make(size_t len)
{
    unsigned char *block = malloc(len);
    assert_non_null(block);
    memset(block, 0xFF, len);
    memset(block, 0, len);
    return block;
}

static void pages_of_zeros_take_no_memory(void **state)
{
    (void)state;
    unsigned char *block = make(LEN);
    const resident before = resident_pages(block, LEN);

    plat_zero_pages_give_back(block);

    assert_int_equal(before.taken, before.whole);
    assert_int_equal(resident_pages(block, LEN).taken, 0);
    for (size_t i = 0; i < LEN; i++) {
        assert_int_equal(block[i], 0);
    }
    free(block);
}

static void a_page_with_one_byte_stays(void **state)
{
    (void)state;
    unsigned char *block = make(LEN);

    for (size_t at = 0; at < LEN; at += at % 5 == 0 ? 1 : 509) {
        memset(block, 0, LEN);
        block[at] = 1;
        plat_zero_pages_give_back(block);
        assert_in_range(resident_pages(block, LEN).taken, 0, page_size());
        assert_int_equal(block[at], 1);
        block[at] = 0;
        assert_int_equal(block[0], 0);
        assert_memory_equal(block, block + 1, LEN - 1);
    }
    free(block);
}

static void bytes_next_to_the_block_stay(void **state)
{
    (void)state;
    unsigned char *blocks[64];

    for (size_t i = 0; i < 64; i++) {
        blocks[i] = malloc(i % 2 == 0 ? LEN : 700);
        assert_non_null(blocks[i]);
        memset(blocks[i], i % 2 == 0 ? 0 : 0xA5, i % 2 == 0 ? LEN : 700);
    }
    for (size_t i = 0; i < 64; i += 2) {
        plat_zero_pages_give_back(blocks[i]);
    }
    for (size_t i = 1; i < 64; i += 2) {
        assert_int_equal(blocks[i][0], 0xA5);
        assert_memory_equal(blocks[i], blocks[i] + 1, 699);
    }
    for (size_t i = 0; i < 64; i++) {
        free(blocks[i]);
    }
}

static void less_than_a_page_and_nothing_are_left_alone(void **state)
{
    (void)state;
    unsigned char *block = make(100);

    plat_zero_pages_give_back(block);
    plat_zero_pages_give_back(NULL);

    assert_int_equal(block[99], 0);
    free(block);
}

static void *other_malloc(size_t size)
{
    return malloc(size);
}

static void memory_of_an_allocator_of_the_application_is_left_alone(void **state)
{
    (void)state;
    unsigned char *block = make(LEN);
    assert_int_equal(wolfSSL_SetAllocators(other_malloc, free, realloc), 0);

    plat_zero_pages_give_back(block);

    assert_int_equal(wolfSSL_SetAllocators(malloc, free, realloc), 0);
    const resident after = resident_pages(block, LEN);
    assert_int_equal(after.taken, after.whole);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_zeros_take_no_memory),
        cmocka_unit_test(a_page_with_one_byte_stays),
        cmocka_unit_test(bytes_next_to_the_block_stay),
        cmocka_unit_test(less_than_a_page_and_nothing_are_left_alone),
        cmocka_unit_test(memory_of_an_allocator_of_the_application_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
