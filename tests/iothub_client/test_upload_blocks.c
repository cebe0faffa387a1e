#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "upload/upload_blocks.h"

static upload_blocks blocks;

static void assert_ranges(const char *want, size_t cap)
{
    char text[256];
    iothub_text t;

    iothub_text_init(&t, text, cap);
    upload_blocks_put(&blocks, &t);
    assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
    assert_string_equal(text, want);
}

static void add_all(const char *numbers)
{
    upload_blocks_clear(&blocks);
    for (char *end; *numbers != '\0'; numbers = end) {
        upload_blocks_add(&blocks, (uint32_t)strtoul(numbers, &end, 10));
    }
}

static void blocks_are_written_as_ranges_and_read_back(void **state)
{
    (void)state;
    static const struct {
        const char *numbers;
        const char *ranges;
        uint32_t count;
    } cases[] = {
        { "", "", 0 },
        { "0", "0", 1 },
        { "0 1", "0-1", 2 },
        { "3 1 2 7 9 8 5", "1-3,5,7-9", 7 },
        { "49999 0 49998", "0,49998-49999", 3 },
        { "5 5 5", "5", 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        upload_blocks back;
        add_all(cases[i].numbers);
        assert_int_equal(blocks.arrived, cases[i].count);
        assert_ranges(cases[i].ranges, 256);
        assert_true(upload_blocks_parse(&back, mqc_span_str(cases[i].ranges)));
        assert_memory_equal(&back, &blocks, sizeof back);
    }
}

static void ranges_that_do_not_fit_are_left_out(void **state)
{
    (void)state;
    add_all("1 3 5 7 9 11 13 15 17");
    for (size_t cap = 1; cap < 40; cap++) {
        char text[64];
        iothub_text t;
        upload_blocks back;
        iothub_text_init(&t, text, cap);
        upload_blocks_put(&blocks, &t);
        assert_int_equal(iothub_text_finish(&t), IOTHUB_OK);
        assert_true(upload_blocks_parse(&back, mqc_span_str(text)));
        for (uint32_t n = 0; n < 20; n++) {
            assert_true(!upload_blocks_have(&back, n) || upload_blocks_have(&blocks, n));
        }
    }
    assert_ranges("1,3,5,7,9,11,13,15,17", 64);
}

static void other_texts_are_refused_and_leave_no_block(void **state)
{
    (void)state;
    static const char *const texts[] = { ",",   "1,",   "-",    "1-",    "-1",
                                         "2-1", "1,,2", "1;2",  "50000", "1-50000",
                                         "x",   "1 ",   "1--2", "1-2-3", "99999999999999999999" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        upload_blocks back;
        assert_false(upload_blocks_parse(&back, mqc_span_str(texts[i])));
        assert_int_equal(back.arrived, 0);
        assert_false(upload_blocks_have(&back, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_written_as_ranges_and_read_back),
        cmocka_unit_test(ranges_that_do_not_fit_are_left_out),
        cmocka_unit_test(other_texts_are_refused_and_leave_no_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
