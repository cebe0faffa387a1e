#include "repeats.h"

#define SOME 8 /* messages that show whether messages differ */

typedef enum released_state {
    HELD = 0,     /* handed out */
    RELEASED,     /* PUBREL came on this connection, */
    RELEASED_ONCE /* on an earlier one */
} released_state;

/* What the server has shown on this connection; see repeats.h. */
typedef enum proof {
    PROOF_NONE = 0,
    PROOF_PUBCOMP, /* PUBREL a */
    PROOF_PUBLISH, /* PUBLISH b: the id is in probe */
    PROOF_FREE     /* PUBREL b */
} proof;

/* FNV-1a, 32 bits. */
static uint32_t hash(uint32_t h, mqc_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        h = (h ^ s.ptr[i]) * 16777619u;
    }
    return h;
}

static uint32_t hash_message(const mqc_message *m)
{
    uint32_t h = hash(2166136261u, m->topic) ^ (uint32_t)m->payload_len;
    return hash(h * 16777619u, m->payload);
}

static mqc_released *find(const mqc_repeats *r, uint16_t packet_id)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->table[i].packet_id == packet_id) {
            return &r->table[i];
        }
    }
    return NULL;
}

/* In place of the oldest one when the table is full. */
static void remember(mqc_repeats *r, const mqc_message *m)
{
    const mqc_released entry = { hash_message(m), m->packet_id, HELD };

    r->table[r->next] = entry;
    r->next = r->next + 1 < r->cap ? r->next + 1 : 0;
    r->count += r->count < r->cap;
}

static bool ahead(const mqc_repeats *r, uint16_t packet_id)
{
    uint16_t distance = (uint16_t)(packet_id - r->newest);
    return r->newest == 0 || (distance != 0 && distance < 0x8000u);
}

/* Has it finished something on an earlier connection, and not come back to it? */
static bool finished_one(const mqc_repeats *r)
{
    bool found = false;

    for (size_t i = 0; i < r->count; i++) {
        found = found || r->table[i].state == RELEASED_ONCE;
    }
    return found;
}

static void advance(mqc_repeats *r, const mqc_message *m)
{
    r->newest = m->packet_id;
    if (!m->dup && (r->proof == PROOF_FREE || finished_one(r))) {
        r->belief = MQC_SERVER_COUNTS;
    } else if (!m->dup && r->proof == PROOF_PUBCOMP) {
        r->probe = m->packet_id;
        r->proof = PROOF_PUBLISH;
    }
    remember(r, m);
}

static bool all_differ(const mqc_repeats *r)
{
    for (size_t i = 1; i < r->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (r->table[i].hash == r->table[j].hash) {
                return false;
            }
        }
    }
    return r->count >= SOME;
}

bool mqc_repeats_meet(mqc_repeats *r, const mqc_message *m)
{
    if (r->cap == 0 || r->belief == MQC_SERVER_REUSES) {
        return false;
    }
    if (ahead(r, m->packet_id)) {
        advance(r, m);
        return false;
    }
    mqc_released *e = find(r, m->packet_id);
    if (!m->dup || e == NULL || e->state != RELEASED_ONCE || e->hash != hash_message(m)) {
        r->belief = MQC_SERVER_REUSES;
        return false;
    }
    e->state = HELD;
    return r->belief == MQC_SERVER_COUNTS || all_differ(r);
}

void mqc_repeats_release(mqc_repeats *r, uint16_t packet_id)
{
    mqc_released *e = find(r, packet_id);

    if (e != NULL) {
        e->state = RELEASED;
    }
    if (r->proof == PROOF_NONE) {
        r->proof = PROOF_PUBCOMP;
    } else if (r->proof == PROOF_PUBLISH && r->probe == packet_id) {
        r->proof = PROOF_FREE;
    }
}

void mqc_repeats_rewind(mqc_repeats *r)
{
    r->proof = PROOF_NONE;
    for (size_t i = 0; i < r->count; i++) {
        if (r->table[i].state == RELEASED) {
            r->table[i].state = RELEASED_ONCE;
        }
    }
}

void mqc_repeats_clear(mqc_repeats *r)
{
    r->count = 0;
    r->next = 0;
    r->newest = 0;
    r->belief = MQC_SERVER_UNKNOWN;
}
