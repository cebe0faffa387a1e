#include "pubrel_chain.h"
#include "rig.h"

/* Tests the chain of QoS 2 publishes whose PUBREC has arrived, in the order of the PUBRECs. */

enum { COUNT = 4 };

static void fill(mqc_pubrel_chain *l, mqc_entry entries[COUNT])
{
    memset(l, 0, sizeof *l);
    memset(entries, 0, COUNT * sizeof entries[0]);
    for (uint16_t i = 0; i < COUNT; i++) {
        entries[i].packet_id = (uint16_t)(i + 1u);
        entries[i].state = MQC_ENTRY_RECEIVED;
        entries[i].lane = (uint8_t)(i % 2u);
        mqc_pubrel_chain_add(l, &entries[i]);
    }
}

/* Returns the ids whose PUBREL is due as the digits of one number, for example 1234. */
static unsigned due(mqc_pubrel_chain *l)
{
    unsigned ids = 0;

    for (; l->due != NULL; mqc_pubrel_chain_encoded(l)) {
        ids = ids * 10 + l->due->packet_id;
    }
    return ids;
}

static void pubrels_are_sent_in_the_order_of_the_pubrecs(void **state)
{
    (void)state;
    mqc_entry entries[COUNT];
    mqc_pubrel_chain l;
    fill(&l, entries);

    assert_int_equal(due(&l), 1234);
    assert_int_equal(due(&l), 0);
    assert_non_null(mqc_pubrel_chain_take(&l, 2));
    mqc_pubrel_chain_add(&l, &entries[1]); /* PUBREC arrives a second time */
    assert_int_equal(due(&l), 2);
    mqc_pubrel_chain_restart(&l, MQC_LANES_MAX);
    assert_int_equal(due(&l), 1342);
}

/* Removes each element, after any number of PUBRELs was encoded. */
static void each_can_be_taken_out_at_any_time(void **state)
{
    (void)state;
    for (uint16_t taken = 1; taken <= COUNT; taken++) {
        for (unsigned encoded = 0; encoded <= COUNT; encoded++) {
            mqc_entry entries[COUNT];
            mqc_pubrel_chain l;
            fill(&l, entries);
            for (unsigned i = 0; i < encoded; i++) {
                mqc_pubrel_chain_encoded(&l);
            }
            unsigned want = 0;
            for (unsigned id = encoded + 1; id <= COUNT; id++) {
                want = id != taken ? want * 10 + id : want;
            }

            assert_ptr_equal(mqc_pubrel_chain_take(&l, taken), &entries[taken - 1]);
            assert_null(mqc_pubrel_chain_take(&l, taken));

            assert_int_equal(due(&l), want);
            for (uint16_t id = 1; id <= COUNT; id++) {
                assert_int_equal(mqc_pubrel_chain_take(&l, id) != NULL, id != taken);
            }
            assert_null(l.first);
            assert_null(l.last);
        }
    }
}

static void a_lane_that_ends_leaves_the_chain(void **state)
{
    (void)state;
    mqc_entry entries[COUNT];
    mqc_pubrel_chain l;
    fill(&l, entries);
    (void)due(&l);

    mqc_pubrel_chain_restart(&l, 0);
    assert_int_equal(due(&l), 24);
    mqc_pubrel_chain_restart(&l, 1);
    assert_null(l.first);
    fill(&l, entries);
    mqc_pubrel_chain_clear(&l);
    assert_null(l.first);
    assert_int_equal(due(&l), 0);
}

static void the_check_sees_a_broken_chain(void **state)
{
    (void)state;
#ifdef NDEBUG
    skip();
#else
    mqc_entry entries[COUNT];
    mqc_entry stranger = { .state = MQC_ENTRY_RECEIVED };
    mqc_pubrel_chain l;
    fill(&l, entries);
    assert_true(mqc_pubrel_chain_valid(&l));

    l.last = &entries[2];
    assert_false(mqc_pubrel_chain_valid(&l));
    l.last = NULL;
    assert_false(mqc_pubrel_chain_valid(&l));
    l.last = &entries[3];
    l.due = &stranger;
    assert_false(mqc_pubrel_chain_valid(&l));
    l.due = &entries[3];
    assert_true(mqc_pubrel_chain_valid(&l));
    entries[2].state = MQC_ENTRY_ENDED;
    assert_false(mqc_pubrel_chain_valid(&l));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pubrels_are_sent_in_the_order_of_the_pubrecs),
        cmocka_unit_test(each_can_be_taken_out_at_any_time),
        cmocka_unit_test(a_lane_that_ends_leaves_the_chain),
        cmocka_unit_test(the_check_sees_a_broken_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
