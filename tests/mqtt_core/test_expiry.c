#include "expiry.h"
#include "outbox.h"
#include "rig.h"

/* Compares two engines with long lanes: one has the memory for a fast search of expired
 * messages, the other has not. The same actions must end each message in the same way at the
 * same time. */

enum { STEPS = 1500 };

typedef struct pair {
    rig with;
    rig without;
    mqc_time *expiries;
    uint64_t seed;
    uint32_t next;
} pair;

#define BOTH(p, r) for (rig *r = &(p)->with; r != NULL; r = r == &(p)->with ? &(p)->without : NULL)

static void begin(pair *p, uint64_t seed, size_t entries)
{
    const rig_sizes sizes = { .lanes = {
                                  { .ring_len = entries * 6, .entries_len = entries, .window = 40 },
                              } };

    memset(p, 0, sizeof *p);
    p->seed = seed;
    rig_init(&p->with, &sizes);
    rig_init(&p->without, &sizes);
    p->expiries = malloc(MQC_EXPIRIES(entries) * sizeof *p->expiries);
    memset(p->expiries, 0x5A, MQC_EXPIRIES(entries) * sizeof *p->expiries);
    p->with.memory.lanes[0].expiries = p->expiries;
    p->with.memory.lanes[0].expiries_len = MQC_EXPIRIES(entries);
    assert_int_equal(mqc_init(&p->with.e, &p->with.memory), MQC_OK);
    assert_ptr_equal(p->with.e.lanes[0].expiry.groups, p->expiries);
    assert_null(p->without.e.lanes[0].expiry.groups);
    BOTH(p, r)
    {
        rig_connect(r, false, false);
    }
}

static void end(pair *p)
{
    rig_deinit(&p->with);
    rig_deinit(&p->without);
    free(p->expiries);
}

static uint32_t roll(pair *p, uint32_t sides)
{
    return rig_random(&p->seed) % sides;
}

static void compare(pair *p)
{
    rig_pull(&p->with);
    rig_pull(&p->without);
    assert_string_equal(p->with.log, p->without.log);
    assert_int_equal(p->with.sent_len, p->without.sent_len);
    assert_memory_equal(p->with.sent, p->without.sent, p->with.sent_len);
    rig_forget(&p->with);
    rig_forget(&p->without);
}

static void publish(pair *p, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        uint32_t kind = roll(p, 4); /* 0 to 2: the QoS; 3: a kept message */
        uint32_t id = ++p->next;
        mqc_time expires = roll(p, 5) == 0 ? 0 : p->with.now + 1 + roll(p, 400);
        mqc_result first =
            rig_queue(&p->with, id, kind < 3 ? (uint8_t)kind : 0, kind == 3, expires);
        mqc_result second =
            rig_queue(&p->without, id, kind < 3 ? (uint8_t)kind : 0, kind == 3, expires);
        assert_int_equal(first, second);
        if (first != MQC_OK) {
            return;
        }
    }
}

/* Answers the first message that waits for an answer, searching from a random position. */
static void answer(pair *p)
{
    const mqc_outbox *o = &p->with.e.lanes[0];

    for (size_t at = o->count > 0 ? roll(p, o->count) : 0; at < o->count; at++) {
        const mqc_entry e = *mqc_entry_at(o, at);
        const uint8_t high = (uint8_t)(e.packet_id >> 8);
        const uint8_t low = (uint8_t)e.packet_id;
        uint8_t type = 0;
        if (e.state == MQC_ENTRY_RECEIVED) {
            type = 0x70;
        } else if (e.state == MQC_ENTRY_SENT && (e.flags & MQC_ENTRY_QOS) != 0) {
            type = (e.flags & MQC_ENTRY_QOS) == 2 ? 0x50 : 0x40;
        } else if (e.state != MQC_ENTRY_SENT) {
            continue;
        }
        BOTH(p, r)
        {
            if (type == 0) {
                rig_release(r, e.id, MQC_OK);
            } else {
                assert_int_equal(RIG_FEED(r, type, 2, high, low), MQC_OK);
            }
        }
        return;
    }
}

/* Returns the time at which the next message expires if nothing else happens to it. */
static mqc_time next_end(const rig *r)
{
    const mqc_outbox *o = &r->e.lanes[0];
    const size_t leaving = o->offered > 0 ? o->grant : o->send + (o->send_done > 0 ? 1u : 0);
    mqc_time next = MQC_NEVER;

    for (size_t at = 0; at < o->count; at++) {
        const mqc_entry *e = mqc_entry_at(o, at);
        bool waits = e->state == MQC_ENTRY_QUEUED && at >= leaving;
        bool kept = e->state == MQC_ENTRY_SENT && (e->flags & MQC_ENTRY_KEEP) != 0;
        /* The server may have received it, so it does not expire. */
        bool sent = (e->flags & MQC_ENTRY_RESEND) != 0;
        if ((waits || kept) && !sent && e->u.expires != 0 && e->u.expires < next) {
            next = e->u.expires;
        }
    }
    return next;
}

/* The time passes the deadline only if the system was suspended during the sleep. */
static void pass(pair *p)
{
    mqc_time left = 1 + roll(p, 60);
    bool suspended = roll(p, 4) == 0;

    while (left > 0) {
        mqc_time due = next_end(&p->with);
        mqc_time now = p->with.now;
        assert_true(rig_deadline(&p->with) <= due && rig_deadline(&p->without) <= due);
        mqc_time step = due > now && due - now < left && !suspended ? due - now : left;
        BOTH(p, r)
        {
            r->now += step;
            assert_int_equal(mqc_tick(&r->e, r->now), MQC_OK);
        }
        left -= step;
        compare(p);
    }
}

