#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "platform/poll_set.h"
#include "posix/clock.h"

enum { MANY = 1000, SOON_MS = 2, PATIENCE_MS = 60000 };

static plat_poll_set *set;

static int make_set(void **state)
{
    (void)state;
    return plat_poll_set_new(&set) == PLAT_OK ? 0 : -1;
}

static int free_set(void **state)
{
    (void)state;
    plat_poll_set_free(set);
    return 0;
}

static uint64_t now_ms(void)
{
    return plat_posix_clock.monotonic_ms(&plat_posix_clock);
}

static int ready_fd(void)
{
    int fd = eventfd(1, EFD_NONBLOCK);
    assert_true(fd >= 0);
    return fd;
}

/* Number of calls of epoll_ctl, which the linker wraps (--wrap=epoll_ctl). */
static unsigned controls;

int __real_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);

int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    controls++;
    return __real_epoll_ctl(epoll, op, fd, event);
}

static uint32_t generation;

/* Updates an item with descriptors of the same generation as before. */
static void update2(plat_poll_item *item, int first, int second, uint64_t due_ms)
{
    const plat_poll polls[PLAT_POLL_SET_FDS] = {
        { .fd = first, .generation = generation, .want_read = true },
        { .fd = second, .generation = generation, .want_read = true },
    };
    assert_int_equal(plat_poll_set_update(set, item, polls, due_ms), PLAT_OK);
}

static void watch(plat_poll_item *item, int fd)
{
    generation++;
    update2(item, fd, -1, PLAT_POLL_SET_NEVER);
}

static void an_item_with_a_ready_descriptor_is_found(void **state)
{
    plat_poll_item quiet = { 0 };
    plat_poll_item loud = { 0 };
    int fds[] = { eventfd(0, 0), ready_fd() };
    (void)state;
    watch(&quiet, fds[0]);
    watch(&loud, fds[1]);
    assert_ptr_equal(plat_poll_set_next(set, PATIENCE_MS), &loud);
    assert_ptr_equal(plat_poll_set_next(set, PATIENCE_MS), &loud);
    plat_poll_set_remove(set, &loud);
    assert_null(plat_poll_set_next(set, 0));
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void the_second_descriptor_counts_and_may_become_the_first(void **state)
{
    plat_poll_item item = { 0 };
    int quiet = eventfd(0, 0);
    int fd = ready_fd();
    (void)state;
    update2(&item, quiet, fd, PLAT_POLL_SET_NEVER);
    assert_ptr_equal(plat_poll_set_next(set, PATIENCE_MS), &item);
    (void)close(quiet);
    update2(&item, fd, -1, PLAT_POLL_SET_NEVER);
    assert_ptr_equal(plat_poll_set_next(set, PATIENCE_MS), &item);
    (void)close(fd);
}

static void a_descriptor_no_longer_watched_wakes_no_item_although_open(void **state)
{
    plat_poll_item item = { 0 };
    int fd = ready_fd();
    (void)state;
    watch(&item, fd);
    watch(&item, -1);
    assert_null(plat_poll_set_next(set, 0));
    (void)close(fd);
}

static void a_number_that_is_used_again_is_watched_again(void **state)
{
    plat_poll_item item = { 0 };
    int fd = eventfd(0, 0);
    (void)state;
    watch(&item, fd);
    (void)close(fd);
    int again = ready_fd();
    assert_int_equal(again, fd);
    watch(&item, again);
    assert_ptr_equal(plat_poll_set_next(set, PATIENCE_MS), &item);
    (void)close(again);
}

static void what_is_watched_already_costs_no_system_call(void **state)
{
    plat_poll_item item = { 0 };
    int fd = ready_fd();
    int other = eventfd(0, 0);
    (void)state;
    watch(&item, fd);
    update2(&item, fd, other, PLAT_POLL_SET_NEVER);
    unsigned before = controls;
    for (int i = 0; i < 10; i++) {
        update2(&item, fd, other, PLAT_POLL_SET_NEVER);
        assert_ptr_equal(plat_poll_set_next(set, 0), &item);
    }
    assert_int_equal(controls, before);
    /* A new generation, because either descriptor number may now belong to another file. */
    generation++;
    update2(&item, fd, other, PLAT_POLL_SET_NEVER);
    assert_true(controls >= before + 2);
    assert_ptr_equal(plat_poll_set_next(set, 0), &item);
    (void)close(fd);
    (void)close(other);
}

static void a_number_may_move_to_another_item(void **state)
{
    plat_poll_item before = { 0 };
    plat_poll_item after = { 0 };
    int fd = eventfd(0, 0);
    (void)state;
    watch(&before, fd);
    (void)close(fd);
    watch(&before, -1);
    int again = ready_fd();
    assert_int_equal(again, fd);
    watch(&after, again);
    assert_ptr_equal(plat_poll_set_next(set, PATIENCE_MS), &after);
    (void)close(again);
}

static void what_is_wanted_may_change_and_change_back(void **state)
{
    plat_poll_item item = { 0 };
    plat_poll polls[PLAT_POLL_SET_FDS] = { { .fd = ready_fd() }, { .fd = -1 } };
    (void)state;
    for (int i = 0; i < 6; i++) {
        polls[0].want_read = i % 3 == 1;
        polls[0].want_write = i % 3 == 2;
        assert_int_equal(plat_poll_set_update(set, &item, polls, PLAT_POLL_SET_NEVER), PLAT_OK);
        assert_ptr_equal(plat_poll_set_next(set, 0), i % 3 == 0 ? NULL : &item);
    }
    (void)close((int)polls[0].fd);
}

static void items_come_when_due_and_the_earliest_first(void **state)
{
    static plat_poll_item items[MANY];
    uint64_t past = now_ms() - MANY;
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        update2(&items[i], -1, -1, past + i * 7919 % MANY);
    }
    for (size_t i = 0; i < MANY; i += 3) { /* removes items from the middle of the set, too */
        plat_poll_set_remove(set, &items[i]);
    }
    uint64_t last = 0;
    size_t seen = 0;
    for (plat_poll_item *item = plat_poll_set_next(set, 0); item != NULL; seen++) {
        assert_true(item->due_ms >= last);
        last = item->due_ms;
        plat_poll_set_remove(set, item);
        item = plat_poll_set_next(set, 0);
    }
    assert_int_equal(seen, MANY - (MANY + 2) / 3);
}

