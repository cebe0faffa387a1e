#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/broker_log.h"

static void count_line(void *user, const char *line)
{
    char *seen = user;
    strcat(seen, line);
    strcat(seen, "|");
}

static void a_drained_log_starts_again(void **state)
{
    (void)state;
    char seen[64] = "";
    int fd = memfd_create("log", MFD_CLOEXEC);

    assert_int_equal(write(fd, "one\ntwo\n", 8), 8);
    hub_broker_log_drain(fd, count_line, seen);
    assert_string_equal(seen, "one|two|");
    hub_broker_log_drain(fd, count_line, seen);
    assert_string_equal(seen, "one|two|");
    assert_int_equal(lseek(fd, 0, SEEK_END), 0);
    assert_int_equal(write(fd, "three\n", 6), 6);
    hub_broker_log_drain(fd, count_line, seen);
    assert_string_equal(seen, "one|two|three|");
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drained_log_starts_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
