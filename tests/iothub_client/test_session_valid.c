#include "client_fixture.h"
#include "connection/session_valid.h"

#ifndef NDEBUG

/* Tests the valid check of debug builds: it passes in every state, and detects members that
 * disagree. */

static bool valid(const client_fixture *f)
{
    return session_valid(&f->client->session);
}

static void it_holds_in_every_stage_of_connecting(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.platform.streams[0].stage_calls = 2;
    f.hub.mute_connect = true;
    assert_true(valid(&f));
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    for (int turns = 0; turns < 12; turns++) {
        assert_int_equal(iothub_process(f.client), IOTHUB_OK);
        assert_true(valid(&f));
    }
    assert_int_equal(iothub_get_state(f.client), IOTHUB_LOGGING_IN);
    fixture_cut(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
    assert_true(valid(&f));
    fixture_free(&f);
}

static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    iothub_session *s = &f.client->session;
    const iothub_session good = *s;
    assert_true(valid(&f));

#define EXPECT_INVALID(change)   \
    do {                         \
        change;                  \
        assert_false(valid(&f)); \
        *s = good;               \
        assert_true(valid(&f));  \
    } while (0)
    EXPECT_INVALID(s->changeover.used = 2);
    /* Wrong, because the other channel is closed. */
    EXPECT_INVALID(s->changeover.used = (uint8_t)(1 - s->changeover.used));
    EXPECT_INVALID(s->changeover.channels[s->changeover.used].state = CHANNEL_CLOSED);
    EXPECT_INVALID(s->changeover.channels[s->changeover.used].state = CHANNEL_SECURING);
    fixture_free(&f);
}

static void a_client_that_stopped_has_nothing_of_a_connection(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    iothub_session *s = &f.client->session;
    const iothub_session good = *s;
    assert_true(valid(&f));

    EXPECT_INVALID(s->changeover.channels[0].state = CHANNEL_OPEN);
    EXPECT_INVALID(s->changeover.channels[1].state = CHANNEL_OPEN);
    EXPECT_INVALID(s->changeover.renewal.due = true);
    EXPECT_INVALID(s->gap.open = true);
    fixture_free(&f);
}

#endif

int main(void)
{
#ifdef NDEBUG
    return 0; /* a release build has no valid checks */
#else
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_in_every_stage_of_connecting),
        cmocka_unit_test(members_that_disagree_are_seen),
        cmocka_unit_test(a_client_that_stopped_has_nothing_of_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
