#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/poll_set.h"
#include "posix/clock.h"
#include "posix/resume.h"
#include "posix/resume_watch.h"
#include "posix/wait.h"

/* Tests of a system that is suspended and resumes. A test must not suspend its machine. Instead,
 * a time namespace makes CLOCK_BOOTTIME differ from CLOCK_MONOTONIC, and an eventfd replaces the
 * descriptor that the kernel makes readable. */

enum { SLEEPERS = 8, ROUNDS = 20, LONG_MS = 600000, FIRST_MS = 10000 };

static int newest = -1; /* the newest of these descriptors */
static void (*in_first_sleep)(void);

int __wrap_plat_resume_open(void);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

int __wrap_plat_resume_open(void)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    __atomic_store_n(&newest, fd, __ATOMIC_RELEASE); /* set by any thread that is awake */
    return fd;
}

/* Replaces poll, so that the first part of a long sleep takes no time. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    if (timeout_ms != FIRST_MS) {
        return __real_poll(fds, count, timeout_ms);
    }
    if (in_first_sleep != NULL) {
        in_first_sleep();
    }
    return __real_poll(fds, count, 0);
}

static int newest_fd(void)
{
    return __atomic_load_n(&newest, __ATOMIC_ACQUIRE);
}

static void resume(int fd)
{
    const uint64_t one = 1;
    assert_int_equal(write(fd, &one, sizeof one), sizeof one);
}

static void sleep_long(void)
{
    const plat_poll nothing = { .fd = -1 };
    plat_posix_wait(NULL, &nothing, 1, LONG_MS);
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d) != NULL) {
        count++;
    }
    closedir(d);
    return count;
}

/* --- the clock --- */

/* Runs in a time namespace in which the system was suspended for a million seconds. */
static int look_at_the_clocks(void)
{
    static const char offset[] = "boottime 1000000 0\n";
    struct timespec t;
    if (unshare(CLONE_NEWUSER | CLONE_NEWTIME) != 0) {
        return 77;
    }
    int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, offset, sizeof offset - 1) != (ssize_t)sizeof offset - 1) {
        return 77;
    }
    close(fd);
    pid_t child = fork(); /* the child is the first process in the new namespace */
    if (child == 0) {
        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        uint64_t ahead =
            plat_posix_clock.monotonic_ms(&plat_posix_clock) / 1000 - (uint64_t)t.tv_sec;
        _exit(ahead >= 1000000 ? 0 : 1);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : 1;
}

static void the_clock_goes_on_while_the_system_is_suspended(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        _exit(look_at_the_clocks());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("this system gives us no time namespace\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- sleepers --- */

static pthread_barrier_t asleep;

/* All sleepers watch before the first is woken, and none closes a descriptor while it is being
 * written to. */
static void *sleeper(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        plat_resume_watch w;
        const unsigned before = plat_resume_count();
        (void)pthread_barrier_wait(&asleep);
        if (plat_resume_begin(before, &w)) {
            struct pollfd fd = { .fd = w.fd, .events = POLLIN };
            (void)pthread_barrier_wait(&asleep);
            (void)poll(&fd, 1, -1);
            (void)pthread_barrier_wait(&asleep);
            plat_resume_end(w, true);
        } else {
            (void)pthread_barrier_wait(&asleep);
            (void)pthread_barrier_wait(&asleep);
        }
        (void)pthread_barrier_wait(&asleep);
    }
    return NULL;
}

static void every_sleeper_is_woken_each_time(void **state)
{
    (void)state;
    pthread_t threads[SLEEPERS];
    (void)plat_resume_count();
    unsigned before = open_descriptors();
    assert_int_equal(pthread_barrier_init(&asleep, NULL, SLEEPERS + 1), 0);
    for (size_t i = 0; i < SLEEPERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, sleeper, NULL), 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        (void)pthread_barrier_wait(&asleep);
        (void)pthread_barrier_wait(&asleep);
        resume(newest_fd());
        (void)pthread_barrier_wait(&asleep);
        (void)pthread_barrier_wait(&asleep);
    }
    for (size_t i = 0; i < SLEEPERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(pthread_barrier_destroy(&asleep), 0);
    assert_int_equal(open_descriptors(), before);
}

static void resume_newest(void)
{
    resume(newest_fd());
}

static void a_long_sleep_ends_when_the_system_resumes(void **state)
{
    (void)state;
    /* The system resumes in the first part of the sleep; the long part must notice it. */
    in_first_sleep = resume_newest;
    for (int i = 0; i < ROUNDS; i++) {
        sleep_long();
    }
    in_first_sleep = NULL;
}

/* Lets another thread notice the resume and replace the descriptor. */
static void resume_and_let_another_see_it(void)
{
    plat_resume_watch w;
    resume(newest_fd());
    assert_true(plat_resume_begin(plat_resume_count(), &w));
    plat_resume_end(w, true);
}

static void a_sleep_that_had_just_begun_ends_as_well(void **state)
{
    (void)state;
    in_first_sleep = resume_and_let_another_see_it;
    for (int i = 0; i < ROUNDS; i++) {
        sleep_long();
    }
    in_first_sleep = NULL;
}

static void a_set_of_many_wakes_up_and_goes_on(void **state)
{
    (void)state;
    plat_poll_set *set;
    plat_poll_item item = { 0 };
    const plat_poll polls[PLAT_POLL_SET_FDS] = { { .fd = -1 }, { .fd = -1 } };
    assert_int_equal(plat_poll_set_new(&set), PLAT_OK);
    const int resumed = newest_fd();
    const uint64_t now = plat_posix_clock.monotonic_ms(&plat_posix_clock);

    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(plat_poll_set_update(set, &item, polls, now + LONG_MS), PLAT_OK);
        resume(resumed);
        /* No item is due yet; the call only computes the deadlines again. */
        assert_null(plat_poll_set_next(set, LONG_MS));
        struct pollfd fd = { .fd = resumed, .events = POLLIN };
        assert_int_equal(poll(&fd, 1, 0), 0);
        assert_int_equal(plat_poll_set_update(set, &item, polls, now), PLAT_OK);
        resume(resumed);
        /* Its deadline passed during the suspension. */
        assert_ptr_equal(plat_poll_set_next(set, LONG_MS), &item);
    }
    plat_poll_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_goes_on_while_the_system_is_suspended),
        cmocka_unit_test(every_sleeper_is_woken_each_time),
        cmocka_unit_test(a_long_sleep_ends_when_the_system_resumes),
        cmocka_unit_test(a_sleep_that_had_just_begun_ends_as_well),
        cmocka_unit_test(a_set_of_many_wakes_up_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
