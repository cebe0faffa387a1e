#include "front/client_faults.h"

#include <stdlib.h>

#define NO_LIMIT   UINT64_MAX
#define TYPE_MASK  0xF0
#define PUBACK     0x40
#define PUBACK_LEN 4

/* Bytes that must be sent at the same time. */
typedef struct batch {
    hub_text bytes;
    int64_t due_ms;
    struct batch *next;
} batch;

/* Batches in the order in which they arrived. They keep it, even if a delay was shortened. */
typedef struct queue {
    batch *first;
    batch *last;
} queue;

struct hub_client_faults {
    uint32_t delay_ms;
    uint32_t puback_ms;
    uint64_t to_device; /* number of bytes that may still pass; NO_LIMIT: all */
    uint64_t from_device;
    hub_packet_watch taken;     /* position in the packets that were taken */
    hub_packet_watch released;  /* position in the packets of `others` that were released */
    uint8_t puback[PUBACK_LEN]; /* the PUBACK that is being taken, if it must be delayed */
    size_t puback_len;
    queue pubacks; /* PUBACKs that are delayed longer than other packets */
    queue others;
    size_t held;
};

hub_client_faults *hub_client_faults_new(const hub_packet_watch *position)
{
    hub_client_faults *f = hub_calloc(1, sizeof *f);

    f->taken = *position;
    f->released = *position;
    f->to_device = NO_LIMIT;
    f->from_device = NO_LIMIT;
    return f;
}

/* --- batches ----------------------------------------------------------- */

static void drop_first(queue *q)
{
    batch *b = q->first;

    q->first = b->next;
    q->last = q->first != NULL ? q->last : NULL;
    hub_text_free(&b->bytes);
    free(b);
}

void hub_client_faults_free(hub_client_faults *f)
{
    if (f == NULL) {
        return;
    }
    while (f->pubacks.first != NULL) {
        drop_first(&f->pubacks);
    }
    while (f->others.first != NULL) {
        drop_first(&f->others);
    }
    free(f);
}

/* Adds bytes to the batch of this time, which is the last one or a new one. */
static void add_bytes(queue *q, const uint8_t *data, size_t len, int64_t due_ms)
{
    if (q->last == NULL || q->last->due_ms != due_ms) {
        batch *b = hub_calloc(1, sizeof *b);
        b->due_ms = due_ms;
        if (q->last != NULL) {
            q->last->next = b;
        } else {
            q->first = b;
        }
        q->last = b;
    }
    hub_text_add(&q->last->bytes, data, len);
}

static int64_t due_of(const queue *q)
{
    return q->first != NULL ? q->first->due_ms : HUB_CLIENT_FAULTS_NEVER;
}

/* --- orders ------------------------------------------------------------ */

void hub_client_faults_order(hub_client_faults *f, const hub_note *order)
{
    switch (order->kind) {
    case HUB_NOTE_DELAY: f->delay_ms = order->value; break;
    case HUB_NOTE_DELAY_PUBACKS: f->puback_ms = order->value; break;
    case HUB_NOTE_CUT_TO_DEVICE: f->to_device = order->value; break;
    case HUB_NOTE_CUT_FROM_DEVICE: f->from_device = order->value; break;
    default: break;
    }
}

/* --- bytes ------------------------------------------------------------- */

size_t hub_client_faults_from_device(hub_client_faults *f, size_t len)
{
    if (f->from_device == NO_LIMIT) {
        return len;
    }
    len = len < f->from_device ? len : (size_t)f->from_device;
    f->from_device -= len;
    return len;
}

static void move_on(hub_packet_watch *position, const uint8_t *data, size_t len)
{
    hub_packet packet;

    for (size_t at = 0; at < len;) {
        at += hub_packet_watch_next(position, data + at, len - at, &packet);
    }
}

/* Returns whether the byte belongs to a PUBACK that is to be delayed longer than other packets. */
static bool is_of_late_puback(const hub_client_faults *f, uint8_t byte)
{
    const bool begins = f->taken.stage == HUB_PACKET_TYPE && (byte & TYPE_MASK) == PUBACK;
    return f->puback_len > 0 || (begins && f->puback_ms > f->delay_ms);
}

static void take_puback(hub_client_faults *f, uint8_t byte, int64_t now_ms)
{
    f->puback[f->puback_len++] = byte;
    if (f->puback_len == PUBACK_LEN) {
        add_bytes(&f->pubacks, f->puback, PUBACK_LEN, now_ms + f->puback_ms);
        f->puback_len = 0;
    }
}

void hub_client_faults_take(hub_client_faults *f, const uint8_t *data, size_t len, int64_t now_ms)
{
    for (size_t i = 0; i < len; i++) {
        if (is_of_late_puback(f, data[i])) {
            take_puback(f, data[i], now_ms);
        } else {
            add_bytes(&f->others, &data[i], 1, now_ms + f->delay_ms);
        }
        move_on(&f->taken, &data[i], 1);
    }
    f->held += len;
}

/* Appends the first batch, or what may pass of it before a cut, and drops it. */
static void release_first(hub_client_faults *f, queue *q, hub_text *out)
{
    const batch *b = q->first;
    const size_t len = b->bytes.len;
    const size_t n = len < f->to_device ? len : (size_t)f->to_device;

    hub_text_add(out, b->bytes.p, n);
    if (f->to_device != NO_LIMIT) {
        f->to_device -= n;
    }
    f->held -= len;
    drop_first(q);
}

/* A PUBACK must not be sent in the middle of another packet. */
void hub_client_faults_release(hub_client_faults *f, int64_t now_ms, hub_text *out)
{
    while (due_of(&f->others) <= now_ms) {
        const batch *b = f->others.first;
        move_on(&f->released, (const uint8_t *)b->bytes.p, b->bytes.len);
        release_first(f, &f->others, out);
    }
    while (f->released.stage == HUB_PACKET_TYPE && due_of(&f->pubacks) <= now_ms) {
        release_first(f, &f->pubacks, out);
    }
}

int64_t hub_client_faults_due(const hub_client_faults *f)
{
    const int64_t others = due_of(&f->others);
    const int64_t pubacks = due_of(&f->pubacks);

    if (f->released.stage != HUB_PACKET_TYPE) {
        return others; /* a PUBACK waits for the end of the packet */
    }
    return others < pubacks ? others : pubacks;
}

size_t hub_client_faults_held(const hub_client_faults *f)
{
    return f->held;
}

bool hub_client_faults_is_cut(const hub_client_faults *f)
{
    return f->to_device == 0 || f->from_device == 0;
}
