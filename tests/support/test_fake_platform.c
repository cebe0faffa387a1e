#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_platform.h"

static fake_platform f;

static int make(void **state)
{
    (void)state;
    fake_platform_init(&f);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    fake_platform_free(&f);
    return 0;
}

static void the_clocks_move_only_when_a_test_moves_them(void **state)
{
    (void)state;
    const plat_clock *c = f.platform.clock;
    assert_int_equal(c->monotonic_ms(c), 1000);
    assert_int_equal(c->wall_s(c), 1700000000);

    fake_clock_advance(&f.clock, 2500);
    assert_int_equal(c->monotonic_ms(c), 3500);
    assert_int_equal(c->wall_s(c), 1700000002);

    fake_clock_set_wall(&f.clock, 0);
    fake_clock_advance(&f.clock, 2500);
    assert_int_equal(c->monotonic_ms(c), 6000);
    assert_int_equal(c->wall_s(c), 0);
}

static void streams_come_in_order_and_the_newest_open_one_is_found(void **state)
{
    (void)state;
    static plat_stream_storage memory;
    const plat_net *net = f.platform.net;
    const plat_stream_config config = { .kind = PLAT_STREAM_TLS, .ca_file = "roots.pem" };
    plat_stream *a;
    plat_stream *b;

    assert_int_equal(net->stream(net, &memory, &config, &a), PLAT_OK);
    assert_int_equal(net->stream(net, &memory, &config, &b), PLAT_OK);
    assert_ptr_equal(a, &f.streams[0].base);
    assert_ptr_equal(b, &f.streams[1].base);
    assert_string_equal(f.net.configs[1].ca_file, "roots.pem");
    assert_null(fake_platform_stream(&f));

    assert_int_equal(a->ops->open(a, "a", 1, 10), PLAT_OK);
    assert_int_equal(b->ops->open(b, "b", 1, 11), PLAT_OK);
    assert_ptr_equal(fake_platform_stream(&f), b);
    b->ops->close(b);
    assert_ptr_equal(fake_platform_stream(&f), a);

    f.net.stream_result = PLAT_ERR_TRUST_STORE;
    assert_int_equal(net->stream(net, &memory, &config, &b), PLAT_ERR_TRUST_STORE);
}

static void waiting_moves_the_clock_to_the_moment_of_waking(void **state)
{
    (void)state;
    const plat_net *net = f.platform.net;
    static const struct {
        plat_poll poll;
        int timeout_ms;
        uint64_t sleeps;
    } cases[] = {
        { { .fd = -1 }, 250, 250 },
        { { .fd = -1, .wake_at_ms = 1100 }, 250, 100 },
        { { .fd = -1, .wake_at_ms = 1100 }, -1, 100 },
        { { .fd = -1, .wake_at_ms = 1100 }, 50, 50 },
        { { .fd = -1, .wake_at_ms = 900 }, 50, 0 },
        { { .fd = -1, .ready_now = true }, -1, 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        f.clock.monotonic_ms = 1000;
        net->wait(net, &cases[i].poll, 1, cases[i].timeout_ms);
        assert_int_equal(f.clock.monotonic_ms, 1000 + cases[i].sleeps);
        assert_int_equal(f.net.last_timeout_ms, cases[i].timeout_ms);
    }
    assert_int_equal(f.net.waits, sizeof cases / sizeof cases[0]);
}

static void crypto_is_the_real_one(void **state)
{
    (void)state;
    const plat_crypto *c = f.platform.crypto;
    uint8_t out[8];
    size_t n;

    assert_int_equal(c->base64_decode(c, "Zm9v", 4, out, sizeof out, &n), PLAT_OK);

    assert_int_equal(n, 3);
    assert_memory_equal(out, "foo", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_clocks_move_only_when_a_test_moves_them, make, clean),
        cmocka_unit_test_setup_teardown(streams_come_in_order_and_the_newest_open_one_is_found,
                                        make, clean),
        cmocka_unit_test_setup_teardown(waiting_moves_the_clock_to_the_moment_of_waking, make,
                                        clean),
        cmocka_unit_test_setup_teardown(crypto_is_the_real_one, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
