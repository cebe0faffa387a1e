#include "rig.h"

/* Packet ids are assigned in a circle of 65535. A model computes the next one: the first free id
 * after the last one that was assigned. */

enum { IDS = 65536, OPEN_MAX = 200 };

typedef struct circle {
    rig r;
    uint64_t seed;
    bool used[IDS];
    uint16_t next; /* candidate */
    uint16_t open[OPEN_MAX];
    size_t open_count;
    uint16_t requests[MQC_PENDING_MAX]; /* packet ids of SUBSCRIBEs that have no answer yet */
    size_t request_count;
} circle;

static void begin(circle *c, uint64_t seed, uint16_t first)
{
    const rig_sizes sizes = {
        .lanes = { { .ring_len = 400, .entries_len = 40 },
                   { .ring_len = 400, .entries_len = 40 },
                   { .ring_len = 400, .entries_len = 40 } },
    };

    memset(c, 0, sizeof *c);
    c->seed = seed;
    c->next = first;
    rig_init(&c->r, &sizes);
    rig_connect(&c->r, true, false);
    c->r.e.ids.next = first;
    c->r.e.ids.free_count = 0;
}

static uint16_t expected(circle *c)
{
    while (c->next == 0 || c->used[c->next]) {
        c->next++;
    }
    c->used[c->next] = true;
    return c->next++;
}

static void publish(circle *c)
{
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"),
                             .qos = 1,
                             .lane = (uint8_t)(rig_random(&c->seed) % 3) };
    uint16_t id = 0;

    if (c->open_count == OPEN_MAX || mqc_publish(&c->r.e, &m, &id) != MQC_OK) {
        return; /* the lane or the model's table is full */
    }
    assert_int_equal(id, expected(c));
    c->open[c->open_count++] = id;
}

/* Answers one of the nine oldest messages, so that some older ones are answered later or never. */
static void answer(circle *c)
{
    if (c->open_count == 0) {
        return;
    }
    size_t n = rig_random(&c->seed) % c->open_count;
    n = n > 8 ? n % 8 : n;
    uint16_t id = c->open[n];

    rig_send_all(&c->r);
    rig_puback(&c->r, id);
    rig_forget(&c->r);
    c->used[id] = false;
    memmove(c->open + n, c->open + n + 1, (c->open_count - n - 1) * sizeof c->open[0]);
    c->open_count--;
}

static void subscribe(circle *c)
{
    const mqc_subscription s = { .filter = MQC_SPAN_LIT("f") };
    uint16_t id = 0;

    if (mqc_subscribe(&c->r.e, &s, 1, &id) == MQC_OK) {
        assert_int_equal(id, expected(c));
        c->requests[c->request_count++] = id;
    }
}

static void answer_request(circle *c)
{
    if (c->request_count == 0) {
        return;
    }
    size_t n = rig_random(&c->seed) % c->request_count;
    uint16_t id = c->requests[n];

    rig_send_all(&c->r);
    assert_int_equal(RIG_FEED(&c->r, 0x90, 3, (uint8_t)(id >> 8), (uint8_t)id, 0), MQC_OK);
    c->used[id] = false;
    c->requests[n] = c->requests[--c->request_count];
}

/* Sets the state that the engine would have after n more messages were published and answered. */
static void pass_over(mqc_engine *e, uint16_t n)
{
    e->ids.next = (uint16_t)(e->ids.next + n);
    e->ids.free_count = e->ids.free_count > n ? (uint16_t)(e->ids.free_count - n) : 0;
}

/* Skips the ids up to just before the next one in use. */
static void go_round(circle *c)
{
    uint32_t ahead = 0;

    while (c->next + ahead < IDS && !c->used[c->next + ahead]) {
        ahead++;
    }
    uint32_t back = rig_random(&c->seed) % 4;
    if (ahead > back) {
        pass_over(&c->r.e, (uint16_t)(ahead - back));
        c->next = (uint16_t)(c->next + ahead - back);
    }
}

static void the_next_id_is_the_first_free_one_on_the_circle(void **state)
{
    (void)state;
    static circle c;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin(&c, seed, (uint16_t)(UINT16_MAX - seed));
        for (unsigned step = 0; step < 3000; step++) {
            uint32_t dice = rig_random(&c.seed) % 100;
            if (dice < 52) {
                publish(&c);
            } else if (dice < 90) {
                answer(&c);
            } else if (dice < 93) {
                subscribe(&c);
            } else if (dice < 95) {
                answer_request(&c);
            } else {
                go_round(&c);
            }
        }
        assert_true(c.open_count > 20);
        rig_deinit(&c.r);
    }
}

/* One message stays unanswered while other messages use all the other ids once. */
static void an_id_in_use_is_met_again_however_far_behind_it_is(void **state)
{
    (void)state;
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"), .qos = 1 };

    for (uint16_t held = UINT16_MAX - 3; held != 5; held++) {
        for (uint16_t gap = 1; held != 0 && gap <= 6; gap++) {
            uint16_t id;
            rig r;
            rig_init(&r, NULL);
            rig_connect(&r, true, false);
            r.e.ids.next = held;
            r.e.ids.free_count = 0;
            assert_int_equal(mqc_publish(&r.e, &m, &id), MQC_OK);
            assert_int_equal(id, held);
            rig_send_all(&r);
            assert_int_equal(mqc_publish(&r.e, &m, &id), MQC_OK);
            rig_send_all(&r);
            rig_puback(&r, id);
            pass_over(&r.e, (uint16_t)(held - gap - r.e.ids.next));

            uint16_t want = (uint16_t)(held - gap);
            for (unsigned n = 0; n < 12; n++, want++) {
                while (want == held || want == 0) { /* 0 is not a valid packet id */
                    want++;
                }
                assert_int_equal(mqc_publish(&r.e, &m, &id), MQC_OK);
                assert_int_equal(id, want);
            }
            rig_deinit(&r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_id_is_the_first_free_one_on_the_circle),
        cmocka_unit_test(an_id_in_use_is_met_again_however_far_behind_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
