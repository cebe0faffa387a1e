#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_stream.h"
#include "wolfssl/tls/tls_transport.h"

static scripted_stream lower;
static plat_tls_transport t;
static uint8_t room[PLAT_TLS_READ_AHEAD];
static WOLFSSL_CTX *ctx;
static WOLFSSL *ssl;

static int make_transport(void **state)
{
    (void)state;
    plat_stage stage;
    assert_int_equal(wolfSSL_Init(), WOLFSSL_SUCCESS);
    scripted_init(&lower);
    assert_int_equal(lower.base.ops->open(&lower.base, "hub.example", 8883, 0), PLAT_OK);
    assert_int_equal(lower.base.ops->progress(&lower.base, 0, &stage), PLAT_OK);
    plat_tls_transport_init(&t, &lower.base);
    ctx = wolfSSL_CTX_new(wolfTLS_client_method());
    ssl = wolfSSL_new(ctx);
    assert_non_null(ssl);
    plat_tls_transport_attach(&t, ssl);
    return 0;
}

static int free_transport(void **state)
{
    (void)state;
    plat_tls_transport_drop(&t);
    wolfSSL_free(ssl);
    wolfSSL_CTX_free(ctx);
    scripted_free(&lower);
    return 0;
}

/* wolfSSL sends its ClientHello, reads the five bytes of a record header, and detects that the
 * peer does not use TLS. */
static void connect_to_no_tls(size_t len)
{
    uint8_t bytes[2 * PLAT_TLS_READ_AHEAD];
    memset(bytes, 'x', sizeof bytes);
    scripted_feed(&lower, bytes, len);
    plat_tls_transport_lend(&t, room);
    assert_int_not_equal(wolfSSL_connect(ssl), WOLFSSL_SUCCESS);
}

static void one_read_takes_what_there_is_and_keeps_what_wolfssl_does_not_want(void **state)
{
    (void)state;
    connect_to_no_tls(100);
    assert_int_equal(lower.calls[SCRIPTED_RECV], 1);
    assert_int_equal(t.taken, 5);
    assert_true(plat_tls_transport_has_bytes(&t));
    assert_int_equal(t.ahead_end - t.ahead_at, 95);
    assert_true(plat_tls_transport_keep(&t, room));
    /* Overwritten, as when the caller uses its stack for something else. */
    memset(room, 0, sizeof room);
    assert_ptr_not_equal(t.ahead, room);
    for (size_t i = t.ahead_at; i < t.ahead_end; i++) {
        assert_int_equal(t.ahead[i], 'x');
    }
}

static void nothing_is_kept_where_nothing_is_left(void **state)
{
    (void)state;
    connect_to_no_tls(5);
    assert_false(plat_tls_transport_has_bytes(&t));
    assert_true(plat_tls_transport_keep(&t, room));
    assert_null(t.ahead);
    /* The last read returned fewer bytes than were asked for. */
    assert_false(plat_tls_transport_may_have_more(&t));
}

static void a_read_that_was_filled_may_have_left_more(void **state)
{
    (void)state;
    connect_to_no_tls(2 * PLAT_TLS_READ_AHEAD);
    assert_int_equal(t.ahead_end, PLAT_TLS_READ_AHEAD);
    assert_false(t.lower_empty);
    assert_true(plat_tls_transport_keep(&t, room));
    plat_tls_transport_drop(&t);
    assert_true(plat_tls_transport_may_have_more(&t));
    assert_int_equal(scripted_unread(&lower), PLAT_TLS_READ_AHEAD);
}

static void the_first_failure_below_is_remembered(void **state)
{
    (void)state;
    scripted_break(&lower, PLAT_ERR_IO);
    plat_tls_transport_lend(&t, room);
    assert_int_not_equal(wolfSSL_connect(ssl), WOLFSSL_SUCCESS);
    assert_int_equal(t.lower_result, PLAT_ERR_IO);
    assert_true(plat_tls_transport_keep(&t, room));
}

static void *no_memory(size_t size)
{
    (void)size;
    return NULL;
}

static void bytes_without_memory_are_lost_and_reported(void **state)
{
    (void)state;
    wolfSSL_Malloc_cb usual_malloc;
    wolfSSL_Free_cb usual_free;
    wolfSSL_Realloc_cb usual_realloc;
    connect_to_no_tls(100);
    assert_int_equal(wolfSSL_GetAllocators(&usual_malloc, &usual_free, &usual_realloc), 0);
    assert_int_equal(wolfSSL_SetAllocators(no_memory, usual_free, usual_realloc), 0);
    bool kept = plat_tls_transport_keep(&t, room);
    assert_int_equal(wolfSSL_SetAllocators(usual_malloc, usual_free, usual_realloc), 0);
    assert_false(kept);
    assert_null(t.ahead);
    assert_false(plat_tls_transport_has_bytes(&t));
}

static void what_to_wait_for_below_grows_with_the_share_of_tls(void **state)
{
    (void)state;
    static const struct {
        uint32_t taken;
        size_t got, least, below;
    } cases[] = {
        { 0, 0, 100, 100 },     { 100, 100, 100, 100 },   { 200, 100, 100, 200 },
        { 150, 100, 100, 150 }, { 100000, 10, 100, 800 }, /* the factor is at most eight */
        { 200, 100, 1, 1 },                               /* every value of a byte is allowed */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_tls_transport one = { .lower = &lower.base, .taken = cases[i].taken };
        plat_tls_transport_note_growth(&one, cases[i].got);
        assert_int_equal(plat_tls_transport_least_below(&one, cases[i].least), cases[i].below);
    }
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    plat_tls_transport bad;
    assert_true(plat_tls_transport_valid(&t));
    bad = (plat_tls_transport){ .lower = NULL };
    assert_false(plat_tls_transport_valid(&bad));
    bad =
        (plat_tls_transport){ .lower = &lower.base, .ahead = room, .ahead_at = 2, .ahead_end = 1 };
    assert_false(plat_tls_transport_valid(&bad));
    bad = (plat_tls_transport){ .lower = &lower.base,
                                .ahead = room,
                                .ahead_end = PLAT_TLS_READ_AHEAD + 1 };
    assert_false(plat_tls_transport_valid(&bad));
    /* Wrong: an end without a buffer. */
    bad = (plat_tls_transport){ .lower = &lower.base, .ahead_end = 1 };
    assert_false(plat_tls_transport_valid(&bad));
    bad = (plat_tls_transport){ .lower = &lower.base, .growth = 65 };
    assert_false(plat_tls_transport_valid(&bad));
}
#else
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    skip(); /* a release build has no such check */
}
#endif

#define WITH_TRANSPORT(test) cmocka_unit_test_setup_teardown(test, make_transport, free_transport)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TRANSPORT(one_read_takes_what_there_is_and_keeps_what_wolfssl_does_not_want),
        WITH_TRANSPORT(nothing_is_kept_where_nothing_is_left),
        WITH_TRANSPORT(a_read_that_was_filled_may_have_left_more),
        WITH_TRANSPORT(the_first_failure_below_is_remembered),
        WITH_TRANSPORT(bytes_without_memory_are_lost_and_reported),
        WITH_TRANSPORT(what_to_wait_for_below_grows_with_the_share_of_tls),
        WITH_TRANSPORT(members_that_disagree_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
