#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "telemetry/record.h"

enum { NOW = 50000, WALL = 1700000000 };

static char head[RECORD_STAMP_SIZE + 32];

/* Returns a message with this topic, whose bytes are where record_of expects them. */
static mqc_outgoing message(const char *topic, unsigned qos)
{
    const mqc_span t = mqc_span_str(topic);
    static int tagged;

    memcpy(head + RECORD_STAMP_SIZE, t.ptr, t.len);
    return (mqc_outgoing){ .topic = mqc_span_of(head + RECORD_STAMP_SIZE, t.len),
                           .payload = mqc_span_str("payload"),
                           .qos = (uint8_t)qos,
                           .id = 77,
                           .tag = &tagged };
}

static fake_clock clock_at(int64_t wall_s)
{
    fake_clock c;
    fake_clock_init(&c, NOW, wall_s);
    return c;
}

static void a_message_comes_back_from_its_record(void **state)
{
    (void)state;
    for (unsigned qos = 0; qos <= 1; qos++) {
        const mqc_outgoing m = message("devices/d/messages/events/", qos);
        const plat_store_record r = record_of(&m, 9000, head, WALL, NOW);
        const mqc_outgoing back = record_message(&r);

        assert_int_equal(r.id, 77);
        assert_int_equal(r.ttl_ms, 9000);
        assert_int_equal(r.stored_s, WALL);
        assert_ptr_equal(record_tag(&r), m.tag);
        assert_int_equal(back.qos, qos);
        assert_true(mqc_span_eq(back.topic, m.topic));
        assert_true(mqc_span_eq(back.payload, m.payload));
    }
}

/* Another program may have written such a record to the file. */
static void a_head_that_is_too_short_is_an_empty_topic(void **state)
{
    (void)state;
    for (size_t len = 0; len <= RECORD_STAMP_SIZE; len++) {
        const plat_store_record r = { .head = head, .head_len = len, .ttl_ms = 1000 };
        fake_clock c = clock_at(WALL);
        assert_int_equal(record_message(&r).topic.len, 0);
        assert_true(record_expiry(&r, true, &c.base, NOW) <= NOW + 1000);
    }
}

static void an_empty_payload_has_no_bytes(void **state)
{
    (void)state;
    const plat_store_record r = { .head = head, .head_len = 10, .body = "x", .body_len = 0 };

    assert_null(record_message(&r).payload.ptr);
    assert_int_equal(record_message(&r).payload.len, 0);
}

static void without_a_time_to_live_it_never_expires(void **state)
{
    (void)state;
    const mqc_outgoing m = message("t", 1);
    const plat_store_record r = record_of(&m, 0, head, WALL, NOW);
    fake_clock c = clock_at(WALL + 1000000);

    assert_int_equal(record_expiry(&r, true, &c.base, NOW + 1000000), 0);
    assert_int_equal(record_expiry(&r, false, &c.base, NOW), 0);
}

/* The result does not depend on the wall clock. */
static void in_the_run_that_stored_it_the_monotonic_clock_counts(void **state)
{
    (void)state;
    static const int64_t walls[] = { 0, 1, WALL - 1000, WALL, WALL + 1000000 };
    const mqc_outgoing m = message("t", 1);
    const plat_store_record r = record_of(&m, 5000, head, WALL, NOW);

    for (size_t i = 0; i < sizeof walls / sizeof walls[0]; i++) {
        fake_clock c = clock_at(walls[i]);
        assert_int_equal(record_expiry(&r, true, &c.base, NOW), NOW + 5000);
        assert_int_equal(record_expiry(&r, true, &c.base, NOW + 4999), NOW + 5000);
        assert_int_equal(record_expiry(&r, true, &c.base, NOW + 5000), NOW + 5000);
        assert_int_equal(record_expiry(&r, true, &c.base, NOW + 7000),
                         NOW + 7000); /* immediately */
    }
}

static void in_a_later_run_the_wall_clock_counts_to_the_second(void **state)
{
    (void)state;
    static const struct {
        int64_t stored_s, wall_s;
        uint64_t left_ms;
    } cases[] = {
        { WALL, WALL, 5000 },     { WALL, WALL + 1, 5000 }, /* less than a second may have passed */
        { WALL, WALL + 2, 4000 }, { WALL, WALL + 5, 1000 }, { WALL, WALL + 6, 0 },
        { WALL, WALL + 1000, 0 }, { WALL, WALL - 1, 5000 }, /* set back */
        { WALL, 0, 5000 },                                  /* unknown now, */
        { 0, WALL, 5000 }, /* the wall clock was unknown when the record was stored */
        { -5, WALL, 5000 },
    };
    const mqc_outgoing m = message("t", 1);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const plat_store_record r = record_of(&m, 5000, head, cases[i].stored_s, 999999999);
        fake_clock c = clock_at(cases[i].wall_s);
        assert_int_equal(record_expiry(&r, false, &c.base, NOW), NOW + cases[i].left_ms);
    }
}

/* Sets up a context whose topic lies before its scratch buffer. */
static void place_topic(iothub_context *context, char *memory, const char *topic, size_t scratch)
{
    memcpy(memory, topic, strlen(topic));
    memset(context, 0, sizeof *context);
    context_set_scratch(context, memory + strlen(topic), scratch, strlen(topic));
}

static void a_message_gets_the_topic_of_its_client(void **state)
{
    static const struct {
        const char *stored;
        const char *sent;
    } topics[] = {
        { "devices/old/messages/events/a=1", "devices/new1/messages/events/a=1" },
        { "devices/old/messages/events/", "devices/new1/messages/events/" },
        { "devices/new1/messages/events/a=1", "devices/new1/messages/events/a=1" },
        { "devices/new12/messages/events/a=1", "devices/new1/messages/events/a=1" },
        { "something/else", "something/else" },
        { "devices/old", "devices/old" },
    };
    iothub_context context;
    char memory[64];
    (void)state;

    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        mqc_outgoing m = { .topic = mqc_span_str(topics[i].stored) };
        place_topic(&context, memory, "devices/new1/messages/events/", 8);
        assert_true(record_readdress(&context, &m));
        assert_true(mqc_span_eq(m.topic, mqc_span_str(topics[i].sent)));
    }
    mqc_outgoing large = { .topic = MQC_SPAN_LIT("devices/old/messages/events/a=1234567") };
    place_topic(&context, memory, "devices/new1/messages/events/", 8);
    assert_false(record_readdress(&context, &large));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back_from_its_record),
        cmocka_unit_test(a_head_that_is_too_short_is_an_empty_topic),
        cmocka_unit_test(an_empty_payload_has_no_bytes),
        cmocka_unit_test(without_a_time_to_live_it_never_expires),
        cmocka_unit_test(in_the_run_that_stored_it_the_monotonic_clock_counts),
        cmocka_unit_test(in_a_later_run_the_wall_clock_counts_to_the_second),
        cmocka_unit_test(a_message_gets_the_topic_of_its_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
