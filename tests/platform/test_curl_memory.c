#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "curl/curl_memory.h"

#define SECRET "hush-hush-hush"

static bool has_freed; /* a block was freed */
static bool was_clear; /* the latest freed block held only zeros */
static bool no_memory; /* malloc fails */

/* NOLINTBEGIN(bugprone-reserved-identifier): these are the linker's names */
void __real_free(void *block);
void __wrap_free(void *block);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
/* NOLINTEND(bugprone-reserved-identifier) */

void __wrap_free(void *block)
{
    const size_t len = block != NULL ? malloc_usable_size(block) : 0;

    has_freed = has_freed || block != NULL;
    was_clear = true;
    for (size_t i = 0; i < len; i++) {
        was_clear = was_clear && ((const char *)block)[i] == 0;
    }
    __real_free(block);
}

void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

static void a_block_that_libcurl_frees_is_erased(void **state)
{
    (void)state;
    assert_int_equal(plat_curl_begin(), CURLE_OK);
    char *text = curl_easy_escape(NULL, SECRET, 0);
    assert_string_equal(text, SECRET);
    has_freed = false;
    curl_free(text);
    assert_true(has_freed && was_clear);
    curl_free(NULL);
    plat_curl_end();
}

static void a_block_that_grows_or_shrinks_keeps_its_bytes_and_leaves_none_behind(void **state)
{
    (void)state;
    for (size_t size = 1; size < 100000; size = size * 3 + 1) {
        char *block = plat_curl_resize(NULL, sizeof SECRET);
        assert_non_null(block);
        memcpy(block, SECRET, sizeof SECRET);
        has_freed = false;
        block = plat_curl_resize(block, size);
        assert_non_null(block);
        assert_true(has_freed && was_clear);
        assert_memory_equal(block, SECRET, size < sizeof SECRET ? size : sizeof SECRET);
        free(block);
    }
    char *block = plat_curl_resize(NULL, 0);
    assert_non_null(block);
    free(block);
}

static void without_memory_the_block_stays(void **state)
{
    (void)state;
    char *block = plat_curl_resize(NULL, sizeof SECRET);
    assert_non_null(block);
    memcpy(block, SECRET, sizeof SECRET);
    no_memory = true;
    assert_null(plat_curl_resize(block, 1000));
    no_memory = false;
    assert_string_equal(block, SECRET);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_that_libcurl_frees_is_erased),
        cmocka_unit_test(a_block_that_grows_or_shrinks_keeps_its_bytes_and_leaves_none_behind),
        cmocka_unit_test(without_memory_the_block_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
