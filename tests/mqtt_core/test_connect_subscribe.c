#include "rig.h"

/* --- CONNECT --------------------------------------------------------------------- */

static size_t put_text(uint8_t *out, mqc_span s)
{
    out[0] = 0;
    out[1] = (uint8_t)s.len;
    if (s.len > 0) {
        memcpy(out + 2, s.ptr, s.len);
    }
    return 2 + s.len;
}

/* Encodes CONNECT independently of the engine, by section 3.1 of MQTT 3.1.1. */
static size_t expected_connect(uint8_t *out, const mqc_connect_options *o)
{
    const bool will = o->will.topic.ptr != NULL;
    unsigned flags = (o->clean_session ? 2u : 0) | (o->username.ptr != NULL ? 0x80u : 0) |
                     (o->password.ptr != NULL ? 0x40u : 0);
    size_t n;

    flags |= will ? 4u | (unsigned)o->will.qos * 8u | (o->will.retain ? 0x20u : 0) : 0;
    memcpy(out, ((const uint8_t[]){ 0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, (uint8_t)flags, 0, 0 }),
           12);
    n = 12 + put_text(out + 12, o->client_id);
    if (will) {
        n += put_text(out + n, o->will.topic);
        n += put_text(out + n, o->will.payload);
    }
    n += o->username.ptr != NULL ? put_text(out + n, o->username) : 0;
    n += o->password.ptr != NULL ? put_text(out + n, o->password) : 0;
    out[1] = (uint8_t)(n - 2);
    return n;
}

static void connect_carries_what_is_given_and_nothing_else(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 64; bits++) {
        for (uint8_t qos = 0; qos < 3; qos++) {
            uint8_t want[64];
            mqc_connect_options o = { .client_id = MQC_SPAN_LIT("id") };
            rig r;
            rig_init(&r, NULL);
            o.clean_session = (bits & 1) != 0;
            /* Retain and QoS of the Will are used only if the Will has a topic. */
            o.will.retain = (bits & 2) != 0;
            o.will.qos = qos;
            o.will.topic = mqc_span_str((bits & 4) != 0 ? "w" : NULL);
            o.will.payload = mqc_span_str((bits & 8) != 0 ? "gone" : NULL);
            o.username = mqc_span_str((bits & 16) != 0 ? "me" : NULL);
            o.password = mqc_span_str((bits & 32) != 0 ? "pw" : NULL);
            bool valid = o.password.ptr == NULL || o.username.ptr != NULL;

            assert_int_equal(mqc_connect(&r.e, &o, r.now), valid ? MQC_OK : MQC_ERR_ARG);
            rig_send_all(&r);
            rig_expect_sent_bytes(&r, want, valid ? expected_connect(want, &o) : 0);
            rig_deinit(&r);
        }
    }
}

static void a_connect_that_breaks_a_rule_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        mqc_connect_options o;
    } cases[] = {
        { "no client id, session kept", { .client_id = MQC_SPAN_LIT("") } },
        { "client id not UTF-8", { .client_id = MQC_SPAN_LIT("\xED\xA0\x80") } },
        { "NUL in the client id", { .client_id = MQC_SPAN_LIT("a\0b") } },
        { "user name not UTF-8",
          { .client_id = MQC_SPAN_LIT("c"), .username = MQC_SPAN_LIT("\xFF") } },
        { "password without user name",
          { .client_id = MQC_SPAN_LIT("c"), .password = MQC_SPAN_LIT("pw") } },
        { "Will topic not UTF-8",
          { .client_id = MQC_SPAN_LIT("c"), .will = { .topic = MQC_SPAN_LIT("\xC0\xAF") } } },
        { "empty Will topic",
          { .client_id = MQC_SPAN_LIT("c"), .will = { .topic = MQC_SPAN_LIT("") } } },
        { "wildcard in the Will topic",
          { .client_id = MQC_SPAN_LIT("c"), .will = { .topic = MQC_SPAN_LIT("a/#") } } },
        { "Will with QoS 3",
          { .client_id = MQC_SPAN_LIT("c"), .will = { .topic = MQC_SPAN_LIT("w"), .qos = 3 } } },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        rig r;
        rig_init(&r, NULL);
        if (mqc_connect(&r.e, &cases[i].o, r.now) != MQC_ERR_ARG) {
            fail_msg("%s", cases[i].why);
        }
        assert_int_equal(mqc_get_state(&r.e), MQC_IDLE);
        rig_deinit(&r);
    }
}

static void a_connection_has_one_connect(void **state)
{
    (void)state;
    const mqc_connect_options o = { .client_id = MQC_SPAN_LIT("c"), .clean_session = true };
    rig r;
    rig_init(&r, NULL);

    assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_OK);
    assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_ERR_STATE);
    rig_send_all(&r);
    assert_int_equal(RIG_FEED(&r, 0x20, 2, 0, 0), MQC_OK);
    assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_ERR_STATE);
    assert_int_equal(mqc_disconnect(&r.e), MQC_OK);
    assert_int_equal(mqc_connect(&r.e, &o, r.now), MQC_ERR_STATE);
    rig_send_all(&r);

    assert_string_equal(rig_sent_text(&r), "CONNECT\nDISCONNECT\n");
    rig_deinit(&r);
}

