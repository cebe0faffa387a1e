#include <stdio.h>

#include "connection/attempt.h"

#include "context_fixture.h"

/* One attempt: its credential, its channel, and what follows a failure; without a session. */

enum { NOW_S = 1700000000 };

typedef struct attempt_rig {
    context_fixture base;
    iothub_channel ch;
    credential_part k;
    iothub_back_off b;
    iothub_renewal renewal;
    plat_identity identities[2];
    iothub_credential list[2];
    iothub_token_provider provider;
    char memory[256];
    unsigned requests;
    iothub_retry asked; /* what the retry callback has received, */
    char text[160];     /* its text, */
    uint32_t answer;    /* and what it returns */
    iothub_error error;
} attempt_rig;

static uint32_t on_retry(iothub_client *c, const iothub_retry *r, void *user)
{
    attempt_rig *rig = user;

    (void)c;
    rig->asked = *r;
    snprintf(rig->text, sizeof rig->text, "%s", r->text);
    return rig->answer;
}

static void on_request(iothub_client *c, void *user)
{
    attempt_rig *r = user;

    (void)c;
    r->requests++;
}

static void begin(attempt_rig *r, size_t count)
{
    memset(r, 0, sizeof *r);
    context_fixture_init(&r->base);
    for (size_t i = 0; i < 2; i++) {
        r->identities[i].info.not_before_s = NOW_S;
        r->identities[i].info.not_after_s = NOW_S + 1000;
        r->identities[i].info.chain_until_s = NOW_S + 1000;
        r->list[i] = iothub_x509_credential(&r->identities[i]);
    }
    r->provider = (iothub_token_provider){
        .request = on_request, .user = r, .memory = r->memory, .memory_size = sizeof r->memory
    };
    r->answer = 77;
    r->base.context.options.callbacks.retry = on_retry;
    r->base.context.options.user = r;
    r->base.context.options.credentials = r->list;
    r->base.context.options.credential_count = count;
    channel_init(&r->ch, &r->base.context);
    credential_init(&r->k, &r->base.context);
    credential_take_options(&r->k);
    back_off_reset(&r->b, context_now(&r->base.context));
}

static void end(attempt_rig *r)
{
    channel_deinit(&r->ch);
    context_fixture_free(&r->base);
}

static uint32_t after_failure(attempt_rig *r, iothub_result reason)
{
    r->error = (iothub_error){ .code = reason, .text = "why" };
    return attempt_failed(&r->b, &r->k, &r->error, context_now(&r->base.context));
}

static void it_opens_the_channel_with_the_certificate_of_its_credential(void **state)
{
    (void)state;
    attempt_rig r;
    begin(&r, 2);

    assert_int_equal(attempt_open(&r.ch, &r.k, &r.error), IOTHUB_OK);

    assert_int_equal(r.ch.state, CHANNEL_RESOLVING);
    assert_ptr_equal(r.base.platform.streams[0].identity, &r.identities[0]);
    end(&r);
}

static void an_invalid_credential_leaves_the_channel_closed(void **state)
{
    (void)state;
    attempt_rig r;
    begin(&r, 1);
    fake_clock_set_wall(&r.base.platform.clock, NOW_S + 1001);

    assert_int_equal(attempt_open(&r.ch, &r.k, &r.error), IOTHUB_ERR_CREDENTIAL);

    assert_int_equal(r.ch.state, CHANNEL_CLOSED);
    assert_non_null(strstr(r.error.text, "expired"));
    end(&r);
}

static void while_a_token_is_requested_the_channel_stays_closed(void **state)
{
    (void)state;
    attempt_rig r;
    begin(&r, 1);
    r.list[0] = iothub_provider_credential(&r.provider);

    for (int turn = 0; turn < 5; turn++) {
        assert_int_equal(attempt_open(&r.ch, &r.k, &r.error), IOTHUB_OK);
        assert_int_equal(r.ch.state, CHANNEL_CLOSED);
    }
    assert_int_equal(r.requests, 1);
    assert_int_equal(credential_token_failed(&r.k, "no"), IOTHUB_OK);
    assert_int_equal(attempt_open(&r.ch, &r.k, &r.error), IOTHUB_ERR_NO_TOKEN);
    assert_int_equal(attempt_open(&r.ch, &r.k, &r.error), IOTHUB_OK); /* requested again */
    assert_int_equal(r.requests, 2);
    end(&r);
}

