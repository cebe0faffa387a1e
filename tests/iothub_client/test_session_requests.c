#include "credential_fixture.h"

/* Tests what the application may request from a session in each state, and when the next turn
 * acts on it. */

/* Brings the client into one of the states on its way to the hub. */
static void bring_to(client_fixture *f, iothub_state state)
{
    static const plat_stage stages[] = { [IOTHUB_RESOLVING] = PLAT_STAGE_RESOLVE,
                                         [IOTHUB_CONNECTING] = PLAT_STAGE_CONNECT,
                                         [IOTHUB_SECURING] = PLAT_STAGE_TLS };
    fixture_init(f, NULL);
    if (state == IOTHUB_STOPPED) {
        return;
    }
    if (state <= IOTHUB_SECURING) {
        f->platform.streams[0].stall_at = stages[state];
    }
    f->hub.mute_connect = state == IOTHUB_LOGGING_IN;
    f->hub.mute_subscribe = state == IOTHUB_SUBSCRIBING;
    if (state == IOTHUB_WAITING) {
        f->hub.return_code = 3;
    }
    assert_int_equal(iothub_start(f->client), IOTHUB_OK);
    fixture_run(f);
    assert_int_equal(iothub_get_state(f->client), state);
}

static const iothub_state states[] = { IOTHUB_STOPPED,   IOTHUB_RESOLVING,  IOTHUB_CONNECTING,
                                       IOTHUB_SECURING,  IOTHUB_LOGGING_IN, IOTHUB_SUBSCRIBING,
                                       IOTHUB_CONNECTED, IOTHUB_WAITING };
enum { STATES = sizeof states / sizeof states[0] };

static void a_start_is_allowed_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATES; i++) {
        client_fixture f;
        bring_to(&f, states[i]);
        assert_int_equal(iothub_start(f.client),
                         states[i] == IOTHUB_STOPPED ? IOTHUB_OK : IOTHUB_ERR_STATE);
        fixture_free(&f);
    }
}

static void a_stop_ends_every_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATES; i++) {
        client_fixture f;
        bring_to(&f, states[i]);
        assert_int_equal(iothub_stop(f.client, 0), IOTHUB_OK);
        fixture_sleep(&f, 3000);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_STOPPED);
        fixture_free(&f);
    }
}

static void reconnecting_now_needs_a_connection_or_a_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATES; i++) {
        client_fixture f;
        bring_to(&f, states[i]);
        const bool may = states[i] == IOTHUB_CONNECTED || states[i] == IOTHUB_WAITING;
        f.hub.return_code = 0;
        const unsigned before = f.hub.connects;
        assert_int_equal(iothub_reconnect_now(f.client), may ? IOTHUB_OK : IOTHUB_ERR_STATE);
        fixture_run(&f);
        assert_int_equal(f.hub.connects - before, may ? 1 : 0);
        fixture_free(&f);
    }
}

/* New credentials are used as soon as the state allows it, without a failure. */
static void credentials_may_be_set_in_every_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATES; i++) {
        plat_identity identity = make_identity(1000);
        const iothub_credential own = iothub_x509_credential(&identity);
        client_fixture f;
        bring_to(&f, states[i]);
        f.hub.return_code = 0;
        const unsigned before = f.status_count;

        assert_int_equal(iothub_set_credentials(f.client, &own, 1), IOTHUB_OK);
        f.platform.streams[0].stall_at = PLAT_STAGE_OPEN;
        f.hub.mute_connect = f.hub.mute_subscribe = false;
        if (states[i] == IOTHUB_STOPPED) {
            assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        }
        fixture_sleep(&f, 60000);

        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        assert_int_equal(credentials_of(&f).kind, IOTHUB_CREDENTIAL_X509);
        assert_string_equal(f.hub.password, "");
        for (unsigned n = before; n < f.status_count; n++) {
            bool timed_out = states[i] == IOTHUB_LOGGING_IN || states[i] == IOTHUB_SUBSCRIBING;
            /* The hub did not answer. */
            assert_true(f.statuses[n].reason == IOTHUB_OK || timed_out);
        }
        fixture_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_is_allowed_once),
        cmocka_unit_test(a_stop_ends_every_state),
        cmocka_unit_test(reconnecting_now_needs_a_connection_or_a_wait),
        cmocka_unit_test(credentials_may_be_set_in_every_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
