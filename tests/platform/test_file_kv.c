#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/file_kv.h"

/* --- a disk that fails -------------------------------------------------------------- */

/* The nth call from now on fails with the error fail_with; 0: none fails. */
static unsigned fail_in;
static int fail_with;

static int fails(void)
{
    if (fail_in == 0 || --fail_in > 0) {
        return 0;
    }
    errno = fail_with;
    return 1;
}

ssize_t __real_write(int fd, const void *from, size_t len);
int __real_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_openat(int dir, const char *name, int flags, ...);
int __real_close(int fd);
ssize_t __real_read(int fd, void *to, size_t len);
ssize_t __wrap_write(int fd, const void *from, size_t len);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_openat(int dir, const char *name, int flags, ...);
int __wrap_close(int fd);
/* What openat is called on a 32-bit system with 64-bit offsets of files. */
int __wrap_openat64(int dir, const char *name, int flags, ...);
ssize_t __wrap_read(int fd, void *to, size_t len);

ssize_t __wrap_write(int fd, const void *from, size_t len)
{
    return fails() ? -1 : __real_write(fd, from, len);
}

int __wrap_fsync(int fd)
{
    return fails() ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails() ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_openat(int dir, const char *name, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    const int mode = (flags & O_CREAT) != 0 ? va_arg(args, int) : 0;
    va_end(args);
    return fails() ? -1 : __real_openat(dir, name, flags, mode);
}

int __wrap_openat64(int dir, const char *name, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    const int mode = (flags & O_CREAT) != 0 ? va_arg(args, int) : 0;
    va_end(args);
    return __wrap_openat(dir, name, flags, mode);
}

int __wrap_close(int fd)
{
    int r = __real_close(fd);
    return fails() ? -1 : r;
}

ssize_t __wrap_read(int fd, void *to, size_t len)
{
    return fails() ? -1 : __real_read(fd, to, len);
}

/* --- a directory for each test -------------------------------------------------------- */

typedef struct kv_fixture {
    char root[64];
    char path[96]; /* root/kv */
    plat_kv *kv;
    char detail[PLAT_KV_DETAIL_SIZE];
} kv_fixture;

static void open_store(kv_fixture *f)
{
    if (plat_file_kv_open(f->path, &f->kv, f->detail) != PLAT_OK) {
        fail_msg("%s", f->detail);
    }
}

static int set_up(void **state)
{
    kv_fixture *f = calloc(1, sizeof *f);

    strcpy(f->root, "/tmp/test_file_kv.XXXXXX");
    assert_non_null(mkdtemp(f->root));
    snprintf(f->path, sizeof f->path, "%s/kv", f->root);
    open_store(f);
    *state = f;
    return 0;
}

static unsigned files_in(const char *path, int erase)
{
    DIR *d = opendir(path);
    struct dirent *e;
    unsigned n = 0;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            n++;
            if (erase) {
                unlinkat(dirfd(d), e->d_name, 0);
            }
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    return n;
}

static int tear_down(void **state)
{
    kv_fixture *f = *state;

    plat_file_kv_close(f->kv);
    (void)files_in(f->path, 1);
    (void)rmdir(f->path);
    (void)rmdir(f->root);
    free(f);
    return 0;
}

static plat_result put(kv_fixture *f, const char *key, const char *value)
{
    return f->kv->ops->put(f->kv, key, value, strlen(value));
}

/* Returns the value as text; "-" if there is none. */
static const char *value_of(kv_fixture *f, const char *key)
{
    static char text[256];
    size_t len = 0;

    plat_result r = f->kv->ops->get(f->kv, key, text, sizeof text - 1, &len);
    if (r == PLAT_EOF) {
        return "-";
    }
    assert_int_equal(r, PLAT_OK);
    text[len] = '\0';
    return text;
}

/* --- values ---------------------------------------------------------------------------- */

static void a_value_is_found_by_its_key_in_this_run_and_the_next(void **state)
{
    kv_fixture *f = *state;

    assert_string_equal(value_of(f, "dps"), "-");
    assert_int_equal(put(f, "dps", "hub one"), PLAT_OK);
    assert_int_equal(put(f, "other", ""), PLAT_OK);
    assert_string_equal(value_of(f, "dps"), "hub one");
    assert_int_equal(put(f, "dps", "hub two"), PLAT_OK);
    plat_file_kv_close(f->kv);
    open_store(f);
    assert_string_equal(value_of(f, "dps"), "hub two");
    assert_string_equal(value_of(f, "other"), "");
    assert_int_equal(files_in(f->path, 0), 2);
}

static void a_removed_value_is_gone_and_removing_it_again_is_no_error(void **state)
{
    kv_fixture *f = *state;

    assert_int_equal(put(f, "dps", "hub"), PLAT_OK);
    assert_int_equal(f->kv->ops->remove(f->kv, "dps"), PLAT_OK);
    assert_int_equal(f->kv->ops->remove(f->kv, "dps"), PLAT_OK);
    assert_string_equal(value_of(f, "dps"), "-");
}

static void only_the_owner_may_read_files_and_directory(void **state)
{
    kv_fixture *f = *state;
    char file[128];
    struct stat st;

    assert_int_equal(put(f, "dps", "hub"), PLAT_OK);
    snprintf(file, sizeof file, "%s/dps", f->path);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void the_largest_value_fits_and_one_byte_more_is_refused(void **state)
{
    kv_fixture *f = *state;
    uint8_t *large = malloc(PLAT_KV_VALUE_MAX + 1);
    uint8_t *read = malloc(PLAT_KV_VALUE_MAX);
    size_t len = 0;

    for (size_t i = 0; i <= PLAT_KV_VALUE_MAX; i++) {
        large[i] = (uint8_t)(i * 7);
    }
    assert_int_equal(f->kv->ops->put(f->kv, "k", large, PLAT_KV_VALUE_MAX), PLAT_OK);
    assert_int_equal(f->kv->ops->get(f->kv, "k", read, PLAT_KV_VALUE_MAX, &len), PLAT_OK);
    assert_int_equal(len, PLAT_KV_VALUE_MAX);
    assert_memory_equal(large, read, len);
    assert_int_equal(f->kv->ops->put(f->kv, "k", large, PLAT_KV_VALUE_MAX + 1), PLAT_ERR_ARG);
    assert_int_equal(f->kv->ops->get(f->kv, "k", read, 10, &len), PLAT_ERR_NO_SPACE);
    assert_int_equal(len, PLAT_KV_VALUE_MAX);
    free(large);
    free(read);
}

#define TEN        "0123456789"
#define SIXTY_FIVE TEN TEN TEN TEN TEN TEN "12345"

static void a_key_that_could_leave_the_directory_is_refused(void **state)
{
    static const char too_long[] = SIXTY_FIVE;
    const char *const bad[] = { "",     ".",   "..",  ".new-dps", "a/b",
                                "../x", "a b", "a\n", "\xC3\xA4", too_long };
    kv_fixture *f = *state;
    char buf[8];
    size_t len;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(put(f, bad[i], "v"), PLAT_ERR_ARG);
        assert_int_equal(f->kv->ops->get(f->kv, bad[i], buf, sizeof buf, &len), PLAT_ERR_ARG);
        assert_int_equal(f->kv->ops->remove(f->kv, bad[i]), PLAT_ERR_ARG);
        assert_string_not_equal(f->kv->ops->detail(f->kv), "");
    }
    assert_int_equal(f->kv->ops->put(f->kv, NULL, "v", 1), PLAT_ERR_ARG);
    assert_int_equal(files_in(f->path, 0), 0);
    assert_int_equal(put(f, "Az09-_.", "v"), PLAT_OK);
    assert_string_equal(f->kv->ops->detail(f->kv), "");
}

/* --- damage ----------------------------------------------------------------------------- */

static void write_raw(const kv_fixture *f, const char *key, const void *bytes, size_t len)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", f->path, key);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static size_t read_raw(const kv_fixture *f, const char *key, uint8_t *bytes, size_t cap)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", f->path, key);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, cap, file);
    assert_int_equal(fclose(file), 0);
    return len;
}

