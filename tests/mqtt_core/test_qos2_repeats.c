#include "qos2.h"

/* Random walks of QoS 2 messages over a connection that breaks anywhere, from servers that
 * choose packet ids in different ways. If a server follows the specification, each message is
 * delivered exactly once, even if several messages are equal. If a server sends messages again
 * after it has sent their PUBREL, as Mosquitto 2.0.11 does, no message is lost, and only those
 * messages are delivered twice. */

enum { MESSAGES = 300, WALKS = 720, SLOTS = 24, QUEUE = 4 * SLOTS };

typedef enum policy {
    COUNTS = 0,    /* the server counts ids upwards to 65535 */
    LOWEST,        /* the lowest free id */
    LAST_FREED,    /* the id that was freed last */
    ROUND_A_SMALL, /* the server counts in a small pool of ids */
    ANY,           /* the server takes any free id of a pool that is hardly large enough */
    POLICIES
} policy;

typedef enum content { EQUAL = 0, ALTERNATING, NUMBERED, CONTENTS } content;

typedef enum slot_state { FREE = 0, PUBLISHED, RELEASED } slot_state;

typedef struct slot {
    slot_state state;
    uint16_t id;
    unsigned number;
} slot;

/* A packet on its way, in either direction. */
typedef struct packet {
    uint8_t type;
    bool dup;
    uint16_t id;
    unsigned number;
} packet;

typedef struct queue {
    packet packets[QUEUE * 4];
    size_t count;
} queue;

typedef struct world {
    rig r;
    uint64_t seed;
    policy policy;
    bool forgets; /* after a reconnect this server forgets that it has sent PUBREL */
    content content;
    size_t window;
    slot slots[SLOTS]; /* sorted by age, the oldest message first */
    size_t used;
    uint16_t last_id;
    uint16_t freed[SLOTS]; /* a stack */
    size_t freed_count;
    unsigned sent;
    unsigned handed[MESSAGES];
    unsigned repeats; /* messages that the server repeated although it had already sent PUBREL */
    bool released[MESSAGES]; /* the client has received its PUBREL */
    queue down;
    queue up;
} world;

static uint32_t roll(world *w, uint32_t sides)
{
    return rig_random(&w->seed) % sides;
}

static void put(queue *q, uint8_t type, const slot *s, bool dup)
{
    assert_true(q->count < COUNT_OF(q->packets));
    q->packets[q->count++] = (packet){ type, dup, s->id, s->number };
}

static bool take(queue *q, packet *p)
{
    if (q->count == 0) {
        return false;
    }
    *p = q->packets[0];
    memmove(q->packets, q->packets + 1, --q->count * sizeof *q->packets);
    return true;
}

/* --- the server ------------------------------------------------------------------ */

static slot *find(world *w, uint16_t id)
{
    for (size_t i = 0; i < w->used; i++) {
        if (w->slots[i].id == id) {
            return &w->slots[i];
        }
    }
    return NULL;
}

static uint16_t next_from(world *w, uint16_t id, uint16_t most)
{
    do {
        id = id < most ? (uint16_t)(id + 1) : 1;
    } while (find(w, id) != NULL);
    return id;
}

static uint16_t choose_id(world *w)
{
    if (w->policy == LOWEST) {
        return next_from(w, 0, UINT16_MAX);
    }
    if (w->policy == LAST_FREED) {
        return w->freed_count > 0 ? w->freed[--w->freed_count] : (uint16_t)(w->used + 1);
    }
    if (w->policy == ANY) {
        return next_from(w, (uint16_t)roll(w, (uint32_t)w->window + 1), (uint16_t)(w->window + 1));
    }
    w->last_id = next_from(w, w->last_id, w->policy == ROUND_A_SMALL ? SLOTS * 4 : UINT16_MAX);
    return w->last_id;
}

static void server_publish(world *w)
{
    if (w->used == w->window || w->sent == MESSAGES) {
        return;
    }
    slot s = { PUBLISHED, choose_id(w), w->sent++ };
    w->slots[w->used++] = s;
    put(&w->down, 0x34, &s, false);
}

static void server_read(world *w)
{
    packet p;
    slot *s = take(&w->up, &p) ? find(w, p.id) : NULL;

    if (s == NULL) {
        return;
    }
    if (p.type == 0x50) {
        s->state = RELEASED;
        put(&w->down, 0x62, s, false);
        return;
    }
    assert_int_equal(s->state, RELEASED);
    if (w->policy == LAST_FREED) {
        w->freed[w->freed_count++] = s->id;
    }
    memmove(s, s + 1, (size_t)(w->slots + --w->used - s) * sizeof *s);
}

