#include "rig.h"

/* Tests NULL arguments where they are not allowed, and lengths that exceed the available bytes. */

static void set_up_and_requests_refuse_null(void **state)
{
    (void)state;
    mqc_memory memory = { 0 };
    mqc_engine e;
    const mqc_connect_options o = { .clean_session = true };
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("a") };
    const mqc_subscription s = { .filter = MQC_SPAN_LIT("a") };
    const mqc_span filter = MQC_SPAN_LIT("a");
    mqc_done done;

    assert_int_equal(mqc_init(NULL, &memory), MQC_ERR_ARG);
    assert_int_equal(mqc_init(&e, NULL), MQC_ERR_ARG);
    assert_int_equal(mqc_init(&e, &memory), MQC_ERR_ARG);
    assert_int_equal(mqc_connect(NULL, &o, 0), MQC_ERR_ARG);
    assert_int_equal(mqc_publish(NULL, &m, NULL), MQC_ERR_ARG);
    assert_int_equal(mqc_subscribe(NULL, &s, 1, NULL), MQC_ERR_ARG);
    assert_int_equal(mqc_unsubscribe(NULL, &filter, 1, NULL), MQC_ERR_ARG);
    assert_int_equal(mqc_disconnect(NULL), MQC_ERR_ARG);
    assert_int_equal(mqc_release(NULL, 0, 1, &done), MQC_ERR_ARG);
    assert_int_equal(mqc_requeue(NULL, 0, 1), MQC_ERR_ARG);
    assert_int_equal(mqc_discard(NULL, 0), MQC_ERR_ARG);
    assert_int_equal(mqc_drop(NULL, 0, NULL), MQC_ERR_ARG);
    mqc_hold(NULL, 0, true);
    assert_int_equal(mqc_lane(NULL, 0).count, 0);
}

static void texts_that_are_null_but_not_empty_are_refused(void **state)
{
    (void)state;
    const mqc_span nothing = { NULL, 5 };
    rig r;
    rig_init(&r, &(rig_sizes){ 0 });
    const mqc_connect_options cases[] = {
        { .client_id = nothing },
        { .client_id = MQC_SPAN_LIT("c"), .username = nothing },
        { .client_id = MQC_SPAN_LIT("c"), .username = MQC_SPAN_LIT("u"), .password = nothing },
        { .client_id = MQC_SPAN_LIT("c"),
          .will = { .topic = MQC_SPAN_LIT("w"), .payload = nothing } },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(mqc_connect(&r.e, &cases[i], 0), MQC_ERR_ARG);
    }
    assert_int_equal(mqc_connect(&r.e, NULL, 0), MQC_ERR_ARG);
    assert_int_equal(mqc_publish(&r.e, NULL, NULL), MQC_ERR_ARG);
    assert_int_equal(mqc_publish(&r.e, &(mqc_outgoing){ .topic = nothing }, NULL), MQC_ERR_ARG);
    assert_int_equal(
        mqc_publish(&r.e, &(mqc_outgoing){ .topic = nothing, .topic_checked = true }, NULL),
        MQC_ERR_ARG);
    assert_int_equal(
        mqc_publish(&r.e, &(mqc_outgoing){ .topic = MQC_SPAN_LIT("a"), .payload = nothing }, NULL),
        MQC_ERR_ARG);
    rig_deinit(&r);
}

static void more_bytes_than_there_were_are_refused_or_cut(void **state)
{
    (void)state;
    rig r;
    size_t len;
    rig_init(&r, &(rig_sizes){ 0 });
    rig_connect(&r, true, false);

    (void)mqc_rx_space(&r.e, &len);
    assert_true(len > 0);
    assert_int_equal(mqc_rx_commit(&r.e, (size_t)-1, r.now), MQC_ERR_ARG); /* recv failed */
    assert_int_equal(mqc_rx_commit(&r.e, len + 1, r.now), MQC_ERR_ARG);
    (void)rig_publish(&r, 0, 1, 1, 4);
    (void)rig_publish(&r, 0, 1, 2, 4);
    assert_non_null(mqc_tx_data(&r.e, &len));
    /* SIZE_MAX, as after a failed send, counts as everything. */
    mqc_tx_consume(&r.e, (size_t)-1, r.now);
    assert_int_equal(mqc_lane(&r.e, 0).in_flight, 2);
    rig_puback(&r, 1);
    rig_puback(&r, 2);
    assert_int_equal(mqc_lane(&r.e, 0).count, 0);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_up_and_requests_refuse_null),
        cmocka_unit_test(texts_that_are_null_but_not_empty_are_refused),
        cmocka_unit_test(more_bytes_than_there_were_are_refused_or_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