static void reconnect(pair *p)
{
    bool present = roll(p, 2) == 0;

    BOTH(p, r)
    {
        mqc_reset(&r->e);
        rig_pull(r);
        assert_int_equal(mqc_tick(&r->e, r->now), MQC_OK);
        rig_pull(r);
    }
    assert_string_equal(p->with.log, p->without.log);
    BOTH(p, r)
    {
        rig_connect(r, false, present);
    }
}

static void lend(pair *p)
{
    size_t len;

    BOTH(p, r)
    {
        (void)mqc_tx_data(&r->e, &len);
    }
}

static void send(pair *p)
{
    size_t most = roll(p, 3) == 0 ? SIZE_MAX : roll(p, 60);

    BOTH(p, r)
    {
        (void)rig_send(r, most);
    }
}

static void step(pair *p, size_t entries)
{
    switch (roll(p, 12)) {
    case 0:
    case 1: publish(p, 1); break;
    case 2: publish(p, roll(p, (uint32_t)entries / 4 + 2)); break;
    case 3:
    case 4: answer(p); break;
    case 5: lend(p); break;
    case 6:
    case 7: send(p); break;
    case 8: (void)(mqc_drop(&p->with.e, 0, NULL) + mqc_drop(&p->without.e, 0, NULL)); break;
    case 9:
        if (roll(p, 10) == 0) {
            reconnect(p);
        }
        break;
    default: pass(p); break;
    }
    compare(p);
}

static void to_know_where_to_look_changes_nothing(void **state)
{
    (void)state;
    static const size_t lengths[] = { 3, 63, 64, 65, 200, 4096, 5000 };
    static pair p;

    for (uint64_t seed = 1; seed <= 28; seed++) {
        size_t entries = lengths[seed % COUNT_OF(lengths)];
        begin(&p, seed, entries);
        for (unsigned n = 0; n < STEPS; n++) {
            step(&p, entries);
        }
        end(&p);
    }
}

static void too_little_memory_for_it_is_not_used(void **state)
{
    (void)state;
    static const size_t lengths[] = { 1, 64, 65, 4096, 4097 };

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        const rig_sizes sizes = { .lanes = { { .entries_len = lengths[i] } } };
        const size_t whole = MQC_EXPIRIES(lengths[i]);
        rig r;
        rig_init(&r, &sizes);
        assert_int_equal(whole, (lengths[i] + 63) / 64 + (lengths[i] + 4095) / 4096);
        r.memory.lanes[0].expiries = malloc(whole * sizeof(mqc_time));
        for (size_t len = 0; len <= whole; len++) {
            r.memory.lanes[0].expiries_len = len;
            assert_int_equal(mqc_init(&r.e, &r.memory), MQC_OK);
            assert_int_equal(r.e.lanes[0].expiry.groups != NULL, len == whole);
        }
        free(r.memory.lanes[0].expiries);
        rig_deinit(&r);
    }
}

/* --- the struct alone --- */

/* Gives each entry of a table a time, in random order. The groups that may be due must contain
 * all entries that are due. */
static void the_groups_that_are_due_have_all_entries_that_are(void **state)
{
    (void)state;
    enum { ENTRIES = 64 * 64 * 2 + 100 };
    static mqc_time expires[ENTRIES];
    static mqc_time groups[MQC_EXPIRIES(ENTRIES)];
    const mqc_lane_memory m = { .entries_len = ENTRIES,
                                .expiries = groups,
                                .expiries_len = COUNT_OF(groups) };
    uint64_t seed = 5;
    mqc_expiry x;
    mqc_expiry_init(&x, &m);
    for (size_t i = 0; i < ENTRIES; i++) {
        expires[i] = 1000 + rig_random(&seed) % 100000;
        mqc_expiry_note(&x, ENTRIES, i, expires[i]);
    }

    for (mqc_time now = 1000; now < 102000; now += 500) {
        mqc_expiry_group g = { 0, 0, 0 };
        while (mqc_expiry_due(&x, ENTRIES, now, &g)) {
            mqc_time next = UINT64_MAX;
            for (size_t i = g.from; i < g.to; i++) {
                expires[i] = expires[i] <= now ? UINT64_MAX : expires[i];
                next = expires[i] < next ? expires[i] : next;
            }
            mqc_expiry_looked(&x, &g, next);
        }
        mqc_expiry_finish(&x, ENTRIES, now);
        mqc_time first = UINT64_MAX;
        for (size_t i = 0; i < ENTRIES; i++) {
            first = expires[i] < first ? expires[i] : first;
        }
        assert_int_equal(x.next, first);
        assert_true(first > now);
    }
    assert_int_equal(x.next, UINT64_MAX);
}

static void the_check_sees_a_group_that_is_earlier_than_its_groups(void **state)
{
    (void)state;
#ifdef NDEBUG
    skip();
#else
    static mqc_time groups[MQC_EXPIRIES(128)];
    const mqc_lane_memory m = { .entries_len = 128,
                                .expiries = groups,
                                .expiries_len = COUNT_OF(groups) };
    mqc_expiry x;
    mqc_expiry_init(&x, &m);
    mqc_expiry_note(&x, 128, 100, 50);
    assert_true(mqc_expiry_valid(&x, 128));
    groups[0] = 49;
    assert_false(mqc_expiry_valid(&x, 128));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_know_where_to_look_changes_nothing),
        cmocka_unit_test(too_little_memory_for_it_is_not_used),
        cmocka_unit_test(the_groups_that_are_due_have_all_entries_that_are),
        cmocka_unit_test(the_check_sees_a_group_that_is_earlier_than_its_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
