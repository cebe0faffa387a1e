#include "control.h"
#include "rig.h"

/* Tests of the queue of encoded control packets. */

static void put(mqc_control *c, uint8_t value, size_t n)
{
    uint8_t *p = mqc_control_reserve(c, n);

    assert_non_null(p);
    memset(p, value, n);
}

static void what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t cap = 1; cap < 20; cap++) {
        uint8_t *memory = malloc(cap);
        mqc_control c = { 0 };
        mqc_control_init(&c, memory, cap);

        assert_null(mqc_control_reserve(&c, cap + 1));
        put(&c, 1, cap);
        assert_null(mqc_control_reserve(&c, 1));
        assert_int_equal(mqc_control_pending(&c), cap);
        free(memory);
    }
}

/* Two packets are queued; the stream has accepted any number of bytes of the first. */
static void what_is_queued_moves_to_the_start_when_the_end_has_no_room(void **state)
{
    (void)state;
    for (size_t consumed = 1; consumed < 6; consumed++) {
        uint8_t memory[8];
        mqc_control c = { 0 };
        mqc_control_init(&c, memory, sizeof memory);
        put(&c, 0xA, 6);
        mqc_control_consume(&c, consumed);
        assert_int_equal(mqc_control_pending(&c), 6 - consumed);

        put(&c, 0xB, 2 + consumed);

        assert_null(mqc_control_reserve(&c, 1));
        assert_int_equal(mqc_control_pending(&c), sizeof memory);
        for (size_t i = 0; i < sizeof memory; i++) {
            assert_int_equal(c.buf[c.start + i], i < 6 - consumed ? 0xA : 0xB);
        }
    }
}

static void an_emptied_queue_starts_at_its_memory(void **state)
{
    (void)state;
    uint8_t memory[8];
    mqc_control c = { 0 };
    mqc_control_init(&c, memory, sizeof memory);

    for (size_t more = 0; more < 3; more++) {
        put(&c, 1, 5);
        mqc_control_consume(&c, 5 + more);
        assert_int_equal(mqc_control_pending(&c), 0);
        assert_ptr_equal(mqc_control_reserve(&c, 8), memory);
        mqc_control_clear(&c);
        assert_int_equal(mqc_control_pending(&c), 0);
    }
}

static void the_check_sees_what_is_out_of_order(void **state)
{
    (void)state;
#ifdef NDEBUG
    skip();
#else
    uint8_t memory[8];
    static const struct {
        size_t start, end;
        bool valid;
    } cases[] = { { 0, 0, true },  { 0, 8, true },  { 7, 8, true }, { 0, 9, false },
                  { 3, 3, false }, { 5, 4, false }, { 8, 8, false } };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        mqc_control c = { memory, sizeof memory, cases[i].start, cases[i].end };
        assert_int_equal(mqc_control_valid(&c), cases[i].valid);
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_refused_and_changes_nothing),
        cmocka_unit_test(what_is_queued_moves_to_the_start_when_the_end_has_no_room),
        cmocka_unit_test(an_emptied_queue_starts_at_its_memory),
        cmocka_unit_test(the_check_sees_what_is_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