static void the_application_decides_how_long_to_wait(void **state)
{
    (void)state;
    attempt_rig r;
    begin(&r, 1);

    assert_int_equal(after_failure(&r, IOTHUB_ERR_NETWORK), 77);
    assert_int_equal(r.asked.reason, IOTHUB_ERR_NETWORK);
    assert_string_equal(r.text, "why");
    assert_int_equal(r.asked.attempt, 1);
    r.answer = 0;
    assert_int_equal(after_failure(&r, IOTHUB_ERR_NETWORK),
                     1); /* a wait of 0 would be a busy loop */
    r.answer = IOTHUB_RETRY_STOP;
    assert_int_equal(after_failure(&r, IOTHUB_ERR_NETWORK), IOTHUB_RETRY_STOP);
    end(&r);
}

static void only_the_last_of_the_list_makes_the_wait_long(void **state)
{
    (void)state;
    attempt_rig r;
    begin(&r, 2);

    for (int n = 0; n < 2; n++) {
        (void)after_failure(&r, IOTHUB_ERR_AUTH);
        assert_in_range(r.asked.delay_ms, 1, 1000);
    }
    assert_int_equal(credential_index(&r.k), 1);
    (void)after_failure(&r, IOTHUB_ERR_AUTH); /* the first refusal that is counted */
    assert_in_range(r.asked.delay_ms, 1, 1000);
    assert_int_equal(credential_index(&r.k), 0);
    (void)after_failure(&r, IOTHUB_ERR_AUTH);
    (void)after_failure(&r, IOTHUB_ERR_AUTH);
    assert_in_range(r.asked.delay_ms, 1001, 300000);
    end(&r);
}

static void a_replacement_that_is_given_up_is_reported_in_the_text(void **state)
{
    (void)state;
    attempt_rig r;
    begin(&r, 1);
    assert_int_equal(credential_replace(&r.k, &r.list[1], 1, 1), IOTHUB_ERR_MEMORY);
    r.k.connect_cap = 1000;
    r.base.context.scratch_len = 1000;
    assert_int_equal(credential_replace(&r.k, &r.list[1], 1, 1), IOTHUB_OK);
    assert_int_equal(attempt_open(&r.ch, &r.k, &r.error), IOTHUB_OK);
    assert_ptr_equal(r.base.platform.streams[0].identity, &r.identities[1]);

    (void)after_failure(&r, IOTHUB_ERR_AUTH);
    assert_string_equal(r.text, "why");
    (void)after_failure(&r, IOTHUB_ERR_AUTH);

    assert_string_equal(r.text, "why; the earlier credentials are used again");
    assert_ptr_equal(credential_in_use(&r.k), &r.list[0]);
    assert_in_range(r.asked.delay_ms, 1, 1000);
    end(&r);
}

static void a_renewal_ends_only_if_its_replacement_is_given_up(void **state)
{
    (void)state;
    static const iothub_result none[] = { IOTHUB_ERR_NETWORK, IOTHUB_ERR_TIMEOUT, IOTHUB_ERR_AUTH };
    attempt_rig r;
    begin(&r, 1);
    r.k.connect_cap = 1000;
    r.base.context.scratch_len = 1000;
    renewal_begin(&r.renewal, 10000, 1000);
    for (size_t i = 0; i < 3; i++) {
        assert_false(attempt_renewal_failed(&r.renewal, &r.k, none[i], 1000));
    }

    assert_int_equal(credential_replace(&r.k, &r.list[1], 1, 1), IOTHUB_OK);
    assert_int_equal(attempt_prepare_renewal(&r.k, 1000), CREDENTIAL_READY);
    assert_ptr_equal(credential_in_use(&r.k), &r.list[1]);
    assert_true(attempt_renewal_failed(&r.renewal, &r.k, IOTHUB_ERR_CREDENTIAL, 1000));

    assert_false(r.renewal.due);
    assert_ptr_equal(credential_in_use(&r.k), &r.list[0]);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_the_channel_with_the_certificate_of_its_credential),
        cmocka_unit_test(an_invalid_credential_leaves_the_channel_closed),
        cmocka_unit_test(while_a_token_is_requested_the_channel_stays_closed),
        cmocka_unit_test(the_application_decides_how_long_to_wait),
        cmocka_unit_test(only_the_last_of_the_list_makes_the_wait_long),
        cmocka_unit_test(a_replacement_that_is_given_up_is_reported_in_the_text),
        cmocka_unit_test(a_renewal_ends_only_if_its_replacement_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
