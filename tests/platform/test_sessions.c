#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tls_fixture.h"
#include "wolfssl/tls/tls_context.h"

static WOLFSSL_SESSION *session; /* a session that can be resumed */
static plat_trust trust;         /* the roots and the time for which it is trusted */
static int64_t clock_offset_s;
static plat_sessions cache;

static const plat_session_key hub = { .host = HOST, .port = 8883 };

int64_t __wrap_plat_trust_now_s(void);

int64_t __wrap_plat_trust_now_s(void)
{
    return (int64_t)time(NULL) + clock_offset_s;
}

/* A full handshake puts one session into the cache of its roots. */
static int make_session(void **state)
{
    (void)make_everything(state);
    (void)make_stream(state);
    expect_success("a session to keep", HOST, &good_config);
    session = plat_sessions_take(&tls.profile->context->sessions, &hub, &trust);
    assert_non_null(session);
    /* Longer than the cache keeps a session, so that the limit of the server has no effect. */
    assert_int_equal(wolfSSL_SSL_SESSION_set_timeout(session, 3 * PLAT_SESSION_LIFE_S),
                     WOLFSSL_SUCCESS);
    return free_stream(state);
}

static int free_session(void **state)
{
    wolfSSL_SESSION_free(session);
    return remove_everything(state);
}

static int make_cache(void **state)
{
    (void)state;
    clock_offset_s = 0;
    plat_sessions_init(&cache);
    return 0;
}

static int free_cache(void **state)
{
    (void)state;
    plat_sessions_free(&cache);
    return 0;
}

/* Returns whether the cache has a session with this key, and takes it out. */
static bool takes(const plat_session_key *key)
{
    plat_trust got;
    WOLFSSL_SESSION *s_taken = plat_sessions_take(&cache, key, &got);
    if (s_taken == NULL) {
        return false;
    }
    assert_memory_equal(&got, &trust, sizeof got);
    wolfSSL_SESSION_free(s_taken);
    return true;
}

static void a_session_is_given_out_once(void **state)
{
    (void)state;
    assert_false(takes(&hub));
    for (int i = 0; i < 3; i++) {
        plat_sessions_put(&cache, &hub, session, &trust);
    }
    assert_int_equal(cache.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(takes(&hub));
    }
    assert_false(takes(&hub));
    assert_int_equal(cache.count, 0);
}

static void sessions_are_for_one_host_port_and_client_certificate(void **state)
{
    (void)state;
    static const plat_session_key others[] = {
        { "hub.exampl", 0, 8883 }, { "hub.example2", 0, 8883 }, { "HUB.example", 0, 8883 },
        { "", 0, 8883 },           { HOST, 0, 8884 },           { HOST, 0, 0 },
        { HOST, 1, 8883 },         { HOST, UINT64_MAX, 8883 },
    };
    plat_sessions_put(&cache, &hub, session, &trust);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(takes(&others[i]));
        plat_sessions_forget(&cache, &others[i]);
    }
    assert_true(takes(&hub));
}

static void forgetting_drops_all_of_a_host_and_nothing_else(void **state)
{
    (void)state;
    const plat_session_key other = { .host = "other.example", .port = 8883 };
    for (int i = 0; i < 4; i++) {
        plat_sessions_put(&cache, i % 2 == 0 ? &hub : &other, session, &trust);
    }
    plat_sessions_forget(&cache, &hub);
    assert_int_equal(cache.count, 2);
    assert_false(takes(&hub));
    assert_true(takes(&other));
    assert_true(takes(&other));
}

