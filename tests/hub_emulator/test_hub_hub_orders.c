/* Tests the orders that the hub sends to the TLS front. */

#include "hub/hub_orders.h"
#include "hub_fixture.h"

static void expect(const hub_note *note, uint64_t number, hub_note_kind kind, uint32_t value,
                   uint64_t count)
{
    assert_int_equal(note->number, number);
    assert_int_equal(note->kind, kind);
    assert_int_equal(note->value, value);
    assert_int_equal(note->count, count);
}

static void an_order_reaches_the_connection_of_its_device(void **state)
{
    hub_fixture *f = *state;
    char keys[2];

    assert_int_equal(hub_order_identity(&f->hub, fixture_device(f, "device1"), HUB_NOTE_DELAY, 9),
                     0);
    assert_int_equal(f->order_count, 0);
    assert_int_equal(fixture_connect(f, &keys[0], "device1", true), HUB_OK);
    assert_int_equal(hub_order_identity(&f->hub, fixture_device(f, "device1"), HUB_NOTE_DELAY, 9),
                     1);
    expect(&f->orders[0], 1, HUB_NOTE_DELAY, 9, 0);
    hub_disconnected(&f->hub, &keys[0]);
    assert_int_equal(fixture_connect(f, &keys[1], "device1", true), HUB_OK);
    (void)hub_order_identity(&f->hub, fixture_device(f, "device1"), HUB_NOTE_DROP, HUB_DROP_RESET);
    expect(&f->orders[1], 2, HUB_NOTE_DROP, HUB_DROP_RESET, 0);
}

static void an_order_may_be_for_a_number_or_for_the_next_connections(void **state)
{
    hub_fixture *f = *state;

    hub_order(&f->hub, 77, HUB_NOTE_REFUSED, 3);
    hub_order_next(&f->hub, HUB_NOTE_REFUSE_UPGRADES, 503, 2);
    assert_int_equal(f->order_count, 2);
    expect(&f->orders[0], 77, HUB_NOTE_REFUSED, 3, 0);
    expect(&f->orders[1], 0, HUB_NOTE_REFUSE_UPGRADES, 503, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_order_reaches_the_connection_of_its_device,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_order_may_be_for_a_number_or_for_the_next_connections,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
