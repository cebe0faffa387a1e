#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drive/reading.h"

/* Tests which turns read, with the struct of that part only. */

static void sixteen_turns_may_only_send_before_one_must_read(void **state)
{
    (void)state;
    iothub_reading r = { .full = false };

    for (int times = 0; times < 3; times++) {
        for (unsigned turn = 0; turn < READING_UNREAD_TURNS_MAX; turn++) {
            assert_false(reading_is_wanted(&r));
            assert_false(reading_begin_turn(&r, false));
            assert_int_equal(r.unread_turns, turn + 1);
        }
        assert_true(reading_is_wanted(&r));
        assert_true(reading_begin_turn(&r, true));
        assert_int_equal(r.unread_turns, 0);
    }
}

static void a_turn_can_be_asked_to_read_at_any_time(void **state)
{
    (void)state;
    for (unsigned unread = 0; unread <= READING_UNREAD_TURNS_MAX; unread++) {
        iothub_reading r = { .unread_turns = (uint8_t)unread };
        reading_wants_turn(&r);
        assert_true(reading_is_wanted(&r));
        assert_true(reading_begin_turn(&r, true));
        assert_false(reading_is_wanted(&r));
    }
}

static void the_buffer_is_full_without_room_for_a_byte(void **state)
{
    (void)state;
    iothub_reading r = { .full = false };

    reading_note_room(&r, 0);
    assert_true(r.full);
    reading_note_room(&r, 1);
    assert_false(r.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_turns_may_only_send_before_one_must_read),
        cmocka_unit_test(a_turn_can_be_asked_to_read_at_any_time),
        cmocka_unit_test(the_buffer_is_full_without_room_for_a_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
