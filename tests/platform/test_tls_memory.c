#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device_fixture.h"
#include "tls_fixture.h"
#include "wolfssl/tls/tls_context.h"

#include <wolfssl/wolfcrypt/memory.h>

/* Makes one allocation of the client fail. The server runs in the same process, and its
 * allocations never fail. */
static struct {
    bool on_duty;
    unsigned countdown; /* allocations until the failing one; 0: all succeed */
    bool failed;
} allocator;

static bool must_fail(void)
{
    if (!allocator.on_duty || allocator.countdown == 0 || --allocator.countdown > 0) {
        return false;
    }
    allocator.failed = true;
    return true;
}

static void *failing_malloc(size_t size)
{
    return must_fail() ? NULL : malloc(size);
}

static void *failing_realloc(void *ptr, size_t size)
{
    return must_fail() ? NULL : realloc(ptr, size);
}

static tls_tickets shared_tickets;
static scripted_stream other_wire;
static plat_tls_stream keeper; /* keeps the roots and wolfSSL's curve tables in memory */

static int limit_memory(void **state)
{
    make_stream(state);
    shared_tickets = (tls_tickets){ .spoil_at = SIZE_MAX };
    tickets = &shared_tickets;
    scripted_init(&other_wire);
    assert_int_equal(tls_init(&keeper, &other_wire.base, ca_file), PLAT_OK);
    assert_int_equal(wolfSSL_SetAllocators(failing_malloc, free, failing_realloc), 0);
    return 0;
}

static int free_memory(void **state)
{
    assert_int_equal(wolfSSL_SetAllocators(malloc, free, realloc), 0);
    keeper.base.ops->deinit(&keeper.base);
    scripted_free(&other_wire);
    return free_stream(state);
}

static void arm(unsigned nth)
{
    allocator.countdown = nth;
    allocator.failed = false;
}

/* --- the client's steps, on duty --- */

static plat_result handshake(const tls_peer_config *c)
{
    plat_stage stage;
    assert_int_equal(s->ops->open(s, HOST, 8883, 0), PLAT_OK);
    tls_peer_start(&peer, &wire, c, tickets);
    for (int i = 0; i < 20; i++) {
        allocator.on_duty = true;
        plat_result r = s->ops->progress(s, 0, &stage);
        allocator.on_duty = false;
        if (r != PLAT_WOULD_BLOCK) {
            return r;
        }
        tls_peer_step(&peer);
    }
    return PLAT_WOULD_BLOCK;
}

static plat_result ping_pong(void)
{
    uint8_t buf[16];
    size_t n;
    allocator.on_duty = true;
    plat_result r = s->ops->send(s, (const uint8_t *)"ping", 4, &n);
    allocator.on_duty = false;
    tls_peer_step(&peer);
    if (r != PLAT_OK || peer.got_len != 4) {
        return r;
    }
    tls_peer_send(&peer, "pong", 4);
    allocator.on_duty = true;
    r = s->ops->recv(s, buf, sizeof buf, &n);
    allocator.on_duty = false;
    assert_true(r != PLAT_OK || (n == 4 && memcmp(buf, "pong", 4) == 0));
    return r;
}

static void hang_up(void)
{
    allocator.on_duty = true;
    s->ops->close(s);
    allocator.on_duty = false;
    tls_peer_stop(&peer);
}

static plat_result live(const tls_peer_config *c)
{
    plat_result r = handshake(c);
    r = r == PLAT_OK ? ping_pong() : r;
    if (r != PLAT_OK && r != PLAT_WOULD_BLOCK) {
        assert_string_not_equal(s->ops->detail(s), "");
    }
    hang_up();
    return r;
}

static void forget_sessions(void)
{
    const plat_session_key key = { .host = HOST,
                                   .identity = plat_tls_login_number(&tls.profile->login),
                                   .port = 8883 };
    plat_sessions_forget(&tls.profile->context->sessions, &key);
}

/* Makes each allocation, or each step-th one, fail in turn; afterwards a connection must work
 * again. */
static unsigned sweep(const tls_peer_config *c, bool resume, unsigned step)
{
    for (unsigned nth = 1;; nth += step) {
        arm(0);
        if (resume || nth % 16 == 1) {
            assert_int_equal(live(c), PLAT_OK);
        }
        if (!resume) {
            forget_sessions();
        }
        arm(nth);
        plat_result r = live(c);
        if (!allocator.failed) {
            assert_int_equal(r, PLAT_OK);
            return nth - 1;
        }
    }
}

static void connecting_survives_any_failed_allocation(void **state)
{
    (void)state;
    tls_peer_config c = good_config;
    assert_true(sweep(&c, false, 1) > 100);
    forget_sessions();
    c.max_version = TLS1_2_VERSION;
    assert_true(sweep(&c, false, 5) > 100);
}

static void presenting_a_certificate_survives_any_failed_allocation(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < DEVICE_KINDS; kind++) {
        tls_peer_config c = good_config;
        c.ask = true;
        plat_identity *identity = device_identity_of(kind);
        assert_int_equal(s->ops->set_identity(s, identity), PLAT_OK);
        plat_wolfssl_identities.release(identity);
        assert_true(sweep(&c, false, kind == 0 ? 1 : 7) > 100);
        forget_sessions();
        c.max_version = TLS1_2_VERSION;
        assert_true(sweep(&c, false, 7) > 100);
        forget_sessions();
    }
}

static void resuming_survives_any_failed_allocation(void **state)
{
    (void)state;
    tls_peer_config c = good_config;
    assert_true(sweep(&c, true, 1) > 30);
    forget_sessions();
    c.max_version = TLS1_2_VERSION;
    assert_true(sweep(&c, true, 3) > 30);
}

static void loading_roots_survives_any_failed_allocation(void **state)
{
    (void)state;
    unsigned failures = 0;
    keeper.base.ops->deinit(&keeper.base);
    do {
        s->ops->deinit(s);
        arm(++failures);
        allocator.on_duty = true;
        plat_result r = tls_init(&tls, &wire.base, ca_file);
        allocator.on_duty = false;
        if (r != PLAT_OK) {
            assert_string_not_equal(s->ops->detail(s), "");
        }
    } while (allocator.failed);

    assert_true(failures > 10);
    assert_int_equal(tls.profile->context->roots.count, 2);
    assert_int_equal(tls_init(&keeper, &other_wire.base, ca_file), PLAT_OK);
}

#define WITH_LIMITS(test) cmocka_unit_test_setup_teardown(test, limit_memory, free_memory)

static int make_all(void **state)
{
    make_everything(state);
    make_devices();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LIMITS(connecting_survives_any_failed_allocation),
        WITH_LIMITS(presenting_a_certificate_survives_any_failed_allocation),
        WITH_LIMITS(resuming_survives_any_failed_allocation),
        WITH_LIMITS(loading_roots_survives_any_failed_allocation),
    };
    return cmocka_run_group_tests(tests, make_all, remove_everything);
}
