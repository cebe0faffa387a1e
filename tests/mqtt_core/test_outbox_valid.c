#include "outbox_entry.h"
#include "outbox_valid.h"
#include "rig.h"

/* Tests that the valid check of a lane detects each member that is wrong. */

#ifndef NDEBUG

/* Makes a lane with an entry in each state: dropped, in flight, partly sent, granted and queued. */
static void busy_lane(rig *r)
{
    const rig_sizes sizes = { .lanes = { { .window = 5 } } };
    size_t len;

    rig_init(r, &sizes);
    rig_connect(r, true, false);
    for (uint32_t id = 1; id <= 3; id++) {
        (void)rig_publish(r, 0, 1, id, 10);
    }
    rig_send_all(r);
    assert_int_equal(RIG_FEED(r, 0x40, 2, 0, 2), MQC_OK);
    (void)rig_publish(r, 0, 2, 4, 10);
    rig_send_all(r);
    assert_int_equal(RIG_FEED(r, 0x50, 2, 0, 4), MQC_OK);
    for (uint32_t id = 5; id <= 9; id++) {
        assert_int_equal(rig_queue(r, id, 1, false, 5000), MQC_OK);
    }
    assert_int_equal(mqc_drop(&r->e, 0, NULL), MQC_OK);
    (void)rig_send(r, 4); /* PUBREL */
    (void)rig_send(r, 3); /* sends the first three bytes of a PUBLISH */
    (void)mqc_tx_data(&r->e, &len);
    assert_true(len > 0);
}

static void a_busy_lane_is_valid(void **state)
{
    (void)state;
    rig r;
    busy_lane(&r);
    const mqc_outbox *o = &r.e.lanes[0];

    assert_true(mqc_outbox_valid(o));
    assert_true(o->send > 0 && o->send_done > 0 && o->offered > 0 && o->grant < o->count);
    assert_true(o->window.in_flight > 1 && o->window.used > o->window.in_flight &&
                o->unreported == 1);
    rig_deinit(&r);
}

#define BROKEN(member, delta)                                 \
    do {                                                      \
        mqc_outbox b = *o;                                    \
        b.member += (__typeof__(b.member))(delta);            \
        if (mqc_outbox_valid(&b)) {                           \
            fail_msg("%s %+d is not seen", #member, (delta)); \
        }                                                     \
    } while (0)

static void each_counter_that_is_wrong_is_seen(void **state)
{
    (void)state;
    rig r;
    busy_lane(&r);
    const mqc_outbox *o = &r.e.lanes[0];

    for (int delta = -1; delta <= 1; delta += 2) {
        BROKEN(ring_head, delta);
        BROKEN(ring_used, delta);
        BROKEN(count, delta);
        BROKEN(send, delta);
        BROKEN(send_done, delta);
        BROKEN(send_at, delta);
        BROKEN(granted_bytes, delta);
        BROKEN(grant, delta);
        BROKEN(recent_at, delta);
        BROKEN(unreported, delta);
        BROKEN(live, delta);
        BROKEN(window.in_flight, delta);
        BROKEN(window.used, delta);
    }
    BROKEN(head, 1);
    BROKEN(freed, 1);
    BROKEN(offered, 1000);
    BROKEN(undroppable, 100);
    BROKEN(entries_len, -(int)(o->entries_len - o->count + 1));
    BROKEN(window.resume_at, o->window.size);
    BROKEN(expiry.next, 5001 - (int)o->expiry.next);
    rig_deinit(&r);
}

static void what_the_list_of_ended_entries_lacks_is_seen(void **state)
{
    (void)state;
    rig r;
    busy_lane(&r);
    mqc_outbox o = r.e.lanes[0];

    assert_int_equal(mqc_drop(&r.e, 0, NULL), MQC_OK);
    o = r.e.lanes[0];
    assert_int_equal(o.unreported, 2);
    assert_true(mqc_outbox_valid(&o));
    mqc_entry *second = o.ended->u.behind;
    o.ended = second;
    assert_false(mqc_outbox_valid(&o));
    o.ended = NULL;
    assert_false(mqc_outbox_valid(&o));
    o = r.e.lanes[0];
    o.recent = NULL;
    assert_true(mqc_outbox_valid(&o)); /* this member is only a hint, so a wrong value is allowed */
    o.recent = o.entries + o.head;
    assert_false(mqc_outbox_valid(&o));
    rig_deinit(&r);
}

static void an_entry_that_mqc_drop_overlooks_is_seen(void **state)
{
    (void)state;
    rig r;
    busy_lane(&r);
    mqc_outbox o = r.e.lanes[0];

    o.undroppable = o.count;
    assert_false(mqc_outbox_valid(&o));
    rig_deinit(&r);
}

static void a_deadline_without_a_stop_is_seen(void **state)
{
    (void)state;
    rig r;
    busy_lane(&r);
    mqc_outbox o = r.e.lanes[0];

    o.window.stopped = false;
    o.window.go_on_at = 1;
    assert_false(mqc_outbox_valid(&o));
    rig_deinit(&r);
}

/* Between two connections the counters of messages in flight are all zero. */
static void the_counters_rest_between_connections(void **state)
{
    (void)state;
    rig r;
    busy_lane(&r);
    mqc_reset(&r.e);
    mqc_outbox o = r.e.lanes[0];

    assert_true(mqc_outbox_valid(&o));
    assert_int_equal(o.window.used, 0);
    o.window.in_flight = 1;
    o.window.used = 1;
    assert_true(mqc_outbox_valid(&o)); /* the QoS 2 publish whose PUBREC has arrived */
    o.window.in_flight = 0;
    assert_false(mqc_outbox_valid(&o));
    rig_deinit(&r);
}

#define TESTS                                                                                     \
    cmocka_unit_test(a_busy_lane_is_valid), cmocka_unit_test(each_counter_that_is_wrong_is_seen), \
        cmocka_unit_test(what_the_list_of_ended_entries_lacks_is_seen),                           \
        cmocka_unit_test(an_entry_that_mqc_drop_overlooks_is_seen),                               \
        cmocka_unit_test(a_deadline_without_a_stop_is_seen),                                      \
        cmocka_unit_test(the_counters_rest_between_connections)

#else

static void this_build_leaves_the_check_out(void **state)
{
    (void)state;
    skip();
}

#define TESTS cmocka_unit_test(this_build_leaves_the_check_out)

#endif

int main(void)
{
    const struct CMUnitTest tests[] = { TESTS };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
