#include "waits.h"

/* Many answers of all kinds are expected at the same time, and some of them never arrive. */

enum { JOBS = 64, ANSWER_MAX = ACK / 2 - 1 };

/* An action for later: the server answers a packet, or the application releases a kept message. */
typedef struct job {
    mqc_time at; /* 0: free */
    uint8_t type;
    uint8_t lane;
    uint16_t id;
} job;

typedef struct crowd {
    rig r;
    job jobs[JOBS];
    uint64_t seed;
    uint32_t next_kept;
    size_t seen;       /* number of bytes sent by the engine that the server has decoded */
    uint16_t withheld; /* packet id whose answer never arrives; 0: all answers arrive */
    mqc_time withheld_at;
    bool withholds;
} crowd;

static uint32_t below(crowd *c, uint32_t n)
{
    return rig_random(&c->seed) % n;
}

static void plan(crowd *c, uint8_t type, uint8_t lane, uint16_t id)
{
    for (size_t i = 0; i < JOBS; i++) {
        if (c->jobs[i].at == 0) {
            c->jobs[i] = (job){ c->r.now + 1 + below(c, ANSWER_MAX), type, lane, id };
            return;
        }
    }
    fail_msg("too much at once");
}

/* Answers each packet at a random later time, so in any order. */
static void serve(crowd *c)
{
    const uint8_t *p = c->r.sent + c->seen;

    while (c->seen < c->r.sent_len && c->seen + 2 + p[1] <= c->r.sent_len) {
        unsigned qos = p[0] >> 1 & 3;
        uint16_t id = (uint16_t)(p[0] >> 4 == 6 ? p[2] << 8 | p[3] : p[5] << 8 | p[6]);
        if (p[0] >> 4 == 3 && qos > 0 && c->withholds && c->withheld == 0) {
            c->withheld = id;
            c->withheld_at = c->r.now;
        } else if (p[0] >> 4 == 6) {
            plan(c, 0x70, 0, id);
        } else if (qos > 0) {
            plan(c, qos == 1 ? 0x40 : 0x50, 0, id);
        } else if (p[5] == 'k' && below(c, 4) > 0) { /* otherwise the kept message expires */
            plan(c, 0, p[6], (uint16_t)(p[7] << 8 | p[8]));
        }
        c->seen += 2u + p[1];
        p = c->r.sent + c->seen;
    }
    if (c->seen == c->r.sent_len) {
        c->r.sent_len = c->seen = 0;
    }
}

static void publish_anything(crowd *c)
{
    uint8_t lane = (uint8_t)below(c, 2);
    uint8_t kind = (uint8_t)below(c, 4);
    uint32_t id = ++c->next_kept % 30000;
    const uint8_t payload[] = { 'k', lane, (uint8_t)(id >> 8), (uint8_t)id };
    const mqc_outgoing m = { .topic = MQC_SPAN_LIT("t"),
                             .payload = { payload, sizeof payload },
                             .qos = kind == 3 ? 0 : kind,
                             .keep = kind == 3,
                             .lane = lane,
                             .id = id,
                             .expires =
                                 kind == 3 || below(c, 4) == 0 ? c->r.now + 1 + below(c, ACK) : 0 };
    mqc_outgoing plain = m;
    plain.payload = (mqc_span){ (const uint8_t *)"p", 1 };
    (void)mqc_publish(&c->r.e, kind == 3 ? &m : &plain, NULL);
}

static void carry_out(crowd *c, job *j)
{
    mqc_done done;

    j->at = 0;
    if (j->type == 0) {
        (void)mqc_release(&c->r.e, j->lane, j->id, &done); /* refused if the message has expired */
    } else {
        (void)RIG_FEED(&c->r, j->type, 2, (uint8_t)(j->id >> 8), (uint8_t)j->id);
    }
}

static void live_a_little(crowd *c)
{
    mqc_time due = rig_deadline(&c->r);
    mqc_time next = c->r.now + 1 + below(c, ACK / 20);

    for (size_t i = 0; i < JOBS; i++) {
        next = c->jobs[i].at != 0 && c->jobs[i].at < next ? c->jobs[i].at : next;
    }
    if (due < next) {
        next = due;
    }
    c->r.now = next > c->r.now ? next : c->r.now;
    (void)mqc_tick(&c->r.e, c->r.now);
    rig_pull(&c->r);
    for (size_t i = 0; i < JOBS && mqc_error(&c->r.e) == MQC_OK; i++) {
        if (c->jobs[i].at != 0 && c->jobs[i].at <= c->r.now) {
            carry_out(c, &c->jobs[i]);
        }
    }
    if (below(c, 3) == 0) {
        publish_anything(c);
    }
    (void)rig_send(&c->r, below(c, 4) == 0 ? below(c, 30) : SIZE_MAX);
    rig_pull(&c->r);
    serve(c);
    c->r.log_len = 0;
}

static void crowd_init(crowd *c, uint64_t seed)
{
    static const rig_sizes sizes = { .lanes = { { 256, 8, 0 }, { 256, 8, 3 } } };
    mqc_connect_options o = options;

    memset(c, 0, sizeof *c);
    o.keep_alive_s = 0;
    connect_with(&c->r, &sizes, &o);
    c->seed = seed;
}

static void what_is_answered_in_half_of_the_time_is_never_missed(void **state)
{
    (void)state;
    static crowd c;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        crowd_init(&c, seed);
        for (int i = 0; i < 10000; i++) {
            live_a_little(&c);
            if (mqc_error(&c.r.e) != MQC_OK) {
                fail_msg("seed %u, step %d: %s", (unsigned)seed, i, mqc_error_packet(&c.r.e));
            }
        }
        assert_true(c.r.events > 1000);
        rig_deinit(&c.r);
    }
}

static void whatever_else_goes_on_a_missing_answer_is_noticed_in_its_time(void **state)
{
    (void)state;
    static crowd c;

    for (uint64_t seed = 1; seed <= 300; seed++) {
        crowd_init(&c, seed);
        for (uint32_t i = below(&c, 300); i > 0; i--) {
            live_a_little(&c);
        }
        c.withholds = true;
        while (mqc_error(&c.r.e) == MQC_OK && c.r.now < 1000000000) {
            live_a_little(&c);
        }
        /* The time-out may begin later, because earlier messages of the lane are answered or
         * expire first. */
        assert_int_equal(mqc_error(&c.r.e), MQC_ERR_TIMEOUT);
        assert_true(c.r.now >= c.withheld_at + ACK);
        assert_true(c.r.now <= c.withheld_at + 2 * ACK);
        rig_deinit(&c.r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_answered_in_half_of_the_time_is_never_missed),
        cmocka_unit_test(whatever_else_goes_on_a_missing_answer_is_noticed_in_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