/* --- SUBSCRIBE and UNSUBSCRIBE --------------------------------------------------- */

static void requests_that_break_a_rule_are_refused(void **state)
{
    (void)state;
    static const mqc_span bad[] = { MQC_SPAN_LIT(""), MQC_SPAN_LIT("a#"), MQC_SPAN_LIT("\xFF"),
                                    MQC_SPAN_LIT("a\0b") };
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const mqc_subscription s[] = { { MQC_SPAN_LIT("good"), 0 }, { bad[i], 0 } };
        const mqc_span f[] = { MQC_SPAN_LIT("good"), bad[i] };
        assert_int_equal(mqc_subscribe(&r.e, s, 2, NULL), MQC_ERR_ARG);
        assert_int_equal(mqc_unsubscribe(&r.e, f, 2, NULL), MQC_ERR_ARG);
        assert_int_equal(mqc_subscribe(&r.e, s, 0, NULL), MQC_ERR_ARG);
        assert_int_equal(mqc_unsubscribe(&r.e, f, 0, NULL), MQC_ERR_ARG);
    }
    rig_send_all(&r);

    assert_int_equal(r.sent_len, 0);
    rig_deinit(&r);
}

/* One filter more than a 16-bit counter can hold. */
static void more_filters_than_can_be_counted_are_refused(void **state)
{
    (void)state;
    static mqc_subscription subs[UINT16_MAX + 1];
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    for (size_t i = 0; i <= UINT16_MAX; i++) {
        subs[i] = (mqc_subscription){ MQC_SPAN_LIT("f"), 0 };
    }

    assert_int_equal(mqc_subscribe(&r.e, subs, UINT16_MAX + 1, NULL), MQC_ERR_ARG);
    assert_int_equal(mqc_subscribe(&r.e, subs, UINT16_MAX, NULL), MQC_ERR_TOO_BIG);
    rig_deinit(&r);
}

static void requests_need_a_connection_and_name_the_error_that_ended_it(void **state)
{
    (void)state;
    const mqc_subscription s = { MQC_SPAN_LIT("good"), 0 };
    const mqc_span f = MQC_SPAN_LIT("good");
    rig r;
    rig_init(&r, NULL);
    assert_int_equal(mqc_subscribe(&r.e, &s, 1, NULL), MQC_ERR_STATE);
    assert_int_equal(mqc_unsubscribe(&r.e, &f, 1, NULL), MQC_ERR_STATE);
    rig_connect(&r, true, false);

    /* No packet begins with this byte. */
    assert_int_equal(RIG_FEED(&r, 0x00, 0), MQC_ERR_MALFORMED);

    assert_int_equal(mqc_subscribe(&r.e, &s, 1, NULL), MQC_ERR_MALFORMED);
    assert_int_equal(mqc_unsubscribe(&r.e, &f, 1, NULL), MQC_ERR_MALFORMED);
    rig_deinit(&r);
}

/* A filter for which the packet is as large as the control area, or one byte larger. */
static void a_request_may_fill_the_control_area(void **state)
{
    (void)state;
    uint8_t filter[128];
    memset(filter, 'f', sizeof filter);

    for (size_t control = 32; control < 120; control++) {
        for (size_t more = 0; more < 2; more++) {
            const rig_sizes sizes = { .control = control };
            const mqc_subscription s = { { filter, control + more - 7 }, 1 };
            const mqc_span f = { filter, control + more - 6 };
            rig r;
            rig_init(&r, &sizes);
            rig_connect(&r, true, false);

            assert_int_equal(mqc_subscribe(&r.e, &s, 1, NULL), more ? MQC_ERR_TOO_BIG : MQC_OK);
            assert_int_equal(mqc_subscribe(&r.e, &s, 1, NULL),
                             more ? MQC_ERR_TOO_BIG : MQC_ERR_NO_SPACE);
            rig_send_all(&r);
            assert_int_equal(r.sent_len, more ? 0 : control);
            assert_int_equal(mqc_unsubscribe(&r.e, &f, 1, NULL), more ? MQC_ERR_TOO_BIG : MQC_OK);
            rig_deinit(&r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_carries_what_is_given_and_nothing_else),
        cmocka_unit_test(a_connect_that_breaks_a_rule_is_refused),
        cmocka_unit_test(a_connection_has_one_connect),
        cmocka_unit_test(requests_that_break_a_rule_are_refused),
        cmocka_unit_test(more_filters_than_can_be_counted_are_refused),
        cmocka_unit_test(requests_need_a_connection_and_name_the_error_that_ended_it),
        cmocka_unit_test(a_request_may_fill_the_control_area),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
