#include "outbox_find.h"
#include "rig.h"

/* Tests the search for entries of a lane. */

/* Publishes messages with ids 1 to 6 on a lane whose table begins at index head. */
static void begin(rig *r, size_t head)
{
    const rig_sizes sizes = { .lanes = { { .entries_len = 8 } } };

    rig_init(r, &sizes);
    rig_connect(r, true, false);
    r->e.lanes[0].head = (uint32_t)head;
    for (uint32_t id = 1; id <= 6; id++) {
        (void)rig_publish(r, 0, 1, id, 5);
    }
}

/* This also holds if an earlier entry has an id that does not match its position. */
static void an_id_is_found_wherever_the_table_begins(void **state)
{
    (void)state;
    for (size_t head = 0; head < 8; head++) {
        rig r;
        begin(&r, head);
        mqc_outbox *o = &r.e.lanes[0];
        for (uint16_t id = 1; id <= 6; id++) {
            assert_int_equal(mqc_outbox_id(o, id - 1u), id);
            assert_ptr_equal(mqc_outbox_find(o, id, 6), mqc_entry_at(o, id - 1u));
            assert_ptr_equal(mqc_outbox_find(o, id, id), mqc_entry_at(o, id - 1u));
            assert_null(mqc_outbox_find(o, id, id - 1u));
        }
        assert_null(mqc_outbox_find(o, 7, 6));
        mqc_entry_at(o, 0)->packet_id = 100;
        for (uint16_t id = 2; id <= 6; id++) {
            assert_ptr_equal(mqc_outbox_find(o, id, 6), mqc_entry_at(o, id - 1u));
        }
        assert_ptr_equal(mqc_outbox_find(o, 100, 6), mqc_entry_at(o, 0));
        rig_deinit(&r);
    }
}

static void an_entry_that_has_ended_is_not_found(void **state)
{
    (void)state;
    rig r;
    begin(&r, 0);
    mqc_outbox *o = &r.e.lanes[0];
    rig_send_all(&r);
    assert_int_equal(RIG_FEED(&r, 0x40, 2, 0, 3), MQC_OK);

    assert_int_equal(mqc_outbox_id(o, 2), 0);
    assert_null(mqc_outbox_find(o, 3, 6));
    assert_non_null(mqc_outbox_find(o, 4, 6));
    rig_deinit(&r);
}

static void only_a_kept_publish_that_was_sent_is_found_by_its_number(void **state)
{
    (void)state;
    rig r;
    rig_init(&r, NULL);
    rig_connect(&r, true, false);
    mqc_outbox *o = &r.e.lanes[0];
    assert_int_equal(rig_queue(&r, 7, 1, false, 0), MQC_OK);
    assert_int_equal(rig_queue(&r, 7, 0, true, 0), MQC_OK);
    assert_int_equal(rig_queue(&r, 7, 0, true, 0), MQC_OK);
    assert_null(mqc_outbox_find_kept(o, 7));
    rig_send_all(&r);

    assert_ptr_equal(mqc_outbox_find_kept(o, 7), mqc_entry_at(o, 1));
    assert_null(mqc_outbox_find_kept(o, 8));
    rig_release(&r, 7, MQC_OK);
    assert_ptr_equal(mqc_outbox_find_kept(o, 7), mqc_entry_at(o, 2));
    rig_deinit(&r);
}

static void the_oldest_packet_counts_as_unanswered_once_bytes_of_it_were_offered(void **state)
{
    (void)state;
    rig r;
    size_t len;
    begin(&r, 0);
    mqc_outbox *o = &r.e.lanes[0];
    assert_int_equal(mqc_outbox_unanswered_len(o), 0);
    (void)mqc_tx_data(&r.e, &len);
    assert_int_equal(mqc_outbox_unanswered_len(o), 12);
    rig_send_all(&r);
    assert_int_equal(mqc_outbox_unanswered_len(o), 12);
    for (uint16_t id = 1; id <= 6; id++) {
        rig_puback(&r, id);
    }
    assert_int_equal(mqc_outbox_unanswered_len(o), 0);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_found_wherever_the_table_begins),
        cmocka_unit_test(an_entry_that_has_ended_is_not_found),
        cmocka_unit_test(only_a_kept_publish_that_was_sent_is_found_by_its_number),
        cmocka_unit_test(the_oldest_packet_counts_as_unanswered_once_bytes_of_it_were_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
