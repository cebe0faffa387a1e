#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_dns.h"
#include "tcp_fixture.h"
#include "tcp_stream_fixture.h"

/* Tests what an event loop that watches the descriptors of a stream can rely on. */

static bool is_open(intptr_t fd)
{
    return fcntl((int)fd, F_GETFD) != -1;
}

/* Polls again, and expects the new poll to say that the descriptor of `before` is no longer in
 * use. */
static plat_poll poll_after(const plat_poll *before)
{
    plat_poll p = poll_of(false);
    assert_true(is_open(before->fd));
    assert_true(p.ready_now);
    assert_int_not_equal(p.fd, before->fd);
    plat_poll next = poll_of(false);
    assert_false(is_open(before->fd));
    assert_false(next.ready_now);
    assert_int_equal(next.fd, p.fd);
    assert_int_equal(next.generation, p.generation);
    return next;
}

static void a_descriptor_that_poll_has_shown_stays_open_until_it_is_shown_no_more(void **state)
{
    (void)state;
    static const char *const answer[] = { "127.0.0.1" };
    plat_stage stage;
    uint8_t byte;
    uint32_t generations[4] = { 0 };
    fake_dns_set(answer, 1);

    for (size_t i = 0; i < 3; i += 2) {
        uint16_t port = 0;
        int listener = tcp_listen("127.0.0.1", &port, 1);
        assert_int_equal(s->ops->open(s, "hub.example", port, now()), PLAT_OK);
        plat_poll lookup = poll_of(false);
        assert_true(lookup.fd >= 0);
        generations[i] = lookup.generation;
        assert_int_equal(drive(&stage), PLAT_OK);
        (void)poll_of(false);
        plat_poll socket = poll_of(false);
        assert_false(is_open(lookup.fd) && lookup.fd != socket.fd);
        generations[i + 1] = socket.generation;
        int peer = accept(listener, NULL, NULL);

        s->ops->close(s);

        assert_int_equal(recv(peer, &byte, 1, 0), 0); /* the peer learns of the end immediately */
        assert_int_equal(poll_after(&socket).fd, -1);
        close(peer);
        close(listener);
    }
    for (size_t i = 1; i < 4; i++) {
        assert_true(generations[i] > generations[i - 1]);
    }
}

static void a_look_up_that_is_given_up_keeps_its_descriptor_as_long(void **state)
{
    (void)state;
    fake_dns_close_gate();
    assert_int_equal(s->ops->open(s, "slow.example", 1, now()), PLAT_OK);
    plat_poll lookup = poll_of(false);
    s->ops->close(s);
    assert_true(is_open(lookup.fd));
    fake_dns_open_gate();
    assert_true(is_open(lookup.fd));
    (void)poll_after(&lookup);
}

static void descriptors_not_shown_are_closed_immediately_and_others_by_deinit(void **state)
{
    (void)state;
    plat_stage stage;
    uint16_t port = 0;
    int listener = tcp_listen("127.0.0.1", &port, 4);
    assert_int_equal(s->ops->open(s, "127.0.0.1", port, now()), PLAT_OK);
    assert_int_equal(drive(&stage), PLAT_OK);
    plat_poll shown = poll_of(false);
    s->ops->close(s);
    assert_int_equal(s->ops->open(s, "127.0.0.1", port, now()), PLAT_OK);
    (void)s->ops->progress(s, now(), &stage);
    intptr_t hidden = tcp.fd;
    assert_int_not_equal(hidden, shown.fd);

    s->ops->close(s);
    assert_false(is_open(hidden));
    assert_true(is_open(shown.fd));
    s->ops->deinit(s);
    assert_false(is_open(shown.fd));
    close(listener);
}

/* Otherwise the system would give the next socket the same descriptor as that of the address
 * that did not answer. */
static void each_address_has_a_descriptor_of_its_own_while_a_loop_watches(void **state)
{
    (void)state;
    static const char *const answer[] = { "127.0.0.2", "127.0.0.1" };
    fake_dns_set(answer, 2);
    plat_stage stage;
    uint16_t port = 0;
    int listener = tcp_listen("127.0.0.1", &port, 1);
    black_hole h = black_hole_make("127.0.0.2", &port);
    assert_int_equal(s->ops->open(s, "hub.example", port, now()), PLAT_OK);
    while (s->ops->progress(s, now(), &stage), stage == PLAT_STAGE_RESOLVE) {
        plat_poll p = poll_of(false);
        plat_posix_wait(NULL, &p, 1, 10000);
    }
    plat_poll silent = poll_of(false);
    silent = poll_of(false); /* the descriptor of the look-up is no longer in use */

    (void)s->ops->progress(s, silent.wake_at_ms, &stage);
    plat_poll next = poll_after(&silent);
    assert_int_equal(next.generation, silent.generation + 1);

    black_hole_close(&h);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STREAM(a_descriptor_that_poll_has_shown_stays_open_until_it_is_shown_no_more),
        WITH_STREAM(a_look_up_that_is_given_up_keeps_its_descriptor_as_long),
        WITH_STREAM(descriptors_not_shown_are_closed_immediately_and_others_by_deinit),
        WITH_STREAM(each_address_has_a_descriptor_of_its_own_while_a_loop_watches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
