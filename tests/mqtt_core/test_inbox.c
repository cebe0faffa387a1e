#include "inbox.h"
#include "rig.h"

/* Tests of the inbox, the table of messages that were delivered to the application. */

enum { CAP = 6 };

typedef struct table {
    mqc_inbound memory[CAP];
    mqc_inbox b;
} table;

static void begin(table *t)
{
    memset(t, 0, sizeof *t);
    mqc_inbox_init(&t->b, t->memory, CAP);
}

/* Returns all answers that are due as text, for example "PUBACK 1, PUBREC 2". */
static const char *answers(mqc_inbox *b)
{
    static char text[200];
    size_t len = 0;

    text[0] = '\0';
    while (mqc_inbox_due(b)) {
        uint16_t id;
        const char *name = mqc_packet_name(mqc_inbox_answer(b, &id));
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %u", len > 0 ? ", " : "", name,
                                id);
        assert_true(len < sizeof text);
    }
    return text;
}

/* Tries every start index of the table and every order of the acknowledgements. */
static void answers_keep_the_order_of_the_messages(void **state)
{
    (void)state;
    static const uint16_t orders[][3] = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 },
                                          { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 } };

    for (size_t head = 0; head < CAP; head++) {
        for (size_t o = 0; o < COUNT_OF(orders); o++) {
            table t;
            begin(&t);
            t.b.head = (uint32_t)head;
            mqc_inbox_add(&t.b, 1, 1);
            mqc_inbox_add(&t.b, 2, 2);
            mqc_inbox_add(&t.b, 3, 1);
            for (size_t i = 0; i < 3; i++) {
                assert_true(mqc_inbox_ack(&t.b, orders[o][i]));
                assert_false(mqc_inbox_ack(&t.b, orders[o][i]));
            }
            assert_string_equal(answers(&t.b), "PUBACK 1, PUBREC 2, PUBACK 3");
            assert_int_equal(t.b.count, 1); /* message 2 still waits for its PUBREL */
            assert_int_equal(mqc_inbox_release(&t.b, 2), MQC_INBOX_RELEASED);
            assert_string_equal(answers(&t.b), "PUBCOMP 2");
            assert_int_equal(t.b.count, 0);
        }
    }
}

static void a_release_is_refused_before_the_application_is_done(void **state)
{
    (void)state;
    table t;
    begin(&t);
    mqc_inbox_add(&t.b, 9, 2);

    assert_int_equal(mqc_inbox_release(&t.b, 9), MQC_INBOX_PREMATURE);
    assert_int_equal(mqc_inbox_release(&t.b, 8), MQC_INBOX_UNKNOWN);
    assert_true(mqc_inbox_ack(&t.b, 9));
    /* PUBREL arrives before PUBREC was encoded. */
    assert_int_equal(mqc_inbox_release(&t.b, 9), MQC_INBOX_RELEASED);
    assert_int_equal(mqc_inbox_release(&t.b, 9), MQC_INBOX_UNKNOWN);
    assert_string_equal(answers(&t.b), "PUBCOMP 9");
}

/* The server sends a message again on a new connection. The answer is repeated, but the message
 * is not delivered again. */
static void a_repeated_message_is_answered_behind_those_that_came_before(void **state)
{
    (void)state;
    table t;
    begin(&t);
    mqc_inbox_add(&t.b, 1, 2);
    mqc_inbox_add(&t.b, 2, 2);
    assert_true(mqc_inbox_ack(&t.b, 1));
    assert_true(mqc_inbox_ack(&t.b, 2));
    assert_string_equal(answers(&t.b), "PUBREC 1, PUBREC 2");

    assert_false(mqc_inbox_repeated(&t.b, 3));
    assert_true(mqc_inbox_repeated(&t.b, 2));
    assert_true(mqc_inbox_repeated(&t.b, 1));
    /* A second repetition does not queue a second answer. */
    assert_true(mqc_inbox_repeated(&t.b, 1));

    assert_string_equal(answers(&t.b), "PUBREC 2, PUBREC 1");
    assert_int_equal(t.b.count, 2);
}

