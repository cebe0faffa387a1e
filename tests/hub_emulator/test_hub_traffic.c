/* Tests what the front reports to the hub about packets, and what it changes in them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "front/traffic.h"
#include "hub/note.h"

#define NUMBER   42
#define CONNACK  "\x20\x02\x00\x00"
#define REFUSED  "\x20\x02\x00\x05"
#define PUBLISH1 "\x32\x07\0\2ab\0\x07x"
#define PUBACK   "\x40\x02\0\x09"
#define SYSTEM   "\x30\x06\0\4$SYS"

static int pair[2];
static hub_traffic traffic;

static int start(void **state)
{
    (void)state;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) {
        return -1;
    }
    hub_traffic_init(&traffic, NUMBER, pair[0]);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    (void)close(pair[0]);
    (void)close(pair[1]);
    return 0;
}

static void expect_note(hub_note_kind kind, uint32_t value)
{
    hub_note note;

    assert_int_equal(recv(pair[1], &note, sizeof note, MSG_DONTWAIT), sizeof note);
    assert_int_equal(note.number, NUMBER);
    assert_int_equal(note.kind, kind);
    assert_int_equal(note.value, value);
}

static void expect_silence(void)
{
    hub_note note;

    assert_int_equal(recv(pair[1], &note, sizeof note, MSG_DONTWAIT), -1);
}

static void the_hub_learns_of_messages_and_acknowledgements(void **state)
{
    uint8_t from_broker[] = CONNACK PUBLISH1 PUBACK;
    const uint8_t from_device[] = PUBACK PUBLISH1;

    (void)state;
    hub_traffic_from_broker(&traffic, from_broker, sizeof from_broker - 1);
    expect_note(HUB_NOTE_SENT, 7);
    expect_silence();
    assert_int_equal(hub_traffic_from_device(&traffic, from_device, sizeof from_device - 1),
                     sizeof from_device - 1);
    expect_note(HUB_NOTE_ACKNOWLEDGED, 9);
    expect_silence();
}

static void nothing_passes_after_a_topic_below_sys(void **state)
{
    const uint8_t bytes[] = PUBACK SYSTEM PUBACK;

    (void)state;
    assert_false(hub_traffic_is_forbidden(&traffic));
    assert_int_equal(hub_traffic_from_device(&traffic, bytes, sizeof bytes - 1),
                     sizeof(PUBACK SYSTEM) - 1);
    assert_true(hub_traffic_is_forbidden(&traffic));
    expect_note(HUB_NOTE_ACKNOWLEDGED, 9);
    expect_silence();
}

/* Repeats the test for each cut of the CONNACK. */
static void a_refusal_gets_the_code_of_the_hub(void **state)
{
    static const struct {
        uint8_t code;
        const char *sent;
        const char *seen;
    } cases[] = {
        { 0, REFUSED, REFUSED },
        { 3, REFUSED, "\x20\x02\x00\x03" },
        { 3, CONNACK, CONNACK },
    };

    (void)state;
    for (size_t i = 0; i < 3 * 5; i++) {
        const size_t cut = i % 5;
        uint8_t bytes[6] = "";
        memcpy(bytes, cases[i / 5].sent, 4);
        hub_traffic_init(&traffic, NUMBER, pair[0]);
        if (cases[i / 5].code != 0) {
            hub_traffic_refuse(&traffic, cases[i / 5].code);
        }
        hub_traffic_from_broker(&traffic, bytes, cut);
        assert_int_equal(hub_traffic_is_answered(&traffic), cut == 4);
        hub_traffic_from_broker(&traffic, bytes + cut, 4 - cut);
        assert_true(hub_traffic_is_answered(&traffic));
        assert_memory_equal(bytes, cases[i / 5].seen, 4);
    }
}

static void without_a_hub_bytes_pass_as_well(void **state)
{
    const uint8_t bytes[] = PUBACK;

    (void)state;
    hub_traffic_init(&traffic, NUMBER, -1);
    assert_int_equal(hub_traffic_from_device(&traffic, bytes, 4), 4);
    expect_silence();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_hub_learns_of_messages_and_acknowledgements, start,
                                        stop),
        cmocka_unit_test_setup_teardown(nothing_passes_after_a_topic_below_sys, start, stop),
        cmocka_unit_test_setup_teardown(a_refusal_gets_the_code_of_the_hub, start, stop),
        cmocka_unit_test_setup_teardown(without_a_hub_bytes_pass_as_well, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