static void it_sleeps_until_the_first_deadline_and_not_shorter(void **state)
{
    plat_poll_item item = { 0 };
    plat_poll_item later = { 0 };
    uint64_t due = now_ms() + SOON_MS;
    (void)state;
    update2(&later, -1, -1, due + PATIENCE_MS);
    update2(&item, -1, -1, due);
    assert_ptr_equal(plat_poll_set_next(set, -1), &item);
    assert_true(now_ms() >= due);
}

static void max_ms_ends_the_sleep(void **state)
{
    plat_poll_item item = { 0 };
    (void)state;
    update2(&item, -1, -1, PLAT_POLL_SET_NEVER);
    assert_null(plat_poll_set_next(set, SOON_MS));
    update2(&item, -1, -1, now_ms() + PATIENCE_MS);
    assert_null(plat_poll_set_next(set, SOON_MS));
}

static void one_that_is_always_due_does_not_keep_the_others_from_their_turn(void **state)
{
    plat_poll_item busy = { 0 };
    plat_poll_item ready = { 0 };
    int fd = ready_fd();
    (void)state;
    update2(&busy, -1, -1, 0);
    watch(&ready, fd);
    for (plat_poll_item *item = NULL; item != &ready;) {
        item = plat_poll_set_next(set, 0);
        assert_non_null(item);
        if (item == &busy) {
            update2(&busy, -1, -1, now_ms());
        }
    }
    (void)close(fd);
}

static void an_item_that_is_removed_before_its_turn_gets_none(void **state)
{
    plat_poll_item items[2] = { 0 };
    int fds[] = { ready_fd(), ready_fd() };
    (void)state;
    watch(&items[0], fds[0]);
    watch(&items[1], fds[1]);
    plat_poll_item *first = plat_poll_set_next(set, PATIENCE_MS);
    plat_poll_set_remove(set, first == &items[0] ? &items[1] : &items[0]);
    for (int i = 0; i < 4; i++) {
        assert_ptr_equal(plat_poll_set_next(set, PATIENCE_MS), first);
    }
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void a_descriptor_that_cannot_be_watched_is_an_error(void **state)
{
    plat_poll_item item = { 0 };
    const plat_poll polls[PLAT_POLL_SET_FDS] = { { .fd = 1 << 20, .want_read = true },
                                                 { .fd = -1 } };
    (void)state;
    assert_int_equal(plat_poll_set_update(set, &item, polls, PLAT_POLL_SET_NEVER), PLAT_ERR_MEMORY);
    watch(&item, -1);
    assert_null(plat_poll_set_next(set, 0));
}

#define WITH_SET(test) cmocka_unit_test_setup_teardown(test, make_set, free_set)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SET(an_item_with_a_ready_descriptor_is_found),
        WITH_SET(the_second_descriptor_counts_and_may_become_the_first),
        WITH_SET(a_descriptor_no_longer_watched_wakes_no_item_although_open),
        WITH_SET(a_number_that_is_used_again_is_watched_again),
        WITH_SET(what_is_watched_already_costs_no_system_call),
        WITH_SET(a_number_may_move_to_another_item),
        WITH_SET(what_is_wanted_may_change_and_change_back),
        WITH_SET(items_come_when_due_and_the_earliest_first),
        WITH_SET(it_sleeps_until_the_first_deadline_and_not_shorter),
        WITH_SET(max_ms_ends_the_sleep),
        WITH_SET(one_that_is_always_due_does_not_keep_the_others_from_their_turn),
        WITH_SET(an_item_that_is_removed_before_its_turn_gets_none),
        WITH_SET(a_descriptor_that_cannot_be_watched_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
