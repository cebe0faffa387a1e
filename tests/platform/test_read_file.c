#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "posix/read_file.h"

static char directory[] = "/tmp/test_read_file.XXXXXX";
static char path[64];

static int make_directory(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/file", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void write_file(size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (size_t i = 0; i < len; i++) {
        assert_int_not_equal(fputc((int)(i % 251), f), EOF);
    }
    assert_int_equal(fclose(f), 0);
}

static void expect_refusal(const char *file, size_t limit, const char *why)
{
    plat_file_content content = { (uint8_t *)path, 1 };
    const char *reason = NULL;
    assert_int_equal(plat_read_file(file, limit, &content, &reason), PLAT_ERR_IO);
    assert_non_null(strstr(reason, why));
    assert_null(content.bytes);
    assert_int_equal(content.len, 0);
}

static void a_file_is_read_up_to_the_limit(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 2, 4095, 4096, 4097, 100000 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        plat_file_content content;
        const char *why = NULL;
        write_file(sizes[i]);
        assert_int_equal(plat_read_file(path, sizes[i], &content, &why), PLAT_OK);
        assert_null(why);
        assert_int_equal(content.len, sizes[i]);
        for (size_t at = 0; at < content.len; at++) {
            assert_int_equal(content.bytes[at], at % 251);
        }
        free(content.bytes);
        if (sizes[i] > 0) {
            expect_refusal(path, sizes[i] - 1, "too large");
        }
    }
}

static void each_fault_has_its_reason(void **state)
{
    (void)state;
    expect_refusal(directory, 10, "directory");
    expect_refusal("/dev/null", 10, "not a regular file");
    expect_refusal("/nonexistent/file", 10, "no such file");
    expect_refusal("/dev/null/file", 10, "a part of the path is not a directory");
    expect_refusal("", 10, "no such file");
}

static void a_fifo_does_not_block(void **state)
{
    (void)state;
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refusal(path, 10, "not a regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_up_to_the_limit),
        cmocka_unit_test(each_fault_has_its_reason),
        cmocka_unit_test(a_fifo_does_not_block),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
