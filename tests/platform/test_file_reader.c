#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "platform/file_reader.h"

typedef struct fixture {
    char folder[64];
    char path[80];
} fixture;

static int make_file(void **state)
{
    static fixture f;
    FILE *out;

    strcpy(f.folder, "/tmp/file-reader-XXXXXX");
    if (mkdtemp(f.folder) == NULL) {
        return 1;
    }
    (void)snprintf(f.path, sizeof f.path, "%s/file", f.folder);
    out = fopen(f.path, "w");
    if (out == NULL) {
        return 1;
    }
    (void)fputs("0123456789", out);
    (void)fclose(out);
    *state = &f;
    return 0;
}

static int remove_file(void **state)
{
    const fixture *f = *state;

    (void)unlink(f->path);
    return rmdir(f->folder);
}

static void a_file_is_described_and_read_at_any_offset(void **state)
{
    static const char digits[] = "0123456789";
    const fixture *f = *state;
    char detail[PLAT_READER_DETAIL_SIZE];
    plat_reader *r;
    plat_reader_info info;
    assert_int_equal(plat_file_reader_open(f->path, &r, detail), PLAT_OK);
    assert_string_equal(detail, "");
    assert_int_equal(r->ops->describe(r, &info), PLAT_OK);
    assert_int_equal(info.size, 10);
    assert_true(info.rewinds);
    for (uint64_t offset = 0; offset <= 11; offset++) {
        char buf[4];
        size_t len;
        assert_int_equal(r->ops->read(r, offset, buf, sizeof buf, &len), PLAT_OK);
        assert_int_equal(len, offset >= 10 ? 0 : offset > 6 ? 10 - offset : 4);
        assert_memory_equal(buf, &digits[len > 0 ? offset : 0], len);
    }
    assert_string_equal(r->ops->detail(r), "");
    plat_file_reader_close(r);
}

static void a_changed_or_replaced_file_has_another_version(void **state)
{
    const fixture *f = *state;
    char detail[PLAT_READER_DETAIL_SIZE];
    plat_reader *r;
    plat_reader_info before;
    plat_reader_info after;
    const struct timespec past[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000, .tv_nsec = 1 } };
    assert_int_equal(plat_file_reader_open(f->path, &r, detail), PLAT_OK);
    assert_int_equal(r->ops->describe(r, &before), PLAT_OK);
    assert_int_equal(utimensat(-1, f->path, past, 0), 0);
    assert_int_equal(r->ops->describe(r, &after), PLAT_OK);
    assert_true(before.version != after.version);
    plat_file_reader_close(r);
}

static void what_is_no_regular_file_is_refused_with_its_name(void **state)
{
    const fixture *f = *state;
    char detail[PLAT_READER_DETAIL_SIZE];
    char path[100];
    plat_reader *r;
    assert_int_equal(plat_file_reader_open(NULL, &r, detail), PLAT_ERR_ARG);
    assert_int_equal(plat_file_reader_open(f->folder, &r, detail), PLAT_ERR_ARG);
    assert_non_null(strstr(detail, "not a regular file"));
    (void)snprintf(path, sizeof path, "%s/none", f->folder);
    assert_int_equal(plat_file_reader_open(path, &r, detail), PLAT_ERR_STORE);
    assert_non_null(strstr(detail, path));
    assert_null(r);
    (void)snprintf(path, sizeof path, "%s/fifo", f->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(plat_file_reader_open(path, &r, detail), PLAT_ERR_ARG); /* without waiting */
    (void)unlink(path);
    plat_file_reader_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_described_and_read_at_any_offset, make_file,
                                        remove_file),
        cmocka_unit_test_setup_teardown(a_changed_or_replaced_file_has_another_version, make_file,
                                        remove_file),
        cmocka_unit_test_setup_teardown(what_is_no_regular_file_is_refused_with_its_name, make_file,
                                        remove_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