static void the_oldest_session_makes_room_whatever_the_number_of_streams(void **state)
{
    (void)state;
    const plat_session_key first = { .host = "first.example", .port = 1 };
    static const size_t streams[] = { 0, 1, 32, 33, 34, 100 };
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        const size_t share = streams[i] / PLAT_SESSION_STREAMS;
        const size_t limit = share > PLAT_SESSIONS_MIN ? share : PLAT_SESSIONS_MIN;
        plat_sessions_set_streams(&cache, streams[i]);
        plat_sessions_put(&cache, &first, session, &trust);
        for (size_t n = 1; n < limit; n++) {
            plat_sessions_put(&cache, &hub, session, &trust);
        }
        assert_int_equal(cache.count, limit);
        plat_sessions_put(&cache, &hub, session, &trust); /* one more than the cache can hold */
        assert_int_equal(cache.count, limit);
        assert_false(takes(&first));
        plat_sessions_forget(&cache, &hub);
        assert_int_equal(cache.count, 0);
    }
}

static void fewer_streams_keep_fewer_sessions(void **state)
{
    (void)state;
    plat_sessions_set_streams(&cache, 100);
    for (int i = 0; i < 50; i++) {
        plat_sessions_put(&cache, &hub, session, &trust);
    }
    plat_sessions_set_streams(&cache, 80);
    assert_int_equal(cache.count, 40);
    plat_sessions_set_streams(&cache, 0);
    assert_int_equal(cache.count, PLAT_SESSIONS_MIN);
}

static void a_session_lives_a_day_at_most_and_no_longer_than_its_certificates(void **state)
{
    (void)state;
    const int64_t day = PLAT_SESSION_LIFE_S;
    const struct {
        int64_t later_s, valid_s;
        bool lives;
    } cases[] = {
        /* The second case: the clock was set back. */
        { 0, day, true },          { -1000, day, false },
        { day - 1000, day, true }, { day + 1000, 2 * day, false },
        { 5000, 4000, false },     { 3000, 4000, true },
    };
    const plat_trust before = trust;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int64_t now = (int64_t)time(NULL);
        clock_offset_s = 0;
        trust = (plat_trust){ .verified_at_s = now, .valid_until_s = now + cases[i].valid_s };
        plat_sessions_put(&cache, &hub, session, &trust);
        clock_offset_s = cases[i].later_s;
        if (takes(&hub) != cases[i].lives) {
            fail_msg("case %zu", i);
        }
        assert_int_equal(cache.count, 0); /* the expired session is removed */
    }
    trust = before;
}

#ifndef NDEBUG
static void counters_and_links_that_disagree_are_seen(void **state)
{
    (void)state;
    assert_true(plat_sessions_valid(&cache));
    plat_sessions_put(&cache, &hub, session, &trust);
    plat_sessions_put(&cache, &hub, session, &trust);
    assert_true(plat_sessions_valid(&cache));
    const plat_sessions good_cache = cache;
    cache.count = 0;
    assert_false(plat_sessions_valid(&cache));
    cache.count = cache.limit + 1;
    assert_false(plat_sessions_valid(&cache));
    cache = good_cache;
    cache.limit = PLAT_SESSIONS_MIN - 1;
    assert_false(plat_sessions_valid(&cache));
    cache = good_cache;
    cache.oldest = NULL;
    assert_false(plat_sessions_valid(&cache));
    cache = good_cache;
    cache.oldest = cache.newest;
    assert_false(plat_sessions_valid(&cache));
    cache = good_cache;
}
#else
static void counters_and_links_that_disagree_are_seen(void **state)
{
    (void)state;
    skip(); /* a release build has no such check */
}
#endif

#define WITH_CACHE(test) cmocka_unit_test_setup_teardown(test, make_cache, free_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CACHE(a_session_is_given_out_once),
        WITH_CACHE(sessions_are_for_one_host_port_and_client_certificate),
        WITH_CACHE(forgetting_drops_all_of_a_host_and_nothing_else),
        WITH_CACHE(the_oldest_session_makes_room_whatever_the_number_of_streams),
        WITH_CACHE(fewer_streams_keep_fewer_sessions),
        WITH_CACHE(a_session_lives_a_day_at_most_and_no_longer_than_its_certificates),
        WITH_CACHE(counters_and_links_that_disagree_are_seen),
    };
    return cmocka_run_group_tests(tests, make_session, free_session);
}
