#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "blobs/blob_range.h"

#define SIZE_MAX_TRIED 6

static void every_range_of_every_small_blob_is_the_part_that_exists(void **state)
{
    (void)state;
    for (unsigned size = 0; size <= SIZE_MAX_TRIED; size++) {
        for (unsigned first = 0; first <= SIZE_MAX_TRIED + 1; first++) {
            for (unsigned last = 0; last <= SIZE_MAX_TRIED + 1; last++) {
                char text[32];
                hub_blob_range range;
                const bool exists = first < size && first <= last;
                (void)snprintf(text, sizeof text, "bytes=%u-%u", first, last);
                assert_int_equal(hub_blob_range_read(text, size, &range), exists);
                if (exists) {
                    assert_true(range.given);
                    assert_int_equal(range.first, first);
                    assert_int_equal(range.last, last < size ? last : size - 1);
                }
            }
        }
    }
}

static void a_range_may_have_no_end(void **state)
{
    hub_blob_range range;

    (void)state;
    assert_true(hub_blob_range_read("bytes=3-", 10, &range));
    assert_true(range.given);
    assert_int_equal(range.first, 3);
    assert_int_equal(range.last, 9);
    assert_false(hub_blob_range_read("bytes=10-", 10, &range));
    assert_false(hub_blob_range_read("bytes=0-", 0, &range));
}

static void numbers_of_any_length_are_read(void **state)
{
    hub_blob_range range;

    (void)state;
    assert_true(hub_blob_range_read("bytes=1-99999999999999999999999999", 10, &range));
    assert_int_equal(range.last, 9);
    assert_false(hub_blob_range_read("bytes=99999999999999999999999999-", 10, &range));
}

static void any_other_text_means_the_whole_blob(void **state)
{
    static const char *const texts[] = { NULL,         "",           "bytes",     "bytes=",
                                         "bytes=-",    "bytes=-3",   "bytes=1",   "bytes=1-2,4-5",
                                         "bytes=1-2 ", "bytes= 1-2", "bytes=a-b", "words=1-2",
                                         "bytes=+1-2", "bytes=1--2" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        hub_blob_range range;
        assert_true(hub_blob_range_read(texts[i], 10, &range));
        assert_false(range.given);
        assert_int_equal(range.first, 0);
        assert_int_equal(range.last, 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_range_of_every_small_blob_is_the_part_that_exists),
        cmocka_unit_test(a_range_may_have_no_end),
        cmocka_unit_test(numbers_of_any_length_are_read),
        cmocka_unit_test(any_other_text_means_the_whole_blob),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