static void server_resume(world *w)
{
    bool forgets = w->forgets && roll(w, 2) == 0;

    for (size_t i = 0; i < w->used; i++) {
        slot *s = &w->slots[i];
        if (s->state == RELEASED && forgets) {
            s->state = PUBLISHED;
            w->repeats += w->released[s->number];
        }
        put(&w->down, s->state == RELEASED ? 0x62 : 0x34, s, s->state == PUBLISHED);
    }
}

/* --- the client -------------------------------------------------------------------- */

static uint8_t payload(const world *w, unsigned number)
{
    return (uint8_t)(w->content == EQUAL         ? 'x'
                     : w->content == ALTERNATING ? 'x' + number % 2
                                                 : number);
}

static void client_read(world *w)
{
    packet p;

    if (!take(&w->down, &p)) {
        return;
    }
    rig_forget(&w->r);
    if (p.type == 0x62) {
        w->released[p.number] = true;
        pubrel(&w->r, p.id);
        return;
    }
    const uint8_t id[] = { (uint8_t)(p.id >> 8), (uint8_t)p.id };
    const uint8_t high = w->content == NUMBERED ? (uint8_t)(p.number >> 8) : 0;
    assert_int_equal(RIG_FEED(&w->r, p.dup ? 0x3C : 0x34, 7, 0, 1, 't', id[0], id[1], high,
                              payload(w, p.number)),
                     MQC_OK);
    if (w->r.events > 0 && w->handed[p.number] > 0) {
        assert_true(w->forgets && w->released[p.number]);
    }
    w->handed[p.number] += (unsigned)w->r.events;
}

static void client_write(world *w)
{
    w->r.sent_len = 0;
    rig_send_all(&w->r);
    for (size_t at = 0; at < w->r.sent_len; at += 4) {
        const uint8_t *p = w->r.sent + at;
        const slot s = { .id = (uint16_t)(p[2] << 8 | p[3]) };
        assert_true(p[0] == 0x50 || p[0] == 0x70);
        put(&w->up, p[0], &s, false);
    }
}

static void lose_connection(world *w)
{
    w->down.count = 0;
    w->up.count = 0;
    reconnect(&w->r, true);
    server_resume(w);
}

/* --- the walk ------------------------------------------------------------------------ */

static void one_step(world *w, bool breaks)
{
    switch (roll(w, breaks ? 11 : 10)) {
    case 0:
    case 1:
    case 2: server_publish(w); break;
    case 3:
    case 4:
    case 5: server_read(w); break;
    case 6:
    case 7: client_read(w); break;
    case 8:
    case 9: client_write(w); break;
    default: lose_connection(w); break;
    }
}

static void walk(world *w)
{
    const rig_sizes sizes = { .inbound = 2 * w->window };

    begin(&w->r, &sizes);
    w->r.ack_at_once = true;
    for (int breaks = 1; w->sent < MESSAGES || w->used > 0; breaks = (int)roll(w, 3)) {
        for (int i = 0; i < 30; i++) {
            one_step(w, breaks != 0);
        }
    }
    rig_deinit(&w->r);
}

static void walk_number(world *w, uint64_t n, bool forgets)
{
    memset(w, 0, sizeof *w);
    w->seed = n * 7919;
    w->forgets = forgets;
    w->policy = (policy)(n % POLICIES);
    w->content = (content)(n / POLICIES % CONTENTS);
    w->window = 1 + roll(w, SLOTS);
    walk(w);
}

static void a_server_that_keeps_to_the_rules_has_each_message_handed_out_once(void **state)
{
    (void)state;
    world *w = malloc(sizeof *w);

    for (uint64_t n = 0; n < WALKS; n++) {
        walk_number(w, n, false);
        for (unsigned i = 0; i < MESSAGES; i++) {
            if (w->handed[i] != 1) {
                fail_msg("walk %u, policy %d, content %d, window %zu: message %u came %u times",
                         (unsigned)n, w->policy, w->content, w->window, i, w->handed[i]);
            }
        }
    }
    free(w);
}

static void a_server_that_repeats_after_pubrel_loses_nothing_either(void **state)
{
    (void)state;
    world *w = malloc(sizeof *w);
    unsigned repeats = 0;

    for (uint64_t n = 0; n < WALKS; n++) {
        unsigned twice = 0;
        walk_number(w, n, true);
        for (unsigned i = 0; i < MESSAGES; i++) {
            assert_true(w->handed[i] >= 1);
            twice += w->handed[i] - 1;
        }
        assert_true(twice <= w->repeats);
        repeats += twice;
    }
    assert_true(repeats > 0); /* proves that the server broke the rule */
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_keeps_to_the_rules_has_each_message_handed_out_once),
        cmocka_unit_test(a_server_that_repeats_after_pubrel_loses_nothing_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
