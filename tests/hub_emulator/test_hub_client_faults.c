/* Tests the faults of one connection: bytes that are late, and cuts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/client_faults.h"

#define PUBLISH "\x30\x05\0\1abc"
#define PUBACK1 "\x40\x02\0\1"
#define PUBACK2 "\x40\x02\0\2"
#define PING    "\xD0\0"

static hub_client_faults *faults;
static hub_text out;

static int start(void **state)
{
    const hub_packet_watch position = { 0 };

    (void)state;
    faults = hub_client_faults_new(&position);
    hub_text_str(&out, "");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    hub_client_faults_free(faults);
    hub_text_free(&out);
    return 0;
}

static void order(hub_note_kind kind, uint32_t value)
{
    const hub_note note = { .number = 1, .kind = kind, .value = value };

    hub_client_faults_order(faults, &note);
}

/* Takes the bytes of a literal, without its NUL. */
#define TAKE(bytes, now_ms) \
    hub_client_faults_take(faults, (const uint8_t *)(bytes), sizeof(bytes) - 1, now_ms)
#define EXPECT(now_ms, bytes) expect(now_ms, bytes, sizeof(bytes) - 1)

static void expect(int64_t now_ms, const char *bytes, size_t len)
{
    hub_text_cut(&out, 0);
    hub_client_faults_release(faults, now_ms, &out);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.p, bytes, len);
}

static void without_an_order_bytes_pass_at_once(void **state)
{
    (void)state;
    assert_true(hub_client_faults_due(faults) == HUB_CLIENT_FAULTS_NEVER);
    TAKE(PUBLISH PUBACK1 PING, 5);
    EXPECT(5, PUBLISH PUBACK1 PING);
    assert_int_equal(hub_client_faults_held(faults), 0);
    assert_int_equal(hub_client_faults_from_device(faults, 1000), 1000);
    assert_false(hub_client_faults_is_cut(faults));
}

static void a_delay_keeps_the_order_of_everything(void **state)
{
    (void)state;
    order(HUB_NOTE_DELAY, 100);
    TAKE(PUBLISH PUBACK1, 0);
    TAKE(PING, 10);
    assert_int_equal(hub_client_faults_held(faults), sizeof(PUBLISH PUBACK1 PING) - 1);
    assert_int_equal(hub_client_faults_due(faults), 100);
    EXPECT(99, "");
    EXPECT(100, PUBLISH PUBACK1);
    assert_int_equal(hub_client_faults_due(faults), 110);
    order(HUB_NOTE_DELAY, 0);
    TAKE(PUBLISH, 20);
    EXPECT(20, "");
    EXPECT(110, PING PUBLISH);
}

static void other_packets_overtake_a_late_puback(void **state)
{
    (void)state;
    order(HUB_NOTE_DELAY_PUBACKS, 50);
    TAKE(PUBACK1 PUBLISH PUBACK2 PING, 0);
    EXPECT(0, PUBLISH PING);
    assert_int_equal(hub_client_faults_held(faults), 8);
    assert_int_equal(hub_client_faults_due(faults), 50);
    EXPECT(49, "");
    EXPECT(50, PUBACK1 PUBACK2);
    order(HUB_NOTE_DELAY_PUBACKS, 0);
    TAKE(PUBACK1, 60);
    EXPECT(60, PUBACK1);
}

static void the_longer_delay_counts_for_a_puback(void **state)
{
    (void)state;
    order(HUB_NOTE_DELAY, 100);
    order(HUB_NOTE_DELAY_PUBACKS, 50);
    TAKE(PUBACK1 PING, 0);
    EXPECT(99, "");
    EXPECT(100, PUBACK1 PING);
}

/* Repeats the test for each cut of the bytes, whatever is released between the two parts. */
static void a_late_puback_never_stands_within_another_packet(void **state)
{
    static const uint8_t bytes[] = PUBACK1 PUBLISH PUBACK2;
    const size_t len = sizeof bytes - 1;

    (void)state;
    for (size_t cut = 0; cut <= len; cut++) {
        hub_text_cut(&out, 0);
        order(HUB_NOTE_DELAY_PUBACKS, 10);
        hub_client_faults_take(faults, bytes, cut, 0);
        hub_client_faults_release(faults, 0, &out);
        hub_client_faults_release(faults, 10, &out);
        if (cut > 4 && cut < 4 + sizeof PUBLISH - 1) {
            assert_true(hub_client_faults_due(faults) == HUB_CLIENT_FAULTS_NEVER);
        }
        hub_client_faults_take(faults, bytes + cut, len - cut, 10);
        hub_client_faults_release(faults, 10, &out);
        hub_client_faults_release(faults, 20, &out);
        assert_int_equal(hub_client_faults_held(faults), 0);
        assert_int_equal(out.len, len);
        const uint8_t *seen = (const uint8_t *)out.p;
        const bool publish_first = seen[0] == 0x30;
        assert_memory_equal(seen + (publish_first ? 0 : 4), PUBLISH, sizeof PUBLISH - 1);
        assert_memory_equal(seen + (publish_first ? sizeof PUBLISH - 1 : 0), PUBACK1, 4);
        assert_memory_equal(seen + len - 4, PUBACK2, 4);
    }
}

static void faults_may_begin_within_a_packet(void **state)
{
    hub_packet_watch position = { 0 };
    hub_packet packet;

    (void)state;
    hub_client_faults_free(faults);
    (void)hub_packet_watch_next(&position, (const uint8_t *)PUBLISH, 5, &packet);
    faults = hub_client_faults_new(&position);
    order(HUB_NOTE_DELAY_PUBACKS, 50);
    TAKE("\x40\x02" PUBACK1, 0); /* the end of the PUBLISH looks like a PUBACK */
    EXPECT(0, "\x40\x02");
    EXPECT(50, PUBACK1);
}

static void a_cut_lets_exactly_its_bytes_pass(void **state)
{
    (void)state;
    order(HUB_NOTE_CUT_TO_DEVICE, 9);
    TAKE(PUBLISH, 0);
    EXPECT(0, PUBLISH);
    assert_false(hub_client_faults_is_cut(faults));
    TAKE(PUBACK1, 0);
    EXPECT(0, "\x40\x02");
    assert_true(hub_client_faults_is_cut(faults));
    TAKE(PING, 0);
    EXPECT(0, "");
}

static void a_cut_from_the_device_lets_exactly_its_bytes_pass(void **state)
{
    (void)state;
    order(HUB_NOTE_CUT_FROM_DEVICE, 10);
    assert_int_equal(hub_client_faults_from_device(faults, 7), 7);
    assert_false(hub_client_faults_is_cut(faults));
    assert_int_equal(hub_client_faults_from_device(faults, 7), 3);
    assert_true(hub_client_faults_is_cut(faults));
    assert_int_equal(hub_client_faults_from_device(faults, 7), 0);
}

static void a_cut_after_no_byte_is_one_at_once(void **state)
{
    (void)state;
    order(HUB_NOTE_CUT_TO_DEVICE, 0);
    assert_true(hub_client_faults_is_cut(faults));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_an_order_bytes_pass_at_once),
        TEST(a_delay_keeps_the_order_of_everything),
        TEST(other_packets_overtake_a_late_puback),
        TEST(the_longer_delay_counts_for_a_puback),
        TEST(a_late_puback_never_stands_within_another_packet),
        TEST(faults_may_begin_within_a_packet),
        TEST(a_cut_lets_exactly_its_bytes_pass),
        TEST(a_cut_from_the_device_lets_exactly_its_bytes_pass),
        TEST(a_cut_after_no_byte_is_one_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
