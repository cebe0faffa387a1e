#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "provisioning/room.h"

static void parts_are_aligned_inside_the_memory_and_do_not_overlap(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 16; shift++) {
        uint8_t *memory = malloc(256 + shift);
        dps_room room;
        dps_room_init(&room, memory + shift, 256);
        uint8_t *end = memory + shift;
        for (size_t len = 1; len < 40; len += 7) {
            uint8_t *part = dps_room_cut(&room, len);
            assert_non_null(part);
            assert_int_equal((uintptr_t)part % 16, 0);
            assert_true(part >= end);
            end = part + len;
            assert_true(end <= memory + shift + 256);
        }
        free(memory);
    }
}

static void what_does_not_fit_is_counted_and_that_much_is_enough(void **state)
{
    dps_room room;
    (void)state;

    dps_room_init(&room, NULL, 0);
    assert_null(dps_room_cut(&room, 100));
    assert_null(dps_room_cut(&room, 1));
    const size_t needed = room.needed;
    for (size_t shift = 0; shift < 16; shift++) {
        uint8_t *memory = malloc(needed + shift);
        dps_room_init(&room, memory + shift, needed);
        assert_non_null(dps_room_cut(&room, 100));
        assert_non_null(dps_room_cut(&room, 1));
        free(memory);
    }
}

static void after_a_part_that_does_not_fit_none_fits(void **state)
{
    uint8_t memory[64];
    dps_room room;
    (void)state;

    dps_room_init(&room, memory, sizeof memory);
    assert_null(dps_room_cut(&room, 100));
    assert_null(dps_room_cut(&room, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_aligned_inside_the_memory_and_do_not_overlap),
        cmocka_unit_test(what_does_not_fit_is_counted_and_that_much_is_enough),
        cmocka_unit_test(after_a_part_that_does_not_fit_none_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