static void a_lost_connection_forgets_qos_1_and_a_lost_session_everything(void **state)
{
    (void)state;
    table t;
    begin(&t);
    mqc_inbox_add(&t.b, 1, 1);
    mqc_inbox_add(&t.b, 2, 2);
    mqc_inbox_add(&t.b, 3, 1);
    mqc_inbox_add(&t.b, 4, 2);
    assert_true(mqc_inbox_ack(&t.b, 1));

    mqc_inbox_rewind(&t.b);

    assert_int_equal(t.b.count, 2);
    assert_false(mqc_inbox_due(&t.b));
    assert_false(mqc_inbox_ack(&t.b, 3));
    assert_true(mqc_inbox_ack(&t.b, 4));
    assert_true(mqc_inbox_repeated(&t.b, 4));
    assert_string_equal(answers(&t.b), "PUBREC 4");
    mqc_inbox_clear(&t.b);
    assert_int_equal(t.b.count, 0);
    assert_false(mqc_inbox_repeated(&t.b, 2));
}

static void full_and_stuck_differ(void **state)
{
    (void)state;
    table t;
    begin(&t);
    for (uint16_t id = 1; id <= CAP; id++) {
        assert_false(mqc_inbox_full(&t.b));
        mqc_inbox_add(&t.b, id, 2);
        assert_true(mqc_inbox_ack(&t.b, id));
    }
    assert_true(mqc_inbox_full(&t.b));
    /* The inbox is not stuck, because PUBRECs can be encoded. */
    assert_false(mqc_inbox_stuck(&t.b));
    (void)answers(&t.b);
    assert_true(mqc_inbox_stuck(&t.b)); /* stuck: every entry waits for a PUBREL */
    assert_int_equal(mqc_inbox_release(&t.b, 3), MQC_INBOX_RELEASED);
    assert_false(mqc_inbox_stuck(&t.b));
    (void)answers(&t.b);
    assert_false(mqc_inbox_full(&t.b));
}

#ifndef NDEBUG
/* Message 1 is released, 2 is received, 3 is acknowledged, 4 is delivered and 5 is acknowledged
 * before 4. */
static void one_of_each(table *t)
{
    begin(t);
    for (uint16_t id = 1; id <= 5; id++) {
        mqc_inbox_add(&t->b, id, id <= 2 ? 2 : 1);
    }
    uint16_t id;
    assert_true(mqc_inbox_ack(&t->b, 1) && mqc_inbox_ack(&t->b, 2));
    (void)mqc_inbox_answer(&t->b, &id);
    (void)mqc_inbox_answer(&t->b, &id);
    assert_true(mqc_inbox_ack(&t->b, 3) && mqc_inbox_ack(&t->b, 5));
    assert_int_equal(mqc_inbox_release(&t->b, 1), MQC_INBOX_RELEASED);
}
#endif

static void the_check_sees_each_counter_that_is_wrong(void **state)
{
    (void)state;
#ifdef NDEBUG
    skip();
#else
    table t;
    one_of_each(&t);
    mqc_inbox b = t.b;
    assert_true(mqc_inbox_valid(&b));
    uint32_t *const counters[] = { &b.released, &b.received, &b.acked };

    for (size_t i = 0; i < COUNT_OF(counters); i++) {
        *counters[i] += 1;
        assert_false(mqc_inbox_valid(&b));
        *counters[i] -= 2;
        assert_int_equal(mqc_inbox_valid(&b), false);
        *counters[i] += 1;
    }
    b.head = CAP;
    assert_false(mqc_inbox_valid(&b));
    b.head = t.b.head;
    b.count = CAP + 1;
    assert_false(mqc_inbox_valid(&b));
    b.count = 2;
    assert_false(mqc_inbox_valid(&b));
    b.count = t.b.count;
    t.memory[3].acked = true; /* wrong: 4 counts as acknowledged, so nothing would hold back 5 */
    assert_false(mqc_inbox_valid(&b));
    t.memory[3].acked = false;
    t.memory[4].qos = 3;
    assert_false(mqc_inbox_valid(&b));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_keep_the_order_of_the_messages),
        cmocka_unit_test(a_release_is_refused_before_the_application_is_done),
        cmocka_unit_test(a_repeated_message_is_answered_behind_those_that_came_before),
        cmocka_unit_test(a_lost_connection_forgets_qos_1_and_a_lost_session_everything),
        cmocka_unit_test(full_and_stuck_differ),
        cmocka_unit_test(the_check_sees_each_counter_that_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
