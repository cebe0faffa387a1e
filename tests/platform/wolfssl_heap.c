#include "wolfssl_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/memory.h>

static struct {
    unsigned countdown; /* 0: none fails */
    bool failed;
    size_t blocks;
} heap;

static bool must_fail(void)
{
    if (heap.countdown == 0 || --heap.countdown > 0) {
        return false;
    }
    heap.failed = true;
    return true;
}

static void *counting_malloc(size_t size)
{
    void *block = must_fail() ? NULL : malloc(size);
    heap.blocks += block != NULL ? 1 : 0;
    return block;
}

static void counting_free(void *block)
{
    heap.blocks -= block != NULL ? 1 : 0;
    free(block);
}

static void *counting_realloc(void *block, size_t size)
{
    void *next = must_fail() ? NULL : realloc(block, size);
    heap.blocks += block == NULL && next != NULL ? 1 : 0;
    return next;
}

void wolfssl_heap_begin(void)
{
    assert_int_equal(wolfSSL_SetAllocators(counting_malloc, counting_free, counting_realloc), 0);
}

void wolfssl_heap_fail(unsigned nth)
{
    heap.countdown = nth;
    heap.failed = false;
    heap.blocks = 0;
}

bool wolfssl_heap_failed(void)
{
    heap.countdown = 0;
    return heap.failed;
}

size_t wolfssl_heap_blocks(void)
{
    return heap.blocks;
}

void wolfssl_heap_end(void)
{
    assert_int_equal(wolfSSL_SetAllocators(malloc, free, realloc), 0);
}
