#include "sqlite_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite/sqlite_blocks.h"

static struct stat stat_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return st;
}

static void every_byte_up_to_the_end_gets_a_block(void **state)
{
    (void)state;
    int fd = open(parts.path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    for (uint64_t end = 1; end < 300000; end = end * 3 + 17) {
        assert_int_equal(sqlite_blocks_allocate(fd, 0, end), 0);
        const struct stat st = stat_of(fd);
        assert_int_equal(st.st_size, end);
        assert_true((uint64_t)st.st_blocks * 512 >= end);
    }
    assert_int_equal(close(fd), 0);
}

static void a_file_is_never_made_shorter(void **state)
{
    (void)state;
    int fd = open(parts.path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "here", 4, 996), 4);
    assert_int_equal(sqlite_blocks_allocate(fd, 0, 500), 0);
    assert_int_equal(stat_of(fd).st_size, 1000);
    assert_int_equal(close(fd), 0);
}

static void a_failure_leaves_the_size_as_it_was(void **state)
{
    (void)state;
    int fd = open(parts.path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(sqlite_blocks_allocate(fd, 0, 4096), 0);
    int reader = open(parts.path, O_RDONLY);
    assert_int_not_equal(sqlite_blocks_allocate(reader, 4096, 8192), 0);
    assert_int_equal(stat_of(fd).st_size, 4096);
    assert_int_equal(close(reader), 0);
    assert_int_equal(close(fd), 0);
    assert_int_not_equal(sqlite_blocks_allocate(-1, 0, 10), 0);
}

static void the_limit_of_the_process_is_known_before_the_signal(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = { .rlim_cur = 1000, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int at_limit = sqlite_blocks_check_limit(1000);
    int beyond = sqlite_blocks_check_limit(1001);
    int fd = open(parts.path, O_RDWR | O_CREAT, 0600);
    /* Without this, the signal SIGXFSZ would end the test. */
    int allocated = sqlite_blocks_allocate(fd, 0, 1001);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(at_limit, 0);
    assert_int_equal(beyond, EFBIG);
    assert_int_equal(allocated, EFBIG);
    assert_int_equal(close(fd), 0);
}

static void a_file_is_found_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(sqlite_blocks_size_of(parts.path), -1);
    assert_int_equal(sqlite_blocks_allocate_file(parts.path, 100), ENOENT);
    int fd = open(parts.path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(close(fd), 0);
    assert_int_equal(sqlite_blocks_size_of(parts.path), 0);
    assert_int_equal(sqlite_blocks_allocate_file(parts.path, 100), 0);
    assert_int_equal(sqlite_blocks_size_of(parts.path), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(every_byte_up_to_the_end_gets_a_block),
        WITH_DIRECTORY(a_file_is_never_made_shorter),
        WITH_DIRECTORY(a_failure_leaves_the_size_as_it_was),
        WITH_DIRECTORY(the_limit_of_the_process_is_known_before_the_signal),
        WITH_DIRECTORY(a_file_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