static void a_file_with_a_changed_or_missing_byte_counts_as_absent(void **state)
{
    kv_fixture *f = *state;
    uint8_t good[64];
    uint8_t bad[65];

    assert_int_equal(put(f, "dps", "myhub.azure-devices.net"), PLAT_OK);
    const size_t len = read_raw(f, "dps", good, sizeof good);
    for (size_t i = 0; i < len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(bad, good, len);
            bad[i] ^= (uint8_t)(1 << bit);
            write_raw(f, "dps", bad, len);
            assert_string_equal(value_of(f, "dps"), "-");
        }
        write_raw(f, "dps", good, i);
        assert_string_equal(value_of(f, "dps"), "-");
    }
    memcpy(bad, good, len);
    bad[len] = 0;
    write_raw(f, "dps", bad, len + 1);
    assert_string_equal(value_of(f, "dps"), "-");
    write_raw(f, "other", good, len); /* writes the contents into the file of another key */
    assert_string_equal(value_of(f, "other"), "-");
    write_raw(f, "dps", good, len);
    assert_string_equal(value_of(f, "dps"), "myhub.azure-devices.net");
}

static void what_is_no_regular_file_is_never_read(void **state)
{
    kv_fixture *f = *state;
    char path[160];
    char buf[64];
    size_t len;

    assert_int_equal(put(f, "dps", "hub"), PLAT_OK);
    snprintf(path, sizeof path, "%s/link", f->path);
    assert_int_equal(symlink("dps", path), 0);
    assert_int_equal(f->kv->ops->get(f->kv, "link", buf, sizeof buf, &len), PLAT_ERR_STORE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(f->kv->ops->get(f->kv, "link", buf, sizeof buf, &len), PLAT_EOF);
}

/* --- failures ---------------------------------------------------------------------------- */

static void whichever_call_fails_the_value_is_old_or_new_and_the_next_write_works(void **state)
{
    static const struct {
        int error;
        plat_result r;
    } faults[] = { { ENOSPC, PLAT_ERR_FULL }, { EDQUOT, PLAT_ERR_FULL }, { EIO, PLAT_ERR_STORE } };
    kv_fixture *f = *state;
    unsigned failures = 0;

    for (size_t e = 0; e < sizeof faults / sizeof faults[0]; e++) {
        plat_result r = PLAT_ERR_STORE;
        for (unsigned nth = 1; r != PLAT_OK; nth++) {
            assert_int_equal(put(f, "dps", "old"), PLAT_OK);
            fail_with = faults[e].error;
            fail_in = nth;
            r = put(f, "dps", "new");
            fail_in = 0;
            const char *now = value_of(f, "dps");
            if (r == PLAT_OK) {
                assert_string_equal(now, "new");
                break;
            }
            failures++;
            assert_int_equal(r, faults[e].r);
            assert_true(strcmp(now, "old") == 0 || strcmp(now, "new") == 0);
            assert_int_equal(files_in(f->path, 0), 1); /* no incomplete file is left */
        }
    }
    /* Each value needs openat, two writes, two syncs, close and renameat. */
    assert_true(failures >= 3 * 6);
}

static void a_failure_names_the_file_and_not_the_value(void **state)
{
    kv_fixture *f = *state;

    fail_with = ENOSPC;
    fail_in = 2;
    assert_int_equal(put(f, "dps", "a value"), PLAT_ERR_FULL);
    fail_in = 0;
    assert_non_null(strstr(f->kv->ops->detail(f->kv), "/kv/dps: cannot be written: No space"));
    assert_null(strstr(f->kv->ops->detail(f->kv), "a value"));
}

static void a_disk_that_cannot_be_read_is_reported(void **state)
{
    kv_fixture *f = *state;
    char buf[64];
    size_t len;

    assert_int_equal(put(f, "dps", "hub"), PLAT_OK);
    /* The calls are openat, read of the header, and read of the value. */
    for (unsigned nth = 1; nth <= 3; nth++) {
        fail_with = EIO;
        fail_in = nth;
        assert_int_equal(f->kv->ops->get(f->kv, "dps", buf, sizeof buf, &len), PLAT_ERR_STORE);
        fail_in = 0;
    }
    assert_string_equal(value_of(f, "dps"), "hub");
}

static void a_directory_that_cannot_be_opened_is_reported_with_its_name(void **state)
{
    kv_fixture *f = *state;
    plat_kv *kv = f->kv;
    char path[128];

    assert_int_equal(plat_file_kv_open(NULL, &kv, f->detail), PLAT_ERR_ARG);
    assert_null(kv);
    assert_int_equal(plat_file_kv_open("", &kv, f->detail), PLAT_ERR_ARG);
    snprintf(path, sizeof path, "%s/a/b", f->root);
    assert_int_equal(plat_file_kv_open(path, &kv, f->detail), PLAT_ERR_STORE);
    assert_non_null(strstr(f->detail, path));
    assert_int_equal(put(f, "dps", "hub"), PLAT_OK);
    snprintf(path, sizeof path, "%s/dps", f->path);
    assert_int_equal(plat_file_kv_open(path, &kv, f->detail), PLAT_ERR_STORE);
    assert_null(kv);
    snprintf(path, sizeof path, "%s/new", f->root);
    fail_with = EIO;
    fail_in = 2; /* the sync of the parent directory fails */
    assert_int_equal(plat_file_kv_open(path, &kv, f->detail), PLAT_ERR_STORE);
    fail_in = 0;
    assert_int_equal(rmdir(path), 0);
    plat_file_kv_close(NULL);
}

/* --- kills ------------------------------------------------------------------------------- */

enum { KILLS = 200, LONG_VALUE = 3000 };

/* Makes value number n, which has its own length and whose bytes all depend on n. */
static size_t make_value(unsigned n, char *value)
{
    const size_t len = 8 + (n * 37) % (LONG_VALUE - 8);

    memset(value, (int)('a' + n % 26), len);
    memcpy(value, &n, sizeof n);
    return len;
}

static void write_until_killed(kv_fixture *f, unsigned n, int out)
{
    static char value[LONG_VALUE];

    for (;; n++) {
        if (f->kv->ops->put(f->kv, "dps", value, make_value(n, value)) != PLAT_OK ||
            __real_write(out, &n, sizeof n) != sizeof n) {
            _exit(9);
        }
    }
}

/* Returns the last number that the child reported before it was killed. */
static unsigned run_and_kill(kv_fixture *f, unsigned n, int reports)
{
    int ends[2];
    int status;
    unsigned last = n;
    unsigned next;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        write_until_killed(f, n + 1, ends[1]);
    }
    close(ends[1]);
    while (read(ends[0], &next, sizeof next) == sizeof next) {
        last = next;
        if (--reports == 0) {
            struct timespec moment = { 0, rand() % 300000 };
            nanosleep(&moment, NULL);
            assert_int_equal(kill(child, SIGKILL), 0);
        }
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return last;
}

static void after_200_kills_the_value_is_the_last_or_the_one_being_written(void **state)
{
    static char right[LONG_VALUE];
    static char found[LONG_VALUE];
    kv_fixture *f = *state;
    unsigned n = 0;
    size_t len = 0;

    srand(12);
    for (int i = 0; i < KILLS; i++) {
        const unsigned last = run_and_kill(f, n, 1 + rand() % 4);
        assert_int_equal(f->kv->ops->get(f->kv, "dps", found, sizeof found, &len), PLAT_OK);
        memcpy(&n, found, sizeof n);
        assert_true(n == last || n == last + 1);
        assert_int_equal(len, make_value(n, right));
        assert_memory_equal(found, right, len);
    }
    assert_true(files_in(f->path, 0) <= 2); /* besides, one file may be left by a kill */
    assert_int_equal(put(f, "dps", "at last"), PLAT_OK);
    assert_int_equal(files_in(f->path, 0), 1);
}

int main(void)
{
#define KV_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        KV_TEST(a_value_is_found_by_its_key_in_this_run_and_the_next),
        KV_TEST(a_removed_value_is_gone_and_removing_it_again_is_no_error),
        KV_TEST(only_the_owner_may_read_files_and_directory),
        KV_TEST(the_largest_value_fits_and_one_byte_more_is_refused),
        KV_TEST(a_key_that_could_leave_the_directory_is_refused),
        KV_TEST(a_file_with_a_changed_or_missing_byte_counts_as_absent),
        KV_TEST(what_is_no_regular_file_is_never_read),
        KV_TEST(whichever_call_fails_the_value_is_old_or_new_and_the_next_write_works),
        KV_TEST(a_failure_names_the_file_and_not_the_value),
        KV_TEST(a_disk_that_cannot_be_read_is_reported),
        KV_TEST(a_directory_that_cannot_be_opened_is_reported_with_its_name),
        KV_TEST(after_200_kills_the_value_is_the_last_or_the_one_being_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
