#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "hub/outgoing.h"

static void add(hub_outgoing *o, int number)
{
    char payload[16];
    const int len = snprintf(payload, sizeof payload, "%d", number);

    hub_outgoing_add(o, hub_format("topic/%d", number), payload, (size_t)len);
}

static void expect(hub_outgoing *o, int number)
{
    char topic[16];
    char payload[16];
    (void)snprintf(topic, sizeof topic, "topic/%d", number);
    const int len = snprintf(payload, sizeof payload, "%d", number);

    hub_outgoing_item *item = hub_outgoing_take(o);
    assert_non_null(item);
    assert_string_equal(item->topic, topic);
    assert_int_equal(item->len, len);
    assert_memory_equal(item->payload, payload, item->len);
    hub_outgoing_item_free(item);
}

static void publishes_leave_in_the_order_in_which_they_were_queued(void **state)
{
    hub_outgoing o = { 0 };
    int queued = 0;
    int taken = 0;
    (void)state;

    assert_null(hub_outgoing_take(&o));
    for (int round = 1; round <= 4; round++) {
        for (int i = 0; i < round; i++) {
            add(&o, queued++);
        }
        for (int i = 0; i < round - (round == 3 ? 1 : 0); i++) {
            expect(&o, taken++);
        }
    }
    expect(&o, taken++);
    assert_int_equal(taken, queued);
    assert_null(hub_outgoing_take(&o));
}

static void what_waits_is_dropped_with_the_queue(void **state)
{
    hub_outgoing o = { 0 };
    (void)state;

    hub_outgoing_free(&o);
    add(&o, 1);
    add(&o, 2);
    hub_outgoing_free(&o);
    assert_null(hub_outgoing_take(&o));
    add(&o, 3);
    expect(&o, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishes_leave_in_the_order_in_which_they_were_queued),
        cmocka_unit_test(what_waits_is_dropped_with_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
