#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <unistd.h>

#include "fake_dns.h"
#include "posix/resolver.h"

static plat_lookup *start(const char *host)
{
    plat_lookup *l = NULL;
    assert_int_equal(plat_lookup_start(host, &l), PLAT_OK);
    return l;
}

static void let_go(plat_lookup *l)
{
    int fd = plat_lookup_release(l);
    if (fd >= 0) {
        assert_int_equal(close(fd), 0);
    }
}

static void await(plat_lookup *l)
{
    struct pollfd pfd = { .fd = plat_lookup_fd(l), .events = POLLIN };
    assert_int_equal(poll(&pfd, 1, -1), 1);
    assert_true(plat_lookup_is_done(l));
}

static void expect(const plat_lookup *l, const char *const *addresses, size_t count)
{
    const char *why;
    assert_int_equal(plat_lookup_count(l, &why), count);
    for (size_t i = 0; i < count; i++) {
        char text[PLAT_ADDRESS_TEXT];
        assert_string_equal(plat_address_text(plat_lookup_at(l, i), text), addresses[i]);
    }
}

static void addresses_and_localhost_need_no_thread(void **state)
{
    (void)state;
    static const char *const loopback[] = { "::1", "127.0.0.1" };
    static const char *const numeric[] = { "192.0.2.7", "2001:db8::7" };
    static const char *const names[] = { "localhost", "LocalHost", "localhost." };
    unsigned calls = fake_dns_await(0);

    for (size_t i = 0; i < 2; i++) {
        plat_lookup *l = start(numeric[i]);
        assert_true(plat_lookup_is_done(l));
        assert_int_equal(plat_lookup_fd(l), -1);
        expect(l, &numeric[i], 1);
        let_go(l);
    }
    for (size_t i = 0; i < 3; i++) {
        plat_lookup *l = start(names[i]);
        assert_true(plat_lookup_is_done(l));
        expect(l, loopback, 2);
        let_go(l);
    }

    assert_int_equal(fake_dns_await(0), calls);
}

static void a_name_is_answered_through_the_descriptor_with_both_families_in_turns(void **state)
{
    (void)state;
    static const char *const answer[] = { "2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1",
                                          "192.0.2.2" };
    static const char *const wanted[] = { "2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2",
                                          "2001:db8::3" };
    fake_dns_set(answer, 5);

    plat_lookup *l = start("hub.example");
    await(l);

    expect(l, wanted, 5);
    let_go(l);
}

static void more_addresses_than_needed_are_cut(void **state)
{
    (void)state;
    static const char *const answer[] = { "192.0.2.1", "192.0.2.2",  "192.0.2.3", "192.0.2.4",
                                          "192.0.2.5", "192.0.2.6",  "192.0.2.7", "192.0.2.8",
                                          "192.0.2.9", "2001:db8::1" };
    static const char *const wanted[] = { "192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3",
                                          "192.0.2.4", "192.0.2.5",   "192.0.2.6", "192.0.2.7" };
    fake_dns_set(answer, 10);

    plat_lookup *l = start("hub.example");
    await(l);

    expect(l, wanted, PLAT_LOOKUP_ADDRESSES);
    let_go(l);
}

static void a_name_without_answer_says_why(void **state)
{
    (void)state;
    const char *why = NULL;

    plat_lookup *l = start("missing.example");
    await(l);
    assert_int_equal(plat_lookup_count(l, &why), 0);
    assert_string_equal(why, "no such name");
    let_go(l);

    l = start("silent.example");
    await(l);
    assert_int_equal(plat_lookup_count(l, &why), 0);
    assert_string_equal(why, "the name servers do not answer");
    let_go(l);
}

static void only_a_few_threads_hang_and_releasing_never_waits_for_them(void **state)
{
    (void)state;
    enum { MANY = 40 };
    plat_lookup *slow[MANY];
    static const char *const answer[] = { "192.0.2.1" };
    fake_dns_set(answer, 1);
    unsigned before = fake_dns_await(0);
    fake_dns_close_gate();

    for (size_t i = 0; i < MANY; i++) {
        slow[i] = start("slow.example");
    }
    unsigned asked = fake_dns_await(PLAT_LOOKUP_THREADS) - before;
    for (size_t i = 0; i < MANY; i += 2) { /* some of the look-ups are running, others are queued */
        let_go(slow[i]);
    }
    for (size_t i = 1; i < MANY; i += 2) {
        assert_false(plat_lookup_is_done(slow[i]));
    }
    fake_dns_open_gate();

    assert_int_equal(asked, PLAT_LOOKUP_THREADS);
    for (size_t i = 1; i < MANY; i += 2) {
        await(slow[i]);
        expect(slow[i], answer, 1);
        let_go(slow[i]);
    }
}

static void the_queue_keeps_working_whoever_leaves_it(void **state)
{
    (void)state;
    static const char *const answer[] = { "192.0.2.1" };
    fake_dns_set(answer, 1);
    enum { QUEUED = 3 };

    for (unsigned leavers = 0; leavers < 1u << QUEUED; leavers++) {
        plat_lookup *running[PLAT_LOOKUP_THREADS];
        plat_lookup *queued[QUEUED + 1];
        fake_dns_close_gate();
        for (size_t i = 0; i < PLAT_LOOKUP_THREADS; i++) {
            running[i] = start("slow.example");
        }
        (void)fake_dns_await(PLAT_LOOKUP_THREADS);
        for (size_t i = 0; i < QUEUED; i++) {
            queued[i] = start("slow.example");
        }
        for (size_t i = 0; i < QUEUED; i++) {
            if ((leavers >> i & 1u) != 0) {
                let_go(queued[i]);
                queued[i] = NULL;
            }
        }
        queued[QUEUED] = start("slow.example");
        fake_dns_open_gate();
        for (size_t i = 0; i < QUEUED + 1; i++) {
            if (queued[i] != NULL) {
                await(queued[i]);
                let_go(queued[i]);
            }
        }
        for (size_t i = 0; i < PLAT_LOOKUP_THREADS; i++) {
            await(running[i]);
            let_go(running[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_localhost_need_no_thread),
        cmocka_unit_test(a_name_is_answered_through_the_descriptor_with_both_families_in_turns),
        cmocka_unit_test(more_addresses_than_needed_are_cut),
        cmocka_unit_test(a_name_without_answer_says_why),
        cmocka_unit_test(only_a_few_threads_hang_and_releasing_never_waits_for_them),
        cmocka_unit_test(the_queue_keeps_working_whoever_leaves_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
